// Ctrl-C as a flag. While an InterruptGuard lives, SIGINT sets the flag instead of ending the
// program, and loops that may take long ask for it between steps.

#ifndef CARAT_BASE_INTERRUPT_H_
#define CARAT_BASE_INTERRUPT_H_

#include <csignal>

#include "carat/base/error.h"

namespace carat {

class InterruptGuard {
 public:
  InterruptGuard();   // clears the flag
  ~InterruptGuard();  // what SIGINT did before, it does again
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction previous_ = {};
};

bool Interrupted();
void ClearInterrupt();

class InterruptedError : public Error {
 public:
  InterruptedError() : Error("interrupted; nothing was written") {}
};

// For work that Ctrl-C abandons: unwinding removes what it has written so far.
void ThrowIfInterrupted();

}  // namespace carat

#endif  // CARAT_BASE_INTERRUPT_H_
