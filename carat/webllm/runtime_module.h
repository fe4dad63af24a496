// The runtime that WebLLM loads, as a WebAssembly module without a model: what a compiled model for
// browsers is made of, together with its plan (plan.h).

#ifndef CARAT_WEBLLM_RUNTIME_MODULE_H_
#define CARAT_WEBLLM_RUNTIME_MODULE_H_

#include <cstddef>
#include <span>

namespace carat::webllm {

std::span<const std::byte> RuntimeModule();

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_MODULE_H_
