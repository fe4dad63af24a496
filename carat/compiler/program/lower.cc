// Graph -> Program: one stage a node.
//
//   %5 = linear(%4, @qkv)                 MatMul   qkv <- x_q8, @qkv
//   %6 = slice(%5) {0}                    (an operand: qkv[0:1024])
//   %9 = rms_norm(%6, @q_norm)      ->    RowLoop  q <- rms_norm qkv[0:1024]
//   %12 = rope(%9)                        RowLoop  q <- rope q, angles          in place: %9 dies
//   %13 = attention(%12, %10, %8)         RowLoop  store_kv k, qkv[1280:1536]
//                                         Attend   attn <- q

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "carat/base/error.h"
#include "carat/compiler/passes/rewriter.h"
#include "carat/compiler/program/program.h"

namespace carat::compiler {
namespace {

constexpr int64_t kRowAlignment = 64;

// "layers.3.q" -> 3; -1 for what belongs to no layer.
int LayerOf(const std::string& value_name) {
  constexpr std::string_view kPrefix = "layers.";
  if (!value_name.starts_with(kPrefix)) return -1;
  return std::stoi(value_name.substr(kPrefix.size()));
}

std::string RoleOf(const std::string& value_name) {
  if (LayerOf(value_name) < 0) return value_name;
  return value_name.substr(value_name.find('.', value_name.find('.') + 1) + 1);
}

class Lowering {
 public:
  Lowering(const graph::Graph& graph, const LoweringOptions& options, const TargetTraits& target)
      : graph_(graph), target_(target), users_(UsersOf(graph)), operands_(graph.values.size()) {
    program_.name = graph.name;
    program_.weights = graph.weights;
    program_.max_rows = options.prefill_chunk_size;
  }

  Program Run() && {
    for (node_ = 0; node_ < static_cast<int>(graph_.nodes.size()); ++node_) {
      const graph::Node& node = graph_.nodes[node_];
      layer_ = LayerOf(graph_.values[node.output].name);
      std::visit([&](const auto& op) { LowerNode(node, op); }, node.op);
    }
    return std::move(program_);
  }

 private:
  // --- One overload for each kind of node ---

  void LowerNode(const graph::Node&, const graph::Tokens&) {}  // the caller's tokens, not a buffer

  void LowerNode(const graph::Node& node, const graph::Slice& slice) {
    Operand operand = operands_[node.inputs[0]];
    operand.column += slice.offset;
    operand.width = graph_.TypeOf(node.output).width;
    operands_[node.output] = operand;
  }

  void LowerNode(const graph::Node& node, const graph::Linear& linear) {
    const Operand x = operands_[node.inputs[0]];
    const Operand y = NewBuffer(node.output);
    Emit(MatMul{graph_.TypeOf(node.output).rows, linear, x, y});
  }

  void LowerNode(const graph::Node& node, const graph::Attention& attention) {
    const Operand q = operands_[node.inputs[0]];
    EmitRow(StoreKv{attention}, {operands_[node.inputs[1]], operands_[node.inputs[2]]}, {},
            graph::RowSpace::kTokens);
    Emit(Attend{attention, q, NewBuffer(node.output)});
  }

  void LowerNode(const graph::Node& node, const graph::Rope& rope) {
    const int64_t head_dim = graph_.TypeOf(node.output).width / rope.num_heads;
    const Operand angles = Angles(rope.angles, head_dim);
    EmitRow(rope, {operands_[node.inputs[0]], angles}, InPlaceOrNew(node),
            graph_.TypeOf(node.output).rows);
  }

  void LowerNode(const graph::Node& node, const graph::Embed& embed) {
    EmitRow(embed, {}, NewBuffer(node.output), graph_.TypeOf(node.output).rows);
  }

  void LowerNode(const graph::Node& node, const graph::SelectRows& select) {
    EmitRow(select, {operands_[node.inputs[0]]}, NewBuffer(node.output), graph::RowSpace::kOutputs);
  }

  void LowerNode(const graph::Node& node, const graph::Quantize& quantize) {
    EmitRow(quantize, {operands_[node.inputs[0]]}, NewBuffer(node.output),
            graph_.TypeOf(node.output).rows);
  }

  void LowerNode(const graph::Node& node, const graph::Softcap& softcap) {
    const Operand x = operands_[node.inputs[0]];
    // The caller's logits are capped where they lie.
    const bool at_output = node.output == graph_.output && IsLogits(x);
    const Operand y = at_output ? Adopt(node.output, x) : InPlaceOrNew(node);
    EmitRow(softcap, {x}, y, graph_.TypeOf(node.output).rows);
  }

  // rms_norm, add, mul, gelu_tanh
  template <typename Elementwise>
  void LowerNode(const graph::Node& node, const Elementwise& op) {
    std::vector<Operand> inputs;
    for (graph::ValueId input : node.inputs) inputs.push_back(operands_[input]);
    EmitRow(op, std::move(inputs), InPlaceOrNew(node), graph_.TypeOf(node.output).rows);
  }

  // --- Buffers ---

