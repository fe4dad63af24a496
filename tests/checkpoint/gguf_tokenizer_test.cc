#include "carat/checkpoint/gguf_tokenizer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/base/json.h"
#include "carat/checkpoint/gguf_token_type.h"
#include "tests/base/expect_error.h"
#include "tests/checkpoint/gguf_bytes.h"

namespace carat::checkpoint {
namespace {

using enum GgufValueType;

struct TestToken {
  std::string text;
  float score = 0;
  GgufTokenType type = GgufTokenType::kNormal;
};

const std::vector<TestToken> kTokens = {{"<bos>", -1000, GgufTokenType::kControl},
                                        {"<unk>", -1000, GgufTokenType::kControl},
                                        {"<0x41>", 0, GgufTokenType::kByte},
                                        {"\u2581", -9},
                                        {"a", -9},
                                        {"b", -9},
                                        {"ab", -2},
                                        {"\u2581a", -1},
                                        {"\u2581ab", -3},
                                        {"  ", -1000, GgufTokenType::kUserDefined},
                                        {"   ", -1000, GgufTokenType::kUserDefined},
                                        {"[PAD11]", -10000, GgufTokenType::kUnused}};

GgufBytes Vocabulary(const std::vector<TestToken>& tokens) {
  std::string texts;
  std::string scores;
  std::string types;
  for (const TestToken& token : tokens) {
    texts += Text(token.text);
    scores += Raw(token.score);
    types += Raw(token.type);
  }
  return GgufBytes()
      .Array("tokenizer.ggml.tokens", kString, tokens.size(), texts)
      .Array("tokenizer.ggml.scores", kFloat32, tokens.size(), scores)
      .Array("tokenizer.ggml.token_type", kInt32, tokens.size(), types);
}

GgufBytes Gemma3Tokenizer(const std::vector<TestToken>& tokens = kTokens) {
  return Vocabulary(tokens)
      .Key("tokenizer.ggml.model", kString, Text("llama"))
      .Key("tokenizer.ggml.bos_token_id", kUint32, Raw<uint32_t>(0))
      .Key("tokenizer.ggml.unknown_token_id", kUint32, Raw<uint32_t>(1));
}

Json TokenizerOf(const GgufBytes& bytes) {
  const std::string file = bytes.Build();
  const Gguf gguf = Gguf::Parse(std::as_bytes(std::span(file)), "model.gguf");
  return ParseJson(TokenizerJsonFromGguf(gguf), "tokenizer.json");
}

Json TokenizerConfigOf(const GgufBytes& bytes) {
  const std::string file = bytes.Build();
  const Gguf gguf = Gguf::Parse(std::as_bytes(std::span(file)), "model.gguf");
  return ParseJson(TokenizerConfigJsonFromGguf(gguf), "tokenizer_config.json");
}

TEST(GgufTokenizer, HasTheVocabularyWithoutUnusedTokens) {
  const Json model = TokenizerOf(Gemma3Tokenizer()).at("model");
  EXPECT_EQ(model.at("vocab"), Json::parse(R"({"<bos>": 0, "<unk>": 1, "<0x41>": 2, "▁": 3,
      "a": 4, "b": 5, "ab": 6, "▁a": 7, "▁ab": 8, "▁▁": 9, "▁▁▁": 10})"));
  EXPECT_EQ(model.at("unk_token"), "<unk>");
  EXPECT_EQ(model.at("byte_fallback"), true);
}

TEST(GgufTokenizer, MergesAreAllSplitsAndThoseOfDefinedTextsComeFirst) {
  EXPECT_EQ(TokenizerOf(Gemma3Tokenizer()).at("model").at("merges"), Json::parse(R"([
      ["▁▁", "▁"], ["▁", "▁▁"], ["▁", "▁"],
      ["▁", "a"], ["a", "b"], ["▁a", "b"], ["▁", "ab"]])"));
}

TEST(GgufTokenizer, ControlAndDefinedTokensAreAdded) {
  const Json added = TokenizerOf(Gemma3Tokenizer()).at("added_tokens");
  ASSERT_EQ(added.size(), 4u);
  EXPECT_EQ(added[0], Json::parse(R"({"id": 0, "content": "<bos>", "single_word": false,
      "lstrip": false, "rstrip": false, "normalized": false, "special": true})"));
  EXPECT_EQ(added[2].at("content"), "\u2581\u2581");
  EXPECT_EQ(added[2].at("special"), false);
}

TEST(GgufTokenizer, BosIsAddedUnlessTheFileForbids) {
  const Json processor = TokenizerOf(Gemma3Tokenizer()).at("post_processor");
  EXPECT_EQ(processor.at("single").at(0), Json::parse(R"({"SpecialToken":
      {"id": "<bos>", "type_id": 0}})"));
  EXPECT_EQ(processor.at("special_tokens").at("<bos>").at("ids"), Json::parse("[0]"));
  GgufBytes bytes = Gemma3Tokenizer();
  bytes.Key("tokenizer.ggml.add_bos_token", kBool, Raw<uint8_t>(0));
  EXPECT_TRUE(TokenizerOf(bytes).at("post_processor").is_null());
  EXPECT_EQ(TokenizerConfigOf(bytes).at("add_bos_token"), false);
}

TEST(GgufTokenizer, ConfigHasTheSpecialTokensAndTheTemplate) {
  GgufBytes bytes = Gemma3Tokenizer();
  EXPECT_FALSE(TokenizerConfigOf(bytes).contains("chat_template"));
  bytes.Key("tokenizer.chat_template", kString, Text("{{ bos_token }}"));
  const Json config = TokenizerConfigOf(bytes);
  EXPECT_EQ(config.at("bos_token"), "<bos>");
  EXPECT_EQ(config.at("unk_token"), "<unk>");
  EXPECT_EQ(config.at("chat_template"), "{{ bos_token }}");
  EXPECT_FALSE(config.contains("eos_token"));
}

TEST(GgufTokenizer, OtherTokenizersAreRefused) {
  EXPECT_ERROR(TokenizerOf(Vocabulary(kTokens)), "key 'tokenizer.ggml.model' is missing");
  EXPECT_ERROR(TokenizerOf(Vocabulary(kTokens).Key("tokenizer.ggml.model", kString, Text("gpt2"))),
               "key 'tokenizer.ggml.model' is \"gpt2\"", "\"llama\"");
  EXPECT_ERROR(
      TokenizerOf(Gemma3Tokenizer().Key("tokenizer.ggml.add_space_prefix", kBool, Raw<uint8_t>(1))),
      "'tokenizer.ggml.add_space_prefix' is true");
  EXPECT_ERROR(
      TokenizerOf(Gemma3Tokenizer().Key("tokenizer.ggml.add_eos_token", kBool, Raw<uint8_t>(1))),
      "'tokenizer.ggml.add_eos_token' is true");
}

TEST(GgufTokenizer, VocabulariesThatLieAreRefused) {
  const auto with = [](const TestToken& token) {
    std::vector<TestToken> tokens = kTokens;
    tokens.push_back(token);
    return Gemma3Tokenizer(tokens);
  };
  EXPECT_NO_THROW(TokenizerOf(with({"c"})));
  EXPECT_ERROR(TokenizerOf(with({"ab"})), "tokens 6 and 12 have the same text \"ab\"");
  EXPECT_ERROR(TokenizerOf(with({std::string(257, 'a')})), "token 12 is 257 bytes long");
  EXPECT_ERROR(TokenizerOf(with({"\xff"})), "'tokenizer.ggml.tokens' holds text 12 that is not");
  EXPECT_ERROR(TokenizerOf(with({"c", 0, static_cast<GgufTokenType>(7)})),
               "'tokenizer.ggml.token_type' gives token 12 the type 7");
  EXPECT_ERROR(TokenizerOf(GgufBytes()
                               .Key("tokenizer.ggml.model", kString, Text("llama"))
                               .Array("tokenizer.ggml.tokens", kString, 1, Text("a"))
                               .Array("tokenizer.ggml.scores", kFloat32, 0, "")
                               .Array("tokenizer.ggml.token_type", kInt32, 1, Raw<int32_t>(1))),
               "'tokenizer.ggml.scores' is a list of 0 elements", "one for each of the 1 tokens");
  EXPECT_ERROR(TokenizerConfigOf(Gemma3Tokenizer().Key("tokenizer.ggml.eos_token_id", kUint32,
                                                       Raw<uint32_t>(12))),
               "'tokenizer.ggml.eos_token_id' is 12", "one of 12 tokens");
}

}  // namespace
}  // namespace carat::checkpoint
