// One row of the embedding table, out of the same tiles the output head multiplies with.

#ifndef CARAT_KERNELS_CPU_EMBED_H_
#define CARAT_KERNELS_CPU_EMBED_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "carat/kernels/cpu/simd/half.h"
#include "carat/kernels/cpu/tile_layout.h"

namespace carat::cpu {

// The value at (row, k) of a tile.
template <class Format>
float TileValue(const uint8_t* tile, int64_t row, int64_t k, int64_t cols) {
  if constexpr (kIsBlockFormat<Format>) {
    const int64_t block = k / Format::kBlock;
    const int64_t in_block = k % Format::kBlock;
    const int64_t in_bytes = in_block % (4 * Format::kGroups);  // q4_0 has k and k + 16 in one byte
    uint16_t scale;
    std::memcpy(&scale, tile + Format::ScalesOffset(cols) + 2 * (block * kTileRows + row), 2);
    const uint8_t byte =
        tile[block * Format::kTileBlockBytes + (in_bytes / 4 * kTileRows + row) * 4 + in_bytes % 4];
    int q;
    if constexpr (std::is_same_v<Format, Q4_0>) {
      q = (in_block < 16 ? byte & 15 : byte >> 4) - 8;
    } else {
      q = static_cast<int8_t>(byte);
    }
    return static_cast<float>(q) * F16ToF32(scale);
  } else if constexpr (std::is_same_v<Format, F32>) {
    float value;
    std::memcpy(&value, tile + 4 * (k * kTileRows + row), 4);
    return value;
  } else {
    uint16_t value;
    std::memcpy(&value, tile + 2 * (k * kTileRows + row), 2);
    return std::is_same_v<Format, F16> ? F16ToF32(value) : BF16ToF32(value);
  }
}

// out [kCols] = scale * table[token]; 0 <= token < kRows.
template <class S, class Format, int64_t kRows, int64_t kCols>
void EmbedRow(const uint8_t* table, int32_t token, float scale, float* out) {
  const uint8_t* tile = table + token / kTileRows * Format::TileBytes(kCols);
  for (int64_t k = 0; k < kCols; ++k) {
    out[k] = scale * TileValue<Format>(tile, token % kTileRows, k, kCols);
  }
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_EMBED_H_
