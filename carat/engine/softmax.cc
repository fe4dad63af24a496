#include "carat/engine/softmax.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace carat::engine {

namespace {

using ExpFloats = float __attribute__((vector_size(16)));
using ExpInts = int32_t __attribute__((vector_size(16)));
constexpr size_t kExpLanes = 4;

// Summed in float, before a double takes their sum: few enough that rounding stays below 1e-6.
constexpr size_t kExpBlock = 128;

ExpFloats ExpOfNegativeLanes(ExpFloats x) {
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;  // few bits: its multiples by integers are exact
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const ExpFloats n = (x * kLog2E + kRounder) - kRounder;
  const ExpFloats r = (x - n * kLn2High) - n * kLn2Low;   // |r| <= ln(2) / 2
  ExpFloats p = r * 1.9875691500e-4f + 1.3981999507e-3f;  // Cephes' expf polynomial
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const ExpInts exponent = __builtin_convertvector(n, ExpInts) + 127;
  const ExpFloats zero = {};
  return x < -87.0f ? zero : p * std::bit_cast<ExpFloats>(exponent << 23);
}

double SumOfExpInBlock(std::span<const float> logits, float max_logit, float temperature) {
  ExpFloats sums = {};
  size_t i = 0;
  for (; i + kExpLanes <= logits.size(); i += kExpLanes) {
    ExpFloats values;
    std::memcpy(&values, &logits[i], sizeof(values));
    sums += ExpOfNegativeLanes((values - max_logit) / temperature);
  }
  double sum = 0;
  for (size_t lane = 0; lane < kExpLanes; ++lane) sum += sums[lane];
  for (; i < logits.size(); ++i) sum += ExpOfNegative((logits[i] - max_logit) / temperature);
  return sum;
}

}  // namespace

float ExpOfNegative(float x) { return ExpOfNegativeLanes(ExpFloats{x})[0]; }

double SumOfExp(std::span<const float> logits, float max_logit, float temperature) {
  double sum = 0;
  while (!logits.empty()) {
    const std::span<const float> block = logits.first(std::min(kExpBlock, logits.size()));
    sum += SumOfExpInBlock(block, max_logit, temperature);
    logits = logits.subspan(block.size());
  }
  return sum;
}

}  // namespace carat::engine
