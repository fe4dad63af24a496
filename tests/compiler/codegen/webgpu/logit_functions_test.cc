#include "carat/compiler/codegen/webgpu/logit_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carat::compiler::webgpu {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::SizeIs;

TEST(LogitFunctions, HaveTheNamesAndArgumentsThatWebLlmCallsThemWith) {
  PlanModel plan;
  KernelTable kernels;
  AddLogitFunctions(1000, kernels, plan);
  const auto is = [](const char* name, size_t num_arguments, size_t num_results) {
    return ::testing::AllOf(Field(&PlanFunction::name, name),
                            Field(&PlanFunction::arguments, SizeIs(num_arguments)),
                            Field(&PlanFunction::results, SizeIs(num_results)));
  };
  EXPECT_THAT(plan.functions,
              ElementsAre(is("apply_bitmask_inplace", 3, 0), is("apply_logit_bias_inplace", 4, 0),
                          is("apply_penalty_inplace", 6, 0), is("softmax_with_temperature", 2, 1),
                          is("argsort_probs", 1, 2), is("sample_with_top_p", 5, 1)));
}

TEST(LogitFunctions, LeaveTheScratchBuffersOfTheModelAlone) {
  PlanModel plan;
  plan.scratch = {Constant(64)};
  KernelTable kernels;
  AddLogitFunctions(1000, kernels, plan);
  ASSERT_THAT(plan.scratch, SizeIs(2));
  EXPECT_EQ(plan.scratch[0].addend, 64U);
  for (const PlanFunction& function : plan.functions) {
    for (const PlanLaunch& launch : function.launches) {
      for (const Reference& buffer : launch.buffers) {
        EXPECT_TRUE(buffer.place != Place::kScratch || buffer.index == 1) << function.name;
      }
    }
  }
}

// What every WebGPU device takes, and what WebLLM does with larger grids is not for our kernels.
TEST(LogitFunctions, StayWithinTheLimitsOfEveryDevice) {
  PlanModel plan;
  KernelTable kernels;
  AddLogitFunctions(262144, kernels, plan);
  for (const PlanFunction& function : plan.functions) {
    for (const PlanLaunch& launch : function.launches) {
      EXPECT_LE(launch.buffers.size(), 8U) << function.name;
      EXPECT_LE(launch.grid_x.addend, 65535U) << function.name;
    }
  }
}

}  // namespace
}  // namespace carat::compiler::webgpu
