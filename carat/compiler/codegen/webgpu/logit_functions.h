// The functions between a model's logits and a token, which WebLLM calls by these names:
//
//     apply_bitmask_inplace, apply_logit_bias_inplace, apply_penalty_inplace   logits, as asked
//     softmax_with_temperature                                                 probabilities
//     argsort_probs, sample_with_top_p                                         a token
//
// They take what MLC's take. What argsort_probs returns only sample_with_top_p reads, so it is not
// what its name says: kernels/webgpu/argsort_block.wgsl has the layout.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_LOGIT_FUNCTIONS_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_LOGIT_FUNCTIONS_H_

#include <cstdint>

#include "carat/compiler/codegen/webgpu/kernel_table.h"
#include "carat/compiler/codegen/webgpu/plan_model.h"

namespace carat::compiler::webgpu {

// Adds the functions to the plan, and a scratch buffer behind those that it has.
void AddLogitFunctions(int64_t vocab_size, KernelTable& kernels, PlanModel& plan);

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_LOGIT_FUNCTIONS_H_
