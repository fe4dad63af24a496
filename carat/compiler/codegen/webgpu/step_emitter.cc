#include "carat/compiler/codegen/webgpu/step_emitter.h"

#include <algorithm>
#include <utility>

#include "carat/compiler/codegen/webgpu/wgsl.h"
#include "carat/compiler/program/walk.h"

namespace carat::compiler::webgpu {
namespace {

// Rows of a matrix beyond which making its input again in every workgroup costs more than a
// dispatch: the head has 262144, other matrices of Gemma 3 270M at most 2048.
constexpr int64_t kMaxFusedRows = 16384;

}  // namespace

std::vector<PlanLaunch> StepEmitter::EmitStep(Step step, std::set<BufferId> wanted) {
  buffers_.Begin(step);
  wanted_ = std::move(wanted);
  launches_.clear();
  for (size_t i = 0; i < program_.stages.size();) {
    const Stage& stage = program_.stages[i];
    if (const auto* loop = std::get_if<RowLoop>(&stage.work)) {
      i += EmitRows(*loop, i);
      continue;
    }
    if (const auto* matmul = std::get_if<MatMul>(&stage.work)) EmitMatMul(*matmul, nullptr, i);
    if (const auto* attend = std::get_if<Attend>(&stage.work)) EmitAttention(*attend);
    ++i;
  }
  return std::move(launches_);
}

size_t StepEmitter::EmitRows(const RowLoop& loop, size_t index) {
  RowLoop rest{loop.rows, loop.replicated, {}};
  for (const RowOp& op : loop.ops) {
    // The embedding is a function of its own; a cap on logits is done where they are made.
    const bool is_elsewhere =
        std::holds_alternative<graph::Embed>(op.work) ||
        (op.output.buffer >= 0 && program_.buffers[op.output.buffer].scope == BufferScope::kLogits);
    if (!is_elsewhere) rest.ops.push_back(op);
  }
  if (rest.ops.empty()) return 1;
  const bool has_next = index + 1 < program_.stages.size();
  const auto* matmul = has_next ? std::get_if<MatMul>(&program_.stages[index + 1].work) : nullptr;
  if (matmul != nullptr && matmul->rows == loop.rows && buffers_.HasOneRow(loop.rows) &&
      matmul->y.width <= kMaxFusedRows) {
    EmitMatMul(*matmul, &rest, index + 1);
    return 2;
  }
  KernelBuilder kernel;
  RowOps ops(program_, buffers_, weights_, features_, kernel);
  ops.Append(rest.ops, {}, ReadFrom(index + 1));
  const std::string body = ops.Finish();
  const bool has_one_row = buffers_.HasOneRow(loop.rows);
  const Operand& last =
      rest.ops.back().output.buffer >= 0 ? rest.ops.back().output : rest.ops.back().inputs.front();
  Add(kernel, "rows_" + RoleOf(last),
      Fill("row_loop.wgsl", {{"declarations", kernel.Declarations()},
                             {"entry", kEntryPlaceholder},
                             {"threads", std::to_string(kRowThreads)},
                             {"body", body}}),
      has_one_row ? Constant(1) : Of(Variable::kTokens), Constant(1));
  return 1;
}

void StepEmitter::EmitMatMul(const MatMul& matmul, const RowLoop* before, size_t index) {
  if (buffers_.HasOneRow(matmul.rows)) {
    EmitGemv(matmul, before, index);
  } else {
    EmitGemm(matmul);
  }
}

void StepEmitter::EmitAttention(const Attend& attend) {
  if (buffers_.step() == Step::kOneToken) {
    EmitAttentionRow(attend);
  } else {
    EmitAttentionRows(attend);
  }
}

std::set<BufferId> StepEmitter::ReadFrom(size_t index) const {
  std::set<BufferId> read;
  std::set<BufferId> written;
  for (size_t i = index; i < program_.stages.size(); ++i) {
    Stage stage = program_.stages[i];  // ForEachAccess may change operands
    ForEachAccess(stage, [&](const auto& access) {
      const BufferId buffer = access.operand->buffer;
      if (access.is_write) {
        written.insert(buffer);
      } else if (!written.contains(buffer)) {
        read.insert(buffer);
      }
    });
  }
  for (const BufferId buffer : wanted_) {
    if (!written.contains(buffer)) read.insert(buffer);
  }
  return read;
}

float StepEmitter::SoftcapAfter(size_t index) const {
  if (index + 1 >= program_.stages.size()) return 0;
  const auto* loop = std::get_if<RowLoop>(&program_.stages[index + 1].work);
  if (loop == nullptr) return 0;
  const auto* softcap = std::get_if<graph::Softcap>(&loop->ops.front().work);
  const bool is_of_logits =
      softcap != nullptr &&
      program_.buffers[loop->ops.front().output.buffer].scope == BufferScope::kLogits;
  return is_of_logits ? softcap->cap : 0;
}

void StepEmitter::Add(KernelBuilder& kernel, const std::string& name, const std::string& wgsl,
                      const Expression& grid_x, const Expression& grid_y) {
  auto [built, launch] = kernel.Finish(name, wgsl);
  launch.kernel = kernels_.Add(std::move(built));
  launch.grid_x = grid_x;
  launch.grid_y = grid_y;
  launches_.push_back(std::move(launch));
}

}  // namespace carat::compiler::webgpu
