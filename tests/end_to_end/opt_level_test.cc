// Optimization levels differ in passes and agree in results.

#include <gtest/gtest.h>

#include <vector>

#include "tests/end_to_end/compiled_model.h"

namespace carat {
namespace {

using compiler::CompileOptions;
using compiler::OptLevel;

class OptLevelTest : public testing::TestWithParam<OptLevel> {};

TEST_P(OptLevelTest, GivesTheSameBitsAsO3) {
  const std::vector<TokenId> tokens = RandomTokens(50, 384, 2);
  const CompileOptions best{.model = ModelFolder(kWindowedCase), .quantization = "q4_0"};
  CompileOptions options = best;
  options.level = GetParam();
  for (const int64_t chunk : {512, 1}) {
    EXPECT_EQ(AllLogits(LoadCompiled(options), tokens, chunk),
              AllLogits(LoadCompiled(best), tokens, chunk));
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, OptLevelTest,
                         testing::Values(OptLevel::kO0, OptLevel::kO1, OptLevel::kO2));

}  // namespace
}  // namespace carat
