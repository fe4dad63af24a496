#include "carat/checkpoint/gguf_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace carat::checkpoint {
namespace {

constexpr std::string_view kArchitecture = "gemma3";
constexpr int64_t kDefaultSlidingWindowPattern = 6;
constexpr double kThetaSliding = 10'000;
constexpr int64_t kNumLayersOf27B = 62;

// The shortest decimal that is this float: 1e-06, as config.json has it, and not 9.999999974e-07.
double AsWritten(double value) {
  return std::strtod(fmt::format("{}", static_cast<float>(value)).c_str(), nullptr);
}

void CheckIsWholeGemma3(const Gguf& gguf) {
  constexpr std::string_view kKey = "general.architecture";
  if (gguf.String(kKey) != kArchitecture) {
    throw gguf.Wrong(kKey, fmt::format("\"{}\", the one that Carat reads", kArchitecture));
  }
  const int64_t num_parts = gguf.OptionalInt("split.count").value_or(1);
  if (num_parts > 1) {
    throw Error("{}: is one of {} parts; join them with llama-gguf-split --merge", gguf.where(),
                num_parts);
  }
}

// "gemma3.block_count".
std::string Key(std::string_view name) { return fmt::format("{}.{}", kArchitecture, name); }

int64_t VocabSize(const Gguf& gguf) {
  const GgufTensor* embedding = gguf.FindTensor("token_embd.weight");
  if (embedding == nullptr || embedding->shape.size() != 2) {
    throw Error("{}: has no matrix 'token_embd.weight'; the file is not a whole model",
                gguf.where());
  }
  return embedding->shape[0];
}

void AddShapes(const Gguf& gguf, Json& config) {
  const int64_t hidden_size = gguf.PositiveInt(Key("embedding_length"));
  const int64_t num_heads = gguf.PositiveInt(Key("attention.head_count"));
  const int64_t head_dim = gguf.OptionalPositiveInt(Key("attention.key_length"))
                               .value_or(std::max<int64_t>(hidden_size / num_heads, 1));
  const std::string value_length = Key("attention.value_length");
  if (gguf.OptionalPositiveInt(value_length).value_or(head_dim) != head_dim) {
    throw gguf.Wrong(value_length, fmt::format("{}, the keys' length", head_dim));
  }
  const int64_t num_layers = gguf.PositiveInt(Key("block_count"));
  config["vocab_size"] = VocabSize(gguf);
  config["hidden_size"] = hidden_size;
  config["intermediate_size"] = gguf.PositiveInt(Key("feed_forward_length"));
  config["num_hidden_layers"] = num_layers;
  config["num_attention_heads"] = num_heads;
  config["num_key_value_heads"] =
      gguf.OptionalPositiveInt(Key("attention.head_count_kv")).value_or(num_heads);
  config["head_dim"] = head_dim;
  config["max_position_embeddings"] = gguf.PositiveInt(Key("context_length"));
  config["query_pre_attn_scalar"] =
      num_layers == kNumLayersOf27B ? hidden_size / num_heads : head_dim;
}

// A pattern is every how manieth layer is full, or a truth value a layer: whether it slides.
// Without a window all layers are full.
void AddLayerTypes(const Gguf& gguf, Json& config) {
  const std::optional<int64_t> window = gguf.OptionalInt(Key("attention.sliding_window"));
  if (window.value_or(0) == 0) {
    config["sliding_window_pattern"] = 1;
    return;
  }
  config["sliding_window"] = *window;
  const std::string pattern = Key("attention.sliding_window_pattern");
  if (!gguf.IsArray(pattern)) {
    config["sliding_window_pattern"] =
        gguf.OptionalPositiveInt(pattern).value_or(kDefaultSlidingWindowPattern);
    return;
  }
  Json& layer_types = config["layer_types"] = Json::array();
  for (const bool is_sliding : gguf.Bools(pattern)) {
    layer_types.push_back(is_sliding ? "sliding_attention" : "full_attention");
  }
}

void AddRope(const Gguf& gguf, Json& config) {
  config["rope_theta"] = AsWritten(gguf.Float(Key("rope.freq_base")));
  config["rope_local_base_freq"] =
      AsWritten(gguf.OptionalFloat(Key("rope.freq_base_swa")).value_or(kThetaSliding));
  config["rope_scaling"] = nullptr;

  const std::optional<double> factor = gguf.OptionalFloat(Key("rope.scaling.factor"));
  const std::string_view type =
      gguf.OptionalString(Key("rope.scaling.type")).value_or(factor ? "linear" : "none");
  if (type == "linear") {
    config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", AsWritten(factor.value_or(1))}};
  } else if (type != "none") {
    throw gguf.Wrong(Key("rope.scaling.type"), "\"linear\" or \"none\", the two Carat computes");
  }
}

void AddSoftcaps(const Gguf& gguf, Json& config) {
  for (const char* name : {"attn_logit_softcapping", "final_logit_softcapping"}) {
    const double cap = gguf.OptionalFloat(Key(name)).value_or(0);
    config[name] = cap == 0 ? Json() : Json(AsWritten(cap));
  }
}

void AddSpecialTokens(const Gguf& gguf, Json& config) {
  if (const auto bos = gguf.OptionalInt("tokenizer.ggml.bos_token_id")) {
    config["bos_token_id"] = *bos;
  }
  if (const auto pad = gguf.OptionalInt("tokenizer.ggml.padding_token_id")) {
    config["pad_token_id"] = *pad;
  }
  // Files name <eos> or <end_of_turn> as the one end there is, but models produce both.
  std::set<int64_t> eos;
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
    if (const auto token = gguf.OptionalInt(key)) eos.insert(*token);
  }
  if (gguf.Has("tokenizer.ggml.tokens")) {
    const std::vector<std::string_view> tokens = gguf.Strings("tokenizer.ggml.tokens");
    for (const std::string_view text : {"<eos>", "<end_of_turn>"}) {
      const auto token = std::find(tokens.begin(), tokens.end(), text);
      if (token != tokens.end()) eos.insert(token - tokens.begin());
    }
  }
  if (!eos.empty()) config["eos_token_id"] = eos;
}

}  // namespace

