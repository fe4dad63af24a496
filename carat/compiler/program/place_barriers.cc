// A stage that reads what other threads wrote waits for them first. What needs no barrier: per-row
// work on the same rows, because a row stays with its thread. What needs one only when rows are
// split: reading rows that small steps replicate.

#include <algorithm>
#include <map>
#include <variant>

#include "carat/compiler/program/program.h"
#include "carat/compiler/program/walk.h"

namespace carat::compiler {
namespace {

// How the threads share the work that wrote a buffer since the last barriers.
struct Write {
  bool by_row_loop = false;
  bool replicated = false;
  graph::RowSpace rows = graph::RowSpace::kTokens;
};

// Keys and values of the cache, as if they were a buffer.
constexpr BufferId kCache = -2;

bool GathersRows(const RowLoop& loop) {
  return std::ranges::any_of(
      loop.ops, [](const RowOp& op) { return std::holds_alternative<graph::SelectRows>(op.work); });
}

bool StoresKv(const RowLoop& loop) {
  return std::ranges::any_of(
      loop.ops, [](const RowOp& op) { return std::holds_alternative<StoreKv>(op.work); });
}

Barrier BarrierToRead(const Stage& reader, const Write& write) {
  const auto* loop = std::get_if<RowLoop>(&reader.work);
  const bool same_rows =
      loop != nullptr && write.by_row_loop && loop->rows == write.rows && !GathersRows(*loop);
  // A small step's row is with every thread, or with the first alone if the writer does not
  // replicate.
  if (same_rows) {
    return write.replicated || !loop->replicated ? Barrier::kNone : Barrier::kAlways;
  }
  return write.replicated ? Barrier::kUnlessReplicated : Barrier::kAlways;
}

class Placement {
 public:
  explicit Placement(Program& program) : program_(program) {}

  void Run() {
    for (Stage& stage : program_.stages) {
      stage.barrier_before = Needed(stage);
      if (stage.barrier_before == Barrier::kAlways) {
        pending_.clear();
      } else if (stage.barrier_before == Barrier::kUnlessReplicated) {
        // Small steps skip it, and they need none for these either.
        std::erase_if(pending_, [](const auto& entry) { return entry.second.replicated; });
      }
      Record(stage);
    }
  }

 private:
  Barrier Needed(Stage& stage) {
    Barrier needed = Barrier::kNone;
    const auto read = [&](BufferId buffer) {
      const auto write = pending_.find(buffer);
      if (write != pending_.end()) needed = std::max(needed, BarrierToRead(stage, write->second));
    };
    ForEachAccess(stage, [&](const Access& access) {
      if (!access.is_write) read(access.operand->buffer);
    });
    if (std::holds_alternative<Attend>(stage.work)) read(kCache);
    return needed;
  }

  void Record(Stage& stage) {
    const auto* loop = std::get_if<RowLoop>(&stage.work);
    ForEachAccess(stage, [&](const Access& access) {
      if (!access.is_write) return;
      pending_[access.operand->buffer] = {loop != nullptr, loop != nullptr && loop->replicated,
                                          RowsOf(stage)};
    });
    // One thread stores a row's key and value, however many made it.
    if (loop != nullptr && StoresKv(*loop)) pending_[kCache] = {true, false, loop->rows};
  }

  Program& program_;
  std::map<BufferId, Write> pending_;  // written since the last barrier that all threads pass
};

}  // namespace

void PlaceBarriers(Program& program) { Placement(program).Run(); }

}  // namespace carat::compiler
