#include "carat/engine/chat_completion_writer.h"

#include <fmt/format.h>

#include <chrono>
#include <random>
#include <utility>

namespace carat::engine {

namespace {

std::string RandomId() {
  std::random_device random;
  return fmt::format("chatcmpl-{:08x}{:08x}{:08x}", random(), random(), random());
}

int64_t SecondsNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

ChatCompletionWriter::ChatCompletionWriter(std::string model,
                                           std::shared_ptr<const text::Tokenizer> tokenizer,
                                           const ChatCompletionRequest& request,
                                           int64_t prompt_tokens)
    : id_(RandomId()),
      created_(SecondsNow()),
      model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      has_logprobs_(request.top_logprobs.has_value()),
      include_usage_(request.include_usage),
      prompt_tokens_(prompt_tokens),
      choices_(request.num_choices) {}

// --- A stream ---

std::vector<std::string> ChatCompletionWriter::DeltaChunks(const ChoiceDelta& delta) {
  std::vector<std::string> chunks;
  Begin(delta.choice, chunks);
  Json logprobs;
  if (has_logprobs_) {
    logprobs = {{"content", Json::array()}, {"refusal", nullptr}};
    for (const TokenLogprobs& token : delta.logprobs) {
      logprobs["content"].push_back(LogprobsJson(token));
    }
  }
  chunks.push_back(
      ChoiceChunk(delta.choice, {{"content", delta.text}}, std::move(logprobs), nullptr));
  return chunks;
}

std::vector<std::string> ChatCompletionWriter::EndChunks(const ChoiceEnd& end) {
  std::vector<std::string> chunks;
  Begin(end.choice, chunks);
  Add(end);
  chunks.push_back(
      ChoiceChunk(end.choice, Json::object(), nullptr, FinishReasonName(end.finish_reason)));
  return chunks;
}

std::string ChatCompletionWriter::UsageChunk() const {
  Json chunk = Object("chat.completion.chunk");
  chunk["choices"] = Json::array();
  chunk["usage"] = UsageJson();
  return chunk.dump();
}

// The first chunk of a choice says whose message it is.
void ChatCompletionWriter::Begin(int64_t choice, std::vector<std::string>& chunks) {
  if (std::exchange(choices_[choice].has_begun, true)) return;
  chunks.push_back(ChoiceChunk(choice, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr));
}

std::string ChatCompletionWriter::ChoiceChunk(int64_t choice, Json delta, Json logprobs,
                                              Json finish_reason) const {
  Json chunk = Object("chat.completion.chunk");
  chunk["choices"] = Json::array({{{"index", choice},
                                   {"delta", std::move(delta)},
                                   {"logprobs", std::move(logprobs)},
                                   {"finish_reason", std::move(finish_reason)}}});
  if (include_usage_) chunk["usage"] = nullptr;
  return chunk.dump();
}

// --- A whole answer ---

void ChatCompletionWriter::Add(const ChoiceDelta& delta) {
  Choice& choice = choices_[delta.choice];
  choice.text += delta.text;
  for (const TokenLogprobs& token : delta.logprobs) choice.logprobs.push_back(LogprobsJson(token));
}

void ChatCompletionWriter::Add(const ChoiceEnd& end) {
  choices_[end.choice].finish_reason = FinishReasonName(end.finish_reason);
  if (end.choice == 0) cached_tokens_ = end.timings.reused_tokens;
  completion_tokens_ += end.timings.generated_tokens;
}

std::string ChatCompletionWriter::Whole() const {
  Json object = Object("chat.completion");
  object["choices"] = Json::array();
  for (const Choice& choice : choices_) {
    Json logprobs;
    if (has_logprobs_) logprobs = {{"content", choice.logprobs}, {"refusal", nullptr}};
    object["choices"].push_back(
        {{"index", object["choices"].size()},
         {"message", {{"role", "assistant"}, {"content", choice.text}, {"refusal", nullptr}}},
         {"logprobs", std::move(logprobs)},
         {"finish_reason", choice.finish_reason}});
  }
  object["usage"] = UsageJson();
  return object.dump();
}

// --- Parts ---

ChatCompletionWriter::Json ChatCompletionWriter::Object(const char* type) const {
  return {{"id", id_},
          {"object", type},
          {"created", created_},
          {"model", model_},
          {"system_fingerprint", "carat-" CARAT_VERSION}};
}

ChatCompletionWriter::Json ChatCompletionWriter::UsageJson() const {
  return {{"prompt_tokens", prompt_tokens_},
          {"completion_tokens", completion_tokens_},
          {"total_tokens", prompt_tokens_ + completion_tokens_},
          {"prompt_tokens_details", {{"cached_tokens", cached_tokens_}}}};
}

// A token that stands for a byte may be a part of a character: its text alone is U+FFFD, its byte
// what the character can be put together from.
ChatCompletionWriter::Json ChatCompletionWriter::LogprobJson(const TokenLogprob& token) const {
  const std::string text = tokenizer_->Decode({&token.token, 1}, text::DecodeSpecial::kKeep);
  Json bytes = Json::array();
  if (tokenizer_->IsByteToken(token.token)) {
    bytes.push_back(std::stoi(tokenizer_->IdToToken(token.token).substr(3, 2), nullptr, 16));
  } else {
    for (const char byte : text) bytes.push_back(static_cast<uint8_t>(byte));
  }
  return {{"token", text}, {"logprob", token.logprob}, {"bytes", std::move(bytes)}};
}

ChatCompletionWriter::Json ChatCompletionWriter::LogprobsJson(const TokenLogprobs& token) const {
  Json json = LogprobJson(token.chosen);
  json["top_logprobs"] = Json::array();
  for (const TokenLogprob& top : token.top) json["top_logprobs"].push_back(LogprobJson(top));
  return json;
}

}  // namespace carat::engine
