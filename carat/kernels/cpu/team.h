// The threads that run one step together: who they are, how they meet, which rows each one owns.
//
// Carat's kernels are SPMD: every thread runs the whole step and takes its share of each kernel.
// They meet at barriers only where one thread reads what another wrote, or overwrites what another
// read; with 18 small layers a step has some hundred of them, so a barrier must cost well under a
// microsecond when every thread has a core, and must not burn a core when one has none.

#ifndef CARAT_KERNELS_CPU_TEAM_H_
#define CARAT_KERNELS_CPU_TEAM_H_

#include <sched.h>

#include <atomic>
#include <cstdint>

namespace carat::cpu {

// Reusable barrier for a fixed number of threads. A waiting thread first spins (the others arrive
// within microseconds if they run at all), then gives its core to whoever wants it, then sleeps in
// the kernel until the last one arrives. What a thread wrote before Wait() is visible to all
// threads after it.
class Barrier {
 public:
  explicit Barrier(int num_threads) : num_threads_(num_threads) {}
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  void Wait() {
    const uint32_t round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == num_threads_) {
      arrived_.store(0, std::memory_order_relaxed);  // nobody arrives again before round_ moves
      round_.store(round + 1, std::memory_order_release);
      round_.notify_all();  // costs no system call unless somebody sleeps
      return;
    }
    for (int i = 0; i < kPauses; ++i) {
      if (Passed(round)) return;
      Pause();
    }
    for (int i = 0; i < kYields; ++i) {
      if (Passed(round)) return;
      sched_yield();
    }
    while (!Passed(round)) round_.wait(round, std::memory_order_acquire);
  }

 private:
  // A pause takes 10 ns (Zen) to 40 ns (Skylake): spinning lasts 5 to 20 us, a few times the
  // imbalance of a kernel.
  static constexpr int kPauses = 512;
  // A yield takes 0.2 to 0.5 us when nobody else wants the core: 100 us more before a wake-up,
  // which may cost 50 us in a virtual machine, is the cheaper way to wait.
  static constexpr int kYields = 256;

  bool Passed(uint32_t round) const { return round_.load(std::memory_order_acquire) != round; }

  static void Pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  const int num_threads_;
  alignas(64) std::atomic<int> arrived_{0};     // apart: arriving threads must not disturb
  alignas(64) std::atomic<uint32_t> round_{0};  // those that already watch for the next round
};

// One thread's view of the team. `barrier` may be null when num_threads is 1.
struct Team {
  int thread = 0;
  int num_threads = 1;
  Barrier* barrier = nullptr;

  void Sync() const {
    if (num_threads > 1) barrier->Wait();
  }
};

// The half-open range [begin, end).
struct Range {
  int64_t begin;
  int64_t end;
};

// The rows of [0, n) that this thread writes when the result is shared: contiguous, sizes differ by
// one at most.
inline Range OwnedRows(const Team& team, int64_t n) {
  return {n * team.thread / team.num_threads, n * (team.thread + 1) / team.num_threads};
}

// Up to this many rows, every thread computes all of them for itself rather than meeting the
// others.
inline constexpr int64_t kReplicatedRows = 1;

// Calls fn(row) for the rows of [0, n) that this thread needs: all of them when they are so few
// that each thread keeps a private copy (the caller points fn at private buffers then), otherwise
// its owned rows. Does not synchronize.
template <class Fn>
void ForEachRow(const Team& team, int64_t n, Fn&& fn) {
  const Range rows = n <= kReplicatedRows ? Range{0, n} : OwnedRows(team, n);
  for (int64_t row = rows.begin; row < rows.end; ++row) fn(row);
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_TEAM_H_
