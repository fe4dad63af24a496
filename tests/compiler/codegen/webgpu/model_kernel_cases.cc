// A model as a whole: its plan's embed, prefill and decode, called as WebLLM calls them, against
// the reference interpreter.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "carat/compiler/codegen/webgpu/generate.h"
#include "carat/graph/reference.h"
#include "tests/compiler/codegen/webgpu/kernel_cases.h"
#include "tests/compiler/codegen/webgpu/model_weights.h"
#include "tests/compiler/codegen/webgpu/plan_case.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler::webgpu {
namespace {

constexpr int64_t kPrefillChunk = 8;

// Tokens of each call; those of one token are decoded.
const std::vector<std::vector<TokenId>> kCalls = {
    {2, 7, 1, 8, 2, 8, 1, 8}, {28, 4, 5}, {9}, {0}, {49, 33}, {12}, {3}, {44}, {17}};

KernelCase ModelCase(std::string name, const model::ModelConfig& config,
                     std::string_view quantization, OptLevel level, const Features& features = {}) {
  const ModelWeights weights(config, quantization);
  const graph::Graph graph = model::BuildGraph(config);
  const Program program = MakeWebGpuProgram(
      RunPasses(graph, PassesOf(level, quantization::FindScheme("q0f32"))), {level, kPrefillChunk});
  const PlanModel plan = GenerateWebGpu(
      {program, config, weights.quantization(), config.max_position_embeddings, features});
  graph::Reference reference(
      graph, [&](const graph::SourceTensor& tensor) { return weights.Values(tensor); });

  PlanCase model(std::move(name), plan);
  std::vector<size_t> parameters;
  for (const BufferBytes& parameter : weights.parameters()) {
    parameters.push_back(model.AddBuffer(parameter));
  }
  model.BindParameters(parameters);
  model.SetContext(0, config.max_position_embeddings);
  model.BindCaches();
  int64_t position = 0;
  for (const std::vector<TokenId>& tokens : kCalls) {
    model.SetContext(position, config.max_position_embeddings);
    position += static_cast<int64_t>(tokens.size());
    const auto rows = model.Call("embed", {model.AddBuffer(tokens)});
    const auto results = model.Call(tokens.size() == 1 ? "decode" : "prefill", rows);
    const std::vector<int32_t> last = {static_cast<int32_t>(tokens.size()) - 1};
    // Keys and values are f16 here, and f32 in the interpreter.
    model.Expect({results.front(), reference.Forward(tokens, last), 5e-3, 5e-3});
  }
  return std::move(model).Take();
}

}  // namespace

std::vector<KernelCase> ModelKernelCases() {
  std::vector<KernelCase> cases;
  const model::ModelConfig config = SmallConfig();
  for (const OptLevel level : {OptLevel::kO0, OptLevel::kO1, OptLevel::kO2, OptLevel::kO3}) {
    cases.push_back(
        ModelCase(fmt::format("model: O{}", static_cast<int>(level)), config, "q4f16_1", level));
  }
  cases.push_back(ModelCase("model: q4f32_1", config, "q4f32_1", OptLevel::kO3));
  cases.push_back(
      ModelCase("model: subgroups", config, "q4f16_1", OptLevel::kO3, {.subgroups = true}));
  model::ModelConfig capped = config;
  capped.attn_logit_softcapping = 20;
  capped.final_logit_softcapping = 5;
  cases.push_back(ModelCase("model: softcaps", capped, "q4f16_1", OptLevel::kO3));
  model::ModelConfig full_last = config;
  full_last.layer_types.back() = model::LayerKind::kFullAttention;
  full_last.sliding_window = 3;
  cases.push_back(
      ModelCase("model: window shorter than a chunk", full_last, "q4f16_1", OptLevel::kO3));
  return cases;
}

}  // namespace carat::compiler::webgpu
