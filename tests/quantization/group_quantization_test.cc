#include "carat/quantization/group_quantization.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/numeric.h"
#include "carat/quantization/weight_format.h"
#include "tests/base/expect_error.h"
#include "tests/quantization/read_data.h"

namespace carat::quantization {
namespace {

// Of tests/data/quantization/make_group.py: two groups and a half.
constexpr size_t kCols = 80;
constexpr size_t kGroups = 3;
constexpr size_t kWords = kGroups * kWordsPerGroup;

struct Quantized {
  std::vector<uint32_t> words;
  std::vector<std::byte> scales;
};

Quantized Quantize(ModelDType dtype, std::span<const float> row) {
  const auto groups = static_cast<size_t>(NumGroups(static_cast<int64_t>(row.size())));
  Quantized result{std::vector<uint32_t>(groups * kWordsPerGroup),
                   std::vector<std::byte>(groups * ElementBytes(dtype))};
  GroupQuantizeRow(dtype, row, result.words, result.scales);
  return result;
}

std::vector<float> Dequantize(ModelDType dtype, const Quantized& quantized, size_t cols) {
  std::vector<float> row(cols);
  GroupDequantizeRow(dtype, quantized.words, quantized.scales, row);
  return row;
}

void ExpectWhatTvmComputes(ModelDType dtype, const std::string& name) {
  const auto values = tests::ReadData<float>("group_values.bin");
  const auto words = tests::ReadData<uint32_t>(name + "_words.bin");
  const auto scales = tests::ReadData<std::byte>(name + "_scales.bin");
  const size_t rows = values.size() / kCols;
  ASSERT_GT(rows, 0u);
  ASSERT_EQ(words.size(), rows * kWords);
  ASSERT_EQ(scales.size(), rows * kGroups * ElementBytes(dtype));
  for (size_t i = 0; i < rows; ++i) {
    const Quantized row = Quantize(dtype, std::span(values).subspan(i * kCols, kCols));
    const auto row_words = std::span(words).subspan(i * kWords, kWords);
    const auto row_scales = std::span(scales).subspan(i * row.scales.size(), row.scales.size());
    EXPECT_TRUE(std::equal(row_words.begin(), row_words.end(), row.words.begin())) << "row " << i;
    EXPECT_TRUE(std::equal(row_scales.begin(), row_scales.end(), row.scales.begin()))
        << "row " << i;
  }
}

TEST(GroupQuantizationTest, Q4F16HasTheBitsThatTvmComputes) {
  ExpectWhatTvmComputes(ModelDType::kF16, "q4f16_1");
}

TEST(GroupQuantizationTest, Q4F32HasTheBitsThatTvmComputes) {
  ExpectWhatTvmComputes(ModelDType::kF32, "q4f32_1");
}

// A group whose scale is 1, so that the levels can be read off.
std::vector<float> LevelsFrom0() {
  std::vector<float> row(32, 0.0F);
  for (size_t j = 0; j < 15; ++j) row[j] = static_cast<float>(j) - 7;
  return row;
}

TEST(GroupQuantizationTest, TheFirstValueIsInTheLowestBits) {
  const Quantized quantized = Quantize(ModelDType::kF32, LevelsFrom0());
  const std::vector<uint32_t> expected = {0x76543210, 0x7edcba98, 0x77777777, 0x77777777};
  EXPECT_EQ(quantized.words, expected);
}

TEST(GroupQuantizationTest, HalvesGoToTheEvenLevel) {
  std::vector<float> row(32, 0.0F);
  row[0] = 7;
  row[1] = 0.5;   // 7.5 -> 8
  row[2] = 1.5;   // 8.5 -> 8
  row[3] = -0.5;  // 6.5 -> 6
  EXPECT_EQ(Quantize(ModelDType::kF16, row).words[0], 0x7777688eu);
}

TEST(GroupQuantizationTest, ZerosStayZeroAndWhatIsTooSmallForAScaleBecomesZero) {
  for (const float magnitude : {0.0F, 1e-9F}) {
    const std::vector<float> row(40, magnitude);
    const Quantized quantized = Quantize(ModelDType::kF16, row);
    for (const float value : Dequantize(ModelDType::kF16, quantized, row.size())) {
      EXPECT_EQ(value, 0.0F);
    }
  }
}

TEST(GroupQuantizationTest, ALastGroupMayBeShortAndIsPaddedWithZeroBits) {
  const std::vector<float> row(33, 1.0F);
  const Quantized quantized = Quantize(ModelDType::kF16, row);
  const std::vector<uint32_t> expected = {
      ~0x11111111u, ~0x11111111u, ~0x11111111u, ~0x11111111u, 0xe, 0, 0, 0};
  EXPECT_EQ(quantized.words, expected);
  for (const float value : Dequantize(ModelDType::kF16, quantized, row.size())) {
    EXPECT_NEAR(value, 1.0F, 0x1p-11);
  }
}

TEST(GroupQuantizationTest, AnErrorStaysWithinHalfALevel) {
  const auto values = tests::ReadData<float>("group_values.bin");
  for (size_t i = 0; i < 40; ++i) {  // the rows of ordinary magnitudes
    const auto row = std::span(values).subspan(i * kCols, kCols);
    for (const ModelDType dtype : {ModelDType::kF16, ModelDType::kF32}) {
      const std::vector<float> restored = Dequantize(dtype, Quantize(dtype, row), kCols);
      for (size_t begin = 0; begin < kCols; begin += kGroupSize) {
        float largest = 0;
        const size_t end = std::min(begin + kGroupSize, kCols);
        for (size_t j = begin; j < end; ++j) largest = std::max(largest, std::fabs(row[j]));
        for (size_t j = begin; j < end; ++j) {
          // Half a level, and what f16 rounds: w / s + 7 to 2^-8 of a level, s to 2^-11 of itself.
          EXPECT_NEAR(restored[j], row[j], largest / 7 * (0.5 + 0x1p-8 + 7 * 0x1p-11) + 1e-7);
        }
      }
    }
  }
}

TEST(GroupQuantizationTest, AGroupIsAQ4_0BlockOfTheSameWeights) {
  const auto values = tests::ReadData<float>("group_values.bin");
  for (size_t begin = 0; begin + kGroupSize <= values.size(); begin += kGroupSize) {
    const auto group = std::span(values).subspan(begin, kGroupSize);
    const Quantized quantized = Quantize(ModelDType::kF16, group);
    ASSERT_TRUE(HoldsLevels(quantized.words));
    uint16_t scale;
    std::memcpy(&scale, quantized.scales.data(), sizeof scale);
    std::array<std::byte, 18> block;
    GroupToQ4_0(std::span<const uint32_t, 4>(quantized.words), scale, block.data());
    std::vector<float> from_block(kGroupSize);
    quantization::DequantizeRow(WeightFormat::kQ4_0, block.data(), from_block);
    EXPECT_EQ(from_block, Dequantize(ModelDType::kF16, quantized, kGroupSize));
  }
}

TEST(GroupQuantizationTest, FifteenIsNoLevelWhereverItStands) {
  EXPECT_TRUE(HoldsLevels(std::vector<uint32_t>{0xeeeeeeee, 0, 0x77777777, 0x78787878}));
  EXPECT_TRUE(HoldsLevels(std::vector<uint32_t>{0x3c3c3c3c, 0xc3c3c3c3, 0x1e1e1e1e}));
  for (int nibble = 0; nibble < 8; ++nibble) {
    EXPECT_FALSE(HoldsLevels(std::vector<uint32_t>{0, 0xfu << (4 * nibble)})) << nibble;
  }
}

TEST(GroupQuantizationTest, RefusesBuffersOfOtherSizes) {
  const std::vector<float> row(32);
  std::vector<uint32_t> words(3);
  std::vector<std::byte> scales(2);
  EXPECT_ERROR(GroupQuantizeRow(ModelDType::kF16, row, words, scales), "not 3 words");
}

}  // namespace
}  // namespace carat::quantization
