// Which buffers are private: to a row, if one RowLoop makes and uses them up; to a thread, if
// per-row work makes them and the step is small enough that every thread makes all rows.

#include <map>
#include <set>

#include "carat/compiler/program/program.h"
#include "carat/compiler/program/walk.h"

namespace carat::compiler {
namespace {

struct Use {
  std::set<int> stages;
  bool written_by_row_loops_only = true;
};

std::map<BufferId, Use> UsesOf(Program& program) {
  std::map<BufferId, Use> uses;
  for (int i = 0; i < static_cast<int>(program.stages.size()); ++i) {
    Stage& stage = program.stages[i];
    const bool is_row_loop = std::holds_alternative<RowLoop>(stage.work);
    ForEachAccess(stage, [&](const Access& access) {
      Use& use = uses[access.operand->buffer];
      use.stages.insert(i);
      if (access.is_write && !is_row_loop) use.written_by_row_loops_only = false;
    });
  }
  return uses;
}

bool WritesOneCopy(const Program& program, Stage& stage) {
  bool writes = false;
  ForEachAccess(stage, [&](const Access& access) {
    const BufferScope scope = program.buffers[access.operand->buffer].scope;
    writes = writes ||
             (access.is_write && (scope == BufferScope::kShared || scope == BufferScope::kLogits));
  });
  return writes;
}

}  // namespace

void AssignScopes(Program& program, OptLevel level) {
  const auto uses = UsesOf(program);
  for (const auto& [id, use] : uses) {
    Buffer& buffer = program.buffers[id];
    if (buffer.scope == BufferScope::kLogits || !use.written_by_row_loops_only) continue;
    if (use.stages.size() == 1) {
      buffer.scope = BufferScope::kRow;
    } else if (level >= OptLevel::kO3) {
      buffer.scope = BufferScope::kReplicated;
    }
  }
  if (level < OptLevel::kO3) return;
  // A loop that writes to a buffer with one copy must run each row once; then whatever else it
  // writes has one copy too, which may stop other loops from being replicated.
  for (bool changed = true; changed;) {
    changed = false;
    for (Stage& stage : program.stages) {
      auto* loop = std::get_if<RowLoop>(&stage.work);
      if (loop == nullptr) continue;
      loop->replicated = !WritesOneCopy(program, stage);
      if (loop->replicated) continue;
      ForEachAccess(stage, [&](const Access& access) {
        Buffer& buffer = program.buffers[access.operand->buffer];
        if (access.is_write && buffer.scope == BufferScope::kReplicated) {
          buffer.scope = BufferScope::kShared;
          changed = true;
        }
      });
    }
  }
}

}  // namespace carat::compiler
