// Linears that read the same input become one with their rows stacked, so that the input is read
// once and there is one kernel and one barrier instead of three:
//
//   %5 = linear(%4, @q)                     %5 = linear(%4, @q+k+v)
//   %6 = linear(%4, @k)              ->     %6 = slice(%5) {0}
//   %7 = linear(%4, @v)                     %7 = slice(%5) {1024}
//                                           %8 = slice(%5) {1280}

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "carat/compiler/passes/pass.h"
#include "carat/compiler/passes/rewriter.h"

namespace carat::compiler {
namespace {

// "layers.0.q_proj" and "layers.0.k_proj" -> "layers.0.q_k_proj": the parts after the last dot are
// joined, what they all end with is kept once.
std::string MergedName(const std::vector<std::string>& names) {
  const std::string& last = names.back();
  std::string suffix = last.substr(std::min(last.rfind('_'), last.size()));
  for (const std::string& name : names) {
    if (!name.ends_with(suffix)) suffix.clear();
  }
  std::string merged;
  for (const std::string& name : names) {
    const std::string stem = name.substr(0, name.size() - suffix.size());
    merged += merged.empty() ? stem : "_" + stem.substr(stem.rfind('.') + 1);
  }
  return merged + suffix;
}

bool CanMerge(const graph::Graph& graph, const graph::Node& node) {
  const auto* linear = std::get_if<graph::Linear>(&node.op);
  return linear != nullptr && linear->epilogue == graph::Epilogue::kStore &&
         graph.weights[linear->weight].parts.size() == 1;
}

struct Group {
  std::vector<const graph::Node*> members;
};

// Appends the merged Linear and the slices that stand for its members.
void EmitMerged(const graph::Graph& graph, const Group& group, Rewriter& rewriter) {
  graph::Graph& result = rewriter.result();
  graph::Weight merged;
  std::vector<std::string> value_names;
  std::vector<std::string> weight_names;
  for (const graph::Node* member : group.members) {
    const graph::Weight& weight = graph.weights[std::get<graph::Linear>(member->op).weight];
    merged.parts.push_back(weight.parts.front());
    merged.format = weight.format;
    weight_names.push_back(weight.name);
    value_names.push_back(graph.values[member->output].name);
  }
  merged.name = MergedName(weight_names);
  const graph::ValueId x = rewriter.Map(group.members.front()->inputs[0]);
  const graph::ValueId y =
      result.Linear(x, result.AddWeight(std::move(merged)), MergedName(value_names));
  int64_t offset = 0;
  for (const graph::Node* member : group.members) {
    const graph::Value& value = graph.values[member->output];
    rewriter.Replace(member->output, result.Slice(y, offset, value.type.width, value.name));
    offset += value.type.width;
  }
}

}  // namespace

graph::Graph MergeLinears(const graph::Graph& graph) {
  // A group: Linears of one input whose weights have one format. Their common place is the first's.
  std::map<std::pair<graph::ValueId, quantization::WeightFormat>, Group> groups;
  for (const graph::Node& node : graph.nodes) {
    if (!CanMerge(graph, node)) continue;
    const auto format = graph.weights[std::get<graph::Linear>(node.op).weight].format;
    groups[{node.inputs[0], format}].members.push_back(&node);
  }

  Rewriter rewriter(graph);
  for (const graph::Node& node : graph.nodes) {
    if (!CanMerge(graph, node)) {
      rewriter.Copy(node);
      continue;
    }
    const auto format = graph.weights[std::get<graph::Linear>(node.op).weight].format;
    const Group& group = groups[{node.inputs[0], format}];
    if (group.members.size() == 1) {
      rewriter.Copy(node);
    } else if (group.members.front() == &node) {
      EmitMerged(graph, group, rewriter);
    }
  }
  return EliminateDead(std::move(rewriter).Finish());
}

}  // namespace carat::compiler
