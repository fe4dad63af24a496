// The numbers of a plan that depend on the step.

#ifndef CARAT_WEBLLM_RUNTIME_EXPRESSION_H_
#define CARAT_WEBLLM_RUNTIME_EXPRESSION_H_

#include "carat/webllm/plan.h"

namespace carat::webllm {

// What Variable names.
struct Step {
  uint32_t tokens = 0;
  uint32_t position = 0;
  uint32_t context = 0;
};

// Of an expression that has been checked. Never falls when a variable grows.
uint32_t Evaluate(const Expression& expression, const Step& step);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_EXPRESSION_H_
