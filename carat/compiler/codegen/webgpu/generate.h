// Program -> model library for the browser: WGSL kernels and the plan by which the runtime of
// webllm/ launches them when WebLLM calls embed, prefill, decode and the functions of sampling.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_GENERATE_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_GENERATE_H_

#include <cstdint>

#include "carat/compiler/codegen/webgpu/features.h"
#include "carat/compiler/codegen/webgpu/plan_model.h"
#include "carat/compiler/program/program.h"
#include "carat/model/config.h"
#include "carat/model/mlc_parameters.h"

namespace carat::compiler::webgpu {

// The Program as WebGPU's kernels want it. The graph's passes are those of unquantized weights
// (scheme q0f32): the kernels multiply f32 by what MLC's format stores, whatever that is.
Program MakeWebGpuProgram(const graph::Graph& graph, const LoweringOptions& options);

struct WebGpuCode {
  const Program& program;
  const model::ModelConfig& config;
  const model::MlcQuantization& quantization;  // q4f16_1 or q4f32_1
  int64_t context_window_size;
  Features features;
};

// Throws Error for shapes that the kernels do not take.
PlanModel GenerateWebGpu(const WebGpuCode& code);

// The kernels as one text, for --debug-dump.
std::string PrintKernels(const PlanModel& plan);

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_GENERATE_H_
