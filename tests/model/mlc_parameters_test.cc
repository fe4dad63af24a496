#include "carat/model/mlc_parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/base/expect_error.h"

namespace carat::model {
namespace {

std::string ParametersFolder() { return std::string(CARAT_SOURCE_DIR) + "/tests/data/mlc/text"; }

// The lines of parameters.txt (tests/data/mlc/make.py) that begin with `key`, without it.
std::vector<std::string> LinesOf(const std::string& key) {
  std::ifstream file(ParametersFolder() + "/parameters.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + " ")) lines.push_back(line.substr(key.size() + 1));
  }
  EXPECT_FALSE(lines.empty()) << key;
  return lines;
}

std::string MlcName(checkpoint::DType dtype) {
  if (dtype == checkpoint::DType::kU32) return "uint32";
  return dtype == checkpoint::DType::kF16 ? "float16" : "float32";
}

TEST(MlcParametersTest, AreThoseOfMlcInItsOrder) {
  const std::vector<MlcWeight> weights = MlcWeights(LoadModelConfig(ParametersFolder()));
  for (const MlcQuantization& quantization : AllMlcQuantizations()) {
    std::vector<std::string> lines;
    for (const MlcWeight& weight : weights) {
      for (const checkpoint::TensorSpec& parameter : MlcParameters(weight, quantization)) {
        lines.push_back(fmt::format("{} {} {}", parameter.name, MlcName(parameter.dtype),
                                    fmt::join(parameter.shape, ",")));
      }
    }
    EXPECT_EQ(lines, LinesOf(std::string(quantization.name)));
  }
}

TEST(MlcParametersTest, AreMadeOfTheTensorsThatMlcTakes) {
  std::map<std::string, std::string> expected;
  for (const std::string& line : LinesOf("sources")) {
    const size_t space = line.find(' ');
    expected[line.substr(0, space)] = line.substr(space + 1);
  }
  std::map<std::string, std::string> sources;
  for (const MlcWeight& weight : MlcWeights(LoadModelConfig(ParametersFolder()))) {
    std::string& names = sources[weight.name + ".weight"];
    for (const graph::SourceTensor& part : weight.parts) {
      names += (names.empty() ? "" : " ") + part.name;
    }
  }
  EXPECT_EQ(sources, expected);
}

TEST(MlcParametersTest, OnlyNormsAreOffset) {
  for (const MlcWeight& weight : MlcWeights(LoadModelConfig(ParametersFolder()))) {
    EXPECT_EQ(weight.offset, weight.name.ends_with("norm") ? 1 : 0) << weight.name;
    EXPECT_EQ(weight.is_vector(), weight.name.ends_with("norm")) << weight.name;
  }
}

TEST(MlcParametersTest, TensorsAreFoundAsRowsOfParameters) {
  const ModelConfig config = LoadModelConfig(ParametersFolder());
  const std::vector<MlcWeight> weights = MlcWeights(config);
  const auto up = FindMlcRows(weights, "model.layers.1.mlp.up_proj.weight");
  ASSERT_TRUE(up);
  EXPECT_EQ(up->weight->name, "language_model.model.layers.1.mlp.gate_up_proj");
  EXPECT_EQ(up->first_row, config.intermediate_size);
  EXPECT_EQ(up->weight->rows(), 2 * config.intermediate_size);
  EXPECT_EQ(FindMlcRows(weights, "model.layers.1.mlp.gate_proj.weight")->first_row, 0);
  EXPECT_FALSE(FindMlcRows(weights, "lm_head.weight"));
}

TEST(MlcParametersTest, TheCheckpointsSpellingOfNamesCounts) {
  ModelConfig config = LoadModelConfig(ParametersFolder());
  config.weight_prefix = "language_model.model.";
  EXPECT_EQ(MlcWeights(config)[0].parts[0].name, "language_model.model.embed_tokens.weight");
}

TEST(MlcParametersTest, AnUntiedHeadHasNoMlcForm) {
  ModelConfig config = LoadModelConfig(ParametersFolder());
  config.tie_word_embeddings = false;
  EXPECT_ERROR(MlcWeights(config), "tie_word_embeddings", "no MLC form");
}

TEST(MlcParametersTest, AnUnknownQuantizationListsTheKnownOnes) {
  EXPECT_EQ(FindMlcQuantization("q4f32_1").model_dtype, quantization::ModelDType::kF32);
  EXPECT_ERROR(FindMlcQuantization("q4_0"), "'q4_0'", "q4f16_1, q4f32_1, q0f16, q0f32");
}

}  // namespace
}  // namespace carat::model
