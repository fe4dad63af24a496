#include "carat/model/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "carat/base/error.h"
#include "carat/checkpoint/folder.h"
#include "carat/model/architecture.h"

namespace carat::model {
namespace {

constexpr std::string_view kConfigFile = "config.json";

// Defaults of transformers' Gemma3TextConfig.
constexpr int64_t kDefaultSlidingWindowPattern = 6;
constexpr double kDefaultThetaFull = 1'000'000;
constexpr double kDefaultThetaSliding = 10'000;

// Beyond any model there is, and small enough that no product of two of them overflows.
constexpr int64_t kMaxVocabSize = int64_t{1} << 24;
constexpr int64_t kMaxWidth = int64_t{1} << 20;
constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxHeads = 1024;
constexpr int64_t kMaxHeadDim = 4096;
constexpr int64_t kMaxPositions = int64_t{1} << 27;

// The object that describes the language model: the whole, or text_config inside it.
JsonObject LanguageModelOf(const JsonObject& config) {
  const std::optional<JsonObject> text_config = config.OptionalObject("text_config");
  return text_config ? *text_config : config;
}

std::string ParseArchitecture(const JsonObject& config) {
  if (!config.Has("architectures")) {
    throw Error("{} is missing; Carat knows {}", config.Where("architectures"),
                KnownArchitectures());
  }
  const std::vector<std::string> names = config.Strings("architectures");
  std::string name = names.empty() ? "" : names[0];
  if (!IsKnownArchitecture(name)) {
    throw Error("{} names '{}', which Carat does not know; it knows {}",
                config.Where("architectures"), name, KnownArchitectures());
  }
  return name;
}

// model_type says the same as architectures, of the whole and of the language model in it.
void CheckModelType(const JsonObject& config, const JsonObject& text,
                    std::string_view architecture) {
  for (const JsonObject& object : {config, text}) {
    const std::string model_type = object.OptionalString("model_type").value_or("gemma3_text");
    if (model_type == "gemma3_text" || model_type == "gemma3") continue;
    throw object.Wrong("model_type", fmt::format("\"gemma3_text\" or \"gemma3\", since "
                                                 "architectures names {}",
                                                 architecture));
  }
}

// What changes the arithmetic in a way that Carat does not compute.
void RefuseUnsupported(const JsonObject& config, const JsonObject& text) {
  for (const JsonObject& object : {config, text}) {
    if (object.Has("quantization_config")) {
      throw Error("{} is set: the checkpoint is quantized already; start from the unquantized one",
                  object.Where("quantization_config"));
    }
  }
  const std::string activation =
      text.OptionalString("hidden_activation").value_or("gelu_pytorch_tanh");
  if (activation != "gelu_pytorch_tanh") {
    throw text.Wrong("hidden_activation", "\"gelu_pytorch_tanh\", the one that Carat computes");
  }
  if (text.OptionalBool("attention_bias").value_or(false)) {
    throw text.Wrong("attention_bias", "false: biases are not supported");
  }
  if (text.OptionalBool("use_bidirectional_attention").value_or(false)) {
    throw text.Wrong("use_bidirectional_attention",
                     "false: Carat generates text, and this is an embedding model");
  }
}

int64_t BoundedInt(const JsonObject& text, std::string_view name, int64_t default_value,
                   int64_t max) {
  const int64_t value = text.OptionalPositiveInt(name).value_or(default_value);
  if (value > max) throw text.Wrong(name, fmt::format("at most {}", max));
  return value;
}

// The text_config of a multimodal model leaves out what is as in transformers' Gemma3TextConfig. A
// text model's config.json has these always; without one it is not what it seems.
void RequireShapes(const JsonObject& text) {
  for (const std::string_view name :
       {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
        "num_attention_heads", "num_key_value_heads", "head_dim"}) {
    if (text.Has(name)) continue;
    throw Error("{} is missing, expected a positive integer", text.Where(name));
  }
}

void ParseShapes(const JsonObject& text, ModelConfig& config) {
  config.vocab_size = BoundedInt(text, "vocab_size", 262'208, kMaxVocabSize);
  config.hidden_size = BoundedInt(text, "hidden_size", 2304, kMaxWidth);
  config.intermediate_size = BoundedInt(text, "intermediate_size", 9216, kMaxWidth);
  config.num_hidden_layers = BoundedInt(text, "num_hidden_layers", 26, kMaxLayers);
  config.num_attention_heads = BoundedInt(text, "num_attention_heads", 8, kMaxHeads);
  config.num_key_value_heads = BoundedInt(text, "num_key_value_heads", 4, kMaxHeads);
  config.head_dim = BoundedInt(text, "head_dim", 256, kMaxHeadDim);
  config.max_position_embeddings =
      BoundedInt(text, "max_position_embeddings", 131'072, kMaxPositions);
  config.sliding_window = BoundedInt(text, "sliding_window", 4096, kMaxPositions);
  if (config.num_attention_heads % config.num_key_value_heads != 0) {
    throw text.Wrong("num_key_value_heads", fmt::format("a divisor of num_attention_heads, {}",
                                                        config.num_attention_heads));
  }
  if (config.head_dim % 2 != 0) {
    throw text.Wrong("head_dim", "an even number: RoPE rotates pairs");
  }
}

void ParseScalars(const JsonObject& text, ModelConfig& config) {
  config.query_pre_attn_scalar = text.OptionalPositiveFloat("query_pre_attn_scalar").value_or(256);
  config.rms_norm_eps = text.OptionalPositiveFloat("rms_norm_eps").value_or(1e-6);
  config.attn_logit_softcapping = text.OptionalPositiveFloat("attn_logit_softcapping");
  config.final_logit_softcapping = text.OptionalPositiveFloat("final_logit_softcapping");
}

LayerKind ParseLayerKind(const JsonObject& text, const std::string& name) {
  for (const LayerKind kind : {LayerKind::kSlidingAttention, LayerKind::kFullAttention}) {
    if (name == Name(kind)) return kind;
  }
  throw Error("{} holds '{}', expected sliding_attention or full_attention",
              text.Where("layer_types"), name);
}

// layer_types, or every n-th layer full.
std::vector<LayerKind> ParseLayerTypes(const JsonObject& text, int64_t num_layers) {
  std::vector<LayerKind> kinds;
  if (text.Has("layer_types")) {
    for (const std::string& name : text.Strings("layer_types")) {
      kinds.push_back(ParseLayerKind(text, name));
    }
    if (static_cast<int64_t>(kinds.size()) != num_layers) {
      throw Error("{} names {} layers, but num_hidden_layers is {}", text.Where("layer_types"),
                  kinds.size(), num_layers);
    }
    return kinds;
  }
  int64_t pattern = kDefaultSlidingWindowPattern;
  for (const std::string_view name : {"_sliding_window_pattern", "sliding_window_pattern"}) {
    pattern = text.OptionalPositiveInt(name).value_or(pattern);
  }
  for (int64_t layer = 0; layer < num_layers; ++layer) {
    kinds.push_back((layer + 1) % pattern == 0 ? LayerKind::kFullAttention
                                               : LayerKind::kSlidingAttention);
  }
  return kinds;
}

// The base of the frequencies: below 1 they would grow with the dimension.
double Theta(const JsonObject& object, std::string_view name, double default_theta) {
  const double theta = object.OptionalPositiveFloat(name).value_or(default_theta);
  if (theta < 1) throw object.Wrong(name, "a number of at least 1");
  return theta;
}

// One set of RoPE parameters: rope_scaling of transformers 4, where the base stands elsewhere, or a
// layer kind's part of rope_parameters of transformers 5.
RopeParameters ParseRope(const JsonObject& rope, double default_theta) {
  const std::string_view type_field = rope.Has("rope_type") ? "rope_type" : "type";
  const std::string type = rope.OptionalString(type_field).value_or("default");
  if (type != "default" && type != "linear") {
    throw rope.Wrong(type_field, "\"default\" or \"linear\", the two that Carat computes");
  }
  if (rope.OptionalFloat("partial_rotary_factor").value_or(1) != 1) {
    throw rope.Wrong("partial_rotary_factor", "1: whole heads are rotated");
  }
  RopeParameters parameters;
  parameters.theta = Theta(rope, "rope_theta", default_theta);
  if (type == "linear") parameters.linear_factor = rope.PositiveFloat("factor");
  return parameters;
}

void ParseRopes(const JsonObject& text, ModelConfig& config) {
  config.rope_full.theta = Theta(text, "rope_theta", kDefaultThetaFull);
  config.rope_sliding.theta = Theta(text, "rope_local_base_freq", kDefaultThetaSliding);
  if (const auto scaling = text.OptionalObject("rope_scaling")) {
    config.rope_full = ParseRope(*scaling, config.rope_full.theta);
  }
  if (const auto by_kind = text.OptionalObject("rope_parameters")) {
    if (by_kind->Has("rope_type") || by_kind->Has("rope_theta")) {
      throw text.Wrong("rope_parameters",
                       "one object for each of sliding_attention and "
                       "full_attention");
    }
    if (const auto rope = by_kind->OptionalObject(Name(LayerKind::kFullAttention))) {
      config.rope_full = ParseRope(*rope, config.rope_full.theta);
    }
    if (const auto rope = by_kind->OptionalObject(Name(LayerKind::kSlidingAttention))) {
      config.rope_sliding = ParseRope(*rope, config.rope_sliding.theta);
    }
  }
}

// The first of the objects and names that has the field, in that order.
std::string ParseDType(const JsonObject& config, const JsonObject& text) {
  for (const JsonObject& object : {text, config}) {
    for (const std::string_view name : {"dtype", "torch_dtype"}) {
      if (!object.Has(name)) continue;
      std::string dtype = object.String(name);
      if (dtype == "bfloat16" || dtype == "float16" || dtype == "float32") return dtype;
      throw object.Wrong(name, "\"bfloat16\", \"float16\" or \"float32\"");
    }
  }
  return "float32";
}

TokenId ToTokenId(const JsonObject& object, std::string_view name, int64_t value,
                  int64_t vocab_size) {
  if (value < 0 || value >= vocab_size) {
    throw Error("{} {} token {}, but vocab_size is {}", object.Where(name),
                object.Has(name) ? "names" : "is missing and means", value, vocab_size);
  }
  return static_cast<TokenId>(value);
}

// Multimodal configs keep these beside text_config, others inside the one object there is.
void ParseSpecialTokens(const JsonObject& config, const JsonObject& text, ModelConfig& result) {
  const auto holder = [&](std::string_view name) -> const JsonObject& {
    return text.Has(name) ? text : config;
  };
  const auto single = [&](std::string_view name, int64_t default_value) {
    const JsonObject& object = holder(name);
    return ToTokenId(object, name, object.OptionalInt(name).value_or(default_value),
                     result.vocab_size);
  };
  result.pad_token_id = single("pad_token_id", 0);
  result.bos_token_id = single("bos_token_id", 2);

  const JsonObject& eos_holder = config.Has("eos_token_id") ? config : text;
  const std::vector<int64_t> eos =
      eos_holder.Has("eos_token_id") ? eos_holder.Ints("eos_token_id") : std::vector<int64_t>{1};
  for (const int64_t token : eos) {
    result.eos_token_ids.push_back(ToTokenId(eos_holder, "eos_token_id", token, result.vocab_size));
  }
}

}  // namespace

std::string_view Name(LayerKind kind) {
  return kind == LayerKind::kSlidingAttention ? "sliding_attention" : "full_attention";
}

int64_t ModelConfig::CountLayers(LayerKind kind) const {
  return std::count(layer_types.begin(), layer_types.end(), kind);
}

ModelConfig ParseModelConfig(const Json& json, std::string_view file) {
  const JsonObject config(json, std::string(file));
  const JsonObject text = LanguageModelOf(config);

  ModelConfig result;
  result.architecture = ParseArchitecture(config);
  result.model_type = text.OptionalString("model_type").value_or("gemma3_text");
  CheckModelType(config, text, result.architecture);
  RefuseUnsupported(config, text);
  if (!config.Has("text_config")) RequireShapes(text);
  ParseShapes(text, result);
  ParseScalars(text, result);
  result.layer_types = ParseLayerTypes(text, result.num_hidden_layers);
  ParseRopes(text, result);
  const JsonObject& tie_holder = text.Has("tie_word_embeddings") ? text : config;
  result.tie_word_embeddings = tie_holder.OptionalBool("tie_word_embeddings").value_or(true);
  result.torch_dtype = ParseDType(config, text);
  ParseSpecialTokens(config, text, result);
  return result;
}

ModelConfig LoadModelConfig(const std::filesystem::path& folder) {
  checkpoint::CheckIsFolder(folder, "a Hugging Face model folder");
  if (!checkpoint::Has(folder, kConfigFile)) {
    throw Error("{}: has no {}; is it a Hugging Face model folder, fully downloaded?",
                folder.string(), kConfigFile);
  }
  return ParseModelConfig(ParseJsonFile(folder / kConfigFile), kConfigFile);
}

void ResolveWeightNames(const checkpoint::Checkpoint& checkpoint, ModelConfig& config) {
  struct Spelling {
    std::string_view prefix;
    std::string_view lm_head;
  };
  static constexpr std::array<Spelling, 3> kSpellings = {{
      {"model.", "lm_head.weight"},
      {"language_model.model.", "language_model.lm_head.weight"},  // transformers 4.50
      {"model.language_model.", "lm_head.weight"},                 // transformers 4.52 and later
  }};
  for (const Spelling& spelling : kSpellings) {
    if (checkpoint.Find(fmt::format("{}embed_tokens.weight", spelling.prefix)) != nullptr) {
      config.weight_prefix = spelling.prefix;
      config.lm_head_weight = spelling.lm_head;
      return;
    }
  }
  throw Error(
      "{}: has no tensor 'model.embed_tokens.weight', nor one of its other spellings; the "
      "checkpoint is not a Gemma 3 model",
      checkpoint.path().string());
}

}  // namespace carat::model
