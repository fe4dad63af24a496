#include "carat/model/mlc_chat_config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat::model {
namespace {

namespace fs = std::filesystem;

fs::path DataFolder(const std::string& name) {
  return fs::path(CARAT_SOURCE_DIR) / "tests/data/mlc" / name;
}

MlcChatOptions Options() {
  MlcChatOptions options;
  options.quantization = "q4f16_1";
  options.conv_template = "gemma3_instruction";
  return options;
}

// MLC's own file with the values that mlc_chat_config.h says differ.
std::string MlcText(const std::string& folder, int64_t bos_token_id) {
  auto json = nlohmann::ordered_json::parse(ReadAll(DataFolder(folder) / "mlc-chat-config.json"));
  json["sliding_window_size"] = -1;
  json["model_config"]["sliding_window_size"] = -1;
  json["bos_token_id"] = bos_token_id;
  return json.dump(2, ' ', true);
}

TEST(MlcChatConfigTest, IsMlcsByteForByte) {
  EXPECT_EQ(MlcChatConfigText(DataFolder("text") / "config.json", Options()), MlcText("text", 2));
}

TEST(MlcChatConfigTest, IsMlcsForAMultimodalConfigWithOtherSizes) {
  MlcChatOptions options = Options();
  options.quantization = "q4f32_1";
  options.conv_template = "gemma_instruction";
  options.context_window_size = 4096;
  options.prefill_chunk_size = 1024;
  options.max_batch_size = 4;
  EXPECT_EQ(MlcChatConfigText(DataFolder("multimodal") / "config.json", options),
            MlcText("multimodal", 2));
}

TEST(MlcChatConfigTest, TakesTheFullLayersBaseFromTransformers5) {
  auto expected = nlohmann::ordered_json::parse(MlcText("transformers_5", 2));
  expected["model_config"]["text_config"]["position_embedding_base"] = 500000.0;
  EXPECT_EQ(MlcChatConfigText(DataFolder("transformers_5") / "config.json", Options()),
            expected.dump(2, ' ', true));
}

TEST(MlcChatConfigTest, ReadBackIsTheSameModel) {
  for (const char* name : {"text", "multimodal", "transformers_5"}) {
    const fs::path path = DataFolder(name) / "config.json";
    const ModelConfig original = ParseModelConfig(ParseJsonFile(path), "config.json");
    for (const std::string& text :
         {MlcChatConfigText(path, Options()), ReadAll(DataFolder(name) / "mlc-chat-config.json")}) {
      const Json hf = HuggingFaceConfig(ParseJson(text, kMlcChatConfigFile), kMlcChatConfigFile);
      const ModelConfig read = ParseModelConfig(hf, kMlcChatConfigFile);
      EXPECT_EQ(read.vocab_size, original.vocab_size) << name;
      EXPECT_EQ(read.hidden_size, original.hidden_size);
      EXPECT_EQ(read.intermediate_size, original.intermediate_size);
      EXPECT_EQ(read.num_attention_heads, original.num_attention_heads);
      EXPECT_EQ(read.num_key_value_heads, original.num_key_value_heads);
      EXPECT_EQ(read.head_dim, original.head_dim);
      EXPECT_EQ(read.max_position_embeddings, original.max_position_embeddings);
      EXPECT_EQ(read.sliding_window, original.sliding_window);
      EXPECT_EQ(read.query_pre_attn_scalar, original.query_pre_attn_scalar);
      EXPECT_EQ(read.rms_norm_eps, original.rms_norm_eps);
      EXPECT_EQ(read.layer_types, original.layer_types);
      EXPECT_EQ(read.rope_sliding, original.rope_sliding);
      EXPECT_EQ(read.rope_full, original.rope_full);
      EXPECT_EQ(read.final_logit_softcapping, original.final_logit_softcapping);
      EXPECT_EQ(read.torch_dtype, original.torch_dtype);
    }
  }
}

TEST(MlcChatConfigTest, TheWindowIsThatOfTheSlidingLayers) {
  MlcChatOptions options = Options();
  options.sliding_window_size = 128;
  const Json json =
      ParseJson(MlcChatConfigText(DataFolder("text") / "config.json", options), kMlcChatConfigFile);
  EXPECT_EQ(json["sliding_window_size"], -1);
  EXPECT_EQ(json["model_config"]["text_config"]["sliding_window_size"], 128);
  const Json hf = HuggingFaceConfig(json, kMlcChatConfigFile);
  EXPECT_EQ(ParseModelConfig(hf, kMlcChatConfigFile).sliding_window, 128);
}

TEST(MlcChatConfigTest, SizesStayWithinTheModel) {
  const fs::path demo = fs::path(CARAT_SOURCE_DIR) / "models/demo/config.json";
  const Json json = ParseJson(MlcChatConfigText(demo, Options()), kMlcChatConfigFile);
  EXPECT_EQ(json["context_window_size"], 2048);
  EXPECT_EQ(json["prefill_chunk_size"], 2048);
  MlcChatOptions options = Options();
  options.context_window_size = 2049;
  EXPECT_ERROR(MlcChatConfigText(demo, options), "context window of 2049", "(2048)");
  options.context_window_size = 1024;
  options.prefill_chunk_size = 1025;
  EXPECT_ERROR(MlcChatConfigText(demo, options), "prefill chunk of 1025", "of 1024");
}

TEST(MlcChatConfigTest, RefusesOptionsThatNoModelHas) {
  const fs::path demo = fs::path(CARAT_SOURCE_DIR) / "models/demo/config.json";
  MlcChatOptions options = Options();
  options.sliding_window_size = 0;
  EXPECT_ERROR(MlcChatConfigText(demo, options), "sliding_window_size is 0", "1 or more");
  options = Options();
  options.max_batch_size = -1;
  EXPECT_ERROR(MlcChatConfigText(demo, options), "max_batch_size is -1", "1 or more");
  options = Options();
  options.model_type = "llama";
  EXPECT_ERROR(MlcChatConfigText(demo, options), "model_type is 'llama'", "'gemma3_text'");
}

TEST(MlcChatConfigTest, RefusesATemplateThatIsNotGemmas) {
  MlcChatOptions options = Options();
  options.conv_template = "llama-3";
  EXPECT_ERROR(MlcChatConfigText(DataFolder("text") / "config.json", options), "'llama-3'",
               "gemma3_instruction and gemma_instruction");
}

TEST(MlcChatConfigTest, ListsAndDescribesTheTokenizer) {
  const TemporaryFolder folder;
  WriteText(folder, "config.json", ReadAll(DataFolder("text") / "config.json"));
  WriteText(folder, "tokenizer_config.json", "{}");
  const auto info_of = [&](const std::string& tokenizer) {
    WriteText(folder, "tokenizer.json", tokenizer);
    const std::string text = MlcChatConfigText(folder / "config.json", Options());
    const Json json = ParseJson(text, kMlcChatConfigFile);
    EXPECT_EQ(json["tokenizer_files"], Json({"tokenizer.json", "tokenizer_config.json"}));
    return json["tokenizer_info"];
  };
  const auto info = [](const char* method, bool prepend, bool strip) {
    return Json{{"token_postproc_method", method},
                {"prepend_space_in_encode", prepend},
                {"strip_space_in_decode", strip}};
  };
  // Gemma's.
  EXPECT_EQ(info_of(R"({"normalizer": {"type": "Replace"}, "decoder": {"type": "Sequence",
                        "decoders": [{"type": "Replace"}, {"type": "ByteFallback"},
                                     {"type": "Fuse"}]}})"),
            info("byte_fallback", false, false));
  // Llama 2's.
  EXPECT_EQ(info_of(R"({"normalizer": {"type": "Sequence", "normalizers":
                          [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace"}]},
                        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"},
                          {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}})"),
            info("byte_fallback", true, true));
  // Llama 3's.
  EXPECT_EQ(info_of(R"({"normalizer": null, "decoder": {"type": "ByteLevel"}})"),
            info("byte_level", false, false));
  EXPECT_EQ(info_of(R"({"normalizer": 3, "decoder": {"type": "Sequence", "decoders": 3}})"),
            info("byte_fallback", false, false));
}

