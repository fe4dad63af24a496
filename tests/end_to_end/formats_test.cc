// The same weights by way of other formats.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "carat/base/file.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/graph/reference.h"
#include "carat/model/architecture.h"
#include "carat/model/checkpoint_weights.h"
#include "carat/model/convert_weights.h"
#include "carat/model/export_gguf.h"
#include "carat/model/mlc_chat_config.h"
#include "carat/model/model_source.h"
#include "tests/base/text_files.h"
#include "tests/end_to_end/compiled_model.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

fs::path Demo() { return ModelFolder("demo"); }

void WriteMlcDemo(const TemporaryFolder& folder, const std::string& quantization) {
  const auto source = model::ModelSource::Open(Demo());
  model::ModelConfig config = source->LoadConfig();
  const auto checkpoint = source->OpenCheckpoint(config);
  model::ConvertWeights(checkpoint, config, model::FindMlcQuantization(quantization),
                        folder.path());
  model::MlcChatOptions options;
  options.quantization = quantization;
  options.conv_template = "gemma3_instruction";
  const std::string text = model::MlcChatConfigText(Demo() / "config.json", options);
  WriteText(folder, model::kMlcChatConfigFile, text);
}

// By the reference interpreter, of the source's own weights.
std::vector<float> ReferenceLogits(const fs::path& path, const std::vector<TokenId>& tokens) {
  const auto source = model::ModelSource::Open(path);
  model::ModelConfig config = source->LoadConfig();
  const auto checkpoint = source->OpenCheckpoint(config);
  const graph::Graph graph = model::BuildGraph(config);
  graph::Reference reference(graph, model::CheckpointWeights(checkpoint));
  std::vector<int32_t> rows(tokens.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
  return reference.Forward(tokens, rows);
}

TEST(Formats, AGgufFileCompilesToTheSameWeightsAsTheFolderItCameFrom) {
  const TemporaryFolder folder;
  const fs::path gguf = folder / "demo.gguf";
  for (const std::string scheme : {"q4_0", "q4_0+q8_0"}) {
    model::ExportGguf(*model::ModelSource::Open(Demo()), scheme, "", gguf);
    const fs::path from_gguf =
        compiler::Compile({.model = gguf, .output = folder / "from_gguf"}).output;
    const fs::path from_folder = Compiled({.model = Demo(), .quantization = scheme});
    EXPECT_EQ(ReadTextFile(from_gguf / "weights.bin"), ReadTextFile(from_folder / "weights.bin"))
        << scheme;
  }
}

TEST(Formats, MlcFoldersComputeWhatTheirWeightsSay) {
  const std::vector<TokenId> tokens = RandomTokens(70, 2048, 5);
  for (const std::string quantization : {"q4f16_1", "q4f32_1", "q0f16"}) {
    const TemporaryFolder folder;
    WriteMlcDemo(folder, quantization);
    const fs::path output = folder / "dist";
    compiler::Compile({.model = folder.path(), .output = output});
    const auto model = runtime::Model::Load(output, {.num_threads = 2});
    const float difference =
        MaxDifference(AllLogits(model, tokens, 512), ReferenceLogits(folder.path(), tokens));
    // 8-bit activations err by 0.4% of a block's largest; see quantization_test.cc.
    EXPECT_LT(difference, quantization == "q0f16" ? 2e-2F : 0.5F) << quantization;
  }
}

TEST(Formats, ALibraryBesideItsModelRunsFromThere) {
  const TemporaryFolder folder;
  WriteMlcDemo(folder, "q4f16_1");
  compiler::Compile({.model = folder / "mlc-chat-config.json", .output = folder / "gemma.so"});
  const auto model = runtime::Model::Load(folder.path(), {.num_threads = 1});
  EXPECT_EQ(model->vocab_size(), 2048);
}

}  // namespace
}  // namespace carat
