// Text that someone else owns.

#ifndef CARAT_WEBLLM_RUNTIME_TEXT_H_
#define CARAT_WEBLLM_RUNTIME_TEXT_H_

#include <stddef.h>

namespace carat::webllm {

constexpr size_t Length(const char* text) {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  return length;
}

struct TextView {
  const char* data = "";
  size_t size = 0;

  constexpr TextView() = default;
  constexpr TextView(const char* text, size_t length) : data(text), size(length) {}
  // Of text that ends in NUL.
  constexpr TextView(const char* text)  // NOLINT(google-explicit-constructor): as std::string_view
      : data(text), size(Length(text)) {}
};

inline bool operator==(TextView a, TextView b) {
  if (a.size != b.size) return false;
  for (size_t i = 0; i < a.size; ++i) {
    if (a.data[i] != b.data[i]) return false;
  }
  return true;
}

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_TEXT_H_
