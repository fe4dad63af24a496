// Rotary position embeddings on halves: dims i and i + head_dim / 2 of a head turn by position *
// frequency[i], where frequency[i] = theta^(-2 i / head_dim) / linear_factor.
//
//   out[i]        = x[i] cos - x[i + half] sin
//   out[i + half] = x[i + half] cos + x[i] sin
//
// Angles are computed once a token, step and base, not once a layer and head: a row [cos (half) |
// sin (half)] each. They are reduced in double: at position 131071 the first angle is 20,861 turns,
// of which f32 keeps three decimals. The reduction is exact to 1e-10 because frequencies are held
// in quarter turns: no multiple of pi needs subtracting. A row costs 128 sines and cosines by
// polynomials of double, about 0.5 us, where libm's would take 5: nothing beside the milliseconds
// of a token, so there are no tables that grow with the context.

#ifndef CARAT_KERNELS_CPU_ROPE_H_
#define CARAT_KERNELS_CPU_ROPE_H_

#include <bit>
#include <cstdint>

namespace carat::cpu {

// ---- Frequencies, at compile time ----

// ln(x) for x >= 1: x = 2^k m with m in [1, 2), ln m = 2 atanh((m - 1) / (m + 1)).
constexpr long double ConstantLog(long double x) {
  constexpr long double kLn2 = 0.693147180559945309417232121458176568L;
  int k = 0;
  for (; x >= 2; x /= 2) ++k;
  const long double z = (x - 1) / (x + 1);
  long double power = z;
  long double sum = 0;
  for (int i = 1; i < 60; i += 2, power *= z * z)
    sum += power / i;  // z <= 1/3: the rest is below 1e-29
  return k * kLn2 + 2 * sum;
}

// e^x by squaring e^(x / 1024) ten times.
constexpr long double ConstantExp(long double x) {
  const long double r = x / 1024;
  long double term = 1;
  long double sum = 1;
  for (int i = 1; i < 20; ++i) sum += term *= r / i;
  for (int i = 0; i < 10; ++i) sum *= sum;
  return sum;
}

template <int64_t kHeadDim>
struct RopeFrequencies {
  double quarter_turns[kHeadDim / 2];  // a token
};

// Example: constexpr auto kRopeFull = MakeRopeFrequencies<256>(1e6, 1.0);
template <int64_t kHeadDim>
consteval RopeFrequencies<kHeadDim> MakeRopeFrequencies(double theta, double linear_factor) {
  static_assert(kHeadDim % 2 == 0, "RoPE turns pairs of dims");
  constexpr long double kTwoOverPi = 0.636619772367581343075535053490057448L;
  RopeFrequencies<kHeadDim> frequencies{};
  for (int64_t i = 0; i < kHeadDim / 2; ++i) {
    const long double exponent = -2 * static_cast<long double>(i) / kHeadDim;
    const long double frequency = ConstantExp(exponent * ConstantLog(theta)) / linear_factor;
    frequencies.quarter_turns[i] = static_cast<double>(frequency * kTwoOverPi);
  }
  return frequencies;
}

// ---- Angles, once a token ----

// Writes cos(position * frequency) to cos_sin[0, half) and the sines to cos_sin[half, kHeadDim),
// within 1 ulp of the largest value, 6e-8.
template <int64_t kHeadDim>
inline void RopeAngles(const RopeFrequencies<kHeadDim>& frequencies, int64_t position,
                       float* cos_sin) {
  constexpr int64_t kHalf = kHeadDim / 2;
  constexpr double kRound = 0x1.8p52;  // adding it leaves an integer, in the low bits of the sum
  constexpr double kHalfPi = 1.57079632679489661923;
  const double p = static_cast<double>(position);
  for (int64_t i = 0; i < kHalf; ++i) {
    const double turns = p * frequencies.quarter_turns[i];
    const double shifted = turns + kRound;
    const uint64_t quadrant = std::bit_cast<uint64_t>(shifted);
    const double x = (turns - (shifted - kRound)) * kHalfPi;  // in [-pi/4, pi/4]
    const double x2 = x * x;
    // Taylor: the first terms left out are below 1e-11.
    double sin = x2 * (-1.0 / 39916800) + 1.0 / 362880;
    sin = x2 * (x2 * sin - 1.0 / 5040) + 1.0 / 120;
    sin = x2 * (x2 * sin - 1.0 / 6) + 1;
    sin *= x;
    double cos = x2 * (1.0 / 479001600) - 1.0 / 3628800;
    cos = x2 * (x2 * cos + 1.0 / 40320) - 1.0 / 720;
    cos = x2 * (x2 * cos + 1.0 / 24) - 1.0 / 2;
    cos = x2 * cos + 1;
    // Quadrants 0 to 3 turn (cos, sin) into (c, s), (-s, c), (-c, -s), (s, -c). In bits, not
    // branches: they would be mispredicted every other time.
    const uint64_t cos_bits = std::bit_cast<uint64_t>(cos);
    const uint64_t sin_bits = std::bit_cast<uint64_t>(sin);
    const uint64_t swap = (cos_bits ^ sin_bits) & (0 - (quadrant & 1));
    const uint64_t cos_sign = ((quadrant + 1) & 2) << 62;
    const uint64_t sin_sign = (quadrant & 2) << 62;
    cos_sin[i] = static_cast<float>(std::bit_cast<double>(cos_bits ^ swap ^ cos_sign));
    cos_sin[kHalf + i] = static_cast<float>(std::bit_cast<double>(sin_bits ^ swap ^ sin_sign));
  }
}

// ---- Rotation ----

// Turns each head of x [num_heads, head_dim], in place.
template <class S, int64_t kNumHeads, int64_t kHeadDim>
inline void Rope(float* x, const float* cos_sin) {
  using F32 = typename S::F32;
  constexpr int64_t kHalf = kHeadDim / 2;
  constexpr int64_t kTail = kHalf % S::kLanes;
  const auto rotate = [](F32& low, F32& high, F32 cos, F32 sin) {
    const F32 low_sin = S::Mul(low, sin);
    low = S::Sub(S::Mul(low, cos), S::Mul(high, sin));
    high = S::Add(S::Mul(high, cos), low_sin);
  };
  for (int64_t head = 0; head < kNumHeads; ++head, x += kHeadDim) {
    for (int64_t i = 0; i < kHalf - kTail; i += S::kLanes) {
      F32 low = S::Load(x + i);
      F32 high = S::Load(x + kHalf + i);
      rotate(low, high, S::Load(cos_sin + i), S::Load(cos_sin + kHalf + i));
      S::Store(x + i, low);
      S::Store(x + kHalf + i, high);
    }
    if constexpr (kTail > 0) {
      constexpr int64_t i = kHalf - kTail;
      F32 low = S::LoadPartial(x + i, kTail);
      F32 high = S::LoadPartial(x + kHalf + i, kTail);
      rotate(low, high, S::LoadPartial(cos_sin + i, kTail),
             S::LoadPartial(cos_sin + kHalf + i, kTail));
      S::StorePartial(x + i, low, kTail);
      S::StorePartial(x + kHalf + i, high, kTail);
    }
  }
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_ROPE_H_
