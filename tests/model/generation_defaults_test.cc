#include "carat/model/generation_defaults.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat::model {
namespace {

ModelConfig Config() {
  ModelConfig config;
  config.vocab_size = 384;
  config.eos_token_ids = {1};
  return config;
}

GenerationDefaults ParseDefaults(const std::string& json) {
  return ParseGenerationDefaults(Json::parse(json), "generation_config.json", Config());
}

TEST(GenerationDefaults, AreTheReleases) {
  const GenerationDefaults defaults =
      ParseDefaults(R"({"do_sample": true, "eos_token_id": [1, 106], "top_k": 64, "top_p": 0.95})");
  EXPECT_TRUE(defaults.do_sample);
  EXPECT_EQ(defaults.top_k, 64);
  EXPECT_EQ(defaults.top_p, 0.95);
  EXPECT_EQ(defaults.temperature, 1);
  EXPECT_EQ(defaults.eos_token_ids, (std::vector<TokenId>{1, 106}));
}

TEST(GenerationDefaults, AreGreedyWithoutAFile) {
  const TemporaryFolder folder;
  const GenerationDefaults defaults = LoadGenerationDefaults(folder.path(), Config());
  EXPECT_FALSE(defaults.do_sample);
  EXPECT_EQ(defaults.eos_token_ids, std::vector<TokenId>{1});
}

TEST(GenerationDefaults, AreReadFromTheFolder) {
  const TemporaryFolder folder;
  WriteText(folder, "generation_config.json", R"({"temperature": 0.5})");
  EXPECT_EQ(LoadGenerationDefaults(folder.path(), Config()).temperature, 0.5);
}

TEST(GenerationDefaults, RefuseValuesOutOfRange) {
  EXPECT_ERROR(ParseDefaults(R"({"temperature": -1})"),
               "generation_config.json: field 'temperature' is -1, expected a number from 0");
  EXPECT_ERROR(ParseDefaults(R"({"top_k": -1})"), "'top_k' is -1");
  EXPECT_ERROR(ParseDefaults(R"({"top_p": 1.5})"), "'top_p' is 1.5, expected a number from 0 to 1");
  EXPECT_ERROR(ParseDefaults(R"({"min_p": "x"})"), "'min_p'");
  EXPECT_ERROR(ParseDefaults(R"({"repetition_penalty": 0})"), "'repetition_penalty'");
  EXPECT_ERROR(ParseDefaults(R"({"do_sample": 1})"), "expected true or false");
  EXPECT_ERROR(ParseDefaults(R"({"eos_token_id": 384})"), "names token 384, but vocab_size is 384");
}

}  // namespace
}  // namespace carat::model
