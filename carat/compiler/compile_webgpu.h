// A Hugging Face folder -> a folder for browsers:
//
//     model.wasm              the model library, which the npm package WebLLM loads
//     resolve/main/           the model, as WebLLM fetches it:
//       mlc-chat-config.json, tensor-cache.json, params_shard_*.bin, tokenizer.json, ...

#ifndef CARAT_COMPILER_COMPILE_WEBGPU_H_
#define CARAT_COMPILER_COMPILE_WEBGPU_H_

#include "carat/compiler/compile.h"

namespace carat::compiler {

// As Compile, for options.device "webgpu". Neither a compiler nor a GPU is needed.
CompileResult CompileWebGpu(const CompileOptions& options, const CompileProgress& progress);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_COMPILE_WEBGPU_H_
