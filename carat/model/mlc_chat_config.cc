#include "carat/model/mlc_chat_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/model/generation_defaults.h"
#include "carat/model/model_source.h"

namespace carat::model {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kVersion = "0.1.0";  // of the file, as MLC counts it
constexpr int64_t kDefaultContextWindow = 8192;
constexpr int64_t kMaxPrefillChunk = 8192;
constexpr int64_t kDefaultTheta = 1'000'000;

constexpr std::array<std::string_view, 2> kConversationTemplates = {"gemma3_instruction",
                                                                    "gemma_instruction"};
constexpr std::array<std::string_view, 6> kTokenizerFiles = {
    "tokenizer.model", "tokenizer.json",    "vocab.json",
    "merges.txt",      "added_tokens.json", "tokenizer_config.json"};

// A file whose fields keep their order, checked as ParseJson checks.
OrderedJson ReadOrdered(const fs::path& path) {
  const std::string text = ReadTextFile(path);
  ParseJson(text, path.filename().string());
  return OrderedJson::parse(text);
}

void CheckMlcChatOptions(const MlcChatOptions& options) {
  const auto check = [](const char* name, int64_t size) {
    if (size < 1) throw InvalidArgumentError("{} is {}, expected 1 or more", name, size);
  };
  check("context_window_size", options.context_window_size.value_or(1));
  check("sliding_window_size", options.sliding_window_size.value_or(1));
  check("prefill_chunk_size", options.prefill_chunk_size.value_or(1));
  check("max_batch_size", options.max_batch_size);
  const std::string& type = options.model_type;
  if (!type.empty() && type != "gemma3" && type != "gemma3_text") {
    throw InvalidArgumentError("model_type is '{}', expected 'gemma3' or 'gemma3_text'", type);
  }
}

struct Sizes {
  int64_t context_window;
  int64_t sliding_window;
  int64_t prefill_chunk;
};

Sizes ResolveSizes(const ModelConfig& config, const MlcChatOptions& options) {
  Sizes sizes{};
  sizes.sliding_window = options.sliding_window_size.value_or(config.sliding_window);
  sizes.context_window = options.context_window_size.value_or(std::min(
      config.max_position_embeddings, std::max(sizes.sliding_window, kDefaultContextWindow)));
  if (sizes.context_window > config.max_position_embeddings) {
    throw Error("the context window of {} tokens is longer than config.json's {} ({})",
                sizes.context_window, "max_position_embeddings", config.max_position_embeddings);
  }
  sizes.prefill_chunk =
      options.prefill_chunk_size.value_or(std::min(sizes.context_window, kMaxPrefillChunk));
  if (sizes.prefill_chunk > sizes.context_window) {
    throw Error("the prefill chunk of {} tokens is longer than the context window of {}",
                sizes.prefill_chunk, sizes.context_window);
  }
  return sizes;
}

// MLC's text_config: the fields it knows, in its order, then the others under kwargs.
// The sizes there are the model's own, which those beside it override.
OrderedJson TextConfig(const OrderedJson& text, const ModelConfig& config, int64_t sliding_window,
                       bool is_text_model) {
  MlcChatOptions defaults;
  defaults.sliding_window_size = sliding_window;
  const Sizes sizes = ResolveSizes(config, defaults);
  OrderedJson result;
  std::set<std::string> known;
  const auto copy = [&](const char* name, const OrderedJson& default_value) {
    const bool is_given = text.contains(name) && !text[name].is_null();
    result[name] = is_given ? text[name] : default_value;
    known.insert(name);
  };
  copy("hidden_size", config.hidden_size);
  copy("intermediate_size", config.intermediate_size);
  copy("num_hidden_layers", config.num_hidden_layers);
  copy("attention_bias", false);
  copy("num_attention_heads", config.num_attention_heads);
  copy("num_key_value_heads", config.num_key_value_heads);
  copy("head_dim", config.head_dim);
  copy("rms_norm_eps", config.rms_norm_eps);
  copy("hidden_activation", "gelu_pytorch_tanh");
  // MLC's one base is that of the full layers; the two of transformers 5 are in kwargs.
  const bool is_default = config.rope_full.theta == kDefaultTheta;
  const OrderedJson theta =
      is_default ? OrderedJson(kDefaultTheta) : OrderedJson(config.rope_full.theta);
  result["position_embedding_base"] = text.value("rope_theta", theta);
  known.insert("rope_theta");
  result["rope_scaling"] = text.value("rope_scaling", OrderedJson(0));
  known.insert("rope_scaling");
  result["context_window_size"] = sizes.context_window;
  result["prefill_chunk_size"] = sizes.prefill_chunk;
  copy("query_pre_attn_scalar", 256);
  result["sliding_window_size"] = sizes.sliding_window;

  if (is_text_model) known.insert("vocab_size");  // it stands one level up
  OrderedJson& kwargs = result["kwargs"] = OrderedJson::object();
  for (const auto& [name, value] : text.items()) {
    if (!known.contains(name)) kwargs[name] = value;
  }
  if (kwargs.contains("sliding_window")) kwargs["sliding_window"] = sizes.sliding_window;
  return result;
}

OrderedJson ModelConfigObject(const OrderedJson& hf, const ModelConfig& config, const Sizes& sizes,
                              const MlcChatOptions& options) {
  const bool is_text_model = !hf.contains("text_config") || hf["text_config"].is_null();
  return {{"text_config", TextConfig(is_text_model ? hf : hf["text_config"], config,
                                     sizes.sliding_window, is_text_model)},
          {"vocab_size", config.vocab_size},
          {"tensor_parallel_shards", 1},
          {"max_batch_size", options.max_batch_size},
          {"context_window_size", sizes.context_window},
          {"sliding_window_size", -1},
          {"prefill_chunk_size", sizes.prefill_chunk},
          {"is_text_model", is_text_model}};
}

// Gemma ends a turn with token 107 until version 2, with 106 since version 3.
OrderedJson ConversationTemplate(const std::string& name) {
  if (std::ranges::find(kConversationTemplates, name) == kConversationTemplates.end()) {
    throw Error("no conversation template for Gemma 3 is called '{}'; there are {} and {}", name,
                kConversationTemplates[0], kConversationTemplates[1]);
  }
  const int end_of_turn = name == "gemma3_instruction" ? 106 : 107;
  return {{"name", name},
          {"system_template", "{system_message}"},
          {"system_message", ""},
          {"system_prefix_token_ids", {2}},
          {"add_role_after_system_message", true},
          {"roles", {{"user", "<start_of_turn>user"}, {"assistant", "<start_of_turn>model"}}},
          {"role_templates",
           {{"user", "{user_message}"},
            {"assistant", "{assistant_message}"},
            {"tool", "{tool_message}"}}},
          {"messages", OrderedJson::array()},
          {"seps", {"<end_of_turn>\n"}},
          {"role_content_sep", "\n"},
          {"role_empty_sep", "\n"},
          {"stop_str", {"<end_of_turn>"}},
          {"stop_token_ids", {1, end_of_turn}},
          {"strip_reasoning_in_history", false},
          {"function_string", ""},
          {"use_function_calling", false}};
}

// The parts of a normalizer or decoder: of a Sequence its members, else itself.
std::vector<OrderedJson> Parts(const OrderedJson& tokenizer, const char* name,
                               const char* members) {
  if (!tokenizer.contains(name) || !tokenizer[name].is_object()) return {};
  const OrderedJson& part = tokenizer[name];
  if (part.value("type", OrderedJson()) != "Sequence") return {part};
  const OrderedJson list = part.value(members, OrderedJson::array());
  std::vector<OrderedJson> parts;
  std::copy_if(list.begin(), list.end(), std::back_inserter(parts),
               [](const OrderedJson& member) { return member.is_object(); });
  return parts;
}

bool HasFields(const OrderedJson& object, const OrderedJson& fields) {
  return std::all_of(fields.items().begin(), fields.items().end(), [&](const auto& field) {
    return object.contains(field.key()) && object[field.key()] == field.value();
  });
}

bool AnyHasFields(const std::vector<OrderedJson>& objects, const OrderedJson& fields) {
  return std::any_of(objects.begin(), objects.end(),
                     [&](const OrderedJson& object) { return HasFields(object, fields); });
}

// What grammars need to know: how a token's text becomes the text it stands for.
OrderedJson TokenizerInfo(const OrderedJson& tokenizer) {
  const std::vector<OrderedJson> decoders = Parts(tokenizer, "decoder", "decoders");
  const std::vector<OrderedJson> normalizers = Parts(tokenizer, "normalizer", "normalizers");
  std::string method = "byte_fallback";
  for (const OrderedJson& decoder : decoders) {  // the last one decides
    if (HasFields(decoder, {{"type", "ByteLevel"}})) method = "byte_level";
    if (HasFields(decoder, {{"type", "ByteFallback"}})) method = "byte_fallback";
  }
  const OrderedJson prepend = {{"type", "Prepend"}, {"prepend", "\u2581"}};
  const OrderedJson strip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}};
  return {{"token_postproc_method", method},
          {"prepend_space_in_encode", AnyHasFields(normalizers, prepend)},
          {"strip_space_in_decode", AnyHasFields(decoders, strip)}};
}

