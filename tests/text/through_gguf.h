// A tokenizer that was written to a GGUF file and read from it again.

#ifndef CARAT_TESTS_TEXT_THROUGH_GGUF_H_
#define CARAT_TESTS_TEXT_THROUGH_GGUF_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/base/file.h"
#include "carat/base/json.h"
#include "carat/checkpoint/gguf_tokenizer.h"
#include "carat/checkpoint/gguf_tokenizer_writer.h"
#include "carat/checkpoint/gguf_writer.h"
#include "carat/text/tokenizer.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/tokenizer_golden.h"

namespace carat::tests {

// The tokenizer of a model's folder, in a file with room for `vocab_size` tokens.
inline text::Tokenizer ThroughGguf(const std::filesystem::path& model, int64_t vocab_size) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "model.gguf";
  const Json tokenizer = ParseJsonFile(model / "tokenizer.json");
  const Json config = ParseJsonFile(model / "tokenizer_config.json");
  checkpoint::GgufMetadata metadata;
  checkpoint::AddTokenizer(JsonObject(tokenizer, "tokenizer.json"),
                           JsonObject(config, "tokenizer_config.json"), vocab_size, metadata);
  checkpoint::GgufWriter(path, metadata, {}).Close();
  const MappedFile file(path);
  const auto gguf = checkpoint::Gguf::Parse(file.bytes(), "model.gguf");
  return text::Tokenizer::FromJson(checkpoint::TokenizerJsonFromGguf(gguf), "model.gguf");
}

// Decoding is compared with special tokens: a GGUF file has more of them, <unused0> and the like.
inline void ExpectEncodesAsGolden(const text::Tokenizer& tokenizer, const std::string& name) {
  const Json golden = ParseJsonFile(TextData(name));
  for (const Json& example : golden.at("texts")) {
    const auto text = example.at("text").get<std::string>();
    EXPECT_EQ(tokenizer.Encode(text, text::SpecialTokens::kAdd), example.at("ids")) << text;
    EXPECT_EQ(tokenizer.Encode(text, text::SpecialTokens::kDoNotAdd),
              example.at("ids_without_special"))
        << text;
  }
  for (const Json& example : golden.at("decodings")) {
    const auto ids = example.at("ids").get<std::vector<TokenId>>();
    EXPECT_EQ(tokenizer.Decode(ids, text::DecodeSpecial::kKeep), example.at("text"));
  }
}

}  // namespace carat::tests

#endif  // CARAT_TESTS_TEXT_THROUGH_GGUF_H_
