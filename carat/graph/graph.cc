#include "carat/graph/graph.h"

#include <array>
#include <utility>

#include "carat/base/error.h"

namespace carat::graph {
namespace {

std::string Describe(const Value& value) {
  return fmt::format("'{}' [{}, {}]", value.name, value.type.rows == RowSpace::kTokens ? "n" : "r",
                     value.type.width);
}

[[noreturn]] void Mismatch(std::string_view op, const Value& a, const Value& b) {
  throw Error("{}: {} and {} differ in shape", op, Describe(a), Describe(b));
}

}  // namespace

std::string_view OpName(const Op& op) {
  static constexpr std::array<std::string_view, std::variant_size_v<Op>> kNames = {
      "tokens", "embed",     "rms_norm", "linear",      "rope",  "attention", "add",
      "mul",    "gelu_tanh", "softcap",  "select_rows", "slice", "quantize"};
  return kNames[op.index()];
}

ValueId Graph::Append(Op op, std::vector<ValueId> inputs, ValueType type, std::string value_name) {
  const auto output_value = static_cast<ValueId>(values.size());
  values.push_back({type, std::move(value_name)});
  nodes.push_back({std::move(op), std::move(inputs), output_value});
  return output_value;
}

WeightId Graph::AddWeight(Weight weight) {
  weights.push_back(std::move(weight));
  return static_cast<WeightId>(weights.size() - 1);
}

ValueId Graph::Tokens() {
  return Append(graph::Tokens{}, {}, {RowSpace::kTokens, 1, ElementType::kI32}, "tokens");
}

ValueId Graph::Embed(ValueId tokens, WeightId table, float scale, std::string value_name) {
  return Append(graph::Embed{table, scale}, {tokens},
                {TypeOf(tokens).rows, weights.at(table).cols(), ElementType::kF32},
                std::move(value_name));
}

ValueId Graph::RmsNorm(ValueId x, WeightId weight, float eps, int64_t groups, float weight_offset,
                       std::string value_name) {
  const int64_t width = TypeOf(x).width;
  if (groups <= 0 || width % groups != 0 || weights.at(weight).cols() != width / groups) {
    throw Error("rms_norm: {} in {} groups does not fit weight '{}' of {} values",
                Describe(values[x]), groups, weights.at(weight).name, weights.at(weight).cols());
  }
  return Append(graph::RmsNorm{weight, eps, groups, weight_offset}, {x}, TypeOf(x),
                std::move(value_name));
}

ValueId Graph::Linear(ValueId x, WeightId weight, std::string value_name) {
  const Weight& w = weights.at(weight);
  if (w.cols() != TypeOf(x).width) {
    throw Error("linear: {} does not fit weight '{}' [{}, {}]", Describe(values[x]), w.name,
                w.rows(), w.cols());
  }
  return Append(graph::Linear{weight}, {x}, {TypeOf(x).rows, w.rows(), ElementType::kF32},
                std::move(value_name));
}

ValueId Graph::Rope(ValueId x, int64_t num_heads, RopeAngles angles, std::string value_name) {
  if (num_heads <= 0 || TypeOf(x).width % (2 * num_heads) != 0) {
    throw Error("rope: {} has no {} heads of even size", Describe(values[x]), num_heads);
  }
  return Append(graph::Rope{num_heads, angles}, {x}, TypeOf(x), std::move(value_name));
}

ValueId Graph::Attention(ValueId q, ValueId k, ValueId v, const graph::Attention& attributes,
                         std::string value_name) {
  if (TypeOf(q).width != attributes.num_heads * attributes.head_dim) {
    throw Error("attention: q {} is not {} heads of {}", Describe(values[q]), attributes.num_heads,
                attributes.head_dim);
  }
  if (TypeOf(k).width != attributes.num_kv_heads * attributes.head_dim || TypeOf(k) != TypeOf(v)) {
    throw Error("attention: k {} and v {} are not {} heads of {}", Describe(values[k]),
                Describe(values[v]), attributes.num_kv_heads, attributes.head_dim);
  }
  return Append(attributes, {q, k, v}, TypeOf(q), std::move(value_name));
}

ValueId Graph::Add(ValueId a, ValueId b, std::string value_name) {
  if (TypeOf(a) != TypeOf(b)) Mismatch("add", values[a], values[b]);
  return Append(graph::Add{}, {a, b}, TypeOf(a), std::move(value_name));
}

ValueId Graph::Mul(ValueId a, ValueId b, std::string value_name) {
  if (TypeOf(a) != TypeOf(b)) Mismatch("mul", values[a], values[b]);
  return Append(graph::Mul{}, {a, b}, TypeOf(a), std::move(value_name));
}

ValueId Graph::GeluTanh(ValueId x, std::string value_name) {
  return Append(graph::GeluTanh{}, {x}, TypeOf(x), std::move(value_name));
}

ValueId Graph::Softcap(ValueId x, float cap, std::string value_name) {
  return Append(graph::Softcap{cap}, {x}, TypeOf(x), std::move(value_name));
}

ValueId Graph::SelectRows(ValueId x, std::string value_name) {
  ValueType type = TypeOf(x);
  type.rows = RowSpace::kOutputs;
  return Append(graph::SelectRows{}, {x}, type, std::move(value_name));
}

ValueId Graph::Slice(ValueId x, int64_t offset, int64_t width, std::string value_name) {
  ValueType type = TypeOf(x);
  if (offset < 0 || width <= 0 || offset + width > type.width) {
    throw Error("slice: columns {} to {} are not in {}", offset, offset + width,
                Describe(values[x]));
  }
  type.width = width;
  return Append(graph::Slice{offset}, {x}, type, std::move(value_name));
}

ValueId Graph::Quantize(ValueId x, std::string value_name) {
  ValueType type = TypeOf(x);
  type.element = ElementType::kI8Blocks;
  return Append(graph::Quantize{}, {x}, type, std::move(value_name));
}

}  // namespace carat::graph
