// Which passes a level runs, and running them.

#include <utility>

#include "carat/base/error.h"
#include "carat/compiler/passes/pass.h"
#include "carat/graph/verifier.h"

namespace carat::compiler {

std::vector<Pass> PassesOf(OptLevel level, const quantization::QuantizationScheme& scheme) {
  std::vector<Pass> passes;
  passes.push_back(
      {"assign_formats", [scheme](const auto& g) { return AssignFormats(g, scheme); }});
  if (level >= OptLevel::kO1) {
    passes.push_back({"fold_norm_offset", FoldNormOffset});
    passes.push_back({"merge_linears", MergeLinears});
  }
  if (level >= OptLevel::kO2) passes.push_back({"fuse_gelu_mul", FuseGeluMul});
  if (level >= OptLevel::kO3) passes.push_back({"narrow_outputs", NarrowOutputs});
  passes.push_back({"quantize_activations", QuantizeActivations});
  return passes;
}

graph::Graph RunPasses(graph::Graph graph, const std::vector<Pass>& passes,
                       const std::function<void(std::string_view, const graph::Graph&)>& dump) {
  const auto check = [&](std::string_view name) {
    if (dump) dump(name, graph);
    try {
      graph::Verify(graph);
    } catch (const Error& error) {
      throw Error("after pass '{}': {}", name, error.what());
    }
  };
  check("input");
  for (const Pass& pass : passes) {
    graph = pass.run(graph);
    check(pass.name);
  }
  return graph;
}

}  // namespace carat::compiler
