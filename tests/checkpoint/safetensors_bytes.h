// Makes safetensors files, right and wrong ones, byte by byte.

#ifndef CARAT_TESTS_CHECKPOINT_SAFETENSORS_BYTES_H_
#define CARAT_TESTS_CHECKPOINT_SAFETENSORS_BYTES_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace carat::checkpoint {

// A file whose header is `header`, preceded by `header_bytes` if given or by its true length.
inline std::string SafetensorsBytes(std::string_view header, std::string_view data,
                                    int64_t header_bytes = -1) {
  const auto length = header_bytes >= 0 ? static_cast<uint64_t>(header_bytes) : header.size();
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>(length >> (8 * i) & 0xff);
  return file.append(header).append(data);
}

// The bytes of little-endian 16-bit elements.
inline std::string U16(std::initializer_list<uint16_t> elements) {
  std::string bytes;
  for (const uint16_t element : elements) {
    bytes += static_cast<char>(element & 0xff);
    bytes += static_cast<char>(element >> 8);
  }
  return bytes;
}

}  // namespace carat::checkpoint

#endif  // CARAT_TESTS_CHECKPOINT_SAFETENSORS_BYTES_H_
