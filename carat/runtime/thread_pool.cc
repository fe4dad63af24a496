#include "carat/runtime/thread_pool.h"

#include <chrono>
#include <system_error>

#include "carat/base/error.h"
#include "carat/runtime/processors.h"

namespace carat::runtime {

namespace {

// Longer than sampling a token takes, so that decoding never pays for waking a thread (some 50 us),
// and short enough that an idle pool does not show up as load.
constexpr auto kSpinTime = std::chrono::microseconds(200);

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Waits until the value is not `old`: spinning at first, then asleep. Returns the new value.
template <typename T>
T WaitForChange(const std::atomic<T>& value, T old) {
  constexpr int kPausesPerClockRead = 64;
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kPausesPerClockRead; ++i) {
      const T current = value.load(std::memory_order_acquire);
      if (current != old) return current;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int num_threads) {
  constexpr int kMaxThreads = 1024;
  if (num_threads < 0 || num_threads > kMaxThreads) {
    throw Error("{} threads: use 1 to {}, or 0 for one a physical core", num_threads, kMaxThreads);
  }
  if (num_threads == 0) num_threads = UsableCores();
  abi_.self = this;
  abi_.num_threads = num_threads;
  abi_.launch = [](void* self, Task task, void* argument) {
    static_cast<ThreadPool*>(self)->Launch(task, argument);
  };
  workers_.reserve(num_threads - 1);
  try {
    for (int32_t thread = 1; thread < num_threads; ++thread) {
      workers_.emplace_back([this, thread] { WorkerLoop(thread); });
    }
  } catch (const std::system_error& error) {
    StopWorkers();
    throw Error("cannot start {} threads: {}; use fewer", num_threads, error.what());
  }
}

ThreadPool::~ThreadPool() { StopWorkers(); }

void ThreadPool::StopWorkers() {
  stopping_.store(true, std::memory_order_relaxed);
  launches_.fetch_add(1, std::memory_order_release);
  launches_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Run(const std::function<void(int thread)>& task) {
  using Function = const std::function<void(int)>;
  Function* argument = &task;
  Launch([](void* pointer, int32_t thread) { (**static_cast<Function**>(pointer))(thread); },
         &argument);
}

void ThreadPool::Launch(Task task, void* argument) {
  task_ = task;
  argument_ = argument;
  num_running_.store(static_cast<int32_t>(workers_.size()), std::memory_order_relaxed);
  launches_.fetch_add(1, std::memory_order_release);
  launches_.notify_all();
  task(argument, 0);
  int32_t running = num_running_.load(std::memory_order_acquire);
  while (running > 0) running = WaitForChange(num_running_, running);
}

void ThreadPool::WorkerLoop(int32_t thread) {
  for (uint32_t seen = 0;;) {
    WaitForChange(launches_, seen);
    ++seen;
    if (stopping_.load(std::memory_order_relaxed)) return;
    task_(argument_, thread);
    if (num_running_.fetch_sub(1, std::memory_order_acq_rel) == 1) num_running_.notify_one();
  }
}

}  // namespace carat::runtime
