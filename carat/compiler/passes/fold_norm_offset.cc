// Gemma multiplies by 1 + w; the packed weight may as well hold the sum:
//
//   @w : f32[1, 640] = norm.weight              @w : f32[1, 640] = norm.weight + 1
//   rms_norm(%1, @w) {weight_offset=1}    ->    rms_norm(%1, @w)

#include "carat/compiler/passes/pass.h"

namespace carat::compiler {

graph::Graph FoldNormOffset(const graph::Graph& graph) {
  graph::Graph result = graph;
  for (graph::Node& node : result.nodes) {
    auto* norm = std::get_if<graph::RmsNorm>(&node.op);
    if (norm == nullptr || norm->weight_offset == 0) continue;
    // A weight shared by several norms is folded once for each: give this one a copy of its own.
    graph::Weight folded = result.weights[norm->weight];
    folded.offset += norm->weight_offset;
    norm->weight = result.AddWeight(std::move(folded));
    norm->weight_offset = 0;
  }
  return EliminateDead(result);
}

}  // namespace carat::compiler
