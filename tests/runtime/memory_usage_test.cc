#include "carat/runtime/memory_usage.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "carat/runtime/reservation.h"

namespace carat::runtime {
namespace {

constexpr size_t kBytes = size_t{64} << 20;

void Touch(const Reservation& reservation) { std::ranges::fill(reservation.bytes(), std::byte{1}); }

TEST(PeakMemory, CountsWhatWasTouchedAndNotWhatIsReserved) {
  const int64_t before = PeakMemoryBytes();
  ASSERT_GT(before, 0);
  const Reservation reservation(2 * kBytes, "a test", "");
  EXPECT_LT(PeakMemoryBytes(), before + static_cast<int64_t>(kBytes) / 2);
  std::ranges::fill(reservation.bytes().first(kBytes), std::byte{1});
  EXPECT_GE(PeakMemoryBytes(), static_cast<int64_t>(kBytes));
}

TEST(PeakMemory, CanBeMeasuredAgain) {
  { Touch(Reservation(4 * kBytes, "a test", "")); }
  const int64_t before = PeakMemoryBytes();
  ResetPeakMemory();
  const int64_t after = PeakMemoryBytes();
  if (after >= before) GTEST_SKIP() << "the system does not reset the peak";
  EXPECT_LT(after, before - 2 * static_cast<int64_t>(kBytes));
}

}  // namespace
}  // namespace carat::runtime
