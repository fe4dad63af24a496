// OpenAI's objects as JSON: chat.completion and chat.completion.chunk.

#ifndef CARAT_ENGINE_CHAT_COMPLETION_WRITER_H_
#define CARAT_ENGINE_CHAT_COMPLETION_WRITER_H_

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/engine/chat_completion_job.h"
#include "carat/engine/chat_completion_request.h"
#include "carat/text/tokenizer.h"

namespace carat::engine {

class ChatCompletionWriter {
 public:
  // `model` is the name that the objects carry; `tokenizer` spells the tokens of logprobs.
  ChatCompletionWriter(std::string model, std::shared_ptr<const text::Tokenizer> tokenizer,
                       const ChatCompletionRequest& request, int64_t prompt_tokens);

  // A stream: the chunks of each event as it comes, then the usage.
  std::vector<std::string> DeltaChunks(const ChoiceDelta& delta);
  std::vector<std::string> EndChunks(const ChoiceEnd& end);
  std::string UsageChunk() const;

  // A whole answer: all events, then the object.
  void Add(const ChoiceDelta& delta);
  void Add(const ChoiceEnd& end);
  std::string Whole() const;

 private:
  using Json = nlohmann::ordered_json;

  struct Choice {
    bool has_begun = false;
    std::string text;
    Json logprobs = Json::array();
    std::string finish_reason;
  };

  Json Object(const char* type) const;
  Json Chunk() const;
  std::string ChoiceChunk(int64_t choice, Json delta, Json logprobs, Json finish_reason) const;
  void Begin(int64_t choice, std::vector<std::string>& chunks);
  Json LogprobJson(const TokenLogprob& token) const;
  Json LogprobsJson(const TokenLogprobs& token) const;
  Json UsageJson() const;

  std::string id_;
  int64_t created_;  // seconds since 1970
  std::string model_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  bool has_logprobs_;
  bool include_usage_;
  int64_t prompt_tokens_;
  int64_t cached_tokens_ = 0;
  int64_t completion_tokens_ = 0;
  std::vector<Choice> choices_;
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_CHAT_COMPLETION_WRITER_H_
