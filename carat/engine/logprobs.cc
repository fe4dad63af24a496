#include "carat/engine/logprobs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "carat/engine/softmax.h"

namespace carat::engine {

namespace {

// The `count` most likely tokens, in order. A heap holds the best so far, the least likely of them
// in front, which most tokens of a large vocabulary do not reach.
std::vector<TokenId> MostLikelyTokens(std::span<const float> logits, size_t count) {
  const auto is_more_likely = [logits](TokenId a, TokenId b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  std::vector<TokenId> tokens(count);
  std::iota(tokens.begin(), tokens.end(), 0);
  std::ranges::make_heap(tokens, is_more_likely);
  float least = logits[tokens.front()];
  for (size_t i = count; i < logits.size(); ++i) {
    if (logits[i] <= least) continue;  // of equals, the one that came first stays
    std::ranges::pop_heap(tokens, is_more_likely);
    tokens.back() = static_cast<TokenId>(i);
    std::ranges::push_heap(tokens, is_more_likely);
    least = logits[tokens.front()];
  }
  std::ranges::sort_heap(tokens, is_more_likely);
  return tokens;
}

}  // namespace

TokenLogprobs ComputeLogprobs(std::span<const float> logits, TokenId chosen, int64_t num_top) {
  // One at least, for its logit.
  const auto count = static_cast<size_t>(std::clamp<int64_t>(num_top, 1, std::ssize(logits)));
  const std::vector<TokenId> most_likely = MostLikelyTokens(logits, count);
  const float max_logit = logits[most_likely.front()];
  const double log_sum = std::log(SumOfExp(logits, max_logit, /*temperature=*/1.0f));
  const auto with_logprob = [&](TokenId token) -> TokenLogprob {
    return {token, (double{logits[token]} - max_logit) - log_sum};
  };

  TokenLogprobs logprobs = {with_logprob(chosen), {}};
  if (num_top == 0) return logprobs;
  logprobs.top.resize(count);
  std::ranges::transform(most_likely, logprobs.top.begin(), with_logprob);
  return logprobs;
}

}  // namespace carat::engine
