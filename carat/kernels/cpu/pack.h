// From rows as files hold them (ggml's bytes for q4_0 and q8_0, plain values otherwise) to the
// kernels' tiles (tile_layout.h). Bytes are moved, never changed.

#ifndef CARAT_KERNELS_CPU_PACK_H_
#define CARAT_KERNELS_CPU_PACK_H_

#include <cstdint>
#include <cstring>

#include "carat/kernels/cpu/tile_layout.h"

namespace carat::cpu {

// Calls move(in row, in tile, bytes) for each piece of row `row` (0..15) that is contiguous in
// both: the offsets of the piece in the row's bytes and in the tile's.
template <class Format, class Move>
void ForEachPiece(int64_t row, int64_t cols, Move move) {
  if constexpr (kIsBlockFormat<Format>) {
    for (int64_t block = 0; block < cols / Format::kBlock; ++block) {
      const int64_t in_row = block * Format::kBlockBytes;
      move(in_row, Format::ScalesOffset(cols) + 2 * (block * kTileRows + row), 2);
      for (int64_t group = 0; group < Format::kGroups; ++group) {
        move(in_row + 2 + 4 * group, 4 * ((block * Format::kGroups + group) * kTileRows + row), 4);
      }
    }
  } else {
    for (int64_t k = 0; k < cols; ++k) {
      move(k * Format::kBlockBytes, (k * kTileRows + row) * Format::kBlockBytes,
           Format::kBlockBytes);
    }
  }
}

// One tile out of num_rows <= 16 rows, which lie RowBytes<Format>(cols) apart. The rest of the tile
// becomes 0.
template <class Format>
void PackTile(const uint8_t* rows, int64_t num_rows, int64_t cols, uint8_t* tile) {
  if (num_rows < kTileRows) std::memset(tile, 0, Format::TileBytes(cols));
  for (int64_t row = 0; row < num_rows; ++row) {
    const uint8_t* bytes = rows + row * RowBytes<Format>(cols);
    ForEachPiece<Format>(row, cols, [&](int64_t in_row, int64_t in_tile, int64_t size) {
      std::memcpy(tile + in_tile, bytes + in_row, size);
    });
  }
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_PACK_H_
