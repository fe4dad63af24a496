#include "carat/base/numeric.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace carat {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The 16-bit value nearest to `value`, ties to even, found by trying both neighbours of a
// truncation.
template <float (*kToFloat)(uint16_t)>
uint16_t NearestByComparison(float value, uint16_t below) {
  const uint16_t above = below + 1;  // one step away from zero
  const double to_below = std::abs(double{value} - double{kToFloat(below)});
  const double to_above = std::abs(double{kToFloat(above)} - double{value});
  if (to_below == to_above) return below % 2 == 0 ? below : above;
  return to_below < to_above ? below : above;
}

template <float (*kToFloat)(uint16_t), uint16_t (*kFromFloat)(float)>
void ExpectRoundTripsAndRoundsToNearest(uint16_t largest_finite) {
  for (uint32_t bits = 0; bits <= largest_finite; ++bits) {
    const auto below = static_cast<uint16_t>(bits);
    ASSERT_EQ(kFromFloat(kToFloat(below)), below);
    ASSERT_EQ(kFromFloat(-kToFloat(below)), below | 0x8000);
    if (bits == largest_finite) break;
    const float low = kToFloat(below);
    const float high = kToFloat(static_cast<uint16_t>(bits + 1));
    const float middle = static_cast<float>((double{low} + double{high}) / 2);
    for (const float value : {std::nextafter(middle, 0.0f), middle, std::nextafter(middle, high),
                              std::nextafter(low, high), std::nextafter(high, low)}) {
      if (value < low || value > high) continue;
      ASSERT_EQ(kFromFloat(value), NearestByComparison<kToFloat>(value, below)) << value;
    }
  }
}

TEST(BF16, RoundTripsAndRoundsToNearestEven) {
  ExpectRoundTripsAndRoundsToNearest<BF16ToFloat, FloatToBF16>(0x7f7f);
}

TEST(F16, RoundTripsAndRoundsToNearestEven) {
  ExpectRoundTripsAndRoundsToNearest<F16ToFloat, FloatToF16>(0x7bff);
}

TEST(F16, HasTheValuesOfIeee754) {
  EXPECT_EQ(F16ToFloat(0x3c00), 1.0f);
  EXPECT_EQ(F16ToFloat(0x7bff), 65504.0f);
  EXPECT_EQ(F16ToFloat(0x0001), 0x1p-24f);
  EXPECT_EQ(F16ToFloat(0x0400), 0x1p-14f);
  EXPECT_EQ(F16ToFloat(0xc000), -2.0f);
}

TEST(F16, OverflowsToInfinityFromHalfAStepAboveTheLargest) {
  EXPECT_EQ(FloatToF16(std::nextafter(65520.0f, 0.0f)), 0x7bff);
  EXPECT_EQ(FloatToF16(65520.0f), 0x7c00);
  EXPECT_EQ(FloatToF16(-1e30f), 0xfc00);
}

TEST(BF16, OverflowsToInfinity) {
  EXPECT_EQ(FloatToBF16(std::numeric_limits<float>::max()), 0x7f80);
}

TEST(BothTypes, KeepInfinityAndNan) {
  EXPECT_EQ(F16ToFloat(FloatToF16(kInfinity)), kInfinity);
  EXPECT_EQ(BF16ToFloat(FloatToBF16(-kInfinity)), -kInfinity);
  // A NaN whose payload is in the bits that are cut off must not become infinity.
  const float nan = std::bit_cast<float>(0x7f800001u);
  EXPECT_TRUE(std::isnan(F16ToFloat(FloatToF16(nan))));
  EXPECT_TRUE(std::isnan(BF16ToFloat(FloatToBF16(nan))));
}

}  // namespace
}  // namespace carat
