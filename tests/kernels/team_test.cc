#include "carat/kernels/cpu/team.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "tests/kernels/attention_harness.h"

namespace carat::cpu {
namespace {

// Every thread writes its own plain int between barriers and reads all others': a barrier that lets
// anyone through early shows as a wrong sum (and as a race under TSan).
void CountInStep(int num_threads, int rounds) {
  std::vector<int> counts(num_threads, 0);
  RunTeam(num_threads, [&](const Team& team) {
    for (int round = 1; round <= rounds; ++round) {
      ++counts[team.thread];
      team.Sync();
      for (int count : counts) ASSERT_EQ(count, round);
      team.Sync();
    }
  });
}

TEST(BarrierTest, ThreadsStayInStep) {
  for (int num_threads : {1, 2, 3}) CountInStep(num_threads, 500);
}

TEST(BarrierTest, ThreadsStayInStepWithFewCores) { CountInStep(16, 50); }

// Long enough that the others go to sleep.
TEST(BarrierTest, LateThreadsWakeSleepers) {
  int arrived = 0;
  RunTeam(4, [&](const Team& team) {
    for (int round = 0; round < 3; ++round) {
      if (team.thread == round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        ++arrived;
      }
      team.Sync();
      EXPECT_EQ(arrived, round + 1);
      team.Sync();
    }
  });
}

TEST(TeamTest, OwnedRowsCoverAllRowsOnceInOrder) {
  for (int num_threads : {1, 2, 3, 7, 16}) {
    for (int64_t n : {0, 1, 2, 5, 16, 100, 513}) {
      int64_t next = 0;
      for (int thread = 0; thread < num_threads; ++thread) {
        const Range rows = OwnedRows({thread, num_threads, nullptr}, n);
        EXPECT_EQ(rows.begin, next);
        EXPECT_LE(rows.end - rows.begin, n / num_threads + 1);
        EXPECT_GE(rows.end - rows.begin, n / num_threads);
        next = rows.end;
      }
      EXPECT_EQ(next, n);
    }
  }
}

TEST(TeamTest, EveryThreadRunsASingleRow) {
  for (int thread = 0; thread < 3; ++thread) {
    int64_t calls = 0;
    ForEachRow({thread, 3, nullptr}, 1, [&](int64_t row) { calls += row == 0; });
    EXPECT_EQ(calls, 1);
  }
}

TEST(TeamTest, ThreadsShareManyRows) {
  std::vector<int> calls(10, 0);
  for (int thread = 0; thread < 3; ++thread) {
    ForEachRow({thread, 3, nullptr}, 10, [&](int64_t row) { ++calls[row]; });
  }
  EXPECT_EQ(calls, std::vector<int>(10, 1));
}

}  // namespace
}  // namespace carat::cpu
