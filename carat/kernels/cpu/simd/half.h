// Scalar conversions between float and the two 16-bit formats, bit for bit what the vector
// instructions give: round to nearest even, subnormals kept, a NaN made quiet and its upper payload
// bits kept.

#ifndef CARAT_KERNELS_CPU_SIMD_HALF_H_
#define CARAT_KERNELS_CPU_SIMD_HALF_H_

#include <bit>
#include <cstdint>

namespace carat::cpu {

inline float F16ToF32(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  if (magnitude > 0x7c00u) return std::bit_cast<float>(sign | 0x7fc00000u | magnitude << 13);
  if (magnitude == 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u);
  // With the exponent bits in place the value is too small by 2^112; multiplying is exact, for
  // subnormal halves too (they become normal floats).
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(scaled));
}

inline uint16_t F32ToF16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude > 0x7f800000u) {
    half = 0x7e00u | (magnitude >> 13 & 0x3ffu);
  } else if (magnitude >= 0x477ff000u) {  // 65520 and above round to infinity
    half = 0x7c00u;
  } else if (magnitude < 0x38800000u) {
    // Below 2^-14 halves are multiples of 2^-24, which is the last bit of floats in [0.5, 1):
    // adding 0.5 rounds to it.
    half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
  } else {
    const uint32_t round_to_even = 0xfffu + (magnitude >> 13 & 1u);
    half = (magnitude + round_to_even - 0x38000000u) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

inline float BF16ToF32(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_SIMD_HALF_H_
