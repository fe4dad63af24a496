// The request of OpenAI's chat completions API,
// https://platform.openai.com/docs/api-reference/chat/create, as far as a local model can serve it,
// with the sampling parameters that others added to it (top_k, min_p, repetition_penalty,
// ignore_eos).

#ifndef CARAT_ENGINE_CHAT_COMPLETION_REQUEST_H_
#define CARAT_ENGINE_CHAT_COMPLETION_REQUEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carat/engine/sampler.h"
#include "carat/model/generation_defaults.h"
#include "carat/text/chat_template.h"

namespace carat::engine {

struct ChatCompletionRequest {
  std::vector<text::ChatMessage> messages;
  SamplingParameters sampling;          // the model's defaults where the request has none
  int64_t max_tokens = -1;              // -1: until the context window is full
  int64_t num_choices = 1;              // n
  std::vector<std::string> stop;        // texts that end the answer and are not part of it
  std::optional<int64_t> top_logprobs;  // nothing: no logprobs
  bool ignore_eos = false;              // go on until max_tokens
  bool stream = false;
  bool include_usage = false;  // of a stream: a last chunk with the usage
};

// Throws InvalidArgumentError naming the field that is not what it may be, is unknown, or asks for
// something that this engine does not do. Fields that only concern a service (user, metadata,
// store, service_tier, ...) are read past.
ChatCompletionRequest ParseChatCompletionRequest(std::string_view json,
                                                 const model::GenerationDefaults& defaults,
                                                 int64_t vocab_size);

}  // namespace carat::engine

#endif  // CARAT_ENGINE_CHAT_COMPLETION_REQUEST_H_
