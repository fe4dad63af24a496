#include "carat/runtime/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "carat/base/error.h"
#include "carat/runtime/processors.h"

namespace carat::runtime {
namespace {

TEST(ThreadPool, RunsEachIndexOnceOnAThreadOfItsOwn) {
  ThreadPool pool(4);
  std::vector<std::thread::id> ids(4);
  pool.Run([&](int thread) { ids[thread] = std::this_thread::get_id(); });
  EXPECT_EQ(ids[0], std::this_thread::get_id());
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 4);
}

TEST(ThreadPool, ShowsEachTaskWhatTheOnesBeforeItWrote) {
  ThreadPool pool(3);
  std::vector<int64_t> sums(3);
  for (int round = 1; round <= 300; ++round) {
    // Each thread adds to the sum its neighbour wrote in the round before.
    std::vector<int64_t> next(3);
    pool.Run([&](int thread) { next[thread] = sums[(thread + 1) % 3] + 1; });
    sums = next;
  }
  EXPECT_EQ(sums, std::vector<int64_t>(3, 300));
}

TEST(ThreadPool, WakesThreadsThatSleep) {
  ThreadPool pool(3);
  std::atomic<int> runs = 0;
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // ten times as long as they spin
    pool.Run([&](int) { ++runs; });
  }
  EXPECT_EQ(runs, 15);
}

TEST(ThreadPool, WaitsForTheSlowestThread) {
  ThreadPool pool(3);
  std::atomic<int> done = 0;
  pool.Run([&](int thread) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * thread));
    ++done;
  });
  EXPECT_EQ(done, 3);
}

TEST(ThreadPool, OfOneRunsOnTheCaller) {
  ThreadPool pool(1);
  std::thread::id id;
  pool.Run([&](int) { id = std::this_thread::get_id(); });
  EXPECT_EQ(id, std::this_thread::get_id());
}

TEST(ThreadPool, LaunchesForCompiledCode) {
  ThreadPool pool(2);
  const CaratThreadPool* abi = pool.abi();
  ASSERT_EQ(abi->num_threads, 2);
  std::vector<int32_t> seen(2, -1);
  abi->launch(
      abi->self,
      [](void* argument, int32_t thread) {
        (*static_cast<std::vector<int32_t>*>(argument))[thread] = thread;
      },
      &seen);
  EXPECT_EQ(seen, (std::vector<int32_t>{0, 1}));
}

TEST(ThreadPool, HasAThreadForEachUsableCoreByDefault) {
  EXPECT_EQ(ThreadPool().num_threads(), UsableCores());
}

TEST(ThreadPool, RefusesAbsurdNumbers) {
  EXPECT_THROW(ThreadPool(-1), Error);
  EXPECT_THROW(ThreadPool(1 << 20), Error);
}

}  // namespace
}  // namespace carat::runtime
