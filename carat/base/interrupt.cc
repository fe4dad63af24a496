#include "carat/base/interrupt.h"

#include <utility>

namespace carat {
namespace {

// Signal handlers may touch nothing else.
volatile std::sig_atomic_t interrupting_signal = 0;

// The innermost InterruptCheck's.
thread_local const std::function<bool()>* interrupt_check = nullptr;

void SetInterrupted(int signal) { interrupting_signal = signal; }

}  // namespace

InterruptGuard::InterruptGuard(Signals signals)
    : count_(signals == Signals::kAndTermination ? kSignals.size() : 1) {
  ClearInterrupt();
  struct sigaction action = {};
  action.sa_handler = SetInterrupted;  // without SA_RESTART: a read that waits for input returns
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < count_; ++i) {
    sigaction(kSignals[i], nullptr, &previous_[i]);
    if (previous_[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < count_; ++i) sigaction(kSignals[i], &previous_[i], nullptr);
}

InterruptCheck::InterruptCheck(std::function<bool()> check)
    : check_(std::move(check)), previous_(std::exchange(interrupt_check, &check_)) {}

InterruptCheck::~InterruptCheck() { interrupt_check = previous_; }

bool Interrupted() {
  return interrupting_signal != 0 || (interrupt_check != nullptr && (*interrupt_check)());
}

int InterruptingSignal() { return interrupting_signal; }

void ClearInterrupt() { interrupting_signal = 0; }

void ThrowIfInterrupted() {
  if (Interrupted()) throw InterruptedError();
}

}  // namespace carat
