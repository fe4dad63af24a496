// The host's signal handlers, Python's above all, while Carat works on the host's thread.

#ifndef CARAT_FFI_HOST_SIGNALS_H_
#define CARAT_FFI_HOST_SIGNALS_H_

#include <type_traits>

#include "carat/base/interrupt.h"

namespace carat::ffi {

// While it lives, work on this thread is interrupted when a handler of the host raises an error, as
// Python's does for Ctrl-C. Call ThrowIfRaised when the work has ended, however it did.
class HostSignals {
 public:
  HostSignals();

  // Lets the host run its handlers. True if one of them has raised.
  bool Check();

  // Throws tvm::ffi::EnvErrorAlreadySet() if a handler has raised: the error is the host's already.
  void ThrowIfRaised() const;

 private:
  bool raised_ = false;
  InterruptCheck check_;
};

// Runs `work`; an error that a handler of the host raises meanwhile ends it and replaces its own.
template <typename Work>
auto Interruptibly(Work work) {
  HostSignals signals;
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      signals.ThrowIfRaised();
    } else {
      auto result = work();
      signals.ThrowIfRaised();
      return result;
    }
  } catch (...) {
    signals.ThrowIfRaised();
    throw;
  }
}

}  // namespace carat::ffi

#endif  // CARAT_FFI_HOST_SIGNALS_H_
