#include "carat/compiler/codegen/cpu/dimensions.h"

namespace carat::compiler {
namespace {

std::tuple<BufferId, int64_t, int64_t> KeyOf(const Operand& operand) {
  return {operand.buffer, operand.column, operand.width};
}

}  // namespace

Dimensions::Dimensions(const Program& program, const model::ModelConfig& config) : config_(config) {
  for (const Stage& stage : program.stages) Learn(program, stage);
  for (bool changed = true; changed;) {
    changed = false;
    for (const Stage& stage : program.stages) {
      const auto* loop = std::get_if<RowLoop>(&stage.work);
      if (loop == nullptr) continue;
      for (const RowOp& op : loop->ops) changed = Spread(op) || changed;
    }
  }
}

std::string Dimensions::Width(const Operand& operand) const {
  const auto name = names_.find(KeyOf(operand));
  return name == names_.end() ? std::to_string(operand.width) : std::string(name->second);
}

std::string Dimensions::GroupWidth(const Operand& operand, int64_t groups) const {
  const int64_t width = operand.width / groups;
  const auto name = names_.find(KeyOf(operand));
  const bool is_heads = name != names_.end() && name->second.ends_with(" * kHeadDim");
  return is_heads && width == config_.head_dim ? "kHeadDim" : std::to_string(width);
}

void Dimensions::Learn(const Program& program, const Stage& stage) {
  if (const auto* matmul = std::get_if<MatMul>(&stage.work)) {
    if (program.buffers[matmul->y.buffer].scope == BufferScope::kLogits) {
      Learn(matmul->y, "kVocabSize", config_.vocab_size);
    }
    if (matmul->linear.epilogue == graph::Epilogue::kGeluMul) {
      Learn(matmul->y, "kIntermediateSize", config_.intermediate_size);
    }
  } else if (const auto* attend = std::get_if<Attend>(&stage.work)) {
    for (const Operand& operand : {attend->q, attend->out}) {
      Learn(operand, "kNumHeads * kHeadDim", config_.num_attention_heads * config_.head_dim);
    }
  } else {
    for (const RowOp& op : std::get<RowLoop>(stage.work).ops) Learn(op);
  }
}

void Dimensions::Learn(const RowOp& op) {
  if (std::holds_alternative<graph::Embed>(op.work)) {
    Learn(op.output, "kHiddenSize", config_.hidden_size);
  } else if (std::holds_alternative<graph::GeluTanh>(op.work)) {
    Learn(op.output, "kIntermediateSize", config_.intermediate_size);
  } else if (std::holds_alternative<StoreKv>(op.work)) {
    for (const Operand& input : op.inputs) {
      Learn(input, "kNumKvHeads * kHeadDim", config_.num_key_value_heads * config_.head_dim);
    }
  }
}

// A name stands for its number only where that is the width.
void Dimensions::Learn(const Operand& operand, std::string_view name, int64_t width) {
  if (operand.width == width) names_.emplace(KeyOf(operand), name);
}

bool Dimensions::Spread(const RowOp& op) {
  if (op.inputs.empty() || op.output.buffer < 0) return false;
  bool changed = Unite(op.inputs[0], op.output);
  if (std::holds_alternative<graph::Add>(op.work) || std::holds_alternative<graph::Mul>(op.work)) {
    changed = Unite(op.inputs[1], op.output) || changed;
  }
  return changed;
}

bool Dimensions::Unite(const Operand& a, const Operand& b) {
  const auto name_a = names_.find(KeyOf(a));
  const auto name_b = names_.find(KeyOf(b));
  if ((name_a == names_.end()) == (name_b == names_.end())) return false;
  if (name_a == names_.end()) {
    names_.emplace(KeyOf(a), name_b->second);
  } else {
    names_.emplace(KeyOf(b), name_a->second);
  }
  return true;
}

}  // namespace carat::compiler
