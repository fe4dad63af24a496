#include "carat/model/config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/checkpoint/safetensors_writer.h"
#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat::model {
namespace {

// config.json as transformers 4 wrote it.
Json OldConfig() {
  return Json::parse(R"({
    "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": 384,
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 7, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 512,
    "sliding_window": 16, "query_pre_attn_scalar": 20, "rms_norm_eps": 1e-5,
    "hidden_activation": "gelu_pytorch_tanh", "rope_theta": 500000.0,
    "rope_local_base_freq": 5000.0, "rope_scaling": null, "attention_bias": false,
    "bos_token_id": 2, "eos_token_id": [1, 106], "pad_token_id": 0, "torch_dtype": "bfloat16"
  })");
}

ModelConfig Parse(const Json& json) { return ParseModelConfig(json, "config.json"); }

// OldConfig with one field changed, or removed if the value is a discarded one.
ModelConfig ParseWith(const std::string& field, const Json& value) {
  Json json = OldConfig();
  json[field] = value;
  return Parse(json);
}

std::vector<int64_t> FullLayers(const ModelConfig& config) {
  std::vector<int64_t> layers;
  for (size_t i = 0; i < config.layer_types.size(); ++i) {
    if (config.layer_types[i] == LayerKind::kFullAttention) layers.push_back(i);
  }
  return layers;
}

TEST(ModelConfig, ReadsTheSpellingOfTransformers4) {
  const ModelConfig config = Parse(OldConfig());
  EXPECT_EQ(config.architecture, "Gemma3ForCausalLM");
  EXPECT_EQ(config.vocab_size, 384);
  EXPECT_EQ(config.num_key_value_heads, 2);
  EXPECT_EQ(config.query_pre_attn_scalar, 20);
  EXPECT_EQ(config.rms_norm_eps, 1e-5);
  EXPECT_EQ(config.rope_full, (RopeParameters{500000, 1}));
  EXPECT_EQ(config.rope_sliding, (RopeParameters{5000, 1}));
  EXPECT_EQ(config.torch_dtype, "bfloat16");
  EXPECT_EQ(config.eos_token_ids, (std::vector<TokenId>{1, 106}));
  EXPECT_EQ(config.final_logit_softcapping, std::nullopt);
  EXPECT_TRUE(config.tie_word_embeddings);
}

TEST(ModelConfig, NamesAShapeThatATextModelDoesNotGive) {
  for (const char* field : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                            "num_attention_heads", "num_key_value_heads", "head_dim"}) {
    Json json = OldConfig();
    json.erase(field);
    EXPECT_ERROR(Parse(json), std::string("'") + field + "' is missing", "positive integer");
  }
}

TEST(ModelConfig, ReadsTheSpellingOfTransformers5) {
  Json json = OldConfig();
  for (const char* field : {"rope_theta", "rope_local_base_freq", "rope_scaling", "torch_dtype"}) {
    json.erase(field);
  }
  json["dtype"] = "float16";
  json["final_logit_softcapping"] = 30.0;
  json["rope_parameters"] = Json::parse(R"({
    "sliding_attention": {"rope_type": "default", "rope_theta": 7000.0},
    "full_attention": {"rope_type": "linear", "rope_theta": 900000.0, "factor": 8.0}})");
  const ModelConfig config = Parse(json);
  EXPECT_EQ(config.rope_full, (RopeParameters{900000, 8}));
  EXPECT_EQ(config.rope_sliding, (RopeParameters{7000, 1}));
  EXPECT_EQ(config.torch_dtype, "float16");
  EXPECT_EQ(config.final_logit_softcapping, 30);
}

TEST(ModelConfig, AppliesLinearRopeScalingToFullLayersOnly) {
  for (const char* type_field : {"rope_type", "type"}) {
    const ModelConfig config = ParseWith("rope_scaling", {{type_field, "linear"}, {"factor", 8.0}});
    EXPECT_EQ(config.rope_full, (RopeParameters{500000, 8}));
    EXPECT_EQ(config.rope_sliding, (RopeParameters{5000, 1}));
  }
  EXPECT_EQ(ParseWith("rope_scaling", {{"rope_type", "default"}}).rope_full.linear_factor, 1);
}

TEST(ModelConfig, TakesLayerKindsFromListPatternOrDefault) {
  EXPECT_EQ(FullLayers(Parse(OldConfig())), std::vector<int64_t>{5});
  EXPECT_EQ(FullLayers(ParseWith("sliding_window_pattern", 3)), (std::vector<int64_t>{2, 5}));
  EXPECT_EQ(FullLayers(ParseWith("_sliding_window_pattern", 2)), (std::vector<int64_t>{1, 3, 5}));
  Json json = OldConfig();
  json["sliding_window_pattern"] = 3;
  json["layer_types"] = std::vector<std::string>(7, "full_attention");
  json["layer_types"][1] = "sliding_attention";
  const ModelConfig config = Parse(json);
  EXPECT_EQ(FullLayers(config), (std::vector<int64_t>{0, 2, 3, 4, 5, 6}));
  EXPECT_EQ(config.CountLayers(LayerKind::kSlidingAttention), 1);
}

