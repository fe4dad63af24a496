// Parts of softmax over a vocabulary, fast and the same on every platform: without libm.
//
//   softmax(logits)[i] = exp((logits[i] - max_logit) / temperature) / SumOfExp(logits, ...)

#ifndef CARAT_ENGINE_SOFTMAX_H_
#define CARAT_ENGINE_SOFTMAX_H_

#include <span>

namespace carat::engine {

// e^x for x <= 0, within 2e-7 of it relatively; 0 below -87.
float ExpOfNegative(float x);

// The sum of exp((logit - max_logit) / temperature), within 1e-6 of it relatively. `max_logit` is
// at least as large as all of them.
double SumOfExp(std::span<const float> logits, float max_logit, float temperature);

}  // namespace carat::engine

#endif  // CARAT_ENGINE_SOFTMAX_H_