  int64_t RowBytes(const graph::ValueType& type) const {
    if (type.element == graph::ElementType::kI8Blocks) {
      return target_.quantized_row_bytes(type.width);
    }
    return (type.width * 4 + kRowAlignment - 1) / kRowAlignment * kRowAlignment;
  }

  Operand NewBuffer(graph::ValueId value) {
    const graph::Value& v = graph_.values[value];
    Buffer buffer{RoleOf(v.name), v.type, BufferScope::kShared, RowBytes(v.type), -1, -1};
    if (BecomesLogits(value)) {
      buffer.name = "logits";
      buffer.scope = BufferScope::kLogits;
    }
    program_.buffers.push_back(std::move(buffer));
    last_writer_is_row_op_.push_back(false);
    return Adopt(value, {static_cast<BufferId>(program_.buffers.size()) - 1, 0, v.type.width});
  }

  Operand Adopt(graph::ValueId value, Operand operand) {
    operands_[value] = operand;
    return operand;
  }

  // The output value itself, or what its final softcap is computed from.
  bool BecomesLogits(graph::ValueId value) const {
    if (value == graph_.output) return true;
    if (users_[value].size() != 1) return false;
    const graph::Node& user = graph_.nodes[users_[value].front()];
    return user.output == graph_.output && std::holds_alternative<graph::Softcap>(user.op);
  }

  bool IsLogits(const Operand& operand) const {
    return program_.buffers[operand.buffer].scope == BufferScope::kLogits;
  }

  // The first input's buffer if it was made by per-row work, is used whole and dies here: rows are
  // then changed by the thread that made them. Where other threads may still read the old rows,
  // PlaceBarriers lets them finish.
  Operand InPlaceOrNew(const graph::Node& node) {
    for (graph::ValueId input : node.inputs) {
      const Operand& operand = operands_[input];
      if (operand.buffer < 0 || !last_writer_is_row_op_[operand.buffer]) continue;
      const Buffer& buffer = program_.buffers[operand.buffer];
      const bool is_whole = operand.column == 0 && operand.width == buffer.type.width;
      if (is_whole && buffer.type == graph_.TypeOf(node.output) && DiesHere(operand)) {
        return Adopt(node.output, operand);
      }
    }
    return NewBuffer(node.output);
  }

  // No later node reads any value that lies in the operand's buffer.
  bool DiesHere(const Operand& operand) const {
    for (size_t value = 0; value < operands_.size(); ++value) {
      if (operands_[value].buffer != operand.buffer) continue;
      if (std::ranges::any_of(users_[value], [&](int user) { return user > node_; })) return false;
    }
    return true;
  }

  // Rows of cosines and sines, made once a step for each RoPE base.
  Operand Angles(const graph::RopeAngles& angles, int64_t head_dim) {
    for (const auto& [known, operand] : angles_) {
      if (known == angles && operand.width == head_dim) return operand;
    }
    const graph::ValueType type{graph::RowSpace::kTokens, head_dim, graph::ElementType::kF32};
    program_.buffers.push_back({.name = fmt::format("angles_{}", angles_.size()),
                                .type = type,
                                .scope = BufferScope::kShared,
                                .row_bytes = RowBytes(type)});
    last_writer_is_row_op_.push_back(true);
    const Operand operand{static_cast<BufferId>(program_.buffers.size()) - 1, 0, head_dim};
    angles_.push_back({angles, operand});
    // First of all stages: every layer reads them.
    RowLoop loop{graph::RowSpace::kTokens, false, {{ComputeAngles{angles}, {}, operand}}};
    const auto position = program_.stages.begin() + static_cast<int64_t>(angles_.size()) - 1;
    program_.stages.insert(position, {std::move(loop), Barrier::kNone, -1});
    return operand;
  }

  // --- Stages ---

  void EmitRow(RowWork work, std::vector<Operand> inputs, Operand output, graph::RowSpace rows) {
    if (output.buffer >= 0) last_writer_is_row_op_[output.buffer] = !IsLogits(output);
    Emit(RowLoop{rows, false, {{work, std::move(inputs), output}}});
  }

  void Emit(std::variant<RowLoop, MatMul, Attend> work) {
    program_.stages.push_back({std::move(work), Barrier::kNone, layer_});
  }

  const graph::Graph& graph_;
  const TargetTraits& target_;
  std::vector<std::vector<int>> users_;
  std::vector<Operand> operands_;  // where each value lies
  std::vector<bool> last_writer_is_row_op_;
  std::vector<std::pair<graph::RopeAngles, Operand>> angles_;
  Program program_;
  int node_ = 0;
  int layer_ = -1;
};

}  // namespace

Program Lower(const graph::Graph& graph, const LoweringOptions& options,
              const TargetTraits& target) {
  return Lowering(graph, options, target).Run();
}

Program MakeProgram(const graph::Graph& graph, const LoweringOptions& options,
                    const TargetTraits& target) {
  Program program = Lower(graph, options, target);
  if (options.level >= OptLevel::kO2) FuseRowLoops(program);
  AssignScopes(program, options.level);
  PlaceBarriers(program);
  PlanBuffers(program, target);
  return program;
}

}  // namespace carat::compiler
