// Values from one thread to another, which may also wait for them in an event loop.

#ifndef CARAT_ENGINE_EVENT_QUEUE_H_
#define CARAT_ENGINE_EVENT_QUEUE_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "carat/base/error.h"

namespace carat::engine {

template <typename Event>
class EventQueue {
 public:
  EventQueue() = default;
  ~EventQueue() {
    if (file_ >= 0) close(file_);
  }
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  void Push(Event event) {
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(event));
      Signal();
    }
    changed_.notify_one();
  }

  // Nothing if none comes within `timeout`.
  std::optional<Event> Pop(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, timeout, [this] { return !events_.empty(); })) return {};
    std::optional<Event> event = std::move(events_.front());
    events_.pop_front();
    if (events_.empty()) Unsignal();
    return event;
  }

  // A file descriptor that polls as readable while there are events. The queue's own.
  int File() {
    const std::lock_guard lock(mutex_);
    if (file_ >= 0) return file_;
    file_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (file_ < 0) throw Error("cannot wait in an event loop: {}", SystemMessage(errno));
    if (!events_.empty()) Signal();
    return file_;
  }

 private:
  void Signal() const {
    if (file_ >= 0) eventfd_write(file_, 1);
  }

  void Unsignal() const {
    eventfd_t ignored = 0;
    if (file_ >= 0) eventfd_read(file_, &ignored);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  int file_ = -1;
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_EVENT_QUEUE_H_
