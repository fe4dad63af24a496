#include "carat/engine/chat_completion_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "carat/base/error.h"
#include "carat/base/json.h"

namespace carat::engine {

namespace {

constexpr std::string_view kRequest = "request";
constexpr int64_t kMaxChoices = 128;  // OpenAI's bounds
constexpr int64_t kMaxTopLogprobs = 20;
constexpr size_t kMaxStops = 16;  // OpenAI's is 4

// What the request may have.
constexpr std::array kRead = std::to_array<std::string_view>({"messages",
                                                              "model",
                                                              "temperature",
                                                              "top_p",
                                                              "top_k",
                                                              "min_p",
                                                              "repetition_penalty",
                                                              "presence_penalty",
                                                              "frequency_penalty",
                                                              "logit_bias",
                                                              "seed",
                                                              "max_tokens",
                                                              "max_completion_tokens",
                                                              "n",
                                                              "stop",
                                                              "logprobs",
                                                              "top_logprobs",
                                                              "ignore_eos",
                                                              "stream",
                                                              "stream_options"});

// Of a service: a model on one's own machine has no use for them.
constexpr std::array kReadPast = std::to_array<std::string_view>(
    {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
     "prompt_cache_retention", "parallel_tool_calls"});

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// What asks for nothing may be there: clients send it.
bool AsksForNothing(std::string_view name, const Json& value) {
  if (value.is_null()) return true;
  if (name == "tools" || name == "functions") return value.is_array() && value.empty();
  if (name == "tool_choice" || name == "function_call") return value == "none";
  if (name == "response_format") return value.is_object() && value.value("type", Json()) == "text";
  if (name == "modalities") return value == Json::array({"text"});
  return false;
}

void CheckFields(const Json& request) {
  for (const auto& [name, value] : request.items()) {
    if (Contains(kRead, name) || Contains(kReadPast, name) || AsksForNothing(name, value)) continue;
    throw Error("request: field '{}' is not supported here; leave it out", name);
  }
}

// Fields of a message that tell nothing a model could read may be there.
void CheckMessageFields(const JsonObject& message) {
  constexpr std::array kKnown =
      std::to_array<std::string_view>({"role", "content", "name", "refusal", "annotations"});
  for (const auto& [name, value] : message.json().items()) {
    if (Contains(kKnown, name) || value.is_null() || value == Json::array()) continue;
    throw Error("{} is not supported here; leave it out", message.Where(name));
  }
}

// A message's content: a text, or parts of which each is a text.
std::string ReadContent(const JsonObject& message) {
  const Json* content = message.Find("content");
  if (content == nullptr) throw Error("{} is missing", message.Where("content"));
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) throw message.Wrong("content", "a text or a list of parts");
  std::string text;
  for (const Json& part : *content) {
    const bool is_text = part.is_object() && part.value("type", Json()) == "text" &&
                         part.value("text", Json()).is_string();
    if (!is_text) {
      throw Error(
          "{} has a part that is not {{\"type\": \"text\", \"text\": ...}}; this model reads text",
          message.Where("content"));
    }
    text += part["text"].get<std::string>();
  }
  return text;
}

std::string ReadRole(const JsonObject& message) {
  const std::string role = message.String("role");
  if (role == "developer") return "system";  // its name since OpenAI's o1
  if (role == "system" || role == "user" || role == "assistant") return role;
  throw message.Wrong("role", "system, developer, user or assistant");
}

std::vector<text::ChatMessage> ReadMessages(const JsonObject& request) {
  const Json* list = request.Find("messages");
  if (list == nullptr || !list->is_array() || list->empty()) {
    throw Error("request: field 'messages' is missing or no list with a message");
  }
  std::vector<text::ChatMessage> messages;
  for (const Json& entry : *list) {
    const std::string where = "request: messages[" + std::to_string(messages.size()) + "]";
    if (!entry.is_object()) throw Error("{} is no object with role and content", where);
    const JsonObject message(entry, where);
    CheckMessageFields(message);
    messages.push_back({ReadRole(message), ReadContent(message)});
  }
  return messages;
}

std::vector<std::string> ReadStop(const JsonObject& request) {
  const Json* stop = request.Find("stop");
  if (stop == nullptr) return {};
  std::vector<std::string> stops;
  if (stop->is_string()) {
    stops = {stop->get<std::string>()};
  } else {
    stops = request.Strings("stop");
  }
  const bool has_empty = std::ranges::any_of(stops, &std::string::empty);
  if (has_empty || stops.size() > kMaxStops) {
    throw request.Wrong("stop", "at most 16 texts, none of them empty");
  }
  return stops;
}

std::map<TokenId, double> ReadLogitBias(const JsonObject& request) {
  const std::optional<JsonObject> object = request.OptionalObject("logit_bias");
  if (!object) return {};
  std::map<TokenId, double> bias;
  for (const auto& [name, value] : object->json().items()) {
    TokenId token = 0;
    const char* end = name.data() + name.size();
    const auto [stopped, error] = std::from_chars(name.data(), end, token);
    if (error != std::errc() || stopped != end || !value.is_number()) {
      throw Error("{} is not a token id with a number", object->Where(name));
    }
    bias[token] = value.get<double>();
  }
  return bias;
}

void CheckLogitBias(const std::map<TokenId, double>& bias, int64_t vocab_size) {
  for (const auto& [token, value] : bias) {
    const bool is_known = token >= 0 && token < vocab_size;
    if (is_known && value >= -100 && value <= 100) continue;
    throw Error(
        "request: field 'logit_bias' gives token {} {}, expected -100 to 100 for tokens of "
        "the vocabulary of {}",
        token, value, vocab_size);
  }
}

SamplingOverrides ReadSampling(const JsonObject& request) {
  SamplingOverrides sampling;
  sampling.temperature = request.OptionalFloat("temperature");
  sampling.top_k = request.OptionalInt("top_k");
  sampling.top_p = request.OptionalFloat("top_p");
  sampling.min_p = request.OptionalFloat("min_p");
  sampling.repetition_penalty = request.OptionalFloat("repetition_penalty");
  sampling.presence_penalty = request.OptionalFloat("presence_penalty");
  sampling.frequency_penalty = request.OptionalFloat("frequency_penalty");
  // Any integer is a seed; OpenAI's may be negative.
  if (const auto seed = request.OptionalInt("seed")) sampling.seed = static_cast<uint64_t>(*seed);
  return sampling;
}

int64_t BoundedInt(const JsonObject& request, std::string_view name, int64_t least, int64_t most,
                   int64_t otherwise) {
  const int64_t value = request.OptionalInt(name).value_or(otherwise);
  if (request.Has(name) && (value < least || value > most)) {
    throw request.Wrong(name, fmt::format("{} to {}", least, most));
  }
  return value;
}

std::optional<int64_t> ReadTopLogprobs(const JsonObject& request) {
  const int64_t top = BoundedInt(request, "top_logprobs", 0, kMaxTopLogprobs, 0);
  if (request.OptionalBool("logprobs").value_or(false)) return top;
  if (top > 0) throw Error("request: field 'top_logprobs' needs 'logprobs' to be true");
  return std::nullopt;
}

int64_t ReadMaxTokens(const JsonObject& request) {
  const auto max_tokens = request.OptionalPositiveInt("max_completion_tokens");
  return max_tokens ? *max_tokens : request.OptionalPositiveInt("max_tokens").value_or(-1);
}

ChatCompletionRequest ReadRequest(const JsonObject& request,
                                  const model::GenerationDefaults& defaults) {
  CheckFields(request.json());
  ChatCompletionRequest result;
  result.messages = ReadMessages(request);
  request.OptionalString("model");  // there is one; whatever the client calls it
  result.sampling = ApplyOverrides(ReadSampling(request), defaults);
  result.sampling.logit_bias = ReadLogitBias(request);
  result.max_tokens = ReadMaxTokens(request);
  result.num_choices = BoundedInt(request, "n", 1, kMaxChoices, 1);
  result.stop = ReadStop(request);
  result.top_logprobs = ReadTopLogprobs(request);
  result.ignore_eos = request.OptionalBool("ignore_eos").value_or(false);
  result.stream = request.OptionalBool("stream").value_or(false);
  if (const auto options = request.OptionalObject("stream_options")) {
    if (!result.stream) throw Error("request: field 'stream_options' needs 'stream' to be true");
    result.include_usage = options->OptionalBool("include_usage").value_or(false);
  }
  return result;
}

}  // namespace

ChatCompletionRequest ParseChatCompletionRequest(std::string_view json,
                                                 const model::GenerationDefaults& defaults,
                                                 int64_t vocab_size) {
  try {
    const Json parsed = ParseJson(json, kRequest);
    ChatCompletionRequest request =
        ReadRequest(JsonObject(parsed, std::string(kRequest)), defaults);
    CheckLogitBias(request.sampling.logit_bias, vocab_size);
    return request;
  } catch (const Error& error) {
    throw InvalidArgumentError(error.what());
  }
}

}  // namespace carat::engine