TEST(ModelConfig, FillsInTheDefaultsThatMultimodalConfigsLeaveOut) {
  // gemma-3-4b-it, as released.
  const ModelConfig config = Parse(Json::parse(R"({
    "architectures": ["Gemma3ForConditionalGeneration"], "boi_token_index": 255999,
    "eos_token_id": [1, 106], "image_token_index": 262144, "model_type": "gemma3",
    "text_config": {"hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text",
      "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
      "sliding_window": 1024},
    "torch_dtype": "bfloat16", "vision_config": {"hidden_size": 1152}})"));
  EXPECT_EQ(config.architecture, "Gemma3ForConditionalGeneration");
  EXPECT_EQ(config.model_type, "gemma3_text");
  EXPECT_EQ(config.hidden_size, 2560);
  EXPECT_EQ(config.vocab_size, 262208);
  EXPECT_EQ(config.num_attention_heads, 8);
  EXPECT_EQ(config.num_key_value_heads, 4);
  EXPECT_EQ(config.head_dim, 256);
  EXPECT_EQ(config.max_position_embeddings, 131072);
  EXPECT_EQ(config.sliding_window, 1024);
  EXPECT_EQ(config.query_pre_attn_scalar, 256);
  EXPECT_EQ(config.rms_norm_eps, 1e-6);
  EXPECT_EQ(config.rope_full, (RopeParameters{1e6, 8}));
  EXPECT_EQ(config.rope_sliding, (RopeParameters{1e4, 1}));
  EXPECT_EQ(config.torch_dtype, "bfloat16");
  EXPECT_EQ(config.eos_token_ids, (std::vector<TokenId>{1, 106}));
  EXPECT_EQ(FullLayers(config), (std::vector<int64_t>{5, 11, 17, 23, 29}));
}

TEST(ModelConfig, RefusesArchitecturesItDoesNotKnow) {
  EXPECT_ERROR(ParseWith("architectures", {"LlamaForCausalLM"}), "names 'LlamaForCausalLM'",
               "it knows Gemma3ForCausalLM, Gemma3ForConditionalGeneration");
  EXPECT_ERROR(ParseWith("architectures", Json::array()), "does not know");
  EXPECT_ERROR(ParseWith("architectures", nullptr), "'architectures' is missing");
  EXPECT_ERROR(ParseWith("architectures", 3), "expected a list of strings");
  EXPECT_ERROR(ParseWith("model_type", "llama"), "'model_type' is \"llama\"",
               "architectures names Gemma3ForCausalLM");
}

TEST(ModelConfig, RefusesArithmeticItDoesNotDo) {
  EXPECT_ERROR(ParseWith("hidden_activation", "silu"), "'hidden_activation' is \"silu\"",
               "gelu_pytorch_tanh");
  EXPECT_ERROR(ParseWith("attention_bias", true), "'attention_bias' is true");
  EXPECT_ERROR(ParseWith("use_bidirectional_attention", true), "embedding model");
  EXPECT_ERROR(ParseWith("quantization_config", {{"bits", 4}}), "quantized already",
               "start from the unquantized");
  EXPECT_ERROR(ParseWith("rope_scaling", {{"rope_type", "yarn"}, {"factor", 4.0}}),
               "field 'rope_scaling.rope_type' is \"yarn\"", "\"default\" or \"linear\"");
  EXPECT_ERROR(ParseWith("rope_scaling", {{"type", "dynamic"}}), "'rope_scaling.type'");
  EXPECT_ERROR(ParseWith("rope_parameters", {{"sliding_attention", {{"rope_type", "llama3"}}}}),
               "field 'rope_parameters.sliding_attention.rope_type' is \"llama3\"");
  EXPECT_ERROR(ParseWith("rope_parameters", {{"rope_type", "default"}}), "one object for each");
  EXPECT_ERROR(ParseWith("rope_parameters", {{"full_attention", {{"partial_rotary_factor", 0.5}}}}),
               "whole heads");
  EXPECT_ERROR(ParseWith("layer_types", std::vector<std::string>(7, "chunked_attention")),
               "holds 'chunked_attention'");
}

