// The inner loops of MatMul: one weight tile (16 rows) times a few tokens.
//
//     for t in tokens, r in rows:  out[t][r] = sum over k of w[r, k] * x[t, k]
//
// Lanes are rows, so nothing is summed across lanes, and every output adds its terms in the order
// of k whatever the vector width: all instruction sets give the same bits. A pass holds kVectors
// vectors of rows times kTokens tokens of sums in registers. An activation, broadcast once, meets
// kVectors weights; a weight, loaded once, meets kTokens activations:
//
//     q4_0, q8_0:      for each block of 32
//                        sum[t][v] = sum over k of q_w[v][k] * q_x[t][k]       (integers: exact)
//                        total[t][v] += sum[t][v] * (scale_w[v] * scale_x[t])
//     f32, f16, bf16:  for each k
//                        total[t][v] += w[v] * x[t]

#ifndef CARAT_KERNELS_CPU_MATMUL_TILE_H_
#define CARAT_KERNELS_CPU_MATMUL_TILE_H_

#include <cstdint>
#include <type_traits>

#include "carat/kernels/cpu/activations.h"
#include "carat/kernels/cpu/simd/simd.h"
#include "carat/kernels/cpu/tile_layout.h"

// Arrays of vectors become registers only when the loops over them are unrolled.
#if defined(__clang__)
#define CARAT_UNROLL _Pragma("unroll")
#else
#define CARAT_UNROLL _Pragma("GCC unroll 16")
#endif

namespace carat::cpu {

// A pass of 8 sums and 8 totals: 16 AVX2 registers hold them but for a few spills outside the inner
// loop (6 sums without spills are 5% slower), 32 of AVX-512 and NEON easily. 8 chains also cover
// the latency of fused multiply-adds (4 cycles, 2 a cycle).
template <class S>
inline constexpr int kPassVectors = S::kLanes < kTileRows ? 2 : 1;
template <class S>
inline constexpr int kPassTokens = 8 / kPassVectors<S>;

// Two pages ahead of the reader: the hardware's prefetchers stop at page borders. On Zen 3 this
// gives 93% of the speed of a loop that only reads; 2 KB ahead gives 75%, 24 KB no more than 8.
inline constexpr int64_t kPrefetchBytes = 8192;

// How a block of 32 is multiplied, in 8 steps of 4 values.
template <class S, class Format>
struct BlockDot;

template <class S>
struct BlockDot<S, Q4_0> : S::Q4 {
  static constexpr int64_t FirstK(int step) { return step / 2 * 4 + step % 2 * 16; }
  static constexpr int64_t Offset(int step) { return step / 2 * 4 * kTileRows; }
  static typename S::Bytes Weights(const uint8_t* p, int step) {
    const auto bytes = S::LoadBytes(p);
    return step % 2 == 0 ? S::LowNibbles(bytes) : S::HighNibbles(bytes);
  }
};

template <class S>
struct BlockDot<S, Q8_0> : S::Q8 {
  static constexpr int64_t FirstK(int step) { return step * 4; }
  static constexpr int64_t Offset(int step) { return step * 4 * kTileRows; }
  static typename S::Bytes Weights(const uint8_t* p, int /*step*/) {
    return S::Q8::Prepare(S::LoadBytes(p));
  }
};

// kTokens rows of x from `first_token` on, through kVectors vectors of rows of the tile from
// `first_row` on.
template <class S, class Format, int64_t kCols, int kVectors, int kTokens>
struct TilePass {
  using Vector = typename S::F32;

  Vector total[kTokens][kVectors];

  TilePass() {
    CARAT_UNROLL
    for (int t = 0; t < kTokens; ++t) {
      CARAT_UNROLL
      for (int v = 0; v < kVectors; ++v) total[t][v] = S::Zero();
    }
  }

