// Tokenizers that went through a GGUF file encode as before.

#include <gtest/gtest.h>

#include <filesystem>

#include "carat/text/tokenizer.h"
#include "tests/text/through_gguf.h"

namespace carat::text {
namespace {

const std::filesystem::path kDemo = std::filesystem::path(CARAT_SOURCE_DIR) / "models/demo";

TEST(GgufTokenizerText, EncodesAsBefore) {
  const Tokenizer tokenizer = tests::ThroughGguf(kDemo, 2048);
  EXPECT_EQ(tokenizer.vocab_size(), 2048);
  tests::ExpectEncodesAsGolden(tokenizer, "demo_tokenizer.json");
}

TEST(GgufTokenizerText, RowsWithoutATokenArePadding) {
  const Tokenizer tokenizer = tests::ThroughGguf(kDemo, 2050);
  EXPECT_EQ(tokenizer.vocab_size(), 2048);
  EXPECT_EQ(tokenizer.TokenToId("[PAD2049]"), std::nullopt);
}

}  // namespace
}  // namespace carat::text
