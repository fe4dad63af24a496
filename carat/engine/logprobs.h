// How likely the model holds the tokens it might go on with: what OpenAI's `logprobs` report.
//
// A log probability here is the natural logarithm of softmax of the model's own logits, so it is
// what the model believes, and not by which chance the token was drawn: bias, penalties,
// temperature and filters have no part in it.

#ifndef CARAT_ENGINE_LOGPROBS_H_
#define CARAT_ENGINE_LOGPROBS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "carat/base/types.h"

namespace carat::engine {

struct TokenLogprob {
  TokenId token = 0;
  double logprob = 0;
};

struct TokenLogprobs {
  TokenLogprob chosen;
  std::vector<TokenLogprob> top;  // the most likely ones, `chosen` among them or not
};

// Log probabilities, within 2e-6, of `chosen` and of the `num_top` most likely tokens (of the whole
// vocabulary, if that is smaller) in descending order, of equals the lowest id first.
//
// `logits` [vocab_size] are such as Sampler::Sample takes: none is NaN or +infinity, not all are
// -infinity (a token of which has log probability -infinity).
TokenLogprobs ComputeLogprobs(std::span<const float> logits, TokenId chosen, int64_t num_top);

}  // namespace carat::engine

#endif  // CARAT_ENGINE_LOGPROBS_H_
