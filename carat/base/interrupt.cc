#include "carat/base/interrupt.h"

namespace carat {
namespace {

// Signal handlers may touch nothing else.
volatile std::sig_atomic_t interrupted = 0;

void SetInterrupted(int) { interrupted = 1; }

}  // namespace

InterruptGuard::InterruptGuard() {
  ClearInterrupt();
  struct sigaction action = {};
  action.sa_handler = SetInterrupted;  // without SA_RESTART: a read that waits for input returns
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &previous_);
}

InterruptGuard::~InterruptGuard() { sigaction(SIGINT, &previous_, nullptr); }

bool Interrupted() { return interrupted != 0; }

void ClearInterrupt() { interrupted = 0; }

void ThrowIfInterrupted() {
  if (Interrupted()) throw InterruptedError();
}

}  // namespace carat
