#include "carat/base/md5.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace carat {
namespace {

static_assert(std::endian::native == std::endian::little, "words are little-endian");

constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

// floor(2^32 * |sin(i + 1)|)
constexpr uint32_t kSines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

}  // namespace

void Md5::AppendBlock(const std::byte* block) {
  std::array<uint32_t, 16> words;
  std::memcpy(words.data(), block, kBlockBytes);
  uint32_t a = state_[0];
  uint32_t b = state_[1];
  uint32_t c = state_[2];
  uint32_t d = state_[3];
  const auto step = [&](int i, uint32_t mixed, int word) {
    const uint32_t sum = a + mixed + kSines[i] + words[word];
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kShifts[i / 16][i % 4]);
  };
  for (int i = 0; i < 16; ++i) step(i, (b & c) | (~b & d), i);
  for (int i = 16; i < 32; ++i) step(i, (d & b) | (~d & c), (5 * i + 1) % 16);
  for (int i = 32; i < 48; ++i) step(i, b ^ c ^ d, (3 * i + 5) % 16);
  for (int i = 48; i < 64; ++i) step(i, c ^ (b | ~d), 7 * i % 16);
  state_[0] += a;
  state_[1] += b;
  state_[2] += c;
  state_[3] += d;
}

void Md5::Append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const size_t filled = num_bytes_ % kBlockBytes;
    const size_t count = std::min(bytes.size(), kBlockBytes - filled);
    if (count == kBlockBytes) {
      AppendBlock(bytes.data());
    } else {
      std::memcpy(pending_.data() + filled, bytes.data(), count);
      if (filled + count == kBlockBytes) AppendBlock(pending_.data());
    }
    num_bytes_ += count;
    bytes = bytes.subspan(count);
  }
}

std::string Md5::HexDigest() {
  // A one bit, zeros, and the number of bits in the last 8 bytes of a block.
  const uint64_t num_bits = num_bytes_ * 8;
  std::array<std::byte, kBlockBytes> padding = {std::byte{0x80}};
  const size_t filled = (num_bytes_ + sizeof num_bits) % kBlockBytes;
  Append(std::span(padding).first(kBlockBytes - filled));
  Append(std::as_bytes(std::span(&num_bits, 1)));

  std::string digest;
  for (const uint32_t word : state_) {
    for (int shift = 0; shift < 32; shift += 8)
      digest += fmt::format("{:02x}", word >> shift & 255);
  }
  return digest;
}

}  // namespace carat
