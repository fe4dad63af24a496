// What MatMul does with a finished vector of outputs. An epilogue has
//
//     kTiles               how many weight tiles make one tile of outputs
//     Write<S>(token, row, count, v)
//                          stores outputs row .. row + count of one token; v[i] comes from the i-th
//                          of the kTiles tiles; count <= S::kLanes
//
// Each output is written once, by one thread, so an epilogue may also read what it overwrites.

#ifndef CARAT_KERNELS_CPU_MATMUL_EPILOGUES_H_
#define CARAT_KERNELS_CPU_MATMUL_EPILOGUES_H_

#include <cstdint>

#include "carat/kernels/cpu/simd/math.h"

namespace carat::cpu {

template <class S>
void StoreFirst(float* out, typename S::F32 v, int64_t count) {
  if (count == S::kLanes) {
    S::Store(out, v);
  } else {
    S::StorePartial(out, v, count);
  }
}

// out[token, row] = W x
struct Store {
  static constexpr int kTiles = 1;
  float* out;
  int64_t stride;

  template <class S>
  void Write(int64_t token, int64_t row, int64_t count, const typename S::F32* v) const {
    StoreFirst<S>(out + token * stride + row, v[0], count);
  }
};

// out[token, row] = gelu_tanh(gate x) * (up x), where tile 2i holds rows 16i.. of gate and tile 2i
// + 1 those of up.
struct GeluMulStore {
  static constexpr int kTiles = 2;
  float* out;
  int64_t stride;

  template <class S>
  void Write(int64_t token, int64_t row, int64_t count, const typename S::F32* v) const {
    StoreFirst<S>(out + token * stride + row, S::Mul(GeluTanh<S>(v[0]), v[1]), count);
  }
};

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_MATMUL_EPILOGUES_H_
