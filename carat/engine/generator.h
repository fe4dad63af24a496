// Turns a prompt into a stream of tokens: one request at a time over one sequence of a model.
//
// What the sequence already holds is used again as far as the next prompt begins with the same
// tokens, so the turns of a conversation cost their new tokens only.

#ifndef CARAT_ENGINE_GENERATOR_H_
#define CARAT_ENGINE_GENERATOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "carat/base/types.h"
#include "carat/engine/logprobs.h"
#include "carat/engine/sampler.h"
#include "carat/runtime/model.h"

namespace carat::engine {

enum class FinishReason {
  kStop,         // an end-of-sequence token, or on_token had enough
  kLength,       // max_tokens, or the context window is full
  kInterrupted,  // is_interrupted said so
};

std::string_view FinishReasonName(FinishReason reason);  // "stop", "length", "interrupted"

// What on_token wants next.
enum class Continue { kYes, kStop };

struct GeneratedToken {
  TokenId token;
  const TokenLogprobs* logprobs = nullptr;  // if the request asks for them; valid during the call
};

struct GenerationRequest {
  std::vector<TokenId> prompt;
  SamplingParameters sampling;
  std::vector<TokenId> stop_tokens;  // end the answer and are not part of it
  int64_t max_tokens = -1;           // -1: until the context window is full

  // Of each token, on_token gets log probabilities: its own and those of so many most likely ones.
  // Without: none are computed.
  std::optional<int64_t> top_logprobs;

  // Called with each token of the answer as it is chosen. May be empty.
  std::function<Continue(const GeneratedToken&)> on_token;

  // Asked between steps, also within a long prompt. May be empty.
  std::function<bool()> is_interrupted;
};

struct GenerationTimings {
  int64_t prompt_tokens = 0;
  int64_t reused_tokens = 0;     // of the prompt, found in the sequence
  int64_t generated_tokens = 0;  // of the answer; a stop token is not counted
  int64_t decode_steps = 0;      // forward calls of one token
  double prefill_s = 0;          // of the other prompt_tokens - reused_tokens
  double decode_s = 0;           // from the first token on, sampling included

  double prefill_tokens_per_s() const;
  double decode_tokens_per_s() const;
};

struct GenerationResult {
  std::vector<TokenId> tokens;
  FinishReason finish_reason = FinishReason::kStop;
  GenerationTimings timings;
};

class Generator {
 public:
  explicit Generator(std::shared_ptr<runtime::Model> model);

  // Throws Error for an empty prompt, one longer than the context window, token ids outside the
  // vocabulary and parameters out of range; the sequence is as before then.
  GenerationResult Generate(const GenerationRequest& request);

  // Forgets the conversation.
  void Reset();

  // Tokens the sequence holds.
  std::span<const TokenId> tokens() const { return tokens_; }

  const runtime::Model& model() const { return *model_; }

 private:
  bool Prefill(const GenerationRequest& request, GenerationTimings& timings);
  FinishReason Decode(const GenerationRequest& request, Sampler& sampler, GenerationResult& result);

  std::shared_ptr<runtime::Model> model_;
  runtime::Sequence sequence_;
  std::vector<TokenId> tokens_;  // what sequence_ holds
  std::vector<float> logits_;    // [vocab_size], after the last of tokens_
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_GENERATOR_H_
