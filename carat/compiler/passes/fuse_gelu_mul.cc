// The gated activation becomes the epilogue of the Linear that makes both of its sides, so that the
// wide intermediate is never stored:
//
//   %5 = linear(%4, @gate_up)               @gate_up's rows interleave gate and up
//   %6 = slice(%5) {0}               ->     %5 = linear(%4, @gate_up) {epilogue=gelu_mul}
//   %7 = slice(%5) {2048}
//   %8 = gelu_tanh(%6)
//   %9 = mul(%8, %7)

#include <optional>
#include <utility>

#include "carat/compiler/passes/pass.h"
#include "carat/compiler/passes/rewriter.h"

namespace carat::compiler {
namespace {

class Matcher {
 public:
  explicit Matcher(const graph::Graph& graph)
      : graph_(graph), users_(UsersOf(graph)), producers_(ProducersOf(graph)) {}

  // The Linear whose two halves `mul` = gelu_tanh(first half) * second half combines, if that is
  // all its output is used for.
  const graph::Node* GatedLinear(const graph::Node& mul) const {
    if (!std::holds_alternative<graph::Mul>(mul.op)) return nullptr;
    const graph::Node& gelu = Producer(mul.inputs[0]);
    if (!std::holds_alternative<graph::GeluTanh>(gelu.op) || !UsedOnce(gelu)) return nullptr;
    const graph::Node& gate = Producer(gelu.inputs[0]);
    const graph::Node& up = Producer(mul.inputs[1]);
    if (!IsHalf(gate, 0) || !IsHalf(up, graph_.TypeOf(mul.output).width)) return nullptr;
    if (gate.inputs[0] != up.inputs[0] || !UsedOnce(gate) || !UsedOnce(up)) return nullptr;
    const graph::Node& linear = Producer(gate.inputs[0]);
    const auto* op = std::get_if<graph::Linear>(&linear.op);
    if (op == nullptr || op->epilogue != graph::Epilogue::kStore) return nullptr;
    if (graph_.weights[op->weight].parts.size() != 2 || users_[linear.output].size() != 2) {
      return nullptr;
    }
    return &linear;
  }

 private:
  const graph::Node& Producer(graph::ValueId value) const {
    return graph_.nodes[producers_[value]];
  }
  bool UsedOnce(const graph::Node& node) const { return users_[node.output].size() == 1; }
  bool IsHalf(const graph::Node& node, int64_t offset) const {
    const auto* slice = std::get_if<graph::Slice>(&node.op);
    return slice != nullptr && slice->offset == offset;
  }

  const graph::Graph& graph_;
  std::vector<std::vector<int>> users_;
  std::vector<int> producers_;
};

}  // namespace

graph::Graph FuseGeluMul(const graph::Graph& graph) {
  const Matcher matcher(graph);
  Rewriter rewriter(graph);
  for (const graph::Node& node : graph.nodes) {
    const graph::Node* linear = matcher.GatedLinear(node);
    if (linear == nullptr) {
      rewriter.Copy(node);
      continue;
    }
    graph::Graph& result = rewriter.result();
    graph::Weight interleaved = graph.weights[std::get<graph::Linear>(linear->op).weight];
    interleaved.arrangement = graph::Arrangement::kInterleave;
    const graph::Linear fused{result.AddWeight(std::move(interleaved)), graph::Epilogue::kGeluMul};
    const graph::Value& value = graph.values[node.output];
    rewriter.Replace(node.output, result.Append(fused, {rewriter.Map(linear->inputs[0])},
                                                value.type, value.name));
  }
  return EliminateDead(std::move(rewriter).Finish());
}

}  // namespace carat::compiler