TEST(MlcChatConfigTest, AFieldThatIsNullIsLeftOut) {
  const TemporaryFolder folder;
  Json config = ParseJsonFile(DataFolder("text") / "config.json");
  config["hidden_activation"] = nullptr;
  config["rms_norm_eps"] = nullptr;
  config["text_config"] = nullptr;
  WriteText(folder, "config.json", config.dump());
  const Json json = ParseJson(MlcChatConfigText(folder / "config.json", Options()), "written");
  const Json& text = json["model_config"]["text_config"];
  EXPECT_EQ(text["hidden_activation"], "gelu_pytorch_tanh");
  EXPECT_EQ(text["rms_norm_eps"], 1e-6);
}

TEST(MlcChatConfigTest, RefusesSamplingThatNobodyCanDo) {
  const TemporaryFolder folder;
  WriteText(folder, "config.json", ReadAll(DataFolder("text") / "config.json"));
  WriteText(folder, "generation_config.json", R"({"top_p": "0.95"})");
  EXPECT_ERROR(MlcChatConfigText(folder / "config.json", Options()),
               "generation_config.json: field 'top_p'");
}

TEST(MlcChatConfigTest, NamesTheFieldThatIsMissing) {
  const auto read = [](const char* text) {
    return HuggingFaceConfig(ParseJson(text, kMlcChatConfigFile), kMlcChatConfigFile);
  };
  EXPECT_ERROR(read("{}"), "mlc-chat-config.json: field 'model_config' is missing");
  EXPECT_ERROR(read(R"({"model_config": {"text_config": 3}})"), "'model_config.text_config' is 3");
  EXPECT_ERROR(read("[]"), "expected an object");
}

}  // namespace
}  // namespace carat::model
