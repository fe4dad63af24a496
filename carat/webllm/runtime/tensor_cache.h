// The weights that JavaScript has loaded, by name, and the modules that hand them on in an order.

#ifndef CARAT_WEBLLM_RUNTIME_TENSOR_CACHE_H_
#define CARAT_WEBLLM_RUNTIME_TENSOR_CACHE_H_

#include "carat/webllm/runtime/status.h"

namespace carat::webllm {

Status RegisterTensorCache();

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_TENSOR_CACHE_H_
