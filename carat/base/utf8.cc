#include "carat/base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace carat {
namespace {

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; }

}  // namespace

bool IsUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto first = static_cast<uint8_t>(text[i++]);
    if (first < 0x80) continue;
    const size_t num_continuations = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || text.size() - i < num_continuations) return false;
    // What follows first bytes at the edges must not make an overlong form, a surrogate or more
    // than U+10FFFF.
    const auto second = static_cast<uint8_t>(text[i]);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
      return false;
    }
    for (size_t k = 0; k < num_continuations; ++k) {
      if (!IsContinuation(text[i++])) return false;
    }
  }
  return true;
}

size_t CountCodePoints(std::string_view text) {
  return text.size() - static_cast<size_t>(std::count_if(text.begin(), text.end(), IsContinuation));
}

}  // namespace carat
