#include "carat/quantization/ggml_blocks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/base/expect_error.h"
#include "tests/quantization/read_data.h"

namespace carat::quantization {
namespace {

constexpr GgmlType kAllTypes[] = {GgmlType::kF32,  GgmlType::kF16,  GgmlType::kBF16,
                                  GgmlType::kQ4_0, GgmlType::kQ4_1, GgmlType::kQ5_0,
                                  GgmlType::kQ5_1, GgmlType::kQ8_0, GgmlType::kQ4_K,
                                  GgmlType::kQ5_K, GgmlType::kQ6_K};

struct TypeFile {
  GgmlType type;
  std::string name;
};

class GgmlBlocks : public ::testing::TestWithParam<TypeFile> {};

TEST_P(GgmlBlocks, HaveTheValuesOfGgml) {
  const auto& [type, name] = GetParam();
  const auto blocks = tests::ReadData<std::byte>(name + "_blocks.bin");
  const auto expected = tests::ReadData<float>(name + "_values.bin");
  std::vector<float> values(expected.size());
  ASSERT_GE(values.size(), 4u * 256);
  ASSERT_EQ(values.size() / BlockValues(type) * BlockBytes(type), blocks.size());
  DequantizeGgmlRow(type, blocks.data(), values);
  EXPECT_EQ(std::memcmp(values.data(), expected.data(), expected.size() * sizeof(float)), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Types, GgmlBlocks,
    ::testing::Values(TypeFile{GgmlType::kQ4_0, "q4_0"}, TypeFile{GgmlType::kQ4_1, "q4_1"},
                      TypeFile{GgmlType::kQ5_0, "q5_0"}, TypeFile{GgmlType::kQ5_1, "q5_1"},
                      TypeFile{GgmlType::kQ8_0, "q8_0"}, TypeFile{GgmlType::kQ4_K, "q4_k"},
                      TypeFile{GgmlType::kQ5_K, "q5_k"}, TypeFile{GgmlType::kQ6_K, "q6_k"}),
    [](const auto& info) { return info.param.name; });

TEST(GgmlBlocksTest, FloatTypesAreRead) {
  std::vector<float> values(2);
  const uint16_t bf16[] = {0x3f80, 0xc000};
  DequantizeGgmlRow(GgmlType::kBF16, reinterpret_cast<const std::byte*>(bf16), values);
  EXPECT_EQ(values, (std::vector<float>{1, -2}));
}

TEST(GgmlBlocksTest, TypesAreFoundByTheirNumbers) {
  for (const GgmlType type : kAllTypes) {
    EXPECT_EQ(FindGgmlType(static_cast<uint32_t>(type)), type);
    EXPECT_NE(GgmlTypeNames().find(Name(type)), std::string_view::npos) << Name(type);
  }
  EXPECT_EQ(Name(GgmlType::kQ6_K), "Q6_K");
  EXPECT_EQ(Name(GgmlType::kBF16), "BF16");
}

TEST(GgmlBlocksTest, TypesThatAreNotDecodedHaveNames) {
  for (const uint32_t id : {9u, 23u, 41u, 42u, 0xffffffffu}) EXPECT_FALSE(FindGgmlType(id)) << id;
  EXPECT_EQ(GgmlTypeName(23), "IQ4_XS");
  EXPECT_EQ(GgmlTypeName(34), "TQ1_0");
  EXPECT_EQ(GgmlTypeName(41), "Q1_0");
  EXPECT_EQ(GgmlTypeName(4), "");
  EXPECT_EQ(GgmlTypeName(42), "");
}

TEST(GgmlBlocksTest, WeightFormatsAreTypes) {
  for (const WeightFormat format : {WeightFormat::kF32, WeightFormat::kF16, WeightFormat::kBF16,
                                    WeightFormat::kQ4_0, WeightFormat::kQ8_0}) {
    EXPECT_EQ(ToWeightFormat(ToGgmlType(format)), format);
    EXPECT_EQ(BlockBytes(ToGgmlType(format)), BlockBytes(format));
  }
  EXPECT_EQ(ToWeightFormat(GgmlType::kQ4_K), std::nullopt);
}

TEST(GgmlBlocksTest, ARowThatEndsInsideABlockIsRefused) {
  std::vector<float> values(255);
  std::vector<std::byte> row(1000);
  EXPECT_ERROR(DequantizeGgmlRow(GgmlType::kQ6_K, row.data(), values), "255", "256", "Q6_K");
}

}  // namespace
}  // namespace carat::quantization
