// Matrix products of weight tiles (tile_layout.h) with the activations of n tokens:
//
//     out[token, row] = epilogue(sum over k of w[row, k] * x[token, k])
//
// The same code decodes one token, where it streams the weights at the speed of memory, and
// prefills hundreds:
//
//     for panels of tokens that stay in L2              (one panel when n is small)
//       for tiles of 16 rows                            the tile stays in L1 ...
//         for kPassTokens tokens of the panel           ... while the panel's tokens pass by
//           MultiplyTile, then the epilogue on each vector of rows
//
// Threads share the (panel, tile) pairs: contiguous ranges of equal length, whatever n and the
// number of threads. There is no barrier inside; the caller puts one before the outputs are read.

#ifndef CARAT_KERNELS_CPU_MATMUL_H_
#define CARAT_KERNELS_CPU_MATMUL_H_

#include <algorithm>
#include <cstdint>

#include "carat/kernels/cpu/activations.h"
#include "carat/kernels/cpu/matmul_epilogues.h"
#include "carat/kernels/cpu/matmul_tile.h"
#include "carat/kernels/cpu/team.h"
#include "carat/kernels/cpu/tile_layout.h"

namespace carat::cpu {

// Activations of a panel: a quarter of the smallest L2 of the machines we know (512 KB), since
// weights and outputs pass through it too.
inline constexpr int64_t kPanelBytes = 128 * 1024;

// Pairs a thread should get at least, where there are tokens enough: one more or less is then a
// quarter.
inline constexpr int64_t kPairsPerThread = 4;

struct Panels {
  int64_t tokens;  // of each panel; the last may have fewer
  int64_t count;
};

// n tokens of row_bytes each in panels of equal size, a multiple of pass_tokens.
inline Panels SplitIntoPanels(int64_t n, int64_t row_bytes, int64_t pass_tokens, int64_t num_tiles,
                              int64_t num_threads) {
  const auto ceil_div = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
  const int64_t for_cache = ceil_div(n * row_bytes, kPanelBytes);
  const int64_t for_threads = ceil_div(kPairsPerThread * num_threads, num_tiles);
  const int64_t wanted = std::max<int64_t>({for_cache, for_threads, 1});
  const int64_t tokens = std::max(RoundUp(ceil_div(n, wanted), pass_tokens), pass_tokens);
  return {tokens, ceil_div(n, tokens)};
}

// Tokens [first, end) through the weight tiles that make outputs 16 * tile .. of each. kTokens at a
// time; the rest by halves.
template <class S, class Format, int64_t kRows, int64_t kCols, int kTokens, class Input,
          class Epilogue>
void MultiplyTokens(const uint8_t* weights, int64_t tile, Input x, int64_t first, int64_t end,
                    const Epilogue& epilogue) {
  constexpr int kTiles = Epilogue::kTiles;
  const int64_t first_row = tile * kTileRows;
  const int64_t num_rows = std::min(kTileRows, kRows - first_row);
  while (first + kTokens <= end) {
    alignas(64) float out[kTiles][kTokens * kTileRows];
    for (int i = 0; i < kTiles; ++i) {
      const uint8_t* bytes = weights + (tile * kTiles + i) * Format::TileBytes(kCols);
      MultiplyTile<S, Format, kCols, kTokens>(bytes, x, first, out[i]);
    }
    for (int64_t t = 0; t < kTokens; ++t) {
      for (int64_t row = 0; row < num_rows; row += S::kLanes) {
        typename S::F32 v[kTiles];
        for (int i = 0; i < kTiles; ++i) v[i] = S::Load(out[i] + t * kTileRows + row);
        const int64_t count = std::min<int64_t>(S::kLanes, num_rows - row);
        epilogue.template Write<S>(first + t, first_row + row, count, v);
      }
    }
    first += kTokens;
  }
  if constexpr (kTokens > 1) {
    MultiplyTokens<S, Format, kRows, kCols, kTokens / 2>(weights, tile, x, first, end, epilogue);
  }
}

// kRows counts rows of outputs. Input: QuantizedRows for q4_0 and q8_0, FloatRows for f32, f16 and
// bf16.
template <class S, class Format, int64_t kRows, int64_t kCols, class Input, class Epilogue>
void MatMul(const Team& team, const uint8_t* weights, Input x, int64_t n,
            const Epilogue& epilogue) {
  static_assert(kCols % Format::kBlock == 0);
  constexpr int64_t kRowBytes = kIsBlockFormat<Format> ? QuantizedRowBytes(kCols) : 4 * kCols;
  constexpr int kTokens = kPassTokens<S>;
  const int64_t num_tiles = NumTiles(kRows);
  const Panels panels = SplitIntoPanels(n, kRowBytes, kTokens, num_tiles, team.num_threads);
  const Range pairs = OwnedRows(team, panels.count * num_tiles);
  for (int64_t pair = pairs.begin; pair < pairs.end; ++pair) {
    const int64_t first = pair / num_tiles * panels.tokens;
    const int64_t end = std::min(first + panels.tokens, n);
    MultiplyTokens<S, Format, kRows, kCols, kTokens>(weights, pair % num_tiles, x, first, end,
                                                     epilogue);
  }
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_MATMUL_H_
