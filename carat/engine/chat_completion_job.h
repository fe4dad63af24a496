// A request on its way through the engine, shared by the thread that works on it and the one that
// reads its answer.

#ifndef CARAT_ENGINE_CHAT_COMPLETION_JOB_H_
#define CARAT_ENGINE_CHAT_COMPLETION_JOB_H_

#include <atomic>
#include <cstdint>
#include <exception>
#include <string>
#include <variant>
#include <vector>

#include "carat/base/types.h"
#include "carat/engine/chat_completion_request.h"
#include "carat/engine/event_queue.h"
#include "carat/engine/generator.h"
#include "carat/engine/logprobs.h"

namespace carat::engine {

// Text that became certain with a token. Empty if the token's text still waits: then it is there
// for its logprobs.
struct ChoiceDelta {
  int64_t choice = 0;
  std::string text;
  std::vector<TokenLogprobs> logprobs;  // of the token, if asked for
};

struct ChoiceEnd {
  int64_t choice = 0;
  FinishReason finish_reason = FinishReason::kStop;
  GenerationTimings timings;
};

// For each choice deltas and then an end; or an exception at any time, which is the last event.
using ChatCompletionEvent = std::variant<ChoiceDelta, ChoiceEnd, std::exception_ptr>;

struct ChatCompletionJob {
  ChatCompletionJob(ChatCompletionRequest request, std::vector<TokenId> prompt)
      : request(std::move(request)), prompt(std::move(prompt)) {}

  const ChatCompletionRequest request;
  const std::vector<TokenId> prompt;
  std::atomic<bool> is_cancelled = false;
  EventQueue<ChatCompletionEvent> events;
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_CHAT_COMPLETION_JOB_H_
