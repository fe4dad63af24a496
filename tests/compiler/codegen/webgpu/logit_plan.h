// What the cases of the kernels over logits share.

#ifndef CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_LOGIT_PLAN_H_
#define CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_LOGIT_PLAN_H_

#include <cstdint>
#include <random>
#include <vector>

#include "carat/compiler/codegen/webgpu/logit_functions.h"

namespace carat::compiler::webgpu {

// A plan of nothing but the functions over logits.
inline PlanModel LogitPlan(int64_t vocab_size) {
  PlanModel plan;
  KernelTable kernels;
  AddLogitFunctions(vocab_size, kernels, plan);
  plan.kernels = std::move(kernels).Take();
  return plan;
}

// As spread as a language model's.
inline std::vector<float> RandomLogits(int64_t vocab_size) {
  std::mt19937 random(17);
  std::normal_distribution<float> distribution(-3, 4);
  std::vector<float> logits(static_cast<size_t>(vocab_size));
  for (float& logit : logits) logit = distribution(random);
  return logits;
}

}  // namespace carat::compiler::webgpu

#endif  // CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_LOGIT_PLAN_H_
