#include "carat/quantization/scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carat/base/error.h"

namespace carat::quantization {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SchemeTest, TheEmbeddingMayHaveAFormatOfItsOwn) {
  const QuantizationScheme scheme = FindScheme("q4_0+q8_0");
  EXPECT_EQ(scheme.matrix, WeightFormat::kQ4_0);
  EXPECT_EQ(scheme.embedding, WeightFormat::kQ8_0);
  EXPECT_EQ(scheme.name, MixedSchemeName("q4_0", "q8_0"));
  EXPECT_EQ(FindScheme("q4_0+q4_0").name, "q4_0");
  EXPECT_THAT([] { FindScheme("q4_0+"); }, ThrowsMessage<Error>(HasSubstr("q4_0, q8_0")));
  EXPECT_THAT([] { FindScheme("q4_0+q8_0+q8_0"); }, ThrowsMessage<Error>(HasSubstr("q4_0, q8_0")));
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
    EXPECT_EQ(FindScheme(scheme.name).name, scheme.name);
  }
}

TEST(SchemeTest, AnUnknownNameListsTheKnownOnes) {
  EXPECT_THAT([] { FindScheme("q4f16_1"); },
              ThrowsMessage<Error>(HasSubstr("q4_0, q8_0, q0f16, q0bf16, q0f32")));
}

}  // namespace
}  // namespace carat::quantization
