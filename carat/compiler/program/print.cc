// A Program as text, for --debug-dump: one line an operation, then the buffers.

#include <fmt/format.h>

#include <string>
#include <type_traits>

#include "carat/compiler/program/program.h"

namespace carat::compiler {
namespace {

std::string Text(const Program& program, const Operand& operand) {
  const Buffer& buffer = program.buffers[operand.buffer];
  if (operand.column == 0 && operand.width == buffer.type.width) return buffer.name;
  return fmt::format("{}[{}:{}]", buffer.name, operand.column, operand.column + operand.width);
}

std::string WorkText(const Program& program, const RowWork& work) {
  return std::visit(
      [&](const auto& op) -> std::string {
        using T = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<T, ComputeAngles>) {
          return fmt::format("angles theta={} factor={}", op.angles.theta, op.angles.linear_factor);
        } else if constexpr (std::is_same_v<T, StoreKv>) {
          return fmt::format("store_kv layer={}", op.attention.layer);
        } else if constexpr (std::is_same_v<T, graph::Embed>) {
          return fmt::format("embed @{}", program.weights[op.table].name);
        } else if constexpr (std::is_same_v<T, graph::RmsNorm>) {
          return fmt::format("rms_norm @{} groups={}", program.weights[op.weight].name, op.groups);
        } else {
          return std::string(graph::OpName(op));
        }
      },
      work);
}

std::string_view RowsText(graph::RowSpace rows) {
  return rows == graph::RowSpace::kTokens ? "n" : "r";
}

std::string StageText(const Program& program, const Stage& stage) {
  if (const auto* matmul = std::get_if<MatMul>(&stage.work)) {
    return fmt::format("matmul [{}]  {} <- {} @{}{}\n", RowsText(matmul->rows),
                       Text(program, matmul->y), Text(program, matmul->x),
                       program.weights[matmul->linear.weight].name,
                       matmul->linear.epilogue == graph::Epilogue::kGeluMul ? " gelu_mul" : "");
  }
  if (const auto* attend = std::get_if<Attend>(&stage.work)) {
    return fmt::format("attend  {} <- {} layer={} window={}\n", Text(program, attend->out),
                       Text(program, attend->q), attend->attention.layer,
                       attend->attention.sliding_window);
  }
  const auto& loop = std::get<RowLoop>(stage.work);
  std::string text =
      fmt::format("rows [{}]{}\n", RowsText(loop.rows), loop.replicated ? " replicated" : "");
  for (const RowOp& op : loop.ops) {
    text += "    ";
    if (op.output.buffer >= 0) text += Text(program, op.output) + " <- ";
    text += WorkText(program, op.work);
    for (const Operand& input : op.inputs) text += " " + Text(program, input);
    text += "\n";
  }
  return text;
}

std::string_view ScopeText(BufferScope scope) {
  switch (scope) {
    case BufferScope::kLogits:
      return "logits";
    case BufferScope::kShared:
      return "shared";
    case BufferScope::kReplicated:
      return "replicated";
    case BufferScope::kRow:
      return "row";
  }
  return "";
}

}  // namespace

std::string Print(const Program& program) {
  std::string text = fmt::format("program {}\n\n", program.name);
  for (const Stage& stage : program.stages) {
    if (stage.barrier_before == Barrier::kAlways) text += "--- barrier\n";
    if (stage.barrier_before == Barrier::kUnlessReplicated)
      text += "--- barrier if rows are split\n";
    text += StageText(program, stage);
  }
  text += fmt::format("\nbuffers: {} bytes shared ({} rows), {} bytes a thread\n",
                      program.shared_bytes, program.max_rows, program.thread_bytes);
  for (const Buffer& buffer : program.buffers) {
    if (buffer.shared_offset < 0 && buffer.thread_offset < 0) continue;
    text += fmt::format("  {:<24} {:>10} x {} bytes  {:<10} shared {:>9}  thread {:>7}\n",
                        buffer.name, RowsText(buffer.type.rows), buffer.row_bytes,
                        ScopeText(buffer.scope), buffer.shared_offset, buffer.thread_offset);
  }
  return text;
}

}  // namespace carat::compiler
