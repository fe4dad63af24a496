#include "carat/engine/event_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

namespace carat::engine {
namespace {

using std::chrono::milliseconds;

bool IsReadable(int file) {
  pollfd poll_file = {file, POLLIN, 0};
  return poll(&poll_file, 1, 0) == 1;
}

TEST(EventQueue, GivesEventsInTheirOrder) {
  EventQueue<int> queue;
  queue.Push(1);
  queue.Push(2);
  EXPECT_EQ(queue.Pop(milliseconds(0)), 1);
  EXPECT_EQ(queue.Pop(milliseconds(0)), 2);
  EXPECT_EQ(queue.Pop(milliseconds(0)), std::nullopt);
}

TEST(EventQueue, WaitsForAnotherThread) {
  EventQueue<int> queue;
  std::thread pushes([&] {
    std::this_thread::sleep_for(milliseconds(10));
    queue.Push(7);
  });
  EXPECT_EQ(queue.Pop(milliseconds(60'000)), 7);
  pushes.join();
}

TEST(EventQueue, WaitsNoLongerThanAsked) {
  EventQueue<int> queue;
  EXPECT_EQ(queue.Pop(milliseconds(5)), std::nullopt);
}

TEST(EventQueue, FileIsReadableWhileThereAreEvents) {
  EventQueue<int> queue;
  const int file = queue.File();
  EXPECT_EQ(queue.File(), file);
  EXPECT_FALSE(IsReadable(file));
  queue.Push(1);
  queue.Push(2);
  EXPECT_TRUE(IsReadable(file));
  queue.Pop(milliseconds(0));
  EXPECT_TRUE(IsReadable(file));
  queue.Pop(milliseconds(0));
  EXPECT_FALSE(IsReadable(file));
}

TEST(EventQueue, FileOfAQueueThatHasEventsAlready) {
  EventQueue<int> queue;
  queue.Push(1);
  EXPECT_TRUE(IsReadable(queue.File()));
}

}  // namespace
}  // namespace carat::engine
