#include <gtest/gtest.h>

#include "carat/engine/sampler.h"

namespace carat::engine {
namespace {

model::GenerationDefaults Defaults(bool do_sample, double temperature) {
  model::GenerationDefaults defaults;
  defaults.do_sample = do_sample;
  defaults.temperature = temperature;
  return defaults;
}

model::GenerationDefaults GreedyDefaults() { return Defaults(false, 0.6); }

TEST(SamplingOverrides, LeaveTheModelsDefaults) {
  EXPECT_EQ(ApplyOverrides({}, GreedyDefaults()).temperature, 0);
  EXPECT_EQ(ApplyOverrides({}, Defaults(true, 0.6)).temperature, 0.6);
  EXPECT_EQ(ApplyOverrides({.top_k = 7}, Defaults(true, 0.6)).temperature, 0.6);
  EXPECT_EQ(ApplyOverrides({.top_k = 7}, Defaults(true, 0.6)).top_k, 7);
}

TEST(SamplingOverrides, ThatNarrowTheChoiceAskForSampling) {
  EXPECT_EQ(ApplyOverrides({.top_k = 10}, GreedyDefaults()).temperature, 0.6);
  EXPECT_EQ(ApplyOverrides({.top_p = 0.9}, GreedyDefaults()).temperature, 0.6);
  EXPECT_EQ(ApplyOverrides({.min_p = 0.1}, GreedyDefaults()).temperature, 0.6);
  EXPECT_EQ(ApplyOverrides({.top_p = 0.9}, Defaults(false, 0)).temperature, 1);
  EXPECT_EQ(ApplyOverrides({.temperature = 2, .top_p = 0.9}, GreedyDefaults()).temperature, 2);
}

TEST(SamplingOverrides, PenaltiesAreNoneUnlessGiven) {
  EXPECT_EQ(ApplyOverrides({}, GreedyDefaults()).presence_penalty, 0);
  EXPECT_EQ(ApplyOverrides({}, GreedyDefaults()).frequency_penalty, 0);
  const SamplingParameters sampling =
      ApplyOverrides({.presence_penalty = 0.5, .frequency_penalty = -1.5}, GreedyDefaults());
  EXPECT_EQ(sampling.presence_penalty, 0.5);
  EXPECT_EQ(sampling.frequency_penalty, -1.5);
  EXPECT_EQ(sampling.temperature, 0);
}

TEST(SamplingOverrides, MayStayGreedy) {
  EXPECT_EQ(ApplyOverrides({.temperature = 0, .top_p = 0.9}, GreedyDefaults()).temperature, 0);
  EXPECT_EQ(ApplyOverrides({.repetition_penalty = 1.1, .seed = 3}, GreedyDefaults()).temperature,
            0);
}

}  // namespace
}  // namespace carat::engine
