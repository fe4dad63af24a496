// The model library as JavaScript sees it, TVM's "VM": a module with the functions of the plan
// (embed, prefill, decode, ...) and those about it (_metadata, webgpu.get_fmap, ...).

#ifndef CARAT_WEBLLM_RUNTIME_MODEL_H_
#define CARAT_WEBLLM_RUNTIME_MODEL_H_

#include "carat/webllm/runtime/modules.h"
#include "carat/webllm/runtime/weights.h"

namespace carat::webllm {

struct ModelObject : ModuleObject {
  const Plan* plan;
  ArrayObject* kernels;  // functions; None where not compiled yet
  ArrayObject* scratch;  // null until needed
  Weights weights;
};

Status MakeModel(Owned<ModelObject>* model);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_MODEL_H_