  void Multiply(const uint8_t* tile, int64_t first_row, QuantizedRows x, int64_t first_token) {
    using Dot = BlockDot<S, Format>;
    constexpr int64_t kStride = QuantizedRowBytes(kCols);
    const uint8_t* row = x.rows + first_token * kStride;
    const uint8_t* weights = tile + 4 * first_row;
    const auto* scales = reinterpret_cast<const uint16_t*>(tile + Format::ScalesOffset(kCols));
    for (int64_t block = 0; block < kCols / kBlockValues; ++block) {
      CARAT_UNROLL
      for (int64_t at = 0; at < Format::kTileBlockBytes; at += 64) {
        __builtin_prefetch(weights + at + kPrefetchBytes);
      }
      __builtin_prefetch(reinterpret_cast<const uint8_t*>(scales) + kPrefetchBytes);
      typename Dot::Sum sum[kTokens][kVectors];
      CARAT_UNROLL
      for (int t = 0; t < kTokens; ++t) {
        const auto start = Dot::Start(QuantizedCorrection(row + t * kStride, kCols, block));
        CARAT_UNROLL
        for (int v = 0; v < kVectors; ++v) sum[t][v] = start;
      }
      CARAT_UNROLL
      for (int step = 0; step < 8; ++step) {
        const uint8_t* group = weights + Dot::Offset(step);
        typename S::Bytes w[kVectors];
        CARAT_UNROLL
        for (int v = 0; v < kVectors; ++v) w[v] = Dot::Weights(group + 4 * S::kLanes * v, step);
        CARAT_UNROLL
        for (int t = 0; t < kTokens; ++t) {
          const auto q = S::BroadcastBytes(QuantizedValues(row + t * kStride) +
                                           block * kBlockValues + Dot::FirstK(step));
          CARAT_UNROLL
          for (int v = 0; v < kVectors; ++v) sum[t][v] = Dot::Dot(sum[t][v], w[v], q);
        }
      }
      CARAT_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        const Vector w_scale = S::LoadF16(scales + first_row + v * S::kLanes);
        CARAT_UNROLL
        for (int t = 0; t < kTokens; ++t) {
          const Vector x_scale = S::Set1(QuantizedScale(row + t * kStride, kCols, block));
          total[t][v] = S::Fma(Dot::Finish(sum[t][v]), S::Mul(w_scale, x_scale), total[t][v]);
        }
      }
      weights += Format::kTileBlockBytes;
      scales += kTileRows;
    }
  }

  void Multiply(const uint8_t* tile, int64_t first_row, FloatRows x, int64_t first_token) {
    const float* row = x.rows + first_token * x.stride;
    const uint8_t* weights = tile + first_row * Format::kBlockBytes;
    for (int64_t k = 0; k < kCols; ++k) {
      __builtin_prefetch(weights + kPrefetchBytes);
      Vector w[kVectors];
      CARAT_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        w[v] = LoadWeights(weights + v * S::kLanes * Format::kBlockBytes);
      }
      CARAT_UNROLL
      for (int t = 0; t < kTokens; ++t) {
        const Vector value = S::Set1(row[t * x.stride + k]);
        CARAT_UNROLL
        for (int v = 0; v < kVectors; ++v) total[t][v] = S::Fma(w[v], value, total[t][v]);
      }
      weights += kTileRows * Format::kBlockBytes;
    }
  }

  // out [kTokens][16]
  void Store(float* out, int64_t first_row) const {
    CARAT_UNROLL
    for (int t = 0; t < kTokens; ++t) {
      CARAT_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        S::Store(out + t * kTileRows + first_row + v * S::kLanes, total[t][v]);
      }
    }
  }

 private:
  static Vector LoadWeights(const uint8_t* p) {
    if constexpr (std::is_same_v<Format, F32>) {
      return S::Load(reinterpret_cast<const float*>(p));
    } else if constexpr (std::is_same_v<Format, F16>) {
      return S::LoadF16(reinterpret_cast<const uint16_t*>(p));
    } else {
      return S::LoadBF16(reinterpret_cast<const uint16_t*>(p));
    }
  }
};

// out [kTokens][16] = the tile times tokens first_token .. first_token + kTokens of x.
template <class S, class Format, int64_t kCols, int kTokens, class Input>
void MultiplyTile(const uint8_t* tile, Input x, int64_t first_token, float* out) {
  constexpr int kVectors = kPassVectors<S>;
  for (int64_t row = 0; row < kTileRows; row += kVectors * S::kLanes) {
    TilePass<S, Format, kCols, kVectors, kTokens> pass;
    pass.Multiply(tile, row, x, first_token);
    pass.Store(out, row);
  }
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_MATMUL_TILE_H_
