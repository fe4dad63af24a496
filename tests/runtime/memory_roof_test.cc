#include "carat/runtime/memory_roof.h"

#include <gtest/gtest.h>

namespace carat::runtime {
namespace {

TEST(MemoryRoof, IsWhatAMachineCanHave) {
  ThreadPool pool(2);
  const double bytes_per_s = MeasureReadBandwidth(pool, size_t{64} << 20);
  EXPECT_GT(bytes_per_s, 0.2e9);
  EXPECT_LT(bytes_per_s, 20e12);
}

}  // namespace
}  // namespace carat::runtime
