#include "carat/quantization/quantization_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace carat::quantization {
namespace {

QuantizationError ErrorOf(WeightFormat format, const std::vector<float>& values) {
  QuantizationErrorSum sum(format);
  sum.AddRow(values);
  return sum.Result();
}

TEST(QuantizationErrorTest, NormalValuesLoseWhatTheFormatsStepsGive) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, 0.02F);
  std::vector<float> values(32 * 1000);
  for (float& value : values) value = normal(generator);

  EXPECT_EQ(ErrorOf(WeightFormat::kF32, values).max_absolute, 0);
  // Of 32 normal values the largest is some 2.2 standard deviations: a step is 2.2/8 or 2.2/127 of
  // one, and an even error's root mean square is a step / sqrt(12).
  const QuantizationError q4 = ErrorOf(WeightFormat::kQ4_0, values);
  EXPECT_NEAR(q4.relative_root_mean_square, 2.2 / 8 / std::sqrt(12), 0.01);
  EXPECT_NEAR(q4.root_mean_square, 0.02 * q4.relative_root_mean_square, 1e-5);
  const QuantizationError q8 = ErrorOf(WeightFormat::kQ8_0, values);
  EXPECT_NEAR(q8.relative_root_mean_square, 2.2 / 127 / std::sqrt(12), 0.001);
}

TEST(QuantizationErrorTest, RowsAddUp) {
  const std::vector<float> exact(32, 1.0F);  // -8 times the scale
  std::vector<float> rounded(32, 1.0F);
  rounded[7] = 0.3F;  // lies between 0.25 and 0.375
  QuantizationErrorSum sum(WeightFormat::kQ4_0);
  EXPECT_EQ(sum.Result().root_mean_square, 0);
  sum.AddRow(exact);
  EXPECT_EQ(sum.Result().root_mean_square, 0);
  sum.AddRow(rounded);
  EXPECT_NEAR(sum.Result().max_absolute, 0.05, 1e-6);
  EXPECT_NEAR(sum.Result().root_mean_square, std::sqrt(0.05 * 0.05 / 64), 1e-6);
  EXPECT_NEAR(sum.Result().relative_root_mean_square, std::sqrt(0.05 * 0.05 / 63.09), 1e-6);
}

}  // namespace
}  // namespace carat::quantization
