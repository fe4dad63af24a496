// Ctrl-C as a flag. While an InterruptGuard lives, SIGINT sets the flag instead of ending the
// program, and loops that may take long ask for it between steps.

#ifndef CARAT_BASE_INTERRUPT_H_
#define CARAT_BASE_INTERRUPT_H_

#include <array>
#include <csignal>
#include <functional>

#include "carat/base/error.h"

namespace carat {

class InterruptGuard {
 public:
  // Clears the flag. Work that must clean up, whoever ends it, catches kAndTermination: SIGTERM and
  // SIGHUP too, what a supervisor or a closed terminal sends. A signal that the program was told to
  // ignore (nohup) stays ignored.
  enum class Signals { kInterruptOnly, kAndTermination };
  explicit InterruptGuard(Signals signals = Signals::kInterruptOnly);
  ~InterruptGuard();  // what the signals did before, they do again
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  static constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};

  size_t count_;  // of kSignals, caught
  std::array<struct sigaction, kSignals.size()> previous_ = {};
};

// For hosts that handle signals themselves, as Python does: while it lives, Interrupted() on this
// thread asks `check` too.
class InterruptCheck {
 public:
  explicit InterruptCheck(std::function<bool()> check);
  ~InterruptCheck();
  InterruptCheck(const InterruptCheck&) = delete;
  InterruptCheck& operator=(const InterruptCheck&) = delete;

 private:
  std::function<bool()> check_;
  const std::function<bool()>* previous_;
};

bool Interrupted();
int InterruptingSignal();  // SIGINT, SIGTERM or SIGHUP; 0 if there was none
void ClearInterrupt();

class InterruptedError : public Error {
 public:
  InterruptedError() : Error("interrupted; nothing was written") {}
};

// For work that Ctrl-C abandons: unwinding removes what it has written so far.
void ThrowIfInterrupted();

}  // namespace carat

#endif  // CARAT_BASE_INTERRUPT_H_
