// Drops what the output does not need, and renumbers:
//
//   %5 = linear(%4, @unused)
//   %6 = linear(%4, @q)              ->     %5 = linear(%4, @q)
//   return %6                               return %5                 and @unused is gone
//
// Attention has an effect besides its value (the KV cache), but a layer nothing reads needs no
// cache.

#include <type_traits>
#include <utility>
#include <vector>

#include "carat/compiler/passes/pass.h"

namespace carat::compiler {
namespace {

graph::WeightId* WeightOf(graph::Op& op) {
  return std::visit(
      [](auto& attributes) -> graph::WeightId* {
        using T = std::decay_t<decltype(attributes)>;
        if constexpr (std::is_same_v<T, graph::Embed>) {
          return &attributes.table;
        } else if constexpr (std::is_same_v<T, graph::RmsNorm> ||
                             std::is_same_v<T, graph::Linear>) {
          return &attributes.weight;
        } else {
          return nullptr;
        }
      },
      op);
}

std::vector<bool> LiveValues(const graph::Graph& graph) {
  std::vector<bool> live(graph.values.size(), false);
  live[graph.output] = true;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const graph::Node& node = graph.nodes[i];
    if (!live[node.output]) continue;
    for (graph::ValueId input : node.inputs) live[input] = true;
  }
  return live;
}

}  // namespace

graph::Graph EliminateDead(const graph::Graph& graph) {
  const std::vector<bool> live = LiveValues(graph);
  graph::Graph result(graph.name);
  std::vector<graph::ValueId> new_values(graph.values.size(), -1);
  std::vector<graph::WeightId> new_weights(graph.weights.size(), -1);
  for (const graph::Node& node : graph.nodes) {
    if (!live[node.output]) continue;
    graph::Op op = node.op;
    if (graph::WeightId* weight = WeightOf(op)) {
      if (new_weights[*weight] < 0) {
        new_weights[*weight] = result.AddWeight(graph.weights[*weight]);
      }
      *weight = new_weights[*weight];
    }
    std::vector<graph::ValueId> inputs;
    for (graph::ValueId input : node.inputs) inputs.push_back(new_values[input]);
    const graph::Value& value = graph.values[node.output];
    new_values[node.output] = result.Append(op, std::move(inputs), value.type, value.name);
  }
  result.output = new_values[graph.output];
  return result;
}

}  // namespace carat::compiler
