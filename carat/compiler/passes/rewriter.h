// Rebuilding a graph node by node: what most passes are made of.

#ifndef CARAT_COMPILER_PASSES_REWRITER_H_
#define CARAT_COMPILER_PASSES_REWRITER_H_

#include <utility>
#include <vector>

#include "carat/graph/graph.h"

namespace carat::compiler {

// Copies a graph's nodes in order into a new one and remembers where each value went. Weights keep
// their ids.
//
//   Rewriter rewriter(graph);
//   for (const graph::Node& node : graph.nodes) {
//     if (special(node)) rewriter.Replace(node.output, rewriter.result().Append(...));
//     else rewriter.Copy(node);
//   }
//   return EliminateDead(std::move(rewriter).Finish());
class Rewriter {
 public:
  explicit Rewriter(const graph::Graph& source)
      : source_(source), new_values_(source.values.size(), -1) {
    result_.name = source.name;
    result_.weights = source.weights;
  }

  graph::ValueId Map(graph::ValueId old_value) const { return new_values_.at(old_value); }

  std::vector<graph::ValueId> Map(const std::vector<graph::ValueId>& old_values) const {
    std::vector<graph::ValueId> mapped;
    mapped.reserve(old_values.size());
    for (graph::ValueId value : old_values) mapped.push_back(Map(value));
    return mapped;
  }

  void Copy(const graph::Node& node) { Copy(node, Map(node.inputs)); }

  void Copy(const graph::Node& node, std::vector<graph::ValueId> inputs) {
    const graph::Value& value = source_.values.at(node.output);
    Replace(node.output, result_.Append(node.op, std::move(inputs), value.type, value.name));
  }

  void Replace(graph::ValueId old_value, graph::ValueId new_value) {
    new_values_.at(old_value) = new_value;
  }

  graph::Graph& result() { return result_; }

  graph::Graph Finish() && {
    result_.output = Map(source_.output);
    return std::move(result_);
  }

 private:
  const graph::Graph& source_;
  graph::Graph result_;
  std::vector<graph::ValueId> new_values_;
};

// For each value: the indices of the nodes that read it.
inline std::vector<std::vector<int>> UsersOf(const graph::Graph& graph) {
  std::vector<std::vector<int>> users(graph.values.size());
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    for (graph::ValueId input : graph.nodes[i].inputs) users[input].push_back(i);
  }
  return users;
}

// For each value: the index of the node that makes it.
inline std::vector<int> ProducersOf(const graph::Graph& graph) {
  std::vector<int> producers(graph.values.size(), -1);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    producers[graph.nodes[i].output] = i;
  }
  return producers;
}

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_PASSES_REWRITER_H_
