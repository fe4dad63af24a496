#include "carat/compiler/codegen/webgpu/model_buffers.h"

#include <algorithm>

namespace carat::compiler::webgpu {
namespace {

constexpr int64_t kKvBytes = 2;  // f16
constexpr int64_t kNoWindow = int64_t{1} << 30;

// What the function `embed` makes, and prefill and decode are given.
BufferId EmbeddingOf(const Program& program) {
  for (const Stage& stage : program.stages) {
    const auto* loop = std::get_if<RowLoop>(&stage.work);
    if (loop == nullptr) continue;
    for (const RowOp& op : loop->ops) {
      if (std::holds_alternative<graph::Embed>(op.work)) return op.output.buffer;
    }
  }
  return -1;
}

}  // namespace

std::string RoleOf(const Program& program, BufferId buffer) {
  const std::string& name = program.buffers[buffer].name;
  const size_t end = name.find_last_not_of("0123456789");
  return end + 1 < name.size() && name[end] == '_' ? name.substr(0, end) : name;
}

ModelBuffers::ModelBuffers(const Program& program, const model::ModelConfig& config)
    : program_(program), config_(config) {
  AddScratch(kMaxSplits * config.num_attention_heads * (config.head_dim + 2) * 4);
}

void ModelBuffers::Begin(Step step) {
  step_ = step;
  split_of_.clear();
  current_ = {{EmbeddingOf(program_), {Place::kArgument, 0}}};
}

Reference ModelBuffers::Current(BufferId buffer) {
  const auto current = current_.find(buffer);
  return current == current_.end() ? Home(buffer) : current->second;
}

Reference ModelBuffers::Write(BufferId buffer, bool elsewhere) {
  const Reference current = Current(buffer);
  const Reference home = Home(buffer);
  const bool is_home = current.place == home.place && current.index == home.index;
  split_of_.erase(buffer);
  return current_[buffer] = elsewhere && is_home ? SecondHome(buffer) : home;
}

Reference ModelBuffers::WriteSplits(BufferId attention, const graph::Attention& of) {
  split_of_.insert_or_assign(attention, of);
  return Splits();
}

const graph::Attention* ModelBuffers::SplitOf(BufferId attention) const {
  const auto split = split_of_.find(attention);
  return split == split_of_.end() ? nullptr : &split->second;
}

int64_t ModelBuffers::WindowOf(const graph::Attention& attention) const {
  return attention.sliding_window > 0 ? attention.sliding_window : kNoWindow;
}

int64_t ModelBuffers::SlotsOf(const graph::Attention& attention) const {
  return attention.sliding_window > 0 ? attention.sliding_window + program_.max_rows : kNoWindow;
}

Expression ModelBuffers::NumSplits(int64_t sliding_window) {
  const int64_t most =
      sliding_window == 0
          ? kMaxSplits
          : std::min(kMaxSplits, (sliding_window + kKeysPerSplit - 1) / kKeysPerSplit);
  return AtMost(Ratio(Variable::kTotal, 1, kKeysPerSplit), most);
}

void ModelBuffers::AddTo(PlanModel& plan) const {
  for (const int64_t num_bytes : scratch_bytes_) plan.scratch.push_back(Constant(num_bytes));
  const int64_t token_bytes = config_.num_key_value_heads * config_.head_dim * kKvBytes;
  for (const model::LayerKind kind : config_.layer_types) {
    Expression size = Ratio(Variable::kContext, token_bytes, 1);
    if (kind == model::LayerKind::kSlidingAttention) {
      size = AtMost(size, (config_.sliding_window + program_.max_rows) * token_bytes);
    }
    plan.cache.insert(plan.cache.end(), 2, size);  // keys, values
  }
}

uint32_t ModelBuffers::AddScratch(int64_t num_bytes) {
  scratch_bytes_.push_back(num_bytes);
  return static_cast<uint32_t>(scratch_bytes_.size()) - 1;
}

int64_t ModelBuffers::NumBytes(BufferId buffer) const {
  const graph::ValueType& type = program_.buffers[buffer].type;
  return (type.rows == graph::RowSpace::kTokens ? program_.max_rows : 1) * type.width * 4;
}

Reference ModelBuffers::Home(BufferId buffer) {
  if (program_.buffers[buffer].scope == BufferScope::kLogits) return {Place::kResult, 0};
  if (!homes_.contains(buffer)) homes_[buffer] = AddScratch(NumBytes(buffer));
  return {Place::kScratch, homes_[buffer]};
}

Reference ModelBuffers::SecondHome(BufferId buffer) {
  if (!second_homes_.contains(buffer)) second_homes_[buffer] = AddScratch(NumBytes(buffer));
  return {Place::kScratch, second_homes_[buffer]};
}

}  // namespace carat::compiler::webgpu
