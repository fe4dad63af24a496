#include "carat/graph/printer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <variant>
#include <vector>

namespace carat::graph {
namespace {

std::string_view ElementName(ElementType element) {
  switch (element) {
    case ElementType::kI32:
      return "i32";
    case ElementType::kF32:
      return "f32";
    case ElementType::kI8Blocks:
      return "i8x32";
  }
  return "?";
}

// Weights are printed by name; a graph that is wrong may name one that is not there.
std::string WeightName(const Graph& graph, WeightId id) {
  if (id < 0 || id >= static_cast<WeightId>(graph.weights.size())) {
    return fmt::format("@<no weight {}>", id);
  }
  return "@" + graph.weights[id].name;
}

std::string PrintAngles(const RopeAngles& angles) {
  if (angles.linear_factor == 1) return fmt::format("theta={}", angles.theta);
  return fmt::format("theta={}, linear_factor={}", angles.theta, angles.linear_factor);
}

// What stands between the braces, and the weight among the arguments, of one op.
struct OpText {
  std::string weight;
  std::vector<std::string> attributes;
};

struct OpPrinter {
  const Graph& graph;

  OpText operator()(const Embed& op) const {
    return {WeightName(graph, op.table), {fmt::format("scale={}", op.scale)}};
  }
  OpText operator()(const RmsNorm& op) const {
    OpText text{WeightName(graph, op.weight), {fmt::format("eps={}", op.eps)}};
    if (op.groups != 1) text.attributes.push_back(fmt::format("groups={}", op.groups));
    if (op.weight_offset != 0) {
      text.attributes.push_back(fmt::format("weight_offset={}", op.weight_offset));
    }
    return text;
  }
  OpText operator()(const Linear& op) const {
    OpText text{WeightName(graph, op.weight), {}};
    if (op.epilogue == Epilogue::kGeluMul) text.attributes = {"epilogue=gelu_mul"};
    return text;
  }
  OpText operator()(const Rope& op) const {
    return {{}, {fmt::format("heads={}", op.num_heads), PrintAngles(op.angles)}};
  }
  OpText operator()(const Attention& op) const {
    OpText text{{},
                {fmt::format("layer={}", op.layer), fmt::format("heads={}", op.num_heads),
                 fmt::format("kv_heads={}", op.num_kv_heads),
                 fmt::format("head_dim={}", op.head_dim), fmt::format("scale={}", op.scale)}};
    if (op.sliding_window != 0) {
      text.attributes.push_back(fmt::format("window={}", op.sliding_window));
    }
    if (op.softcap) text.attributes.push_back(fmt::format("softcap={}", *op.softcap));
    return text;
  }
  OpText operator()(const Softcap& op) const { return {{}, {fmt::format("cap={}", op.cap)}}; }
  OpText operator()(const Slice& op) const { return {{}, {fmt::format("offset={}", op.offset)}}; }

  // Ops without weights or attributes.
  OpText operator()(const Tokens&) const { return {}; }
  OpText operator()(const Add&) const { return {}; }
  OpText operator()(const Mul&) const { return {}; }
  OpText operator()(const GeluTanh&) const { return {}; }
  OpText operator()(const SelectRows&) const { return {}; }
  OpText operator()(const Quantize&) const { return {}; }
};

}  // namespace

std::string PrintType(const ValueType& type) {
  return fmt::format("{}[{}, {}]", ElementName(type.element),
                     type.rows == RowSpace::kTokens ? "n" : "r", type.width);
}

std::string PrintWeight(const Weight& weight) {
  std::vector<std::string_view> parts;
  for (const SourceTensor& part : weight.parts) parts.push_back(part.name);
  std::string source = fmt::format("{}", fmt::join(parts, ", "));
  if (parts.size() != 1) {
    const bool interleaved = weight.arrangement == Arrangement::kInterleave;
    source = fmt::format("{}({})", interleaved ? "interleave" : "concatenate", source);
  }
  if (weight.offset != 0) source += fmt::format(" + {}", weight.offset);
  return fmt::format("@{} : {}[{}, {}] = {}", weight.name, quantization::FormatName(weight.format),
                     weight.rows(), parts.empty() ? 0 : weight.cols(), source);
}

std::string PrintNode(const Graph& graph, const Node& node) {
  const OpText text = std::visit(OpPrinter{graph}, node.op);
  std::vector<std::string> arguments;
  for (const ValueId input : node.inputs) arguments.push_back(fmt::format("%{}", input));
  if (!text.weight.empty()) arguments.push_back(text.weight);
  std::string line =
      fmt::format("%{} = {}({})", node.output, OpName(node.op), fmt::join(arguments, ", "));
  if (!text.attributes.empty()) line += fmt::format(" {{{}}}", fmt::join(text.attributes, ", "));
  if (node.output >= 0 && node.output < static_cast<ValueId>(graph.values.size())) {
    line += " : " + PrintType(graph.values[node.output].type);
  }
  return line;
}

std::string PrintGraph(const Graph& graph) {
  std::string text = fmt::format("graph {}\n", graph.name);
  for (const Weight& weight : graph.weights) text += PrintWeight(weight) + "\n";
  text += "\n";
  for (const Node& node : graph.nodes) {
    text += PrintNode(graph, node);
    if (node.output >= 0 && node.output < static_cast<ValueId>(graph.values.size())) {
      text += "  # " + graph.values[node.output].name;
    }
    text += "\n";
  }
  return text + fmt::format("return %{}\n", graph.output);
}

}  // namespace carat::graph
