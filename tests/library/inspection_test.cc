#include "carat/library/inspection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "carat/base/json.h"
#include "carat/graph/graph.h"
#include "carat/library/dist_folder.h"
#include "carat/model/architecture.h"
#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"
#include "tests/checkpoint/safetensors_bytes.h"
#include "tests/library/example_metadata.h"
#include "tests/runtime/fake_model.h"

namespace carat::library {
namespace {

using ::testing::HasSubstr;

constexpr double kMiB = 1 << 20;

// Gemma 3 270M, as Google publishes it.
Json Config270M() {
  return Json::parse(R"({
    "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": 262144,
    "hidden_size": 640, "intermediate_size": 2048, "num_hidden_layers": 18,
    "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256,
    "max_position_embeddings": 32768, "sliding_window": 512, "query_pre_attn_scalar": 256,
    "torch_dtype": "bfloat16"})");
}

// A folder with this config and a checkpoint of its shapes: a file of holes that takes no disk.
void WriteModelFolder(const TemporaryFolder& folder, const Json& config_json) {
  WriteText(folder, "config.json", config_json.dump());
  const model::ModelConfig config = model::ParseModelConfig(config_json, "config.json");
  Json header = Json::object();
  int64_t position = 0;
  for (const graph::Weight& weight : model::BuildGraph(config).weights) {
    for (const graph::SourceTensor& part : weight.parts) {
      const Json shape =
          part.rows == 1 ? Json::array({part.cols}) : Json::array({part.rows, part.cols});
      const int64_t end = position + 2 * part.rows * part.cols;
      header[part.name] = {{"dtype", "BF16"}, {"shape", shape}, {"data_offsets", {position, end}}};
      position = end;
    }
  }
  const auto path =
      WriteText(folder, "model.safetensors", checkpoint::SafetensorsBytes(header.dump(), ""));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) + position);
}

const SchemeUse& FindScheme(const Inspection& inspection, const std::string& name) {
  for (const SchemeUse& scheme : inspection.schemes) {
    if (scheme.name == name) return scheme;
  }
  throw Error("no scheme {}", name);
}

class Inspect270M : public ::testing::Test {
 protected:
  void SetUp() override { WriteModelFolder(folder_, Config270M()); }
  TemporaryFolder folder_;
};

TEST_F(Inspect270M, CountsTheParameters) {
  const Inspection inspection = Inspect(folder_.path());
  EXPECT_EQ(inspection.kind, InspectedKind::kModel);
  EXPECT_EQ(inspection.weights.num_values(), 268'098'176);
  EXPECT_EQ(inspection.weights.num_bytes(), 2 * 268'098'176);
  EXPECT_EQ(inspection.unused_bytes, 0);
  EXPECT_EQ(LayerKindsText(inspection.config.layer_types),
            "5 sliding, 1 full, 5 sliding, 1 full, 5 sliding, 1 full");
}

TEST_F(Inspect270M, ShowsThatQ4SavesAtLeast71PercentOfTheWeights) {
  const SchemeUse scheme = FindScheme(Inspect(folder_.path()), "q4_0");
  EXPECT_GE(scheme.weights->saving_against_bf16(), 0.71);
  EXPECT_NEAR(scheme.weights->bits_per_value(), 4.5, 0.02);
}

TEST_F(Inspect270M, ShowsThatTheSlidingWindowSaves82PercentOfTheKvCache) {
  const KvUse use = Inspect(folder_.path()).kv.back();
  EXPECT_EQ(use.tokens, 32768);
  EXPECT_EQ(use.full_layer_bytes, 3 * 32 * kMiB);
  EXPECT_EQ(use.all_full_bytes, 18 * 32 * kMiB);
  EXPECT_GE(use.saving(), 0.82);
}

TEST_F(Inspect270M, HasARowForEveryLengthUpToTheContext) {
  std::vector<int64_t> lengths;
  for (const KvUse& use : Inspect(folder_.path()).kv) lengths.push_back(use.tokens);
  EXPECT_EQ(lengths, (std::vector<int64_t>{512, 1024, 2048, 4096, 8192, 16384, 32768}));
}

TEST_F(Inspect270M, CountsOfARingWhatTheSequenceHasFilled) {
  const std::vector<KvUse> rows = Inspect(folder_.path()).kv;
  EXPECT_EQ(rows[0].sliding_layer_bytes, 15 * 0.5 * kMiB);  // 512 tokens fill it
  EXPECT_EQ(rows[6].sliding_layer_bytes, rows[0].sliding_layer_bytes);
  EXPECT_EQ(rows[0].saving(), 0);
}

