#include "carat/kernels/cpu/simd/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace carat::cpu {
namespace {

TEST(Half, EveryHalfSurvivesTheWayThroughFloat) {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const bool is_nan = (half & 0x7fff) > 0x7c00;
    const uint32_t expected = is_nan ? half | 0x200 : half;  // quiet
    ASSERT_EQ(F32ToF16(F16ToF32(static_cast<uint16_t>(half))), expected) << half;
  }
}

TEST(Half, ValuesBetweenHalvesRoundToTheNearestAndTiesToEven) {
  for (uint16_t half = 0; half < 0x7bff; ++half) {
    const float low = F16ToF32(half);
    const float high = F16ToF32(half + 1);
    const float middle = low + (high - low) / 2;  // exact
    const uint16_t even = half % 2 == 0 ? half : half + 1;
    ASSERT_EQ(F32ToF16(middle), even);
    ASSERT_EQ(F32ToF16(std::nextafter(middle, 0.0f)), half);
    ASSERT_EQ(F32ToF16(std::nextafter(middle, 1e9f)), half + 1);
    ASSERT_EQ(F32ToF16(-middle), even | 0x8000);
  }
}

TEST(Half, WhatIsTooLargeBecomesInfinity) {
  EXPECT_EQ(F32ToF16(65504.0f), 0x7bff);
  EXPECT_EQ(F32ToF16(std::nextafter(65520.0f, 0.0f)), 0x7bff);
  EXPECT_EQ(F32ToF16(65520.0f), 0x7c00);
  EXPECT_EQ(F32ToF16(3e38f), 0x7c00);
  EXPECT_EQ(F32ToF16(-std::numeric_limits<float>::infinity()), 0xfc00);
}

}  // namespace
}  // namespace carat::cpu
