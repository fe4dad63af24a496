// A stage that reads what other threads wrote, or overwrites what they read, waits for them first.
// What needs no barrier: per-row work on the same rows, because a row stays with its thread. What
// needs one only when rows are split: rows that small steps replicate, each thread in a copy of its
// own.

#include <algorithm>
#include <map>
#include <variant>
#include <vector>

#include "carat/compiler/program/program.h"
#include "carat/compiler/program/walk.h"

namespace carat::compiler {
namespace {

// Keys and values of the cache, and the memory where they are staged, as if they were a buffer.
constexpr BufferId kCache = -2;

// How the threads share the work of a stage that uses a buffer.
struct Share {
  bool by_rows = false;     // each thread its rows; SelectRows gathers, but rows of another space
  bool replicated = false;  // small steps: every thread all rows
  graph::RowSpace rows = graph::RowSpace::kTokens;
};

Share ShareOf(const Stage& stage) {
  const auto* loop = std::get_if<RowLoop>(&stage.work);
  if (loop == nullptr) return {};
  return {true, loop->replicated, loop->rows};
}

bool StoresKv(const Stage& stage) {
  const auto* loop = std::get_if<RowLoop>(&stage.work);
  return loop != nullptr && std::ranges::any_of(loop->ops, [](const RowOp& op) {
           return std::holds_alternative<StoreKv>(op.work);
         });
}

class Placement {
 public:
  explicit Placement(Program& program) : program_(program) {}

  void Run() {
    for (Stage& stage : program_.stages) {
      stage.barrier_before = Needed(stage);
      Forget(stage.barrier_before);
      Record(stage);
    }
  }

 private:
  // What was done to a buffer since the last barrier that orders it.
  struct Pending {
    std::vector<Share> reads;
    std::vector<Share> writes;
  };

  // Calls read(buffer) and write(buffer) for all that the stage touches, the cache included.
  template <class Read, class Write>
  static void Visit(Stage& stage, Read read, Write write) {
    ForEachAccess(stage, [&](const Access& access) {
      access.is_write ? write(access.operand->buffer) : read(access.operand->buffer);
    });
    if (StoresKv(stage)) write(kCache);
    if (std::holds_alternative<Attend>(stage.work)) read(kCache);
  }

  Barrier Needed(Stage& stage) {
    Barrier needed = Barrier::kNone;
    const auto read = [&](BufferId id) {
      for (const Share& writer : pending_[id].writes) {
        needed = std::max(needed, Between(id, ShareOf(stage), writer));
      }
    };
    const auto write = [&](BufferId id) {
      for (const Share& reader : pending_[id].reads) {
        needed = std::max(needed, Between(id, reader, ShareOf(stage)));
      }
    };
    Visit(stage, read, write);
    return needed;
  }

  // Between a reader and a writer of a buffer, whichever comes first.
  Barrier Between(BufferId id, const Share& reader, const Share& writer) const {
    const bool same_rows = reader.by_rows && writer.by_rows && reader.rows == writer.rows;
    if (IsReplicated(id)) return same_rows ? Barrier::kNone : Barrier::kUnlessReplicated;
    // Of one copy, a small step's row is written by one thread and read by all that replicate it.
    return same_rows && !reader.replicated ? Barrier::kNone : Barrier::kAlways;
  }

  bool IsReplicated(BufferId id) const {
    return id >= 0 && program_.buffers[id].scope == BufferScope::kReplicated;
  }

  void Forget(Barrier barrier) {
    // Small steps skip kUnlessReplicated, and need none for what they replicate.
    std::erase_if(pending_, [&](const auto& entry) {
      return barrier == Barrier::kAlways ||
             (barrier == Barrier::kUnlessReplicated && IsReplicated(entry.first));
    });
  }

  void Record(Stage& stage) {
    Visit(
        stage, [&](BufferId id) { pending_[id].reads.push_back(ShareOf(stage)); },
        [&](BufferId id) { pending_[id].writes.push_back(ShareOf(stage)); });
  }

  Program& program_;
  std::map<BufferId, Pending> pending_;
};

}  // namespace

void PlaceBarriers(Program& program) { Placement(program).Run(); }

}  // namespace carat::compiler
