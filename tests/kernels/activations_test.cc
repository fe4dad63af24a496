#include "carat/kernels/cpu/activations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/weight_samples.h"

namespace carat::cpu {
namespace {

std::vector<uint8_t> Quantize(const KernelTable& set, const std::vector<float>& x) {
  std::vector<uint8_t> row(QuantizedRowBytes(x.size()));
  set.quantize_row(x.data(), x.size(), row.data());
  return row;
}

class QuantizeRowOfEverySet : public testing::TestWithParam<const KernelTable*> {};
INSTANTIATE_TEST_SUITE_P(Sets, QuantizeRowOfEverySet, testing::ValuesIn(RunnableSets()),
                         [](const auto& info) { return "Set" + std::to_string(info.index); });

TEST_P(QuantizeRowOfEverySet, EveryValueIsWithinHalfAStep) {
  const std::vector<float> x = RandomFloats(640, 3);
  const std::vector<uint8_t> row = Quantize(*GetParam(), x);
  for (int64_t k = 0; k < 640; ++k) {
    const float scale = QuantizedScale(row.data(), 640, k / 32);
    const float* block = &x[k / 32 * 32];
    float largest = 0;
    for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(block[i]));
    ASSERT_EQ(scale, largest / 127.0f);
    ASSERT_LE(std::fabs(QuantizedValues(row.data())[k] * scale - x[k]), scale * 0.5001f);
  }
}

TEST_P(QuantizeRowOfEverySet, TheLargestValueBecomes127) {
  std::vector<float> x(64, 0.25f);
  x[5] = -3.7f;
  x[63] = 1e30f;
  const std::vector<uint8_t> row = Quantize(*GetParam(), x);
  EXPECT_EQ(QuantizedValues(row.data())[5], -127);
  EXPECT_EQ(QuantizedValues(row.data())[63], 127);
  EXPECT_EQ(QuantizedValues(row.data())[62], 0);
}

TEST_P(QuantizeRowOfEverySet, TiesRoundToEven) {
  std::vector<float> x(32, 0.0f);
  x[0] = 127.0f;  // scale 1
  x[1] = 0.5f;
  x[2] = 1.5f;
  x[3] = -2.5f;
  const std::vector<uint8_t> row = Quantize(*GetParam(), x);
  EXPECT_EQ(QuantizedValues(row.data())[1], 0);
  EXPECT_EQ(QuantizedValues(row.data())[2], 2);
  EXPECT_EQ(QuantizedValues(row.data())[3], -2);
}

TEST_P(QuantizeRowOfEverySet, ZeroAndTinyBlocksBecomeZero) {
  for (const float value : {0.0f, -0.0f, 1e-40f, 9e-31f}) {
    const std::vector<uint8_t> row = Quantize(*GetParam(), std::vector<float>(32, value));
    EXPECT_EQ(QuantizedScale(row.data(), 32, 0), 0.0f);
    for (int k = 0; k < 32; ++k) EXPECT_EQ(QuantizedValues(row.data())[k], 0);
    EXPECT_EQ(QuantizedCorrection(row.data(), 32, 0), 0);
  }
}

TEST(QuantizeRow, AllSetsGiveTheSameValuesAndScales) {
  const std::vector<float> x = RandomFloats(2048, 11);
  const std::vector<uint8_t> expected = Quantize(GenericKernels(), x);
  const int64_t compared = 2048 + 2048 / 32 * 4;  // corrections are each set's own
  for (const KernelTable* set : RunnableSets()) {
    const std::vector<uint8_t> row = Quantize(*set, x);
    EXPECT_TRUE(std::equal(row.begin(), row.begin() + compared, expected.begin())) << set->name;
  }
}

}  // namespace
}  // namespace carat::cpu
