#include "carat/engine/generator.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "carat/base/error.h"

namespace carat::engine {

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool IsInterrupted(const GenerationRequest& request) {
  return request.is_interrupted && request.is_interrupted();
}

void CheckPrompt(const std::vector<TokenId>& prompt, const runtime::Model& model) {
  if (prompt.empty()) throw Error("the prompt is empty");
  if (std::ssize(prompt) > model.context_window_size()) {
    throw Error(
        "the prompt has {} tokens, but the context window is {}; shorten it, or compile with a "
        "larger --context-window-size",
        prompt.size(), model.context_window_size());
  }
  for (const TokenId token : prompt) {
    if (token < 0 || token >= model.vocab_size()) {
      throw Error("the prompt has token {}, but the vocabulary ends at {}", token,
                  model.vocab_size() - 1);
    }
  }
}

void CheckTopLogprobs(const std::optional<int64_t>& top_logprobs) {
  if (top_logprobs && *top_logprobs < 0) {
    throw Error("top_logprobs is {}, expected a number of tokens, 0 or more", *top_logprobs);
  }
}

double PerSecond(int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace

std::string_view FinishReasonName(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kInterrupted:
      return "interrupted";
  }
  return "";
}

double GenerationTimings::prefill_tokens_per_s() const {
  return PerSecond(prompt_tokens - reused_tokens, prefill_s);
}

double GenerationTimings::decode_tokens_per_s() const { return PerSecond(decode_steps, decode_s); }

Generator::Generator(std::shared_ptr<runtime::Model> model)
    : model_(std::move(model)), sequence_(model_), logits_(model_->vocab_size()) {}

void Generator::Reset() {
  sequence_.Reset();
  tokens_.clear();
}

GenerationResult Generator::Generate(const GenerationRequest& request) {
  CheckPrompt(request.prompt, *model_);
  CheckTopLogprobs(request.top_logprobs);
  Sampler sampler(request.sampling, model_->vocab_size());
  sampler.AddToHistory(request.prompt);

  GenerationResult result;
  result.timings.prompt_tokens = std::ssize(request.prompt);
  if (!Prefill(request, result.timings)) {
    result.finish_reason = FinishReason::kInterrupted;
    return result;
  }
  const Clock::time_point start = Clock::now();
  result.finish_reason = Decode(request, sampler, result);
  result.timings.decode_s = SecondsSince(start);
  result.timings.generated_tokens = std::ssize(result.tokens);
  return result;
}

// False if interrupted; the sequence then holds a part of the prompt.
bool Generator::Prefill(const GenerationRequest& request, GenerationTimings& timings) {
  // At least the last token runs again: its logits begin the answer.
  const std::span<const TokenId> prompt = request.prompt;
  const std::span<const TokenId> reusable = prompt.first(prompt.size() - 1);
  const int64_t common = std::ranges::mismatch(reusable, tokens_).in1 - reusable.begin();
  timings.reused_tokens = sequence_.Truncate(common);
  tokens_.resize(timings.reused_tokens);

  const Clock::time_point start = Clock::now();
  const auto chunk_size = static_cast<size_t>(model_->metadata().prefill_chunk_size);
  for (std::span<const TokenId> rest = prompt.subspan(tokens_.size()); !rest.empty();) {
    if (IsInterrupted(request)) return false;
    const std::span<const TokenId> chunk = rest.first(std::min(rest.size(), chunk_size));
    rest = rest.subspan(chunk.size());
    const runtime::SequenceChunk input = {
        &sequence_, chunk, rest.empty() ? runtime::LogitRows::kLast : runtime::LogitRows::kNone};
    model_->Forward({&input, 1}, std::span(logits_).first(rest.empty() ? logits_.size() : 0));
    tokens_.insert(tokens_.end(), chunk.begin(), chunk.end());
  }
  timings.prefill_s = SecondsSince(start);
  return true;
}

FinishReason Generator::Decode(const GenerationRequest& request, Sampler& sampler,
                               GenerationResult& result) {
  const bool wants_logprobs = request.top_logprobs && request.on_token;
  std::vector<float> model_logits;  // as they were before the sampler changed them
  while (request.max_tokens < 0 || std::ssize(result.tokens) < request.max_tokens) {
    if (IsInterrupted(request)) return FinishReason::kInterrupted;
    if (wants_logprobs) model_logits = logits_;
    const TokenId token = sampler.Sample(logits_);
    if (std::ranges::find(request.stop_tokens, token) != request.stop_tokens.end()) {
      return FinishReason::kStop;
    }
    result.tokens.push_back(token);
    TokenLogprobs logprobs;
    GeneratedToken generated = {token};
    if (wants_logprobs) {
      logprobs = ComputeLogprobs(model_logits, token, *request.top_logprobs);
      generated.logprobs = &logprobs;
    }
    if (request.on_token && request.on_token(generated) == Continue::kStop) {
      return FinishReason::kStop;
    }
    if (std::ssize(tokens_) == model_->context_window_size()) return FinishReason::kLength;
    if (std::ssize(result.tokens) == request.max_tokens) break;  // its logits would not be used
    model_->Forward(sequence_, {&token, 1}, logits_);
    tokens_.push_back(token);
    ++result.timings.decode_steps;
  }
  return FinishReason::kLength;
}

}  // namespace carat::engine
