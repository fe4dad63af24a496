#include "carat/checkpoint/gguf_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/base/expect_error.h"
#include "tests/checkpoint/gguf_bytes.h"

namespace carat::checkpoint {
namespace {

using enum GgufValueType;

std::string Uint(uint32_t value) { return Raw(value); }

// Keys as llama.cpp's converter writes them for a Gemma 3 of 7 layers.
GgufBytes Gemma3() {
  return GgufBytes()
      .Key("general.architecture", kString, Text("gemma3"))
      .Key("gemma3.context_length", kUint32, Uint(32768))
      .Key("gemma3.embedding_length", kUint32, Uint(640))
      .Key("gemma3.block_count", kUint32, Uint(7))
      .Key("gemma3.feed_forward_length", kUint32, Uint(2048))
      .Key("gemma3.attention.head_count", kUint32, Uint(4))
      .Key("gemma3.attention.head_count_kv", kUint32, Uint(1))
      .Key("gemma3.attention.key_length", kUint32, Uint(256))
      .Key("gemma3.attention.value_length", kUint32, Uint(256))
      .Key("gemma3.attention.layer_norm_rms_epsilon", kFloat32, Raw(1e-6F))
      .Key("gemma3.rope.freq_base", kFloat32, Raw(1e6F))
      .Tensor("token_embd.weight", {2, 10}, 0, 0);
}

Json ConfigOf(const GgufBytes& bytes) {
  const std::string file = bytes.Build(std::string(256, '\0'));
  return ConfigFromGguf(Gguf::Parse(std::as_bytes(std::span(file)), "model.gguf"));
}

Json GenerationConfigOf(const GgufBytes& bytes) {
  const std::string file = bytes.Build(std::string(256, '\0'));
  return GenerationConfigFromGguf(Gguf::Parse(std::as_bytes(std::span(file)), "model.gguf"));
}

TEST(GgufConfig, HasTheFieldsOfConfigJson) {
  GgufBytes bytes = Gemma3();
  bytes.Key("gemma3.attention.sliding_window", kUint32, Uint(512))
      .Key("tokenizer.ggml.bos_token_id", kUint32, Uint(2))
      .Key("tokenizer.ggml.padding_token_id", kUint32, Uint(0));
  EXPECT_EQ(ConfigOf(bytes), Json::parse(R"({
    "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": 10,
    "hidden_size": 640, "intermediate_size": 2048, "num_hidden_layers": 7,
    "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256,
    "max_position_embeddings": 32768, "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-6,
    "sliding_window": 512, "sliding_window_pattern": 6, "rope_theta": 1e6,
    "rope_local_base_freq": 1e4, "rope_scaling": null, "attn_logit_softcapping": null,
    "final_logit_softcapping": null, "bos_token_id": 2, "pad_token_id": 0,
    "tie_word_embeddings": true, "torch_dtype": "bfloat16"})"));
}

TEST(GgufConfig, HasWhatAFileSaysBeyondTheUsual) {
  GgufBytes bytes = Gemma3();
  bytes.Key("gemma3.attention.sliding_window", kUint32, Uint(512))
      .Key("gemma3.attention.sliding_window_pattern", kUint32, Uint(3))
      .Key("gemma3.rope.freq_base_swa", kFloat32, Raw(5000.0F))
      .Key("gemma3.rope.scaling.type", kString, Text("linear"))
      .Key("gemma3.rope.scaling.factor", kFloat32, Raw(8.0F))
      .Key("gemma3.final_logit_softcapping", kFloat32, Raw(30.1F))
      .Tensor("output.weight", {2, 10}, 0, 96);
  const Json config = ConfigOf(bytes);
  EXPECT_EQ(config["sliding_window_pattern"], 3);
  EXPECT_EQ(config["rope_local_base_freq"], 5000);
  EXPECT_EQ(config["rope_scaling"], Json::parse(R"({"rope_type": "linear", "factor": 8})"));
  EXPECT_EQ(config["final_logit_softcapping"], 30.1);
  EXPECT_EQ(config["tie_word_embeddings"], false);
}

TEST(GgufConfig, LayersAreFullWithoutAWindowAndOtherwiseAsListed) {
  const Json full = ConfigOf(Gemma3());
  EXPECT_EQ(full["sliding_window_pattern"], 1);
  EXPECT_FALSE(full.contains("sliding_window"));

  GgufBytes bytes = Gemma3();
  bytes.Key("gemma3.attention.sliding_window", kUint32, Uint(512))
      .Array("gemma3.attention.sliding_window_pattern", kBool, 2, std::string_view("\1\0", 2));
  EXPECT_EQ(ConfigOf(bytes)["layer_types"], Json({"sliding_attention", "full_attention"}));
}

TEST(GgufConfig, The27BScalesQueriesByItsHiddenSize) {
  GgufBytes bytes = GgufBytes()
                        .Key("general.architecture", kString, Text("gemma3"))
                        .Key("gemma3.context_length", kUint32, Uint(131072))
                        .Key("gemma3.embedding_length", kUint32, Uint(5376))
                        .Key("gemma3.block_count", kUint32, Uint(62))
                        .Key("gemma3.feed_forward_length", kUint32, Uint(21504))
                        .Key("gemma3.attention.head_count", kUint32, Uint(32))
                        .Key("gemma3.attention.key_length", kUint32, Uint(128))
                        .Key("gemma3.attention.layer_norm_rms_epsilon", kFloat32, Raw(1e-6F))
                        .Key("gemma3.rope.freq_base", kFloat32, Raw(1e6F))
                        .Tensor("token_embd.weight", {2, 10}, 0, 0);
  EXPECT_EQ(ConfigOf(bytes)["query_pre_attn_scalar"], 168);
  EXPECT_EQ(ConfigOf(bytes)["num_key_value_heads"], 32);
}

TEST(GgufConfig, GenerationEndsAtEosAndAtTheEndOfATurn) {
  const std::string tokens =
      Text("<pad>") + Text("<eos>") + Text("<bos>") + Text("a") + Text("<end_of_turn>");
  GgufBytes bytes = Gemma3();
  bytes.Array("tokenizer.ggml.tokens", kString, 5, tokens)
      .Key("tokenizer.ggml.eos_token_id", kUint32, Uint(4));
  EXPECT_EQ(GenerationConfigOf(bytes), Json::parse(R"({
      "do_sample": true, "top_k": 64, "top_p": 0.95, "eos_token_id": [1, 4]})"));
  EXPECT_EQ(ConfigOf(bytes)["eos_token_id"], Json({1, 4}));

  bytes.Key("general.sampling.temp", kFloat32, Raw(0.7F))
      .Key("general.sampling.top_k", kInt32, Raw<int32_t>(40))
      .Key("tokenizer.ggml.eot_token_id", kUint32, Uint(3));
  const Json config = GenerationConfigOf(bytes);
  EXPECT_EQ(config["temperature"], 0.7);
  EXPECT_EQ(config["top_k"], 40);
  EXPECT_EQ(config["eos_token_id"], Json({1, 3, 4}));
}

TEST(GgufConfig, OtherModelsAndPartsOfModelsAreRefused) {
  EXPECT_ERROR(ConfigOf(GgufBytes().Key("general.architecture", kString, Text("llama"))),
               "model.gguf: key 'general.architecture' is \"llama\"", "\"gemma3\"");
  EXPECT_ERROR(ConfigOf(Gemma3().Key("split.count", kUint16, Raw<uint16_t>(3))),
               "model.gguf: is one of 3 parts", "--merge");
  GgufBytes bytes = Gemma3();
  bytes.infos.clear();
  bytes.num_tensors = 0;
  EXPECT_ERROR(ConfigOf(bytes), "'token_embd.weight'");
  EXPECT_ERROR(ConfigOf(GgufBytes().Key("general.architecture", kString, Text("gemma3"))),
               "key 'gemma3.embedding_length' is missing");
  EXPECT_ERROR(ConfigOf(Gemma3().Key("gemma3.rope.scaling.type", kString, Text("yarn"))),
               "'gemma3.rope.scaling.type' is \"yarn\"", "\"linear\"");
}

}  // namespace
}  // namespace carat::checkpoint
