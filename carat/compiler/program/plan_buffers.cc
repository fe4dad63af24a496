// Gives every buffer an offset: into the arena that all threads share, into each thread's own, or
// both.
//
// Two buffers may overlap if they are never alive together. Time is counted so that this is safe
// whatever the threads' speeds are: for shared memory it advances only at barriers that every step
// passes, since between two of them one thread may still read what another would already overwrite;
// for a thread's own memory it advances at every operation.
//
// First, buffers that play one role in every layer ("qkv") are merged into one, so that all layers
// use the same addresses and generated code can loop over them.

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "carat/compiler/program/program.h"
#include "carat/compiler/program/walk.h"

namespace carat::compiler {
namespace {

constexpr int64_t kAlignment = 64;

struct Interval {
  int first = -1;
  int last = -1;

  bool Overlaps(const Interval& other) const { return first <= other.last && other.first <= last; }
  void Include(int time) {
    first = first < 0 ? time : std::min(first, time);
    last = std::max(last, time);
  }
};

// When a buffer is alive, in each of the two clocks.
struct Lifetime {
  std::vector<Interval> shared;
  std::vector<Interval> thread;
};

bool Overlap(const std::vector<Interval>& a, const std::vector<Interval>& b) {
  return std::ranges::any_of(a, [&](const Interval& x) {
    return std::ranges::any_of(b, [&](const Interval& y) { return x.Overlaps(y); });
  });
}

std::vector<Lifetime> LifetimesOf(Program& program) {
  std::vector<Lifetime> lifetimes(program.buffers.size(), {{Interval{}}, {Interval{}}});
  int barriers = 0;
  int operations = 0;
  for (Stage& stage : program.stages) {
    if (stage.barrier_before == Barrier::kAlways) ++barriers;
    int last_op = 0;
    ForEachAccess(stage, [&](const Access& access) {
      last_op = std::max(last_op, access.op);
      Lifetime& lifetime = lifetimes[access.operand->buffer];
      lifetime.shared.front().Include(barriers);
      lifetime.thread.front().Include(operations + access.op);
    });
    operations += last_op + 1;
  }
  return lifetimes;
}

// Points every operand of a buffer with the same role, type and scope to the first of them, if
// their lives are apart.
void MergeRoles(Program& program, std::vector<Lifetime>& lifetimes) {
  std::vector<BufferId> merged(program.buffers.size());
  std::vector<BufferId> kept;
  for (BufferId id = 0; id < static_cast<BufferId>(program.buffers.size()); ++id) {
    merged[id] = id;
    const Buffer& buffer = program.buffers[id];
    if (lifetimes[id].thread.front().first < 0) continue;  // nothing uses it
    for (BufferId other : kept) {
      const Buffer& candidate = program.buffers[other];
      if (candidate.name != buffer.name || candidate.type != buffer.type ||
          candidate.scope != buffer.scope ||
          Overlap(lifetimes[other].shared, lifetimes[id].shared) ||
          Overlap(lifetimes[other].thread, lifetimes[id].thread)) {
        continue;
      }
      merged[id] = other;
      for (const Interval& i : lifetimes[id].shared) lifetimes[other].shared.push_back(i);
      for (const Interval& i : lifetimes[id].thread) lifetimes[other].thread.push_back(i);
      break;
    }
    if (merged[id] == id) kept.push_back(id);
  }
  for (Stage& stage : program.stages) {
    ForEachAccess(stage, [&](const Access& access) {
      access.operand->buffer = merged[access.operand->buffer];
    });
  }
  for (BufferId id = 0; id < static_cast<BufferId>(merged.size()); ++id) {
    if (merged[id] != id) lifetimes[id] = {};
  }
}

// First fit, in order of the buffers' first use.
class Arena {
 public:
  int64_t Place(int64_t num_bytes, const std::vector<Interval>& alive) {
    // [begin, end) of what is alive together with it.
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (const Placed& other : placed_) {
      if (Overlap(*other.alive, alive)) taken.emplace_back(other.begin, other.end);
    }
    std::ranges::sort(taken);
    int64_t offset = 0;
    for (const auto& [begin, end] : taken) {
      if (offset + num_bytes <= begin) break;
      offset = std::max(offset, end);
    }
    const int64_t end = (offset + num_bytes + kAlignment - 1) / kAlignment * kAlignment;
    placed_.push_back({offset, end, &alive});
    num_bytes_ = std::max(num_bytes_, end);
    return offset;
  }

  int64_t num_bytes() const { return num_bytes_; }

 private:
  struct Placed {
    int64_t begin;
    int64_t end;
    const std::vector<Interval>* alive;
  };
  std::vector<Placed> placed_;
  int64_t num_bytes_ = 0;
};

// Merged buffers of one role that could not be one get names of their own: "x", "x_2".
void MakeNamesUnique(Program& program, const std::vector<Lifetime>& lifetimes) {
  std::map<std::string, int> count;
  for (size_t id = 0; id < program.buffers.size(); ++id) {
    if (lifetimes[id].thread.empty() || lifetimes[id].thread.front().first < 0) continue;
    std::string& name = program.buffers[id].name;
    if (int n = ++count[name]; n > 1) name += "_" + std::to_string(n);
  }
}

}  // namespace

void PlanBuffers(Program& program, const TargetTraits& target) {
  std::vector<Lifetime> lifetimes = LifetimesOf(program);
  MergeRoles(program, lifetimes);
  MakeNamesUnique(program, lifetimes);
  Arena shared;
  Arena thread;
  for (size_t id = 0; id < program.buffers.size(); ++id) {
    const Lifetime& lifetime = lifetimes[id];
    if (lifetime.thread.empty() || lifetime.thread.front().first < 0) continue;
    Buffer& buffer = program.buffers[id];
    if (buffer.scope == BufferScope::kShared || buffer.scope == BufferScope::kReplicated) {
      buffer.shared_offset = shared.Place(buffer.row_bytes * program.max_rows, lifetime.shared);
    }
    if (buffer.scope == BufferScope::kReplicated) {
      buffer.thread_offset =
          thread.Place(buffer.row_bytes * target.replicated_rows, lifetime.thread);
    }
    if (buffer.scope == BufferScope::kRow) {
      buffer.thread_offset = thread.Place(buffer.row_bytes, lifetime.thread);
    }
  }
  program.shared_bytes = shared.num_bytes();
  program.thread_bytes = thread.num_bytes();
}

}  // namespace carat::compiler
