// Activations as integer dot products want them: int8 with an f32 scale per 32 values, one row a
// token.
//
//     int8  q          [cols]          x[k] ~ scale[k / 32] * q[k], q in -127..127
//     f32   scale      [cols / 32]     (largest |x| of the block) / 127
//     int32 correction [cols / 32]     S::Q4::Correction: folds the offset of unsigned weights in
//     padding to 64 bytes

#ifndef CARAT_KERNELS_CPU_ACTIVATIONS_H_
#define CARAT_KERNELS_CPU_ACTIVATIONS_H_

#include <cstdint>
#include <cstring>

#include "carat/kernels/cpu/simd/simd.h"
#include "carat/kernels/cpu/tile_layout.h"

namespace carat::cpu {

// cols is a multiple of 32.
constexpr int64_t QuantizedRowBytes(int64_t cols) {
  return RoundUp(cols + cols / kBlockValues * 8, 64);
}

// The parts of a quantized row.
inline const int8_t* QuantizedValues(const uint8_t* row) {
  return reinterpret_cast<const int8_t*>(row);
}
inline float QuantizedScale(const uint8_t* row, int64_t cols, int64_t block) {
  return reinterpret_cast<const float*>(row + cols)[block];
}
inline int32_t QuantizedCorrection(const uint8_t* row, int64_t cols, int64_t block) {
  return reinterpret_cast<const int32_t*>(row + cols + cols / kBlockValues * 4)[block];
}

// n rows of f32, `stride` floats apart.
struct FloatRows {
  const float* rows;
  int64_t stride;
};

// n rows as QuantizeRow writes them, QuantizedRowBytes(cols) apart.
struct QuantizedRows {
  const uint8_t* rows;
};

// x [cols] -> row [QuantizedRowBytes(cols)].
template <class S>
void QuantizeRow(const float* x, int64_t cols, uint8_t* row) {
  // Below this 127 / amax could overflow; such a block is 0.
  constexpr float kSmallest = 1e-30f;
  constexpr int kVectors = kBlockValues / S::kLanes;
  auto* q = reinterpret_cast<int8_t*>(row);
  for (int64_t block = 0; block < cols / kBlockValues; ++block) {
    const float* in = x + block * kBlockValues;
    int8_t* out = q + block * kBlockValues;
    typename S::F32 largest = S::Abs(S::Load(in));
    for (int i = 1; i < kVectors; ++i) {
      largest = S::Max(largest, S::Abs(S::Load(in + i * S::kLanes)));
    }
    const float amax = S::ReduceMax(largest);
    const float scale = amax < kSmallest ? 0.0f : amax / 127.0f;
    const auto inverse = S::Set1(amax < kSmallest ? 0.0f : 127.0f / amax);
    for (int i = 0; i < kVectors; ++i) {
      S::StoreI8(out + i * S::kLanes, S::Mul(S::Load(in + i * S::kLanes), inverse));
    }
    const int32_t correction = S::Q4::Correction(out);
    std::memcpy(row + cols + 4 * block, &scale, 4);
    std::memcpy(row + cols + cols / kBlockValues * 4 + 4 * block, &correction, 4);
  }
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_ACTIVATIONS_H_
