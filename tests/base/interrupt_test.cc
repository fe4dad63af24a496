#include "carat/base/interrupt.h"

#include <gtest/gtest.h>

namespace carat {
namespace {

TEST(InterruptGuard, TurnsCtrlCIntoAFlag) {
  const InterruptGuard guard;
  EXPECT_FALSE(Interrupted());
  EXPECT_NO_THROW(ThrowIfInterrupted());
  std::raise(SIGINT);
  EXPECT_TRUE(Interrupted());
  EXPECT_THROW(ThrowIfInterrupted(), InterruptedError);
  ClearInterrupt();
  EXPECT_FALSE(Interrupted());
}

TEST(InterruptGuard, BeginsWithAClearFlag) {
  {
    const InterruptGuard guard;
    std::raise(SIGINT);
  }
  const InterruptGuard guard;
  EXPECT_FALSE(Interrupted());
}

TEST(InterruptGuard, CatchesTerminationOnlyWhereItIsToldTo) {
  {
    const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);
    std::raise(SIGTERM);
    EXPECT_EQ(InterruptingSignal(), SIGTERM);
  }
  EXPECT_EXIT(
      {
        const InterruptGuard guard;
        std::raise(SIGTERM);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

TEST(InterruptGuard, LeavesAnIgnoredSignalIgnored) {
  std::signal(SIGHUP, SIG_IGN);
  {
    const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);
    std::raise(SIGHUP);
    EXPECT_FALSE(Interrupted());
  }
  std::signal(SIGHUP, SIG_DFL);
}

TEST(InterruptGuard, GivesCtrlCItsOldMeaningBack) {
  EXPECT_EXIT(
      {
        { const InterruptGuard guard; }
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace carat
