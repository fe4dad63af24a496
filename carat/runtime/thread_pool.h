// Threads that run a task together, again and again, with little delay between.
//
// Between tasks a worker spins for a moment, because the next one usually comes within microseconds
// (the next token's step), and then sleeps.

#ifndef CARAT_RUNTIME_THREAD_POOL_H_
#define CARAT_RUNTIME_THREAD_POOL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "carat/kernels/cpu/abi.h"

namespace carat::runtime {

class ThreadPool {
 public:
  // The caller of Run is one of the `num_threads`; 0 means UsableCores().
  explicit ThreadPool(int num_threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Runs task(0) .. task(num_threads - 1), each on a thread of its own, and returns when all have
  // returned. Tasks must not throw. One Run at a time.
  void Run(const std::function<void(int thread)>& task);

  // The same for compiled code. Lives as long as the pool.
  const CaratThreadPool* abi() const { return &abi_; }

 private:
  using Task = void (*)(void* argument, int32_t thread);

  void Launch(Task task, void* argument);
  void WorkerLoop(int32_t thread);
  void StopWorkers();

  std::vector<std::thread> workers_;
  CaratThreadPool abi_;

  // Written by Launch before it raises launches_, read by workers after they see it raised.
  Task task_ = nullptr;
  void* argument_ = nullptr;

  // On cache lines of their own: everyone polls the one while the others finish on the other.
  alignas(64) std::atomic<uint32_t> launches_ = 0;
  alignas(64) std::atomic<int32_t> num_running_ = 0;
  std::atomic<bool> stopping_ = false;
};

}  // namespace carat::runtime

#endif  // CARAT_RUNTIME_THREAD_POOL_H_
