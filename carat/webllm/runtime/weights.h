// The weights of a model: the parameters as JavaScript has loaded them, and those merged of several
// (Copy of plan.h), which is done once for a set of parameters.

#ifndef CARAT_WEBLLM_RUNTIME_WEIGHTS_H_
#define CARAT_WEBLLM_RUNTIME_WEIGHTS_H_

#include "carat/webllm/runtime/gpu_buffers.h"

namespace carat::webllm {

struct Weights {
  uint64_t* serials;  // of the parameters' storages for which the rest was made, in order
  bool is_ready;      // for these
  ArrayObject* merged;
};

// An error where `parameters` are not those of the plan.
Status BindWeights(const Plan& plan, const ArrayObject& parameters, Weights* weights);

// Of parameters that have been bound.
BufferId ParameterBuffer(const ArrayObject& parameters, uint32_t index);

void ReleaseWeights(Weights* weights);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_WEIGHTS_H_
