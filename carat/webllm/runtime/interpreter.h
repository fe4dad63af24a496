// Runs the functions of a plan: launches their kernels in order.

#ifndef CARAT_WEBLLM_RUNTIME_INTERPRETER_H_
#define CARAT_WEBLLM_RUNTIME_INTERPRETER_H_

#include "carat/webllm/runtime/model.h"

namespace carat::webllm {

// The function of the plan of this name, for JavaScript to call.
Status FindPlanFunction(ModelObject* model, TextView name, Owned<FunctionObject>* function);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_INTERPRETER_H_
