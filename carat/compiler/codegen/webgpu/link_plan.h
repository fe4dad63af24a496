// Makes a model library for WebLLM of the runtime module and a plan (carat/webllm/plan.h), without
// a linker: the plan becomes a data segment of its own behind the module's memory, and a second one
// writes where it lies over the global that the module exports as "carat_plan".
//
//     before   | memory of the runtime: stack, data, heap |
//     after    | memory of the runtime: stack, data, heap | plan | heap ...
//                                         ^ carat_plan = {address, bytes}

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_LINK_PLAN_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_LINK_PLAN_H_

#include <cstddef>
#include <span>
#include <vector>

namespace carat::compiler {

// `module` must be as wasm-ld writes the runtime; any other bytes are an Error, or linked as far as
// they resemble it.
std::vector<std::byte> LinkPlan(std::span<const std::byte> module, std::span<const std::byte> plan);

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_LINK_PLAN_H_
