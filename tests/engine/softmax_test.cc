#include "carat/engine/softmax.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace carat::engine {
namespace {

TEST(Softmax, ExpIsWithinItsBound) {
  for (int i = 0; i <= 86'999; ++i) {
    const auto x = static_cast<float>(-i) / 1000;
    const double exact = std::exp(double{x});
    ASSERT_NEAR(ExpOfNegative(x), exact, 2e-7 * exact) << x;
  }
}

TEST(Softmax, ExpReachesBothEnds) {
  EXPECT_EQ(ExpOfNegative(0), 1);
  EXPECT_EQ(ExpOfNegative(-88), 0);
  EXPECT_EQ(ExpOfNegative(-1e30f), 0);
  EXPECT_EQ(ExpOfNegative(-std::numeric_limits<float>::infinity()), 0);
}

TEST(Softmax, SumsAreWithinTheirBoundForAllSizes) {
  for (const size_t size : {1, 3, 4, 127, 128, 129, 1000, 262144}) {
    for (const float temperature : {0.3f, 1.0f, 4.0f}) {
      std::vector<float> logits(size);
      double exact = 0;
      for (size_t i = 0; i < size; ++i) {
        logits[i] = 5 - static_cast<float>(i * 7919 % 1013) / 100;
        exact += std::exp((double{logits[i]} - 5) / temperature);
      }
      EXPECT_NEAR(SumOfExp(logits, 5, temperature), exact, 1e-6 * exact) << size;
    }
  }
}

TEST(Softmax, NothingSumsToZero) { EXPECT_EQ(SumOfExp({}, 0, 1), 0); }

}  // namespace
}  // namespace carat::engine
