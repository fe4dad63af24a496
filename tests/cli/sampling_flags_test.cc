#include "carat/cli/sampling_flags.h"

#include <gtest/gtest.h>

namespace carat::cli {
namespace {

model::GenerationDefaults Defaults(bool do_sample, double temperature) {
  model::GenerationDefaults defaults;
  defaults.do_sample = do_sample;
  defaults.temperature = temperature;
  return defaults;
}

model::GenerationDefaults Greedy() { return Defaults(false, 0.6); }

TEST(SamplingFlags, LeaveTheModelsDefaults) {
  EXPECT_EQ(ApplySamplingFlags({}, Greedy()).temperature, 0);
  EXPECT_EQ(ApplySamplingFlags({}, Defaults(true, 0.6)).temperature, 0.6);
  EXPECT_EQ(ApplySamplingFlags({.top_k = 7}, Defaults(true, 0.6)).temperature, 0.6);
  EXPECT_EQ(ApplySamplingFlags({.top_k = 7}, Defaults(true, 0.6)).top_k, 7);
}

TEST(SamplingFlags, ThatNarrowTheChoiceAskForSampling) {
  EXPECT_EQ(ApplySamplingFlags({.top_k = 10}, Greedy()).temperature, 0.6);
  EXPECT_EQ(ApplySamplingFlags({.top_p = 0.9}, Greedy()).temperature, 0.6);
  EXPECT_EQ(ApplySamplingFlags({.min_p = 0.1}, Greedy()).temperature, 0.6);
  EXPECT_EQ(ApplySamplingFlags({.top_p = 0.9}, Defaults(false, 0)).temperature, 1);
  EXPECT_EQ(ApplySamplingFlags({.temperature = 2, .top_p = 0.9}, Greedy()).temperature, 2);
}

TEST(SamplingFlags, MayStayGreedy) {
  EXPECT_EQ(ApplySamplingFlags({.temperature = 0, .top_p = 0.9}, Greedy()).temperature, 0);
  EXPECT_EQ(ApplySamplingFlags({.repetition_penalty = 1.1, .seed = 3}, Greedy()).temperature, 0);
}

}  // namespace
}  // namespace carat::cli