TEST(ModelConfig, RefusesWrongTypesByField) {
  EXPECT_ERROR(ParseWith("hidden_size", "abc"),
               "config.json: field 'hidden_size' is \"abc\" (string), expected a positive integer");
  EXPECT_ERROR(ParseWith("rms_norm_eps", {1}), "'rms_norm_eps' is a list of 1");
  EXPECT_ERROR(ParseWith("rope_theta", "1e6"), "'rope_theta'", "expected a positive number");
  EXPECT_ERROR(ParseWith("layer_types", "full"), "expected a list of strings");
  EXPECT_ERROR(ParseWith("text_config", 3), "'text_config' is 3, expected an object");
  EXPECT_ERROR(ParseWith("torch_dtype", "int8"), "'torch_dtype' is \"int8\"", "bfloat16");
  EXPECT_ERROR(ParseWith("eos_token_id", "1"), "'eos_token_id'");
  EXPECT_ERROR(ParseModelConfig(Json::array(), "config.json"), "expected an object");
}

TEST(ModelConfig, RefusesNumbersOutOfRange) {
  for (const char* field : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                            "num_attention_heads", "num_key_value_heads", "head_dim",
                            "max_position_embeddings", "sliding_window"}) {
    EXPECT_ERROR(ParseWith(field, 0), field, "expected a positive integer");
    EXPECT_ERROR(ParseWith(field, -1), field, "expected a positive integer");
    EXPECT_ERROR(ParseWith(field, 1.5), field, "expected a positive integer");
    EXPECT_ERROR(ParseWith(field, int64_t{1} << 40), field, "expected at most");
  }
  EXPECT_ERROR(ParseWith("num_key_value_heads", 3), "a divisor of num_attention_heads, 4");
  EXPECT_ERROR(ParseWith("head_dim", 15), "an even number");
  EXPECT_ERROR(ParseWith("layer_types", {"full_attention"}), "names 1 layers",
               "num_hidden_layers is 7");
  EXPECT_ERROR(ParseWith("sliding_window_pattern", 0), "expected a positive integer");
  EXPECT_ERROR(ParseWith("rope_theta", -1.0), "expected a positive number");
  EXPECT_ERROR(ParseWith("rope_scaling", {{"rope_type", "linear"}, {"factor", 0}}),
               "'rope_scaling.factor' is 0");
  EXPECT_ERROR(ParseWith("rope_scaling", {{"rope_type", "linear"}}), "factor' is missing");
  EXPECT_ERROR(ParseWith("query_pre_attn_scalar", 0), "expected a positive number");
  EXPECT_ERROR(ParseWith("final_logit_softcapping", -30), "expected a positive number");
  EXPECT_ERROR(ParseWith("bos_token_id", 384), "names token 384, but vocab_size is 384");
  Json tiny = OldConfig();
  tiny["vocab_size"] = 2;
  tiny["eos_token_id"] = 1;
  tiny.erase("bos_token_id");
  EXPECT_ERROR(Parse(tiny), "'bos_token_id' is missing and means token 2, but vocab_size is 2");
  EXPECT_ERROR(ParseWith("eos_token_id", {1, -1}), "names token -1");
}

TEST(LoadModelConfig, NamesTheFolderWithoutConfig) {
  const TemporaryFolder folder;
  EXPECT_ERROR(LoadModelConfig(folder.path()), "has no config.json");
  WriteText(folder, "config.json", OldConfig().dump());
  EXPECT_EQ(LoadModelConfig(folder.path()).hidden_size, 64);
}

TEST(LoadModelConfig, ReadsTheDemoModel) {
  const ModelConfig config = LoadModelConfig(CARAT_SOURCE_DIR "/models/demo");
  EXPECT_EQ(config.num_hidden_layers, 6);
  EXPECT_EQ(FullLayers(config), std::vector<int64_t>{5});
}

TEST(ResolveWeightNames, FindsEverySpelling) {
  for (const char* prefix : {"model.", "language_model.model.", "model.language_model."}) {
    const TemporaryFolder folder;
    checkpoint::SafetensorsWriter writer(
        folder / "model.safetensors",
        {{std::string(prefix) + "embed_tokens.weight", checkpoint::DType::kBF16, {0, 1}}});
    writer.Close();
    ModelConfig config = Parse(OldConfig());
    ResolveWeightNames(checkpoint::Checkpoint::Open(folder.path()), config);
    EXPECT_EQ(config.weight_prefix, prefix);
  }
}

TEST(ResolveWeightNames, RefusesAnotherModelsCheckpoint) {
  const TemporaryFolder folder;
  checkpoint::SafetensorsWriter writer(folder / "model.safetensors",
                                       {{"transformer.wte", checkpoint::DType::kBF16, {0, 1}}});
  writer.Close();
  ModelConfig config = Parse(OldConfig());
  EXPECT_ERROR(ResolveWeightNames(checkpoint::Checkpoint::Open(folder.path()), config),
               "has no tensor 'model.embed_tokens.weight'");
}

}  // namespace
}  // namespace carat::model
