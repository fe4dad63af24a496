// Objects with threads or locks in a process that forks. The child has the memory but not the
// threads, and locks as other threads held them; so there the object is refused, and never ended.

#ifndef CARAT_FFI_PROCESS_BOUND_H_
#define CARAT_FFI_PROCESS_BOUND_H_

#include <unistd.h>

#include <memory>
#include <string_view>
#include <utility>

#include "carat/base/error.h"

namespace carat::ffi {

template <typename T>
class ProcessBound {
 public:
  // `name` for errors: "Engine".
  ProcessBound(std::string_view name, T value)
      : name_(name), value_(std::make_unique<T>(std::move(value))) {}

  ~ProcessBound() {
    // What it holds stays where it is: its end would wait for threads that are not there.
    if (IsForked()) static_cast<void>(value_.release());
  }
  ProcessBound(const ProcessBound&) = delete;
  ProcessBound& operator=(const ProcessBound&) = delete;

  // Throws Error in a child process.
  T& operator*() {
    if (IsForked()) {
      throw Error(
          "this {} was made before the process forked and does not work in the child; make it "
          "there (with multiprocessing: set_start_method(\"spawn\"))",
          name_);
    }
    return *value_;
  }
  T* operator->() { return &**this; }

 private:
  bool IsForked() const { return getpid() != process_; }

  std::string_view name_;
  pid_t process_ = getpid();
  std::unique_ptr<T> value_;
};

}  // namespace carat::ffi

#endif  // CARAT_FFI_PROCESS_BOUND_H_
