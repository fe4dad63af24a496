// MD5 (RFC 1321), with which MLC's tensor caches tell a damaged download from a whole one. It is no
// protection against anybody's intent.

#ifndef CARAT_BASE_MD5_H_
#define CARAT_BASE_MD5_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace carat {

class Md5 {
 public:
  void Append(std::span<const std::byte> bytes);

  // The hash of everything appended, as 32 lower-case hex digits. Ends the hash.
  std::string HexDigest();

 private:
  void AppendBlock(const std::byte* block);

  static constexpr size_t kBlockBytes = 64;

  std::array<uint32_t, 4> state_ = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  uint64_t num_bytes_ = 0;
  std::array<std::byte, kBlockBytes> pending_;  // num_bytes_ % kBlockBytes of them
};

}  // namespace carat

#endif  // CARAT_BASE_MD5_H_
