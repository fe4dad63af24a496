#include "carat/graph/verifier.h"

#include <array>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "carat/base/error.h"
#include "carat/graph/printer.h"

namespace carat::graph {
namespace {

using quantization::WeightFormat;

// Checks the weights by themselves: what of them does not depend on who reads them.
void VerifyWeight(const Weight& weight) {
  const auto fail = [&](std::string_view what) {
    throw Error("weight '{}': {}", weight.name, what);
  };
  if (weight.parts.empty()) fail("has no parts");
  for (const SourceTensor& part : weight.parts) {
    if (part.rows <= 0 || part.cols <= 0) fail("a part is empty");
    if (part.cols != weight.cols()) fail("its parts differ in columns");
  }
  if (weight.cols() % quantization::BlockValues(weight.format) != 0) {
    fail(fmt::format("rows of {} values are not whole blocks of {}", weight.cols(),
                     quantization::FormatName(weight.format)));
  }
  if (weight.arrangement == Arrangement::kInterleave &&
      (weight.parts.size() != 2 || weight.parts[0].rows != weight.parts[1].rows)) {
    fail("only two parts of equal height interleave");
  }
}

// Walks the nodes in order. Each op has a Check that returns the type of its output.
class Verifier {
 public:
  explicit Verifier(const Graph& graph)
      : graph_(graph),
        made_(graph.values.size(), false),
        read_(graph.values.size(), false),
        used_(graph.weights.size(), false) {}

  void Run() {
    for (const Weight& weight : graph_.weights) VerifyWeight(weight);
    for (const Node& node : graph_.nodes) VerifyNode(node);
    VerifyOutput();
    VerifyNothingIsLeftOver();
  }

 private:
  void VerifyNode(const Node& node) {
    node_ = &node;
    for (const ValueId input : node.inputs) {
      if (!IsValue(input)) Fail("%{} is no value", input);
      if (!made_[input]) Fail("%{} is read before it is made", input);
      read_[input] = true;
    }
    if (!IsValue(node.output)) Fail("%{} is no value", node.output);
    if (made_[node.output]) Fail("%{} is made a second time", node.output);
    const ValueType expected = std::visit([this](const auto& op) { return Check(op); }, node.op);
    if (graph_.TypeOf(node.output) != expected) {
      Fail("its type must be {}", PrintType(expected));
    }
    made_[node.output] = true;
  }

  void VerifyOutput() const {
    if (!IsValue(graph_.output) || !made_[graph_.output]) {
      throw Error("the graph's output %{} is not made by any node", graph_.output);
    }
    const ValueType& type = graph_.TypeOf(graph_.output);
    if (type.rows != RowSpace::kOutputs || type.element != ElementType::kF32) {
      throw Error("the graph's output is {}; logits are f32[r, vocab_size]", PrintType(type));
    }
  }

  void VerifyNothingIsLeftOver() const {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      if (!made_[i]) throw Error("value %{} '{}' has no node", i, graph_.values[i].name);
      if (!read_[i] && static_cast<ValueId>(i) != graph_.output) {
        throw Error("value %{} '{}' is never read", i, graph_.values[i].name);
      }
    }
    for (size_t i = 0; i < graph_.weights.size(); ++i) {
      if (!used_[i]) throw Error("weight '{}' is never used", graph_.weights[i].name);
    }
  }

  // --- The ops ---

  ValueType Check(const Tokens&) {
    Inputs<0>();
    return {RowSpace::kTokens, 1, ElementType::kI32};
  }

  ValueType Check(const Embed& op) {
    const auto [tokens] = Inputs<1>();
    if (tokens != ValueType{RowSpace::kTokens, 1, ElementType::kI32}) {
      Fail("its input must be i32[n, 1], not {}", PrintType(tokens));
    }
    const Weight& table = Use(op.table);
    RequireConcatenated(table);
    return {tokens.rows, table.cols(), ElementType::kF32};
  }

  ValueType Check(const RmsNorm& op) {
    const auto [x] = Inputs<1>();
    RequireF32(x);
    const Weight& weight = Use(op.weight);
    if (!weight.is_vector() || weight.format != WeightFormat::kF32) {
      Fail("weight '{}' must be an f32 vector", weight.name);
    }
    if (op.groups <= 0 || x.width != op.groups * weight.cols()) {
      Fail("{} groups of the weight's {} values are not the input's {}", op.groups, weight.cols(),
           x.width);
    }
    return x;
  }

  ValueType Check(const Linear& op) {
    const auto [x] = Inputs<1>();
    const Weight& weight = Use(op.weight);
    if (x.element == ElementType::kI8Blocks) {
      if (quantization::BlockValues(weight.format) == 1) {
        Fail("int8 activations need q4_0 or q8_0 weights, and '{}' is {}", weight.name,
             quantization::FormatName(weight.format));
      }
    } else {
      RequireF32(x);
    }
    if (x.width != weight.cols()) {
      Fail("the input's width {} is not the weight's {} columns", x.width, weight.cols());
    }
    if (op.epilogue == Epilogue::kStore) {
      RequireConcatenated(weight);
      return {x.rows, weight.rows(), ElementType::kF32};
    }
    if (weight.arrangement != Arrangement::kInterleave) {
      Fail("gelu_mul reads gate and up interleaved, and '{}' is not", weight.name);
    }
    return {x.rows, weight.rows() / 2, ElementType::kF32};
  }