TEST_F(Inspect270M, SaysItInTextAndInJson) {
  const Inspection inspection = Inspect(folder_.path());
  const std::string text = ToText(inspection);
  for (const char* part : {"Hugging Face folder", "Gemma3ForCausalLM", "268.1 million",
                           "5 sliding, 1 full", "71.8% less than bf16", "82.0%"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  const Json json = ToJson(inspection);
  EXPECT_EQ(json["parameters"], 268'098'176);
  EXPECT_EQ(json["kv"].size(), 7u);
  EXPECT_EQ(json["kv"][6]["tokens"], 32768);
  EXPECT_GE(json["quantizations"]["q4_0"]["saving_against_bf16"], 0.71);
  EXPECT_EQ(json["config"]["layer_types"][5], "full_attention");
}

TEST(Inspect, NamesTheTensorThatAFormatCannotHold) {
  const TemporaryFolder folder;
  Json config = Config270M();
  config["num_hidden_layers"] = 1;
  config["intermediate_size"] = 2040;
  WriteModelFolder(folder, config);
  const Inspection inspection = Inspect(folder.path());
  const SchemeUse scheme = FindScheme(inspection, "q4_0");
  EXPECT_FALSE(scheme.weights.has_value());
  EXPECT_NE(scheme.problem.find("'model.layers.0.mlp.down_proj.weight' has 2040 columns"),
            std::string::npos)
      << scheme.problem;
  EXPECT_TRUE(FindScheme(inspection, "q0f16").weights.has_value());
  EXPECT_NE(ToText(inspection).find("cannot hold this model"), std::string::npos);
}

TEST(Inspect, FindsACheckpointThatDoesNotFitItsConfig) {
  const TemporaryFolder folder;
  WriteModelFolder(folder, Config270M());
  Json config = Config270M();
  config["intermediate_size"] = 1024;
  WriteText(folder, "config.json", config.dump());
  EXPECT_ERROR(Inspect(folder.path()), "mlp", "config.json gives");
}

TEST(Inspect, ShowsACompiledFolder) {
  const TemporaryFolder folder;
  DistConfig dist;
  dist.metadata = tests::ExampleMetadata();
  WriteText(folder, kConfigFile, ToJsonText(dist));
  WriteText(folder, kWeightsFile, "weights");
  WriteText(folder, kLibraryFile, "library");
  const Inspection inspection = Inspect(folder.path());
  EXPECT_EQ(inspection.kind, InspectedKind::kDistFolder);
  EXPECT_EQ(inspection.weights.num_values(), 64 + 32 * 32);
  EXPECT_EQ(inspection.weights.num_bytes(), 256 + 576);
  ASSERT_EQ(inspection.weights.formats.size(), 2u);
  EXPECT_EQ(inspection.weights.formats[1].format, "q4_0");
  EXPECT_EQ(inspection.kv.back().tokens, 4096);
  EXPECT_EQ(inspection.kv.back().sliding_layer_bytes, 9 * 8192);
  const std::string text = ToText(inspection);
  EXPECT_NE(text.find("target generic"), std::string::npos) << text;
  EXPECT_EQ(ToJson(inspection)["quantization"], "q4_0");
}

// --- Compiled folders, sound and damaged ---

class InspectCompiledFolder : public ::testing::Test {
 protected:
  // The one problem that is found; the model is shown all the same.
  std::string Problem() const {
    const Inspection inspection = Inspect(folder_.path());
    EXPECT_EQ(inspection.kind, InspectedKind::kDistFolder);
    EXPECT_EQ(inspection.config.hidden_size, 64);
    EXPECT_EQ(inspection.problems.size(), 1u) << ToText(inspection);
    if (inspection.problems.empty()) return "";
    EXPECT_NE(ToText(inspection).find("cannot run     " + inspection.problems[0]),
              std::string::npos);
    EXPECT_EQ(ToJson(inspection)["problems"][0], inspection.problems[0]);
    return inspection.problems[0];
  }

  void Damage(std::string_view file) const {
    std::fstream stream(folder_.path() / file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(100);
    stream.put('x');
  }

  tests::FakeModelFolder folder_;
};

TEST_F(InspectCompiledFolder, SaysThatItIsSound) {
  const Inspection inspection = Inspect(folder_.path());
  EXPECT_THAT(inspection.problems, ::testing::IsEmpty());
  EXPECT_NE(ToText(inspection).find("weights.bin verified"), std::string::npos);
  EXPECT_EQ(ToJson(inspection)["problems"], Json::array());
}

TEST_F(InspectCompiledFolder, FindsDamagedWeights) {
  Damage(kWeightsFile);
  EXPECT_THAT(Problem(), HasSubstr("weights.bin: damaged"));
}

TEST_F(InspectCompiledFolder, FindsAMissingFile) {
  std::filesystem::remove(folder_.path() / kLibraryFile);
  EXPECT_THAT(Problem(), HasSubstr("model.so: cannot open"));
}

TEST_F(InspectCompiledFolder, FindsFilesOfDifferentCompilations) {
  DistConfig config = folder_.config();
  config.metadata.decode_weight_bytes += 1;
  folder_.WriteConfig(config);
  EXPECT_THAT(Problem(), HasSubstr("'decode_weight_bytes' differs"));
}

TEST_F(InspectCompiledFolder, ReadsTheLibraryWhereTheConfigIsDamaged) {
  Damage(kConfigFile);
  EXPECT_THAT(Problem(), HasSubstr("carat-config.json"));
}

TEST_F(InspectCompiledFolder, ReadsTheLibraryWhereTheConfigIsMissing) {
  std::filesystem::remove(folder_.path() / kConfigFile);
  EXPECT_THAT(Problem(), HasSubstr("an incomplete compiled folder"));
}

TEST_F(InspectCompiledFolder, RefusesAFolderThatDoesNotSayWhatTheModelIs) {
  Damage(kConfigFile);
  std::filesystem::remove(folder_.path() / kLibraryFile);
  EXPECT_ERROR(Inspect(folder_.path()), "carat-config.json");
}

TEST(Inspect, RefusesWhatItDoesNotKnow) {
  const TemporaryFolder folder;
  EXPECT_ERROR(Inspect(folder / "none"), "none: does not exist");
  EXPECT_ERROR(Inspect(folder.path()), "holds no model, neither a config.json");
  EXPECT_ERROR(Inspect(WriteText(folder, "a.so", "x")), "a.so");
}

}  // namespace
}  // namespace carat::library
