#include "carat/kernels/cpu/rope.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/kernels/sequence_kernel_table.h"

namespace carat::cpu {
namespace {

// Half a unit in the last place of a float just below 1.
constexpr double kHalfUlp = 0x1p-25;

template <int64_t kHeadDim>
void ExpectAngles(const RopeFrequencies<kHeadDim>& frequencies, long double theta,
                  long double linear_factor) {
  constexpr int64_t kHalf = kHeadDim / 2;
  for (int64_t position : {0, 1, 2, 511, 4096, 32767, 131071}) {
    std::vector<float> cos_sin(kHeadDim);
    RopeAngles(frequencies, position, cos_sin.data());
    for (int64_t i = 0; i < kHalf; ++i) {
      const long double angle = position / linear_factor * std::pow(theta, -2.0L * i / kHeadDim);
      EXPECT_NEAR(cos_sin[i], std::cos(angle), 1.01 * kHalfUlp)
          << "position " << position << ", dim " << i;
      EXPECT_NEAR(cos_sin[kHalf + i], std::sin(angle), 1.01 * kHalfUlp)
          << "position " << position << ", dim " << i;
    }
  }
}

TEST(RopeTest, AnglesAreRightToTheLastBitOfFloat) {
  ExpectAngles(MakeRopeFrequencies<256>(10000.0, 1.0), 10000.0L, 1.0L);
  ExpectAngles(MakeRopeFrequencies<256>(1000000.0, 1.0), 1000000.0L, 1.0L);
  ExpectAngles(MakeRopeFrequencies<20>(500.0, 1.0), 500.0L, 1.0L);
  ExpectAngles(MakeRopeFrequencies<2>(10000.0, 1.0), 10000.0L, 1.0L);
}

TEST(RopeTest, LinearFactorDividesPositions) {
  ExpectAngles(MakeRopeFrequencies<64>(1000000.0, 8.0), 1000000.0L, 8.0L);
  constexpr auto kOne = MakeRopeFrequencies<64>(1000000.0, 1.0);
  constexpr auto kEight = MakeRopeFrequencies<64>(1000000.0, 8.0);
  std::vector<float> one(64);
  std::vector<float> eight(64);
  RopeAngles(kOne, 3, one.data());
  RopeAngles(kEight, 24, eight.data());
  EXPECT_EQ(one, eight);
}

TEST(RopeTest, TurnsTheHalvesOfEachHead) {
  for (const SequenceKernelTable* table : PlainSequenceKernels()) {
    for (const RowKernels& kernels : table->rows) {
      if (kernels.rope == nullptr) continue;
      SCOPED_TRACE(std::string(table->name) + ", head_dim " + std::to_string(kernels.width));
      const int64_t half = kernels.width / 2;
      std::vector<float> x(3 * kernels.width + 1, 7.0f);
      std::vector<float> cos_sin(kernels.width);
      for (int64_t i = 0; i < 3 * kernels.width; ++i) x[i] = std::sin(static_cast<float>(i));
      for (int64_t i = 0; i < half; ++i) {
        cos_sin[i] = std::cos(0.3f * static_cast<float>(i));
        cos_sin[half + i] = std::sin(0.3f * static_cast<float>(i));
      }
      const std::vector<float> before = x;
      kernels.rope(x.data(), cos_sin.data());
      for (int64_t head = 0; head < 3; ++head) {
        for (int64_t i = 0; i < half; ++i) {
          const int64_t low = head * kernels.width + i;
          const int64_t high = low + half;
          EXPECT_NEAR(x[low], before[low] * cos_sin[i] - before[high] * cos_sin[half + i], 2e-7);
          EXPECT_NEAR(x[high], before[high] * cos_sin[i] + before[low] * cos_sin[half + i], 2e-7);
        }
      }
      EXPECT_EQ(x.back(), 7.0f) << "wrote past the end";
    }
  }
}

}  // namespace
}  // namespace carat::cpu