OrderedJson ReadTokenizerInfo(const fs::path& folder) {
  const fs::path path = folder / "tokenizer.json";
  if (!fs::exists(path)) return TokenizerInfo(OrderedJson::object());
  // Without the vocabulary: an OrderedJson searches its keys one by one.
  const auto is_wanted = [](int depth, OrderedJson::parse_event_t event, OrderedJson& value) {
    return depth != 1 || event != OrderedJson::parse_event_t::key ||
           (value != "model" && value != "added_tokens");
  };
  return TokenizerInfo(OrderedJson::parse(ReadTextFile(path, kMaxModelFileBytes), is_wanted));
}

// The first of the files beside config.json, then config.json itself, that gives the field.
class Defaults {
 public:
  Defaults(const fs::path& folder, const OrderedJson& config) {
    const fs::path generation_config = folder / "generation_config.json";
    if (fs::exists(generation_config)) sources_.push_back(ReadOrdered(generation_config));
    sources_.push_back(config);
    if (config.contains("text_config")) sources_.push_back(config["text_config"]);
  }

  OrderedJson Get(const char* name, const OrderedJson& otherwise) const {
    for (const OrderedJson& source : sources_) {
      if (source.is_object() && source.contains(name) && !source[name].is_null()) {
        return source[name];
      }
    }
    return otherwise;
  }