Json ConfigFromGguf(const Gguf& gguf) {
  CheckIsWholeGemma3(gguf);
  Json config = {{"architectures", {"Gemma3ForCausalLM"}}, {"model_type", "gemma3_text"}};
  AddShapes(gguf, config);
  config["rms_norm_eps"] = AsWritten(gguf.Float(Key("attention.layer_norm_rms_epsilon")));
  AddLayerTypes(gguf, config);
  AddRope(gguf, config);
  AddSoftcaps(gguf, config);
  AddSpecialTokens(gguf, config);
  config["tie_word_embeddings"] = gguf.FindTensor("output.weight") == nullptr;
  config["torch_dtype"] = "bfloat16";  // all of Gemma 3 was trained in it; the file does not say
  return config;
}

Json GenerationConfigFromGguf(const Gguf& gguf) {
  // What every Gemma 3 is published with, where the file has nothing else.
  Json config = {{"do_sample", true}, {"top_k", 64}, {"top_p", 0.95}};
  AddSpecialTokens(gguf, config);
  if (const auto top_k = gguf.OptionalInt("general.sampling.top_k")) config["top_k"] = *top_k;
  struct Field {
    const char* key;
    const char* name;
  };
  for (const auto& [key, name] :
       {Field{"general.sampling.top_p", "top_p"}, Field{"general.sampling.min_p", "min_p"},
        Field{"general.sampling.temp", "temperature"},
        Field{"general.sampling.penalty_repeat", "repetition_penalty"}}) {
    if (const auto value = gguf.OptionalFloat(key)) config[name] = AsWritten(*value);
  }
  return config;
}

}  // namespace carat::checkpoint
