// The intermediate representation of a model: values, operations and weights.
//
// A Graph describes one step of inference: n tokens go in, logits of r of them come out. Both
// counts are known only when the step runs; every other dimension is a constant. Each value is a
// matrix
//
//     [n or r, width]      one row a token, row-major
//
// so a value's type is its row space, its width and its element type. Nodes are in execution order,
// and each makes exactly one value (static single assignment). Architectures (model/gemma3.cc)
// build a Graph with the methods below, which check shapes as they go; passes (compiler/passes)
// rewrite it; the verifier checks it after each of them.

#ifndef CARAT_GRAPH_GRAPH_H_
#define CARAT_GRAPH_GRAPH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "carat/graph/ops.h"
#include "carat/graph/weight.h"

namespace carat::graph {

// The two symbolic dimensions.
enum class RowSpace {
  kTokens,   // n: the tokens of the step
  kOutputs,  // r: the tokens whose logits are asked for
};

enum class ElementType {
  kI32,
  kF32,
  kI8Blocks,  // int8 with an f32 scale per 32 values: the activation side of integer dot products
};

struct ValueType {
  RowSpace rows = RowSpace::kTokens;
  int64_t width = 0;
  ElementType element = ElementType::kF32;

  bool operator==(const ValueType&) const = default;
};

using ValueId = int32_t;

struct Value {
  ValueType type;
  std::string name;  // "layers.3.q", for people
};

struct Node {
  Op op;
  std::vector<ValueId> inputs;
  ValueId output = -1;
};

class Graph {
 public:
  Graph() = default;
  explicit Graph(std::string model_name) : name(std::move(model_name)) {}

  // --- Building. Each method appends one node and returns the value it makes; a wrong shape throws
  // Error. `name` labels the value in dumps and generated code. ---

  // The step's token ids, int32 [n, 1].
  ValueId Tokens();

  // h[i] = table[token[i]] * scale.
  ValueId Embed(ValueId tokens, WeightId table, float scale, std::string name);

  // Splits each row into `groups` of equal size (1: the whole row; num_heads: one per head) and
  // normalises each: y = x / sqrt(mean(x^2) + eps) * (weight + weight_offset).
  ValueId RmsNorm(ValueId x, WeightId weight, float eps, int64_t groups, float weight_offset,
                  std::string name);

  // y = x @ weight^T, weight [out, in].
  ValueId Linear(ValueId x, WeightId weight, std::string name);

  // Rotates each head's halves (rotate_half) by the angles of the token's position.
  ValueId Rope(ValueId x, int64_t num_heads, RopeAngles angles, std::string name);

  // Appends k and v to the layer's cache, then softmax(mask(q @ k^T * scale)) @ v per query head.
  ValueId Attention(ValueId q, ValueId k, ValueId v, const graph::Attention& attributes,
                    std::string name);

  ValueId Add(ValueId a, ValueId b, std::string name);
  ValueId Mul(ValueId a, ValueId b, std::string name);
  ValueId GeluTanh(ValueId x, std::string name);

  // y = cap * tanh(x / cap).
  ValueId Softcap(ValueId x, float cap, std::string name);

  // The rows whose logits are asked for: [n, width] -> [r, width].
  ValueId SelectRows(ValueId x, std::string name);

  // Columns [offset, offset + width).
  ValueId Slice(ValueId x, int64_t offset, int64_t width, std::string name);

  // f32 -> int8 blocks of 32.
  ValueId Quantize(ValueId x, std::string name);

  // Appends a node as it is, for passes; the verifier judges the result.
  ValueId Append(Op op, std::vector<ValueId> inputs, ValueType type, std::string name);

  WeightId AddWeight(Weight weight);

  // --- Reading ---

  const ValueType& TypeOf(ValueId value) const { return values.at(value).type; }

  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<Weight> weights;
  ValueId output = -1;  // the logits, f32 [r, vocab_size]
};

}  // namespace carat::graph

#endif  // CARAT_GRAPH_GRAPH_H_
