// In the last layer only the rows whose logits are asked for go on; what works row by row may as
// well work on those alone:
//
//   %8 = linear(%7, @o)                     %8 = select_rows(%7)
//   %9 = add(%3, %8)                 ->     %9 = linear(%8, @o)
//   %10 = select_rows(%9)                   %10 = select_rows(%3)
//                                           %11 = add(%10, %9)
//
// It stops where rows mix: at Attention. In a prompt of 512 tokens that saves one layer's matrices
// but for k and v.

#include <utility>
#include <vector>

#include "carat/compiler/passes/pass.h"
#include "carat/compiler/passes/rewriter.h"

namespace carat::compiler {
namespace {

bool WorksRowByRow(const graph::Op& op) {
  return !std::holds_alternative<graph::Attention>(op) &&
         !std::holds_alternative<graph::Embed>(op) && !std::holds_alternative<graph::Tokens>(op) &&
         !std::holds_alternative<graph::SelectRows>(op) &&
         !std::holds_alternative<graph::Rope>(op);  // its angle is the token's position
}

// Nodes whose output reaches nothing but SelectRows through nodes of the same kind.
std::vector<bool> OnlySelected(const graph::Graph& graph) {
  const auto users = UsersOf(graph);
  std::vector<bool> narrow(graph.nodes.size(), false);
  for (int i = static_cast<int>(graph.nodes.size()) - 1; i >= 0; --i) {
    const graph::Node& node = graph.nodes[i];
    if (graph.TypeOf(node.output).rows != graph::RowSpace::kTokens || !WorksRowByRow(node.op)) {
      continue;
    }
    bool all = !users[node.output].empty();
    for (int user : users[node.output]) {
      all =
          all && (narrow[user] || std::holds_alternative<graph::SelectRows>(graph.nodes[user].op));
    }
    narrow[i] = all;
  }
  return narrow;
}

}  // namespace

graph::Graph NarrowOutputs(const graph::Graph& graph) {
  const std::vector<bool> narrow = OnlySelected(graph);
  Rewriter rewriter(graph);
  graph::Graph& result = rewriter.result();
  std::vector<graph::ValueId> selected(graph.values.size(), -1);  // old value -> its selected rows
  const auto select = [&](graph::ValueId old_value) {
    const graph::ValueId mapped = rewriter.Map(old_value);
    if (result.TypeOf(mapped).rows == graph::RowSpace::kOutputs) return mapped;
    if (selected[old_value] < 0) {
      selected[old_value] = result.SelectRows(mapped, graph.values[old_value].name + "_selected");
    }
    return selected[old_value];
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const graph::Node& node = graph.nodes[i];
    if (std::holds_alternative<graph::SelectRows>(node.op)) {
      rewriter.Replace(node.output, select(node.inputs[0]));
    } else if (!narrow[i]) {
      rewriter.Copy(node);
    } else {
      std::vector<graph::ValueId> inputs;
      for (graph::ValueId input : node.inputs) inputs.push_back(select(input));
      graph::ValueType type = graph.TypeOf(node.output);
      type.rows = graph::RowSpace::kOutputs;
      rewriter.Replace(node.output, result.Append(node.op, std::move(inputs), type,
                                                  graph.values[node.output].name));
    }
  }
  return EliminateDead(std::move(rewriter).Finish());
}

}  // namespace carat::compiler
