#include "carat/compiler/pack_weights.h"

#include <gtest/gtest.h>

#include "carat/kernels/cpu/tile_layout.h"
#include "carat/quantization/weight_format.h"

namespace carat::compiler {
namespace {

using quantization::WeightFormat;

// Kernels are freestanding, so that they have a definition of their own.
template <class KernelFormat>
void ExpectSameBlocks(WeightFormat format) {
  EXPECT_EQ(quantization::BlockValues(format), KernelFormat::kBlock);
  EXPECT_EQ(quantization::BlockBytes(format), static_cast<size_t>(KernelFormat::kBlockBytes));
}

TEST(PackWeightsTest, KernelsHaveTheBlocksOfTheFormats) {
  ExpectSameBlocks<cpu::F32>(WeightFormat::kF32);
  ExpectSameBlocks<cpu::F16>(WeightFormat::kF16);
  ExpectSameBlocks<cpu::BF16>(WeightFormat::kBF16);
  ExpectSameBlocks<cpu::Q4_0>(WeightFormat::kQ4_0);
  ExpectSameBlocks<cpu::Q8_0>(WeightFormat::kQ8_0);
}

}  // namespace
}  // namespace carat::compiler
