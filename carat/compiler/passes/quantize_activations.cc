// Weights in integer blocks are multiplied by integer activations:
//
//   %5 = linear(%4, @q)                     %5 = quantize(%4)
//   %6 = linear(%4, @k)              ->     %6 = linear(%5, @q)
//                                           %7 = linear(%5, @k)

#include <map>
#include <utility>

#include "carat/compiler/passes/pass.h"
#include "carat/compiler/passes/rewriter.h"

namespace carat::compiler {

graph::Graph QuantizeActivations(const graph::Graph& graph) {
  Rewriter rewriter(graph);
  std::map<graph::ValueId, graph::ValueId> quantized;  // old f32 value -> its int8 blocks
  for (const graph::Node& node : graph.nodes) {
    const auto* linear = std::get_if<graph::Linear>(&node.op);
    if (linear == nullptr || quantization::BlockValues(graph.weights[linear->weight].format) == 1) {
      rewriter.Copy(node);
      continue;
    }
    const graph::ValueId x = node.inputs[0];
    if (!quantized.contains(x)) {
      quantized[x] = rewriter.result().Quantize(rewriter.Map(x), graph.values[x].name + "_q8");
    }
    rewriter.Copy(node, {quantized[x]});
  }
  return std::move(rewriter).Finish();
}

}  // namespace carat::compiler
