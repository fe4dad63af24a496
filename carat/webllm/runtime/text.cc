#include "carat/webllm/runtime/text.h"

namespace carat::webllm {

bool operator==(TextView a, TextView b) {
  if (a.size != b.size) return false;
  for (size_t i = 0; i < a.size; ++i) {
    if (a.data[i] != b.data[i]) return false;
  }
  return true;
}

TextView TextFrom(const char* text) {
  size_t size = 0;
  while (text[size] != '\0') ++size;
  return {text, size};
}

}  // namespace carat::webllm
