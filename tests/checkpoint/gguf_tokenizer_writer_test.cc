#include "carat/checkpoint/gguf_tokenizer_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/base/file.h"
#include "tests/base/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carat::checkpoint {
namespace {

const Json kTokenizer = Json::parse(R"({
    "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    "post_processor": {},
    "added_tokens": [{"id": 0, "content": "<bos>", "special": true},
                     {"id": 1, "content": "<unused0>", "special": false},
                     {"id": 2, "content": "▁▁", "special": false},
                     {"id": 99, "content": "<image>", "special": true}],
    "model": {"type": "BPE", "byte_fallback": true,
              "vocab": {"<bos>": 0, "<unused0>": 1, "▁▁": 2, "<0x0A>": 3, "a": 4, "b": 5, "ab": 6,
                        "aba": 7},
              "merges": [["▁", "▁"], ["a", "b"], "ab a"]}})");
const Json kConfig = Json::parse(R"({"bos_token": {"content": "<bos>"}, "unk_token": "a"})");

template <typename Check>
void WithFile(const Json& tokenizer, const Json& config, int64_t vocab_size, Check check) {
  const tests::TemporaryFolder folder;
  GgufMetadata metadata;
  AddTokenizer(JsonObject(tokenizer, "tokenizer.json"), JsonObject(config, "tokenizer_config.json"),
               vocab_size, metadata);
  GgufWriter(folder / "model.gguf", metadata, {}).Close();
  const MappedFile file(folder / "model.gguf");
  check(Gguf::Parse(file.bytes(), "model.gguf"));
}

TEST(GgufTokenizerWriter, WritesTextsScoresAndTypesAsLlamaCppDoes) {
  WithFile(kTokenizer, kConfig, 9, [](const Gguf& gguf) {
    EXPECT_EQ(gguf.Strings("tokenizer.ggml.tokens"),
              (std::vector<std::string_view>{"<bos>", "<unused0>", "  ", "<0x0A>", "a", "b", "ab",
                                             "aba", "[PAD8]"}));
    EXPECT_EQ(gguf.Floats("tokenizer.ggml.scores"),
              (std::vector<double>{-1000, -1000, -1000, -3, -3, -3, -1, -2, -10000}));
    EXPECT_EQ(gguf.Ints("tokenizer.ggml.token_type"),
              (std::vector<int64_t>{3, 3, 4, 6, 1, 1, 1, 1, 5}));
    EXPECT_EQ(gguf.String("tokenizer.ggml.model"), "llama");
    EXPECT_EQ(gguf.Int("tokenizer.ggml.bos_token_id"), 0);
    EXPECT_EQ(gguf.Int("tokenizer.ggml.unknown_token_id"), 4);
    EXPECT_FALSE(gguf.Has("tokenizer.ggml.eos_token_id"));
    EXPECT_TRUE(gguf.Bool("tokenizer.ggml.add_bos_token"));
    EXPECT_FALSE(gguf.Bool("tokenizer.ggml.add_space_prefix"));
  });
}

TEST(GgufTokenizerWriter, RefusesTokenizersOfAnotherKind) {
  const auto changed = [](const char* path, const Json& value) {
    Json tokenizer = kTokenizer;
    tokenizer[Json::json_pointer(path)] = value;
    WithFile(tokenizer, kConfig, 9, [](const Gguf&) {});
  };
  EXPECT_ERROR(changed("/model/type", "Unigram"), "tokenizer.json: field 'model.type'", "BPE");
  EXPECT_ERROR(changed("/model/byte_fallback", false), "'model.byte_fallback'");
  EXPECT_ERROR(changed("/normalizer", Json::object()), "tokenizer.json: ", "'normalizer.type'");
  EXPECT_ERROR(changed("/normalizer/content", "_"), "'normalizer'", "spaces");
  EXPECT_ERROR(changed("/model/merges", 3), "'model.merges' is 3");
  EXPECT_ERROR(changed("/model/merges/0", 3), "'model.merges' holds 3, expected pairs");
  EXPECT_ERROR(changed("/model/vocab/a", -1), "'model.vocab.a' is -1");
  EXPECT_ERROR(changed("/model/vocab/a", "b"), "'model.vocab.a'");
  EXPECT_ERROR(changed("/added_tokens/0", 3), "tokenizer.json: added_tokens");
  EXPECT_ERROR(WithFile(kTokenizer, {{"bos_token", "<s>"}}, 9, [](const Gguf&) {}),
               "tokenizer_config.json: field 'bos_token' is \"<s>\"", "a token of tokenizer.json");
}

}  // namespace
}  // namespace carat::checkpoint
