// The kernels of a model: JavaScript asks for their sources and compiles them before the model is
// used first; one that it has not is compiled when it is launched.

#ifndef CARAT_WEBLLM_RUNTIME_KERNELS_H_
#define CARAT_WEBLLM_RUNTIME_KERNELS_H_

#include "carat/webllm/runtime/model.h"

namespace carat::webllm {

// webgpu.get_fmap, webgpu.get_shader and webgpu.update_prebuild.
Status FindKernelFunction(ModelObject* model, TextView name, Owned<FunctionObject>* function);

// What launches kernel `index` of the plan. The model owns it.
Status CompiledKernel(ModelObject* model, uint32_t index, FunctionObject** function);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_KERNELS_H_
