// Operations on one row of a [n, width] tensor in f32: norms, elementwise arithmetic, copies.
//
// The width is a template parameter, any number of floats; pointers need no alignment. `out` may be
// the same row as an input. Nothing here knows of threads: call these from ForEachRow (team.h).

#ifndef CARAT_KERNELS_CPU_ROWS_H_
#define CARAT_KERNELS_CPU_ROWS_H_

#include <cstdint>
#include <cstring>

#include "carat/kernels/cpu/simd/math.h"

namespace carat::cpu {

// out[i] = fn(inputs[i]...), fn on vectors.
template <class S, int64_t kWidth, class Fn, class... Inputs>
inline void MapRow(Fn fn, float* out, const Inputs*... inputs) {
  constexpr int64_t kTail = kWidth % S::kLanes;
  for (int64_t i = 0; i < kWidth - kTail; i += S::kLanes) {
    S::Store(out + i, fn(S::Load(inputs + i)...));
  }
  if constexpr (kTail > 0) {
    constexpr int64_t i = kWidth - kTail;
    S::StorePartial(out + i, fn(S::LoadPartial(inputs + i, kTail)...), kTail);
  }
}

// Sum of x[i]^2. Four running sums hide the latency of the additions.
template <class S, int64_t kWidth>
inline float SumOfSquares(const float* x) {
  using F32 = typename S::F32;
  constexpr int64_t kStep = 4 * S::kLanes;
  F32 sum[4] = {S::Zero(), S::Zero(), S::Zero(), S::Zero()};
  int64_t i = 0;
  for (; i + kStep <= kWidth; i += kStep) {
    for (int k = 0; k < 4; ++k) {
      const F32 v = S::Load(x + i + k * S::kLanes);
      sum[k] = S::Fma(v, v, sum[k]);
    }
  }
  for (; i + S::kLanes <= kWidth; i += S::kLanes) {
    const F32 v = S::Load(x + i);
    sum[0] = S::Fma(v, v, sum[0]);
  }
  if (i < kWidth) {
    const F32 v = S::LoadPartial(x + i, kWidth - i);
    sum[1] = S::Fma(v, v, sum[1]);
  }
  return S::ReduceAdd(S::Add(S::Add(sum[0], sum[1]), S::Add(sum[2], sum[3])));
}

// 1 / sqrt(mean(x^2) + eps), in every lane.
template <class S, int64_t kWidth>
inline typename S::F32 InverseRms(const float* x, float eps) {
  const float mean = SumOfSquares<S, kWidth>(x) / static_cast<float>(kWidth);
  return S::Div(S::Set1(1.0f), S::Sqrt(S::Set1(mean + eps)));
}

// out = x / rms(x) * (weight + offset). Gemma's checkpoints store weights for offset 1.
template <class S, int64_t kWidth>
inline void RmsNorm(const float* x, const float* weight, float eps, float* out,
                    float offset = 0.0f) {
  using F32 = typename S::F32;
  const F32 inverse = InverseRms<S, kWidth>(x, eps);
  const F32 shift = S::Set1(offset);
  MapRow<S, kWidth>([=](F32 v, F32 w) { return S::Mul(S::Mul(v, inverse), S::Add(w, shift)); }, out,
                    x, weight);
}

// RmsNorm of each head of x [num_heads, head_dim] with the same weight [head_dim].
template <class S, int64_t kNumHeads, int64_t kHeadDim>
inline void RmsNormHeads(const float* x, const float* weight, float eps, float* out,
                         float offset = 0.0f) {
  for (int64_t head = 0; head < kNumHeads; ++head) {
    RmsNorm<S, kHeadDim>(x + head * kHeadDim, weight, eps, out + head * kHeadDim, offset);
  }
}

// out = a + b
template <class S, int64_t kWidth>
inline void Add(const float* a, const float* b, float* out) {
  using F32 = typename S::F32;
  MapRow<S, kWidth>([](F32 x, F32 y) { return S::Add(x, y); }, out, a, b);
}

// out = a * b
template <class S, int64_t kWidth>
inline void Mul(const float* a, const float* b, float* out) {
  using F32 = typename S::F32;
  MapRow<S, kWidth>([](F32 x, F32 y) { return S::Mul(x, y); }, out, a, b);
}

// out = gelu_tanh(x)
template <class S, int64_t kWidth>
inline void GeluTanhRow(const float* x, float* out) {
  using F32 = typename S::F32;
  MapRow<S, kWidth>([](F32 v) { return GeluTanh<S>(v); }, out, x);
}

// cap * tanh(v / cap), of a vector.
template <class S>
inline typename S::F32 Softcapped(typename S::F32 v, float cap) {
  return S::Mul(S::Set1(cap), Tanh<S>(S::Div(v, S::Set1(cap))));
}

// out = cap * tanh(x / cap)
template <class S, int64_t kWidth>
inline void Softcap(const float* x, float cap, float* out) {
  using F32 = typename S::F32;
  MapRow<S, kWidth>([=](F32 v) { return Softcapped<S>(v, cap); }, out, x);
}

// out = x
template <int64_t kWidth>
inline void Copy(const float* x, float* out) {
  std::memmove(out, x, kWidth * sizeof(float));
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_ROWS_H_
