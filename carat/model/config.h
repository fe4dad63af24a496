// What config.json says about a Gemma 3 model, in one form for all of its spellings:
//
//   transformers 4   rope_theta, rope_local_base_freq, rope_scaling, layer_types or
//                    sliding_window_pattern, torch_dtype
//   transformers 5   rope_parameters by layer kind, dtype
//   multimodal       the language model's fields inside text_config, many of them left out
//
// A field that is left out has the default of transformers' Gemma3TextConfig. Everything is checked
// here, so that what reads a ModelConfig need not.

#ifndef CARAT_MODEL_CONFIG_H_
#define CARAT_MODEL_CONFIG_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/json.h"
#include "carat/base/types.h"
#include "carat/checkpoint/checkpoint.h"

namespace carat::model {

enum class LayerKind { kSlidingAttention, kFullAttention };

std::string_view Name(LayerKind kind);  // "sliding_attention"

struct RopeParameters {
  double theta = 0;
  double linear_factor = 1;  // positions are divided by it

  bool operator==(const RopeParameters&) const = default;
};

struct ModelConfig {
  std::string architecture;  // architectures[0]: "Gemma3ForCausalLM"
  std::string model_type;    // "gemma3_text"

  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;
  int64_t max_position_embeddings = 0;
  int64_t sliding_window = 0;
  double query_pre_attn_scalar = 0;
  double rms_norm_eps = 0;

  std::vector<LayerKind> layer_types;  // one a layer
  RopeParameters rope_sliding;
  RopeParameters rope_full;
  std::optional<double> attn_logit_softcapping;
  std::optional<double> final_logit_softcapping;

  bool tie_word_embeddings = true;
  std::string torch_dtype;  // "bfloat16", "float16" or "float32": what the model was trained in

  TokenId bos_token_id = 0;
  TokenId pad_token_id = 0;
  std::vector<TokenId> eos_token_ids;

  // Where the checkpoint keeps the weights: "<weight_prefix>layers.0.mlp.up_proj.weight", and the
  // head if it is not tied. ResolveWeightNames sets them to what a checkpoint has.
  std::string weight_prefix = "model.";
  std::string lm_head_weight = "lm_head.weight";

  // The formula's norm weight is this and what the checkpoint stores: 1 in Hugging Face's files.
  float norm_offset = 1;

  int64_t CountLayers(LayerKind kind) const;
};

// `file` names the JSON in errors.
ModelConfig ParseModelConfig(const Json& json, std::string_view file);

// config.json of a folder.
ModelConfig LoadModelConfig(const std::filesystem::path& folder);

// Finds how the checkpoint spells the names of the weights, which changed with transformers'
// versions.
void ResolveWeightNames(const checkpoint::Checkpoint& checkpoint, ModelConfig& config);

}  // namespace carat::model

#endif  // CARAT_MODEL_CONFIG_H_