 private:
  std::vector<OrderedJson> sources_;
};

// Copies the fields of `from` that are there and not null, under their own names.
void CopyFields(const Json& from, std::initializer_list<const char*> names, Json& to) {
  for (const char* name : names) {
    if (from.contains(name) && !from[name].is_null()) to[name] = from[name];
  }
}

}  // namespace

std::span<const std::string_view> ConversationTemplates() { return kConversationTemplates; }

std::vector<std::string> TokenizerFiles(const fs::path& folder) {
  std::vector<std::string> files;
  for (const std::string_view name : kTokenizerFiles) {
    if (fs::exists(folder / name)) files.emplace_back(name);
  }
  return files;
}

std::string MlcChatConfigText(const fs::path& config_json, const MlcChatOptions& options) {
  CheckMlcChatOptions(options);
  const OrderedJson hf = ReadOrdered(config_json);
  const ModelConfig config =
      ParseModelConfig(ParseJsonFile(config_json), config_json.filename().string());
  const Sizes sizes = ResolveSizes(config, options);
  const fs::path folder = config_json.parent_path();
  LoadGenerationDefaults(folder, config);  // for its checks
  const Defaults defaults(folder, hf);
  const OrderedJson model_type = hf.value("model_type", OrderedJson(config.model_type));

  const OrderedJson result = {
      {"version", kVersion},
      {"model_type", options.model_type.empty() ? model_type : OrderedJson(options.model_type)},
      {"quantization", options.quantization},
      {"model_config", ModelConfigObject(hf, config, sizes, options)},
      {"vocab_size", config.vocab_size},
      {"context_window_size", sizes.context_window},
      {"sliding_window_size", -1},
      {"prefill_chunk_size", sizes.prefill_chunk},
      {"attention_sink_size", -1},
      {"tensor_parallel_shards", 1},
      {"pipeline_parallel_stages", 1},
      {"active_vocab_size", options.active_vocab_size.value_or(config.vocab_size)},
      {"temperature", defaults.Get("temperature", 1.0)},
      {"presence_penalty", defaults.Get("presence_penalty", 0.0)},
      {"frequency_penalty", defaults.Get("frequency_penalty", 0.0)},
      {"repetition_penalty", defaults.Get("repetition_penalty", 1.0)},
      {"top_p", defaults.Get("top_p", 1.0)},
      {"tokenizer_files", TokenizerFiles(folder)},
      {"tokenizer_info", ReadTokenizerInfo(folder)},
      {"conv_template", ConversationTemplate(options.conv_template)},
      {"pad_token_id", defaults.Get("pad_token_id", config.pad_token_id)},
      {"bos_token_id", defaults.Get("bos_token_id", config.bos_token_id)},
      {"eos_token_id", defaults.Get("eos_token_id", config.eos_token_ids)},
      {"model_task", "chat"},
      {"embedding_metadata", nullptr}};
  return result.dump(2, ' ', /*ensure_ascii=*/true);
}

Json HuggingFaceConfig(const Json& mlc_chat_config, std::string_view file) {
  const JsonObject root(mlc_chat_config, std::string(file));
  const JsonObject model = root.Object("model_config");
  const JsonObject text = model.Object("text_config");
  const std::optional<JsonObject> kwargs = text.OptionalObject("kwargs");

  Json config = kwargs ? kwargs->json() : Json::object();
  CopyFields(text.json(),
             {"hidden_size", "intermediate_size", "num_hidden_layers", "attention_bias",
              "num_attention_heads", "num_key_value_heads", "head_dim", "rms_norm_eps",
              "hidden_activation", "query_pre_attn_scalar"},
             config);
  CopyFields(model.json(), {"vocab_size"}, config);
  CopyFields(root.json(), {"pad_token_id", "bos_token_id", "eos_token_id"}, config);
  if (const Json* theta = text.Find("position_embedding_base")) config["rope_theta"] = *theta;
  if (const Json* window = text.Find("sliding_window_size")) config["sliding_window"] = *window;
  // MLC writes 0 where there is none.
  const Json* scaling = text.Find("rope_scaling");
  if (scaling != nullptr && scaling->is_object()) config["rope_scaling"] = *scaling;
  // A multimodal model's name and type stood outside text_config, and MLC kept its text half alone.
  config["architectures"] = {"Gemma3ForCausalLM"};
  if (!config.contains("dtype") && !config.contains("torch_dtype")) {
    config["torch_dtype"] = "bfloat16";  // what all of Gemma 3 was trained in
  }
  return config;
}

}  // namespace carat::model