  ValueType Check(const Rope& op) {
    const auto [x] = Inputs<1>();
    RequireF32(x);
    RequirePositions(x);
    if (op.num_heads <= 0 || x.width % (2 * op.num_heads) != 0) {
      Fail("{} values are no {} heads of even size", x.width, op.num_heads);
    }
    if (!(op.angles.theta > 0) || !(op.angles.linear_factor > 0)) {
      Fail("theta and linear_factor must be positive");
    }
    return x;
  }

  ValueType Check(const Attention& op) {
    const auto [q, k, v] = Inputs<3>();
    for (const ValueType& type : {q, k, v}) {
      RequireF32(type);
      RequirePositions(type);
    }
    if (op.num_heads <= 0 || op.num_kv_heads <= 0 || op.head_dim <= 0 ||
        op.num_heads % op.num_kv_heads != 0) {
      Fail("{} query heads cannot share {} key/value heads of size {}", op.num_heads,
           op.num_kv_heads, op.head_dim);
    }
    if (q.width != op.num_heads * op.head_dim) Fail("q is {} wide", q.width);
    if (k.width != op.num_kv_heads * op.head_dim) Fail("k is {} wide", k.width);
    if (v.width != k.width) Fail("v is {} wide and k is {}", v.width, k.width);
    if (op.sliding_window < 0) Fail("the window is negative");
    if (op.softcap && !(*op.softcap > 0)) Fail("the softcap must be positive");
    if (op.layer <= last_layer_) {
      Fail("layer {} comes after layer {}: caches are filled in order", op.layer, last_layer_);
    }
    last_layer_ = op.layer;
    return q;
  }

  ValueType Check(const Add&) { return CheckBinary(); }
  ValueType Check(const Mul&) { return CheckBinary(); }
  ValueType Check(const GeluTanh&) { return CheckUnary(); }

  ValueType Check(const Softcap& op) {
    if (!(op.cap > 0)) Fail("the cap must be positive");
    return CheckUnary();
  }

  ValueType Check(const SelectRows&) {
    ValueType x = CheckUnary();
    if (x.rows != RowSpace::kTokens) Fail("its rows are selected already");
    x.rows = RowSpace::kOutputs;
    return x;
  }

  ValueType Check(const Slice& op) {
    ValueType x = CheckUnary();
    const int64_t width = graph_.TypeOf(node_->output).width;
    if (op.offset < 0 || width <= 0 || width > x.width || op.offset > x.width - width) {
      Fail("columns {} to {} are not in {}", op.offset, op.offset + width, PrintType(x));
    }
    x.width = width;
    return x;
  }

  ValueType Check(const Quantize&) {
    ValueType x = CheckUnary();
    // The blocks of the weights that they are multiplied with.
    const int64_t block = quantization::BlockValues(WeightFormat::kQ8_0);
    if (x.width % block != 0) Fail("{} values are not whole blocks of {}", x.width, block);
    x.element = ElementType::kI8Blocks;
    return x;
  }

  ValueType CheckUnary() {
    const auto [x] = Inputs<1>();
    RequireF32(x);
    return x;
  }

  ValueType CheckBinary() {
    const auto [a, b] = Inputs<2>();
    RequireF32(a);
    if (a != b) Fail("{} and {} differ", PrintType(a), PrintType(b));
    return a;
  }

  // --- What the checks are made of ---

  template <size_t kCount>
  std::array<ValueType, kCount> Inputs() const {
    if (node_->inputs.size() != kCount) {
      Fail("has {} inputs instead of {}", node_->inputs.size(), kCount);
    }
    std::array<ValueType, kCount> types;
    for (size_t i = 0; i < kCount; ++i) types[i] = graph_.TypeOf(node_->inputs[i]);
    return types;
  }

  const Weight& Use(WeightId id) {
    if (id < 0 || id >= static_cast<WeightId>(graph_.weights.size())) {
      Fail("there is no weight {}", id);
    }
    used_[id] = true;
    return graph_.weights[id];
  }

  void RequireF32(const ValueType& type) const {
    if (type.element != ElementType::kF32) Fail("its input must be f32, not {}", PrintType(type));
  }

  void RequirePositions(const ValueType& type) const {
    if (type.rows != RowSpace::kTokens) Fail("selected rows have lost their positions");
  }

  void RequireConcatenated(const Weight& weight) const {
    if (weight.arrangement != Arrangement::kConcatenate) {
      Fail("weight '{}' is interleaved, which only gelu_mul takes apart", weight.name);
    }
  }

  bool IsValue(ValueId id) const {
    return id >= 0 && id < static_cast<ValueId>(graph_.values.size());
  }

  template <typename... Args>
  [[noreturn]] void Fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw Error("{}: {}", PrintNode(graph_, *node_),
                fmt::format(format, std::forward<Args>(args)...));
  }

  const Graph& graph_;
  const Node* node_ = nullptr;  // under examination
  std::vector<bool> made_;      // by value
  std::vector<bool> read_;      // by value
  std::vector<bool> used_;      // by weight
  int64_t last_layer_ = -1;
};

}  // namespace

void Verify(const Graph& graph) { Verifier(graph).Run(); }

}  // namespace carat::graph
