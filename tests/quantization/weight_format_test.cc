#include "carat/quantization/weight_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/numeric.h"
#include "tests/quantization/read_data.h"

namespace carat::quantization {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr WeightFormat kAllFormats[] = {WeightFormat::kF32, WeightFormat::kF16, WeightFormat::kBF16,
                                        WeightFormat::kQ4_0, WeightFormat::kQ8_0};

std::vector<std::byte> Quantize(WeightFormat format, std::span<const float> values) {
  std::vector<std::byte> bytes(RowBytes(format, static_cast<int64_t>(values.size())));
  QuantizeRow(format, values, bytes.data());
  return bytes;
}

std::vector<float> RoundTrip(WeightFormat format, std::span<const float> values) {
  std::vector<float> restored(values.size());
  DequantizeRow(format, Quantize(format, values).data(), restored);
  return restored;
}

TEST(WeightFormatTest, Q4_0HasTheBytesOfGgml) {
  EXPECT_EQ(Quantize(WeightFormat::kQ4_0, tests::ReadData<float>("values.bin")),
            tests::ReadData<std::byte>("q4_0.bin"));
}

TEST(WeightFormatTest, Q8_0HasTheBytesOfGgml) {
  EXPECT_EQ(Quantize(WeightFormat::kQ8_0, tests::ReadData<float>("values.bin")),
            tests::ReadData<std::byte>("q8_0.bin"));
}

TEST(WeightFormatTest, Q4_0KeepsTheLargestValueAndUsesTheLowNibbleFirst) {
  std::vector<float> values(32, 0.0F);
  values[0] = -4.0F;  // d = 0.5
  values[1] = 3.5F;
  values[16] = 1.0F;
  const std::vector<std::byte> bytes = Quantize(WeightFormat::kQ4_0, values);
  ASSERT_EQ(bytes.size(), 18u);
  EXPECT_EQ(bytes[0], std::byte{0x00});  // 0.5 as f16 is 0x3800
  EXPECT_EQ(bytes[1], std::byte{0x38});
  EXPECT_EQ(bytes[2], std::byte{0xa0});  // q[0] = 0, q[16] = 2 + 8
  EXPECT_EQ(bytes[3], std::byte{0x8f});  // q[1] = 7 + 8, q[17] = 8
  EXPECT_EQ(RoundTrip(WeightFormat::kQ4_0, values), values);
}

TEST(WeightFormatTest, Q8_0RoundsHalvesAwayFromZero) {
  std::vector<float> values(32, 0.0F);
  values[0] = 127.0F;  // d = 1
  values[1] = 2.5F;
  values[2] = -2.5F;
  const std::vector<float> restored = RoundTrip(WeightFormat::kQ8_0, values);
  EXPECT_EQ(restored[0], 127.0F);
  EXPECT_EQ(restored[1], 3.0F);
  EXPECT_EQ(restored[2], -3.0F);
}

TEST(WeightFormatTest, FloatFormatsRoundToNearest) {
  const std::vector<float> values = {0.0F, 1.0F, -2.5F, 0.1F, 65504.0F};
  EXPECT_EQ(RoundTrip(WeightFormat::kF32, values), values);
  const std::vector<float> f16 = RoundTrip(WeightFormat::kF16, values);
  const std::vector<float> bf16 = RoundTrip(WeightFormat::kBF16, values);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(f16[i], F16ToFloat(FloatToF16(values[i])));
    EXPECT_EQ(bf16[i], BF16ToFloat(FloatToBF16(values[i])));
  }
}

TEST(WeightFormatTest, AnErrorStaysWithinHalfALevel) {
  const std::vector<float> values = tests::ReadData<float>("values.bin");
  for (size_t i = 0; i < values.size(); i += 32) {
    const std::span<const float> block(values.data() + i, 32);
    float largest = 0;
    for (const float x : block) largest = std::max(largest, std::fabs(x));
    if (largest < 1e-3F) continue;  // the scale itself is subnormal in f16
    const std::vector<float> q4 = RoundTrip(WeightFormat::kQ4_0, block);
    const std::vector<float> q8 = RoundTrip(WeightFormat::kQ8_0, block);
    for (size_t j = 0; j < 32; ++j) {
      // The level opposite to the largest value is missing in q4_0: there the error is a whole one.
      // 1%: the scale's rounding to f16, eight levels away.
      EXPECT_LE(std::fabs(q4[j] - block[j]), largest / 8 * 1.01F);
      EXPECT_LE(std::fabs(q8[j] - block[j]), largest / 127 * 0.57F);  // 0.07: the same, 127 away
    }
  }
}

TEST(WeightFormatTest, ValuesTooSmallForAScaleBecomeZero) {
  const std::vector<float> values(32, 1e-39F);
  for (const WeightFormat format : {WeightFormat::kQ4_0, WeightFormat::kQ8_0}) {
    for (const float x : RoundTrip(format, values)) EXPECT_EQ(x, 0.0F);
  }
}

TEST(WeightFormatTest, RowBytesCountsWholeBlocks) {
  EXPECT_EQ(RowBytes(WeightFormat::kF32, 5), 20u);
  EXPECT_EQ(RowBytes(WeightFormat::kBF16, 5), 10u);
  EXPECT_EQ(RowBytes(WeightFormat::kQ4_0, 640), 360u);
  EXPECT_EQ(RowBytes(WeightFormat::kQ8_0, 640), 680u);
}

TEST(WeightFormatTest, ARowThatEndsInsideABlockIsRefusedWithFormatsThatFit) {
  EXPECT_THAT([] { RowBytes(WeightFormat::kQ4_0, 40); },
              ThrowsMessage<Error>(HasSubstr("40 values is not a multiple of 32")));
  EXPECT_THAT([] { RowBytes(WeightFormat::kQ4_0, 40); }, ThrowsMessage<Error>(HasSubstr("f16")));
}

TEST(WeightFormatTest, NamesLeadBackToFormats) {
  for (const WeightFormat format : kAllFormats) EXPECT_EQ(FindFormat(FormatName(format)), format);
  EXPECT_THAT([] { FindFormat("q5_1"); }, ThrowsMessage<Error>(HasSubstr("bf16, q4_0, q8_0")));
}

TEST(WeightFormatTest, CanHoldRefusesWhatIsNotFiniteOrTooLarge) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const WeightFormat format : kAllFormats) {
    EXPECT_TRUE(CanHold(format, std::vector<float>{0.0F, -1.0F, 65504.0F}));
    EXPECT_FALSE(CanHold(format, std::vector<float>{0.0F, infinity}));
    EXPECT_FALSE(CanHold(format, std::vector<float>{nan, 0.0F}));
  }
  const std::vector<float> large = {1e6F};
  EXPECT_FALSE(CanHold(WeightFormat::kF16, large));
  EXPECT_FALSE(CanHold(WeightFormat::kQ4_0, large));
  EXPECT_TRUE(CanHold(WeightFormat::kQ8_0, large));
  EXPECT_TRUE(CanHold(WeightFormat::kBF16, large));
}

}  // namespace
}  // namespace carat::quantization
