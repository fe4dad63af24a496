#include "carat/quantization/scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carat/base/error.h"

namespace carat::quantization {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SchemeTest, IntegerWeightsMeetIntegerActivations) {
  for (const QuantizationScheme& scheme : AllSchemes()) {
    const bool integer = BlockValues(scheme.matrix) > 1;
    EXPECT_EQ(scheme.activation == ActivationFormat::kInt8Blocks, integer) << scheme.name;
    EXPECT_EQ(scheme.matrix, scheme.embedding) << scheme.name;
  }
}

TEST(SchemeTest, OnlyTheExactSchemeKeepsTheCacheInF32) {
  for (const QuantizationScheme& scheme : AllSchemes()) {
    EXPECT_EQ(scheme.kv == KvFormat::kF32, scheme.name == "q0f32") << scheme.name;
  }
  EXPECT_EQ(KvElementBytes(KvFormat::kF32), 4u);
  EXPECT_EQ(KvElementBytes(KvFormat::kF16), 2u);
}

TEST(SchemeTest, FindsSchemesByName) {
  for (const QuantizationScheme& scheme : AllSchemes()) {
    EXPECT_EQ(&FindScheme(scheme.name), &scheme);
  }
}

TEST(SchemeTest, AnUnknownNameListsTheKnownOnes) {
  EXPECT_THAT([] { FindScheme("q4f16_1"); },
              ThrowsMessage<Error>(HasSubstr("q4_0, q8_0, q0f16, q0bf16, q0f32")));
}

}  // namespace
}  // namespace carat::quantization
