// Text from outside, which may be any bytes.

#ifndef CARAT_BASE_UTF8_H_
#define CARAT_BASE_UTF8_H_

#include <cstddef>
#include <string_view>

namespace carat {

// Whether `text` is UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool IsUtf8(std::string_view text);

// The characters of UTF-8 text.
size_t CountCodePoints(std::string_view text);

}  // namespace carat

#endif  // CARAT_BASE_UTF8_H_
