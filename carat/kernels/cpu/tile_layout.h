// How weights lie in memory for the kernels: tiles of 16 rows, vector lanes are rows.
//
// A matrix [rows, cols] becomes ceil(rows / 16) tiles, one after another; rows past the end are
// zero. In a tile, k runs slowest, so a kernel reads it front to back:
//
//     q4_0    nibbles [cols / 32][4 groups][16 rows][4 bytes], then f16 scales [cols / 32][16 rows]
//             byte (g, row, j) = q[4g + j] | q[16 + 4g + j] << 4      (k within the block of 32)
//     q8_0    int8    [cols / 32][8 groups][16 rows][4 bytes], then f16 scales [cols / 32][16 rows]
//             byte (g, row, j) = q[4g + j]
//     f32, f16, bf16  [cols][16 rows]
//
// Tiles start at multiples of 64 bytes.

#ifndef CARAT_KERNELS_CPU_TILE_LAYOUT_H_
#define CARAT_KERNELS_CPU_TILE_LAYOUT_H_

#include <cstdint>

#include "carat/kernels/cpu/simd/simd.h"

namespace carat::cpu {

// 16 rows are one AVX-512 vector, two AVX2 vectors, four NEON vectors; 4 bytes of each are a cache
// line.
inline constexpr int64_t kTileRows = 16;
inline constexpr int64_t kTileAlignment = 64;

constexpr int64_t RoundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
constexpr int64_t NumTiles(int64_t rows) { return (rows + kTileRows - 1) / kTileRows; }

// Formats in blocks of 32 values with one f16 scale. kGroups: groups of 4 bytes a row and block.
template <int kGroupsPerBlock>
struct BlockFormat {
  static constexpr int64_t kBlock = kBlockValues;
  static constexpr int64_t kGroups = kGroupsPerBlock;
  // A block of one row outside tiles (as in ggml): its scale, then its values.
  static constexpr int64_t kBlockBytes = 2 + 4 * kGroups;
  static constexpr int64_t kTileBlockBytes = 4 * kGroups * kTileRows;

  static constexpr int64_t ScalesOffset(int64_t cols) { return cols / kBlock * kTileBlockBytes; }
  static constexpr int64_t TileBytes(int64_t cols) {
    return RoundUp(ScalesOffset(cols) + cols / kBlock * 2 * kTileRows, kTileAlignment);
  }
};

struct Q4_0 : BlockFormat<4> {};
struct Q8_0 : BlockFormat<8> {};

// Formats of one value a block, without scales.
template <int kBytes>
struct FloatFormat {
  static constexpr int64_t kBlock = 1;
  static constexpr int64_t kBlockBytes = kBytes;

  static constexpr int64_t TileBytes(int64_t cols) {
    return RoundUp(cols * kTileRows * kBytes, kTileAlignment);
  }
};

struct F32 : FloatFormat<4> {};
struct F16 : FloatFormat<2> {};
struct BF16 : FloatFormat<2> {};

template <class Format>
inline constexpr bool kIsBlockFormat = Format::kBlock > 1;

// Of a row outside tiles; cols is a multiple of Format::kBlock.
template <class Format>
constexpr int64_t RowBytes(int64_t cols) {
  return cols / Format::kBlock * Format::kBlockBytes;
}
// Of a whole matrix in tiles.
template <class Format>
constexpr int64_t PackedBytes(int64_t rows, int64_t cols) {
  return NumTiles(rows) * Format::TileBytes(cols);
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_TILE_LAYOUT_H_
