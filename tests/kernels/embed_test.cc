#include "carat/kernels/cpu/embed.h"

#include <gtest/gtest.h>

#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/weight_samples.h"

namespace carat::cpu {
namespace {

TEST(Embed, RowsAreTheirValuesTimesTheScale) {
  constexpr float kScale = 25.25f;  // sqrt(640) in bf16
  for (const KernelTable* set : RunnableSets()) {
    for (int i = 0; i < set->num_matrices; ++i) {
      const MatrixKernels& matrix = set->matrices[i];
      SCOPED_TRACE(testing::Message() << set->name << ", matrix " << i);
      const WeightSample sample = MakeWeights(matrix.format, matrix.rows, matrix.cols, i);
      const Tiles tiles = PackSample(sample);
      for (int32_t token = 0; token < matrix.rows; ++token) {
        std::vector<float> out(matrix.cols);
        matrix.embed(tiles.data(), token, kScale, out.data());
        for (int64_t k = 0; k < matrix.cols; ++k) {
          ASSERT_EQ(out[k], sample.values[token * matrix.cols + k] * kScale);
        }
      }
    }
  }
}

}  // namespace
}  // namespace carat::cpu
