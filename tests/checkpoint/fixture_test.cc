#include "carat/checkpoint/fixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "carat/base/json.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/checkpoint/fixture_tokenizer.h"
#include "tests/base/expect_error.h"
#include "tests/base/file_size_limit.h"
#include "tests/base/text_files.h"

namespace carat::checkpoint {
namespace {

const FixtureModel kSmall = {.name = "small",
                             .vocab_size = 600,
                             .hidden_size = 64,
                             .intermediate_size = 96,
                             .num_hidden_layers = 7,
                             .num_attention_heads = 4,
                             .num_key_value_heads = 2,
                             .head_dim = 32};

TEST(Fixture, HasTheShapesOfTheRelease) {
  const FixtureModel& model = FindFixtureModel("gemma-3-270m");
  EXPECT_EQ(model.hidden_size, 640);
  EXPECT_EQ(model.num_hidden_layers, 18);
  EXPECT_EQ(model.vocab_size, 262144);
  EXPECT_EQ(FindFixtureModel("gemma-3-1b").intermediate_size, 6912);
  EXPECT_ERROR(FindFixtureModel("gemma-9"),
               "there is no fixture 'gemma-9'; there are gemma-3-270m");
}

TEST(Fixture, IsACompleteFolder) {
  const TemporaryFolder folder;
  int64_t reported = 0;
  WriteFixture(kSmall, 1, folder / "out", [&](int64_t done, int64_t total) {
    EXPECT_LE(done, total);
    reported = done;
  });
  EXPECT_GT(reported, 0);
  const Checkpoint checkpoint = Checkpoint::Open(folder / "out");
  EXPECT_EQ(checkpoint.tensors().size(), 13u * 7 + 2);
  checkpoint.Require("model.embed_tokens.weight", 600, 64);
  checkpoint.Require("model.layers.6.self_attn.q_proj.weight", 128, 64);
  checkpoint.Require("model.layers.6.self_attn.k_norm.weight", 1, 32);
  for (const char* name : {"config.json", "generation_config.json", "tokenizer.json",
                           "tokenizer_config.json", "carat-fixture.json"}) {
    EXPECT_TRUE(ParseJsonFile(folder / "out" / name).is_object()) << name;
  }
}

TEST(Fixture, HasWeightsOfTheRightSpread) {
  const TemporaryFolder folder;
  WriteFixture(kSmall, 1, folder / "out");
  const Checkpoint checkpoint = Checkpoint::Open(folder / "out");
  const std::vector<float> values = checkpoint.Read(*checkpoint.Find("model.embed_tokens.weight"));
  double sum = 0, sum_of_squares = 0;
  for (const float value : values) {
    sum += value;
    sum_of_squares += double{value} * value;
  }
  const auto count = static_cast<double>(values.size());
  EXPECT_NEAR(sum / count, 0, 0.01);
  EXPECT_NEAR(std::sqrt(sum_of_squares / count), 1 / std::sqrt(64.0), 0.002);
}

TEST(Fixture, IsTheSameForTheSameSeedOnly) {
  const TemporaryFolder folder;
  WriteFixture(kSmall, 1, folder / "a");
  WriteFixture(kSmall, 1, folder / "b");
  WriteFixture(kSmall, 2, folder / "c");
  const std::string a = ReadAll(folder / "a/model.safetensors");
  EXPECT_EQ(a, ReadAll(folder / "b/model.safetensors"));
  EXPECT_NE(a, ReadAll(folder / "c/model.safetensors"));
}

TEST(Fixture, SpellsItsLayersAsItsReleaseDoes) {
  const TemporaryFolder folder;
  WriteFixture(kSmall, 1, folder / "types");
  const Json types = ParseJsonFile(folder / "types/config.json");
  EXPECT_EQ(types["layer_types"].size(), 7u);
  EXPECT_EQ(types["layer_types"][5], "full_attention");
  FixtureModel model = kSmall;
  model.spelling = LayerSpelling::kSlidingWindowPattern;
  WriteFixture(model, 1, folder / "pattern");
  const Json pattern = ParseJsonFile(folder / "pattern/config.json");
  EXPECT_FALSE(pattern.contains("layer_types"));
  EXPECT_EQ(pattern["sliding_window_pattern"], 6);
}

TEST(Fixture, ReplacesAFixtureButNothingElse) {
  const TemporaryFolder folder;
  WriteFixture(kSmall, 1, folder / "out");
  EXPECT_NO_THROW(WriteFixture(kSmall, 2, folder / "out"));
  WriteText(folder, "real/config.json", "{}");
  EXPECT_ERROR(WriteFixture(kSmall, 1, folder / "real"), "holds other files");
}

TEST(Fixture, LeavesNothingWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  {
    const FileSizeLimit limit(100'000);
    EXPECT_ERROR(WriteFixture(kSmall, 1, folder / "out"), "model.safetensors: cannot write");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FixtureTokenizer, GivesEveryTokenItsOwnPieceAndEveryMergeItsParts) {
  const Json tokenizer = ParseJson(FixtureTokenizerJson(20'000), "tokenizer.json");
  const Json& vocab = tokenizer["model"]["vocab"];
  std::set<int64_t> ids;
  for (const auto& [piece, id] : vocab.items()) ids.insert(id.get<int64_t>());
  EXPECT_EQ(ids.size(), 20'000u);
  EXPECT_EQ(*ids.rbegin(), 19'999);
  EXPECT_EQ(vocab["<start_of_turn>"], 105);
  EXPECT_EQ(vocab["<end_of_turn>"], 106);
  EXPECT_EQ(vocab["<0x00>"], 107);
  std::set<std::string> merged;
  for (const Json& merge : tokenizer["model"]["merges"]) {
    const auto left = merge[0].get<std::string>();
    const auto right = merge[1].get<std::string>();
    ASSERT_TRUE(vocab.contains(left) && vocab.contains(right));
    ASSERT_TRUE(vocab.contains(left + right));
    ASSERT_TRUE(merged.insert(left + right).second);
  }
}

TEST(FixtureTokenizer, RefusesVocabulariesItCannotFill) {
  EXPECT_ERROR(FixtureTokenizerJson(511), "at least 512");
  EXPECT_ERROR(FixtureTokenizerJson(1 << 20), "more than its tokenizer has pieces for");
}

}  // namespace
}  // namespace carat::checkpoint
