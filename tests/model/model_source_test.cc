#include "carat/model/model_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/base/file.h"
#include "carat/base/numeric.h"
#include "carat/checkpoint/tensor_rows.h"
#include "carat/model/convert_weights.h"
#include "carat/model/export_gguf.h"
#include "carat/model/mlc_chat_config.h"
#include "carat/quantization/group_quantization.h"
#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat::model {
namespace {

namespace fs = std::filesystem;
using checkpoint::Checkpoint;
using checkpoint::TensorInfo;

constexpr const char* kUpProjection = "model.layers.1.mlp.up_proj.weight";
constexpr const char* kNorm = "model.layers.2.post_attention_layernorm.weight";

const fs::path& HuggingFaceDemo() {
  static const fs::path path = fs::path(CARAT_SOURCE_DIR) / "models/demo";
  return path;
}

// models/demo in the other formats.
void WriteGguf(const fs::path& file, const std::string& scheme) {
  ExportGguf(*ModelSource::Open(HuggingFaceDemo()), scheme, "", file);
}

void WriteMlc(const TemporaryFolder& folder, const std::string& quantization) {
  const auto source = ModelSource::Open(HuggingFaceDemo());
  ModelConfig config = source->LoadConfig();
  const Checkpoint checkpoint = source->OpenCheckpoint(config);
  ConvertWeights(checkpoint, config, FindMlcQuantization(quantization), folder.path());
  MlcChatOptions options;
  options.quantization = quantization;
  options.conv_template = "gemma3_instruction";
  options.context_window_size = 1024;
  const std::string text = MlcChatConfigText(HuggingFaceDemo() / "config.json", options);
  WriteText(folder, kMlcChatConfigFile, text);
  fs::copy_file(HuggingFaceDemo() / "tokenizer.json", folder / "tokenizer.json");
}

std::vector<float> Values(const ModelSource& source, const std::string& name) {
  ModelConfig config = source.LoadConfig();
  const Checkpoint checkpoint = source.OpenCheckpoint(config);
  const TensorInfo* tensor = checkpoint.Find(name);
  EXPECT_NE(tensor, nullptr) << name;
  return checkpoint.Read(*tensor);
}

void ExpectTheDemosShape(const ModelConfig& config) {
  const ModelConfig expected = LoadModelConfig(HuggingFaceDemo());
  EXPECT_EQ(config.vocab_size, expected.vocab_size);
  EXPECT_EQ(config.hidden_size, expected.hidden_size);
  EXPECT_EQ(config.intermediate_size, expected.intermediate_size);
  EXPECT_EQ(config.num_attention_heads, expected.num_attention_heads);
  EXPECT_EQ(config.num_key_value_heads, expected.num_key_value_heads);
  EXPECT_EQ(config.head_dim, expected.head_dim);
  EXPECT_EQ(config.max_position_embeddings, expected.max_position_embeddings);
  EXPECT_EQ(config.layer_types, expected.layer_types);
  EXPECT_EQ(config.sliding_window, expected.sliding_window);
  EXPECT_EQ(config.rope_sliding, expected.rope_sliding);
  EXPECT_EQ(config.rope_full, expected.rope_full);
  EXPECT_EQ(config.query_pre_attn_scalar, expected.query_pre_attn_scalar);
  EXPECT_EQ(config.rms_norm_eps, expected.rms_norm_eps);
}

TEST(ModelSource, AHuggingFaceFolderOrItsConfigIsTakenAsItIs) {
  for (const fs::path& path : {HuggingFaceDemo(), HuggingFaceDemo() / "config.json"}) {
    const auto source = ModelSource::Open(path);
    EXPECT_EQ(source->Description(), "Hugging Face folder");
    EXPECT_EQ(source->Name(), "demo");
    EXPECT_FALSE(source->IsQuantized());
    ExpectTheDemosShape(source->LoadConfig());
    EXPECT_TRUE(source->HasTokenizer());
    EXPECT_EQ(source->ReadFile("tokenizer.json"),
              ReadTextFile(HuggingFaceDemo() / "tokenizer.json"));
    EXPECT_EQ(source->ReadFile("chat_template.jinja"), std::nullopt);
  }
}

TEST(ModelSource, TheSpellingOfAPathChangesNoName) {
  for (const char* ending : {"", ".", "../demo"}) {
    EXPECT_EQ(ModelSource::Open(HuggingFaceDemo() / ending)->Name(), "demo");
  }
}

TEST(ModelSource, AGgufFileHoldsTheSameModel) {
  const TemporaryFolder folder;
  const fs::path file = folder / "Demo-BF16.gguf";
  WriteGguf(file, "q0bf16");
  const auto source = ModelSource::Open(file);
  EXPECT_EQ(source->Name(), "Demo-BF16");
  ExpectTheDemosShape(source->LoadConfig());
  const auto hugging_face = ModelSource::Open(HuggingFaceDemo());
  EXPECT_EQ(Values(*source, kUpProjection), Values(*hugging_face, kUpProjection));
}

TEST(ModelSource, NormsAreStoredAsTheFormulaHasThemOutsideHuggingFace) {
  const TemporaryFolder folder;
  WriteGguf(folder / "demo.gguf", "q4_0");
  WriteMlc(folder, "q4f16_1");
  const std::vector<float> w = Values(*ModelSource::Open(HuggingFaceDemo()), kNorm);
  const auto gguf = ModelSource::Open(folder / "demo.gguf");
  const auto mlc = ModelSource::Open(folder.path());
  EXPECT_EQ(gguf->LoadConfig().norm_offset, 0);
  EXPECT_EQ(mlc->LoadConfig().norm_offset, 0);
  const std::vector<float> gguf_norm = Values(*gguf, kNorm);
  const std::vector<float> mlc_norm = Values(*mlc, kNorm);
  for (size_t i = 0; i < w.size(); ++i) {
    EXPECT_EQ(gguf_norm[i], 1 + w[i]);
    EXPECT_EQ(mlc_norm[i], F16ToFloat(FloatToF16(1 + w[i])));
  }
}

TEST(ModelSource, AFolderWithOneGgufFileIsThatFile) {
  const TemporaryFolder folder;
  WriteGguf(folder / "a.gguf", "q8_0");
  WriteText(folder, "mmproj-a.gguf", "a vision tower");
  EXPECT_EQ(ModelSource::Open(folder.path())->Name(), "a");
  WriteText(folder, "b.gguf", "another");
  EXPECT_ERROR(ModelSource::Open(folder.path()), "has 2 GGUF files");
}

TEST(ModelSource, FusedMatricesOfMlcAreTheOnesOfHuggingFace) {
  const TemporaryFolder folder;
  WriteMlc(folder, "q0f32");
  const auto mlc = ModelSource::Open(folder / std::string(kMlcChatConfigFile));
  EXPECT_EQ(mlc->Description(), "MLC-LLM folder");
  ExpectTheDemosShape(mlc->LoadConfig());
  EXPECT_EQ(mlc->ContextWindowSize(), 1024);
  const auto hugging_face = ModelSource::Open(HuggingFaceDemo());
  for (const char* name : {"model.layers.1.mlp.gate_proj.weight", kUpProjection,
                           "model.layers.5.self_attn.k_proj.weight", "model.embed_tokens.weight"}) {
    EXPECT_EQ(Values(*mlc, name), Values(*hugging_face, name)) << name;
  }
}

TEST(ModelSource, MlcFoldersSayHowToSample) {
  const TemporaryFolder folder;
  WriteMlc(folder, "q4f16_1");
  const auto mlc = ModelSource::Open(folder.path());
  const GenerationDefaults defaults = mlc->ReadGenerationDefaults(mlc->LoadConfig());
  EXPECT_TRUE(defaults.do_sample);
  EXPECT_EQ(defaults.top_k, 0);
  EXPECT_EQ(defaults.eos_token_ids, (std::vector<TokenId>{1, 106}));  // of generation_config.json
}

TEST(ModelSource, DamagedShardsOfMlcAreRefused) {
  const TemporaryFolder folder;
  WriteMlc(folder, "q4f16_1");
  std::string shard = ReadTextFile(folder / "params_shard_0.bin");
  shard[1000] ^= 1;
  WriteText(folder, "params_shard_0.bin", shard);
  const auto mlc = ModelSource::Open(folder.path());
  ModelConfig config = mlc->LoadConfig();
  EXPECT_ERROR(mlc->OpenCheckpoint(config), "params_shard_0.bin: has the md5sum", "damaged");
}

TEST(ModelSource, MlcWeightsOfAnotherQuantizationAreRefused) {
  const TemporaryFolder folder;
  WriteMlc(folder, "q4f16_1");
  Json chat_config = ParseJsonFile(folder / std::string(kMlcChatConfigFile));
  chat_config["quantization"] = "q0f16";
  WriteText(folder, kMlcChatConfigFile, chat_config.dump());
  auto mlc = ModelSource::Open(folder.path());
  ModelConfig config = mlc->LoadConfig();
  EXPECT_ERROR(mlc->OpenCheckpoint(config), "embed_tokens.weight' is missing",
               "mlc-chat-config.json belongs to another model");
  chat_config["quantization"] = "q3f16_1";
  WriteText(folder, kMlcChatConfigFile, chat_config.dump());
  mlc = ModelSource::Open(folder.path());
  EXPECT_ERROR(mlc->OpenCheckpoint(config), "'q3f16_1'", "q4f16_1, q4f32_1, q0f16, q0f32");
}

TEST(ModelSource, MlcWeightsOfAnotherShapeAreRefused) {
  const TemporaryFolder folder;
  WriteMlc(folder, "q4f16_1");
  Json chat_config = ParseJsonFile(folder / std::string(kMlcChatConfigFile));
  chat_config["model_config"]["text_config"]["intermediate_size"] = 256;
  WriteText(folder, kMlcChatConfigFile, chat_config.dump());
  const auto mlc = ModelSource::Open(folder.path());
  ModelConfig config = mlc->LoadConfig();
  EXPECT_ERROR(mlc->OpenCheckpoint(config), "gate_up_proj.q_weight' is U32 [1024, 16]",
               "mlc-chat-config.json gives U32 [512, 16]");
}

TEST(ModelSource, OtherFilesAndFoldersAreNoModels) {
  const TemporaryFolder folder;
  EXPECT_ERROR(ModelSource::Open(folder.path()), "holds no model", "a GGUF file");
  EXPECT_ERROR(ModelSource::Open(folder / "nowhere"), "nowhere");
  WriteText(folder, "notes.txt", "hello");
  EXPECT_ERROR(ModelSource::Open(folder / "notes.txt"), "not a model; give a Hugging Face");
  WriteText(folder, "short.gguf", "GGUF");
  EXPECT_ERROR(ModelSource::Open(folder / "short.gguf"), "short.gguf: ");
}

TEST(StoredScheme, KeepsWhatIsStored) {
  const TemporaryFolder folder;
  const fs::path file = folder / "demo.gguf";
  for (const std::string scheme : {"q4_0", "q8_0", "q0f16", "q0bf16", "q0f32", "q4_0+q8_0"}) {
    WriteGguf(file, scheme);
    const auto source = ModelSource::Open(file);
    ModelConfig config = source->LoadConfig();
    EXPECT_EQ(StoredScheme(source->OpenCheckpoint(config), config), scheme);
  }
}

TEST(StoredScheme, MlcsFourBitsAreQ4_0) {
  for (const std::string quantization : {"q4f16_1", "q4f32_1"}) {
    const TemporaryFolder folder;
    WriteMlc(folder, quantization);
    const auto source = ModelSource::Open(folder.path());
    ModelConfig config = source->LoadConfig();
    EXPECT_EQ(StoredScheme(source->OpenCheckpoint(config), config), "q4_0");
  }
}

TEST(StoredScheme, FormatsThatAreOnlyReadBecomeQ8_0) {
  Checkpoint checkpoint("model.gguf", "model.gguf");
  using checkpoint::DType;
  checkpoint.Add({.name = "model.embed_tokens.weight", .dtype = DType::kQ6_K, .shape = {8, 256}});
  checkpoint.Add(
      {.name = "model.layers.0.mlp.up_proj.weight", .dtype = DType::kQ4_K, .shape = {8, 256}});
  EXPECT_EQ(StoredScheme(checkpoint, ModelConfig()), "q8_0");
  Checkpoint mixed("model.gguf", "model.gguf");
  mixed.Add({.name = "model.embed_tokens.weight", .dtype = DType::kQ4_0, .shape = {8, 256}});
  mixed.Add(
      {.name = "model.layers.0.mlp.up_proj.weight", .dtype = DType::kQ4_0, .shape = {8, 256}});
  mixed.Add(
      {.name = "model.layers.0.mlp.down_proj.weight", .dtype = DType::kQ8_0, .shape = {8, 256}});
  EXPECT_EQ(StoredScheme(mixed, ModelConfig()), "q8_0+q4_0");
}

TEST(ModelSource, ScalesThatF16CannotHoldAreRefusedAsBlocks) {
  const std::vector<uint32_t> words(quantization::kWordsPerGroup);
  const uint16_t scale = FloatToBF16(1e6F);
  const TensorInfo tensor = {.name = "w",
                             .dtype = checkpoint::DType::kQ4BF16_1,
                             .shape = {1, 32},
                             .bytes = std::as_bytes(std::span(words)),
                             .scales = std::as_bytes(std::span(&scale, 1))};
  std::vector<std::byte> block(18);
  EXPECT_ERROR((checkpoint::CopyRows(tensor, 0, 1, block.data()), 0), "scale of 999424", "q0f32");
}

TEST(ModelSource, WhatCompileLeftInAnMlcFolderChangesNothing) {
  const TemporaryFolder folder;
  WriteMlc(folder, "q4f16_1");
  WriteText(folder, "generation_config.json", R"({"do_sample": false, "temperature": 9})");
  Json chat_config = ParseJsonFile(folder / std::string(kMlcChatConfigFile));
  chat_config["temperature"] = 0.125;
  chat_config["context_window_size"] = -1;  // MLC's for none
  WriteText(folder, kMlcChatConfigFile, chat_config.dump());
  const auto mlc = ModelSource::Open(folder.path());
  EXPECT_EQ(mlc->ReadGenerationDefaults(mlc->LoadConfig()).temperature, 0.125);
  EXPECT_EQ(mlc->ContextWindowSize(), std::nullopt);
}

// Of a quantized matrix, both ways of reading: as values, and as ggml's blocks.
TEST(ModelSource, BlocksOfQ4f16AreTheSameValuesAsQ4_0) {
  for (const std::string quantization : {"q4f16_1", "q4f32_1"}) {
    const TemporaryFolder folder;
    WriteMlc(folder, quantization);
    const auto source = ModelSource::Open(folder.path());
    ModelConfig config = source->LoadConfig();
    const Checkpoint checkpoint = source->OpenCheckpoint(config);
    const TensorInfo& tensor = *checkpoint.Find(kUpProjection);
    const int64_t rows = tensor.rows();
    std::vector<float> values(static_cast<size_t>(rows * tensor.cols()));
    const size_t row_bytes =
        quantization::RowBytes(quantization::WeightFormat::kQ4_0, tensor.cols());
    std::vector<std::byte> blocks(static_cast<size_t>(rows) * row_bytes);
    checkpoint.ReadRowsAs(quantization::WeightFormat::kQ4_0, tensor, 0, rows, 0, values,
                          blocks.data());
    std::vector<float> row(static_cast<size_t>(tensor.cols()));
    for (int64_t r = 0; r < rows; ++r) {
      quantization::DequantizeRow(quantization::WeightFormat::kQ4_0,
                                  blocks.data() + static_cast<size_t>(r) * row_bytes, row);
      ASSERT_TRUE(std::equal(row.begin(), row.end(), values.begin() + r * tensor.cols()))
          << quantization << " row " << r;
    }
  }
}

}  // namespace
}  // namespace carat::model
