// What ExportGguf and ExportSafetensors write, read again.

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/base/interrupt.h"
#include "carat/checkpoint/gguf.h"
#include "carat/model/export_gguf.h"
#include "carat/model/export_safetensors.h"
#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat::model {
namespace {

namespace fs = std::filesystem;

fs::path ExportedModel() { return fs::path(CARAT_SOURCE_DIR) / "models/demo"; }

// A copy of the demo with a field of its config.json changed.
void WriteChangedDemo(const TemporaryFolder& folder, const std::string& field, const Json& value) {
  for (const char* name : {"model.safetensors", "tokenizer.json", "tokenizer_config.json"}) {
    fs::copy_file(ExportedModel() / name, folder / name);
  }
  Json config = ParseJsonFile(ExportedModel() / "config.json");
  config[field] = value;
  WriteText(folder, "config.json", config.dump());
}

Json ConfigInGguf(const TemporaryFolder& folder) {
  const fs::path file = folder / "out.gguf";
  ExportGguf(*ModelSource::Open(folder.path()), "q0bf16", "", file);
  return ModelSource::Open(file)->Config();
}

TEST(ExportGguf, KeepsBlocksBitForBit) {
  const TemporaryFolder folder;
  for (const char* scheme : {"q4_0", "q8_0", "q0f16", "q0bf16", "q0f32", "q4_0+q8_0"}) {
    const fs::path first = folder / "first.gguf";
    const fs::path second = folder / "again" / "first.gguf";
    fs::create_directories(second.parent_path());
    ExportGguf(*ModelSource::Open(ExportedModel()), scheme, "", first);
    ExportGguf(*ModelSource::Open(first), scheme, "", second);
    const std::string a = ReadTextFile(first);
    const std::string b = ReadTextFile(second);
    const auto gguf_a = checkpoint::Gguf::Parse(std::as_bytes(std::span(a)), "first");
    const auto gguf_b = checkpoint::Gguf::Parse(std::as_bytes(std::span(b)), "second");
    ASSERT_EQ(gguf_a.tensors().size(), gguf_b.tensors().size());
    for (const checkpoint::GgufTensor& tensor : gguf_a.tensors()) {
      const checkpoint::GgufTensor* other = gguf_b.FindTensor(tensor.name);
      ASSERT_NE(other, nullptr) << tensor.name;
      EXPECT_EQ(tensor.type, other->type);
      EXPECT_TRUE(std::ranges::equal(tensor.bytes, other->bytes)) << scheme << " " << tensor.name;
    }
  }
}

TEST(ExportGguf, SaysWhichLayersSlide) {
  const Json regular = [] {
    const TemporaryFolder folder;
    WriteChangedDemo(folder, "torch_dtype", "bfloat16");
    return ConfigInGguf(folder);
  }();
  EXPECT_EQ(regular["sliding_window_pattern"], 6);

  const TemporaryFolder folder;
  const Json kinds = {"full_attention", "sliding_attention", "sliding_attention",
                      "full_attention", "sliding_attention", "full_attention"};
  WriteChangedDemo(folder, "layer_types", kinds);
  EXPECT_EQ(ConfigInGguf(folder)["layer_types"], kinds);
}

TEST(ExportGguf, KeepsScalingAndSoftcaps) {
  const TemporaryFolder scaled;
  const Json scaling = {{"rope_type", "linear"}, {"factor", 8.0}};
  WriteChangedDemo(scaled, "rope_scaling", scaling);
  EXPECT_EQ(ConfigInGguf(scaled)["rope_scaling"], scaling);
  const TemporaryFolder capped;
  WriteChangedDemo(capped, "final_logit_softcapping", 30.0);
  EXPECT_EQ(ConfigInGguf(capped)["final_logit_softcapping"], 30.0);
}

TEST(ExportGguf, RefusesWhatGgufCannotSay) {
  const TemporaryFolder folder;
  WriteChangedDemo(folder, "query_pre_attn_scalar", 48);
  EXPECT_ERROR(ConfigInGguf(folder), "'query_pre_attn_scalar' is 48", "no GGUF form");
  EXPECT_FALSE(fs::exists(folder / "out.gguf"));
  const TemporaryFolder capped;
  WriteChangedDemo(capped, "attn_logit_softcapping", 50.0);
  EXPECT_ERROR(ConfigInGguf(capped), "'attn_logit_softcapping' is 50", "no GGUF form");
}

TEST(ExportGguf, RefusesAModelWithoutATokenizer) {
  const TemporaryFolder folder;
  WriteChangedDemo(folder, "torch_dtype", "bfloat16");
  fs::remove(folder / "tokenizer.json");
  EXPECT_ERROR(ConfigInGguf(folder), "has no tokenizer.json");
}

TEST(ExportGguf, CtrlCKeepsTheOldFile) {
  const TemporaryFolder folder;
  const fs::path file = folder / "demo.gguf";
  WriteText(folder, "demo.gguf", "what was there");
  const InterruptGuard guard;
  const auto interrupt = [](int64_t done, int64_t total) {
    if (done > total / 2) raise(SIGINT);
  };
  EXPECT_THROW(ExportGguf(*ModelSource::Open(ExportedModel()), "q4_0", "", file, interrupt),
               InterruptedError);
  ClearInterrupt();
  EXPECT_EQ(ReadTextFile(file), "what was there");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(ExportSafetensors, GgufAndBackIsTheSameCheckpoint) {
  const TemporaryFolder folder;
  const fs::path gguf = folder / "demo.gguf";
  ExportGguf(*ModelSource::Open(ExportedModel()), "q0bf16", "", gguf);
  const auto source = ModelSource::Open(gguf);
  ExportSafetensors(*source, "q0bf16", folder / "model.safetensors");
  WriteText(folder, "config.json", source->Config().dump());
  const auto original = checkpoint::Checkpoint::Open(ExportedModel());
  const auto restored = checkpoint::Checkpoint::Open(folder.path());
  ASSERT_EQ(restored.tensors().size(), original.tensors().size());
  for (const auto& [name, tensor] : original.tensors()) {
    const checkpoint::TensorInfo* other = restored.Find(name);
    ASSERT_NE(other, nullptr) << name;
    EXPECT_EQ(other->shape, tensor.shape);
    EXPECT_TRUE(std::ranges::equal(other->bytes, tensor.bytes)) << name;
  }
}

TEST(ExportSafetensors, RefusesBlockFormats) {
  const TemporaryFolder folder;
  EXPECT_ERROR(ExportSafetensors(*ModelSource::Open(ExportedModel()), "q4_0", folder / "x"),
               "safetensors files have no q4_0", "q0bf16");
}

}  // namespace
}  // namespace carat::model
