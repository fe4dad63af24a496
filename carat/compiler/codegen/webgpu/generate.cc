#include "carat/compiler/codegen/webgpu/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "carat/base/error.h"
#include "carat/compiler/codegen/webgpu/kernel_table.h"
#include "carat/compiler/codegen/webgpu/logit_functions.h"
#include "carat/compiler/codegen/webgpu/model_buffers.h"
#include "carat/compiler/codegen/webgpu/step_emitter.h"
#include "carat/compiler/codegen/webgpu/weight_buffers.h"

namespace carat::compiler::webgpu {
namespace {

std::string_view DTypeText(checkpoint::DType dtype) {
  switch (dtype) {
    case checkpoint::DType::kU32:
      return "uint32";
    case checkpoint::DType::kF16:
      return "float16";
    default:
      return "float32";
  }
}

// The runtime counts bytes in 31 bits.
void CheckSizes(const PlanModel& plan) {
  constexpr int64_t kMostBytes = std::numeric_limits<int32_t>::max();
  for (const auto* sizes : {&plan.scratch, &plan.cache, &plan.merged}) {
    for (const Expression& size : *sizes) {
      const int64_t context = size.variable == Variable::kContext ? plan.max_context : 0;
      const int64_t num_bytes =
          std::min<int64_t>(context * size.multiplier + size.addend, size.maximum);
      if (num_bytes > kMostBytes) {
        throw Error(
            "a buffer of {} bytes is needed, and a browser's may have {}: choose a shorter context "
            "window or prefill chunk",
            num_bytes, kMostBytes);
      }
    }
  }
}

// What MLC's libraries say of themselves, as far as WebLLM and people ask.
std::string MetadataText(const WebGpuCode& code, const WeightBuffers& weights) {
  nlohmann::ordered_json params = nlohmann::ordered_json::array();
  for (const checkpoint::TensorSpec& parameter : weights.parameters()) {
    params.push_back({{"name", parameter.name},
                      {"shape", parameter.shape},
                      {"dtype", DTypeText(parameter.dtype)}});
  }
  const nlohmann::ordered_json metadata = {{"model_type", code.config.model_type},
                                           {"quantization", code.quantization.name},
                                           {"context_window_size", code.context_window_size},
                                           {"sliding_window_size", -1},
                                           {"attention_sink_size", -1},
                                           {"prefill_chunk_size", code.program.max_rows},
                                           {"tensor_parallel_shards", 1},
                                           {"kv_state_kind", "kv_cache"},
                                           {"carat_version", CARAT_VERSION},
                                           {"params", std::move(params)}};
  return metadata.dump();
}

}  // namespace

Program MakeWebGpuProgram(const graph::Graph& graph, const LoweringOptions& options) {
  const auto no_int8_rows = [](int64_t) -> int64_t {
    throw Error("WebGPU has no kernels of int8 activations");
  };
  return MakeProgram(graph, options, {no_int8_rows, 1});
}

PlanModel GenerateWebGpu(const WebGpuCode& code) {
  const Program& program = code.program;
  PlanModel plan;
  plan.model = fmt::format("{}, {}", code.config.model_type, code.quantization.name);
  plan.max_context = code.context_window_size;
  WeightBuffers weights(code.config, code.quantization);
  ModelBuffers buffers(program, code.config);
  KernelTable kernels;
  StepEmitter emitter(program, buffers, weights, code.features, kernels);

  const Expression tokens = Of(Variable::kTokens);
  const Expression hidden = Constant(code.config.hidden_size);
  const PlanTensor rows{ElementType::kF32, {tokens, hidden}};
  const PlanTensor logits{ElementType::kF32,
                          {Constant(1), Constant(1), Constant(code.config.vocab_size)}};
  const auto step = [&](std::string name, Step kind, int64_t max_tokens) {
    PlanFunction function;
    function.name = std::move(name);
    function.arguments = {rows};
    function.results = {logits};
    function.returns = Returns::kArrayWithState;
    function.tokens_divisor = static_cast<uint32_t>(code.config.hidden_size);
    function.max_tokens = static_cast<uint32_t>(max_tokens);
    function.uses_state = true;
    function.launches = emitter.EmitStep(kind);
    return function;
  };
  PlanFunction embed;
  embed.name = "embed";
  embed.arguments = {{ElementType::kI32, {tokens}}};
  embed.results = {rows};
  embed.returns = Returns::kTensor;
  embed.max_tokens = static_cast<uint32_t>(program.max_rows);
  embed.launches = {emitter.EmitEmbed()};
  plan.functions = {std::move(embed), step("prefill", Step::kManyTokens, program.max_rows),
                    step("decode", Step::kOneToken, 1)};
  buffers.AddTo(plan);
  AddLogitFunctions(code.config.vocab_size, kernels, plan);
  plan.kernels = std::move(kernels).Take();
  weights.AddTo(plan);
  CheckSizes(plan);
  plan.metadata = MetadataText(code, weights);
  return plan;
}

std::string PrintKernels(const PlanModel& plan) {
  std::string text;
  for (const PlanFunction& function : plan.functions) {
    text += fmt::format("// {}: {} dispatches\n", function.name, function.launches.size());
    for (const PlanLaunch& launch : function.launches) {
      text += fmt::format("//   {}\n", plan.kernels[launch.kernel].name);
    }
  }
  for (const WgslKernel& kernel : plan.kernels) {
    text += fmt::format("\n// --- {} ---\n\n{}", kernel.name, kernel.wgsl);
  }
  return text;
}

}  // namespace carat::compiler::webgpu
