#include "carat/kernels/cpu/simd/math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "tests/kernels/instruction_sets.h"

namespace carat::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

using MapFunction = void (*)(const float*, int64_t, float*);

float At(MapFunction function, float x) {
  float in[16], out[16];
  std::fill(in, in + 16, x);
  function(in, 16, out);
  return out[0];
}

// The largest distance from `exact` over [low, high], in units of the last place of the exact
// result.
double LargestErrorInUlp(MapFunction function, double low, double high,
                         const std::function<double(double)>& exact) {
  constexpr int kCount = 1 << 16;
  std::vector<float> x(kCount), y(kCount);
  for (int i = 0; i < kCount; ++i) x[i] = static_cast<float>(low + (high - low) * i / kCount);
  function(x.data(), kCount, y.data());
  double largest = 0;
  for (int i = 0; i < kCount; ++i) {
    const double expected = exact(x[i]);
    const float magnitude = static_cast<float>(std::fabs(expected));
    const double ulp = std::nextafter(magnitude, kInfinity) - magnitude;
    largest = std::max(largest, std::fabs(y[i] - expected) / ulp);
  }
  return largest;
}

class MathOfEverySet : public testing::TestWithParam<const KernelTable*> {};
INSTANTIATE_TEST_SUITE_P(Sets, MathOfEverySet, testing::ValuesIn(RunnableSets()),
                         [](const auto& info) { return "Set" + std::to_string(info.index); });

TEST_P(MathOfEverySet, ExpIsWithinTwoUlp) {
  const auto exact = [](double x) { return std::exp(x); };
  EXPECT_LT(LargestErrorInUlp(GetParam()->exp, -87.3, 88.3, exact), 2);
  EXPECT_LT(LargestErrorInUlp(GetParam()->exp, -1, 1, exact), 2);
  EXPECT_EQ(At(GetParam()->exp, 0.0f), 1.0f);
}

TEST_P(MathOfEverySet, ExpEndsInZeroAndInfinity) {
  EXPECT_EQ(At(GetParam()->exp, -kInfinity), 0.0f);
  EXPECT_EQ(At(GetParam()->exp, -1e30f), 0.0f);
  EXPECT_EQ(At(GetParam()->exp, -88.0f), 0.0f);
  EXPECT_EQ(At(GetParam()->exp, 89.0f), kInfinity);
  EXPECT_EQ(At(GetParam()->exp, kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(At(GetParam()->exp, kNaN)));
}

TEST_P(MathOfEverySet, TanhIsWithinTwoUlp) {
  const auto exact = [](double x) { return std::tanh(x); };
  EXPECT_LT(LargestErrorInUlp(GetParam()->tanh, -10, 10, exact), 2);
  EXPECT_LT(LargestErrorInUlp(GetParam()->tanh, -1e-3, 1e-3, exact), 2);
  EXPECT_EQ(At(GetParam()->tanh, kInfinity), 1.0f);
  EXPECT_EQ(At(GetParam()->tanh, -kInfinity), -1.0f);
  EXPECT_TRUE(std::isnan(At(GetParam()->tanh, kNaN)));
}

// At negative x the result is x e^2u, and what rounding does to 2u, up to 50 at x = -8, the
// exponential makes a relative error: some 2 * 50 units of the last place, of a number below 1e-20.
TEST_P(MathOfEverySet, GeluTanhIsWithinAFewUlp) {
  const auto exact = [](double x) {
    const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
    return x / (1 + std::exp(-2 * u));
  };
  EXPECT_LT(LargestErrorInUlp(GetParam()->gelu_tanh, -1, 20, exact), 4);
  EXPECT_LT(LargestErrorInUlp(GetParam()->gelu_tanh, -8, -1, exact), 128);
  EXPECT_EQ(At(GetParam()->gelu_tanh, 0.0f), 0.0f);
  EXPECT_EQ(At(GetParam()->gelu_tanh, 1e30f), 1e30f);
  EXPECT_EQ(At(GetParam()->gelu_tanh, -1e30f), 0.0f);
  EXPECT_TRUE(std::isnan(At(GetParam()->gelu_tanh, kNaN)));
}

TEST(Math, AllSetsGiveTheSameBits) {
  std::vector<float> x(1 << 14);
  for (size_t i = 0; i < x.size(); ++i) x[i] = -100 + 200.0f * static_cast<float>(i) / x.size();
  const auto results = [&](const KernelTable& set) {
    std::vector<float> y(3 * x.size());
    set.exp(x.data(), x.size(), y.data());
    set.tanh(x.data(), x.size(), y.data() + x.size());
    set.gelu_tanh(x.data(), x.size(), y.data() + 2 * x.size());
    return y;
  };
  const std::vector<float> expected = results(GenericKernels());
  for (const KernelTable* set : RunnableSets()) EXPECT_EQ(results(*set), expected) << set->name;
}

}  // namespace
}  // namespace carat::cpu
