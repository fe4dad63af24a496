// A call of a plan's function: what of its arguments is which, checked.

#ifndef CARAT_WEBLLM_RUNTIME_FUNCTION_CALL_H_
#define CARAT_WEBLLM_RUNTIME_FUNCTION_CALL_H_

#include "carat/webllm/runtime/arguments.h"
#include "carat/webllm/runtime/kv_state.h"

namespace carat::webllm {

struct FunctionCall {
  TextView name;
  TensorObject* tensors[kMaxTensors] = {};
  KvState* state = nullptr;
  ArrayObject* parameters = nullptr;
  Step step;
};

// Tensors are told apart by their order, all else by its type. An error where they are not of the
// shapes that the plan gives, or the KV state has not begun to take these tokens.
Status ReadCall(const Plan& plan, const Function& function, const Arguments& arguments,
                FunctionCall* call);

// Of a tensor type; `dimensions` has room for kMaxDimensions.
void EvaluateDimensions(const Plan& plan, const TensorType& type, const Step& step,
                        int64_t* dimensions);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_FUNCTION_CALL_H_
