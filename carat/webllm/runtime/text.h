// Text that someone else owns.

#ifndef CARAT_WEBLLM_RUNTIME_TEXT_H_
#define CARAT_WEBLLM_RUNTIME_TEXT_H_

#include <stddef.h>

namespace carat::webllm {

struct TextView {
  const char* data = "";
  size_t size = 0;

  constexpr TextView() = default;
  constexpr TextView(const char* text, size_t length) : data(text), size(length) {}
  // Of a literal.
  template <size_t kSize>
  constexpr TextView(const char (&text)[kSize])  // NOLINT(google-explicit-constructor)
      : data(text), size(kSize - 1) {}
};

bool operator==(TextView a, TextView b);

// Of text that ends in NUL.
TextView TextFrom(const char* text);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_TEXT_H_
