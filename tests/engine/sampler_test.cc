#include "carat/engine/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "carat/base/error.h"

namespace carat::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::ThrowsMessage;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Logits in [-8, 8), the same in every run.
std::vector<float> SomeLogits(size_t vocab_size, uint64_t seed = 1) {
  UniformGenerator uniform(seed);
  std::vector<float> logits(vocab_size);
  for (float& logit : logits) logit = static_cast<float>(uniform.Next() * 16 - 8);
  return logits;
}

// The filters as Hugging Face transformers writes them, on the whole vocabulary: probabilities of
// the tokens that may be drawn, 0 for the others.
std::vector<double> ReferenceProbabilities(std::vector<float> logits, const SamplingParameters& p) {
  const size_t n = logits.size();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  std::vector<double> probabilities(n);
  for (size_t i = 0; i < n; ++i)
    probabilities[i] = std::exp((logits[i] - logits[order[0]]) / p.temperature);
  const auto normalise = [&] {
    const double sum = std::reduce(probabilities.begin(), probabilities.end());
    for (double& probability : probabilities) probability /= sum;
  };
  if (p.top_k > 0 && p.top_k < std::ssize(logits)) {
    const float last = logits[order[p.top_k - 1]];
    for (size_t i = 0; i < n; ++i) probabilities[i] *= logits[i] >= last;
  }
  normalise();
  double before = 0;
  for (size_t i = 0; i < n; ++i) {
    const double probability = probabilities[order[i]];
    if (p.top_p < 1 && i > 0 && before >= p.top_p) probabilities[order[i]] = 0;
    before += probability;
  }
  normalise();
  for (double& probability : probabilities) {
    if (probability < p.min_p * probabilities[order[0]]) probability = 0;
  }
  normalise();
  return probabilities;
}

// Draws many tokens and compares their counts with the probabilities: Pearson's chi-square, rare
// tokens pooled. The seed is fixed; a right sampler passes for all but one seed in 10^5.
void ExpectDistribution(const std::vector<float>& logits, SamplingParameters parameters,
                        int draws = 20000) {
  parameters.seed = 20240601;
  const std::vector<double> probabilities = ReferenceProbabilities(logits, parameters);
  Sampler sampler(parameters, std::ssize(logits));
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i) {
    std::vector<float> scratch = logits;
    ++counts[sampler.Sample(scratch)];
  }
  double statistic = 0;
  int cells = 0;
  double pooled_expected = 0;
  double pooled_count = 0;
  const auto add_cell = [&](double expected, double count) {
    statistic += (count - expected) * (count - expected) / expected;
    ++cells;
  };
  for (size_t i = 0; i < logits.size(); ++i) {
    const double expected = probabilities[i] * draws;
    if (expected == 0) {
      ASSERT_EQ(counts[i], 0) << "token " << i << " is filtered";
    } else if (expected >= 10) {
      add_cell(expected, counts[i]);
    } else {
      pooled_expected += expected;
      pooled_count += counts[i];
    }
  }
  if (pooled_expected >= 10) add_cell(pooled_expected, pooled_count);
  // Wilson and Hilferty's approximation of the quantile 4.265 standard deviations out.
  const double freedom = std::max(cells - 1, 1);
  const double limit =
      freedom * std::pow(1 - 2 / (9 * freedom) + 4.265 * std::sqrt(2 / (9 * freedom)), 3);
  EXPECT_LT(statistic, limit) << cells << " cells";
}

TokenId SampleOnce(std::vector<float> logits, const SamplingParameters& parameters) {
  Sampler sampler(parameters, std::ssize(logits));
  return sampler.Sample(logits);
}

SamplingParameters Greedy() { return {.temperature = 0}; }

// --- Greedy ---

TEST(GreedySampling, TakesTheMostLikelyToken) {
  for (const size_t vocab_size : {1, 5, 127, 128, 129, 1000, 5000}) {
    std::vector<float> logits = SomeLogits(vocab_size, vocab_size);
    const auto expected = std::ranges::max_element(logits) - logits.begin();
    EXPECT_EQ(SampleOnce(logits, Greedy()), expected);
  }
}

TEST(GreedySampling, TakesTheLowestIdOfEquals) {
  std::vector<float> logits(1000, -1.0f);
  logits[700] = logits[301] = logits[299] = 2.0f;
  EXPECT_EQ(SampleOnce(logits, Greedy()), 299);
  EXPECT_EQ(SampleOnce(std::vector<float>(1000, 0.0f), Greedy()), 0);
}

TEST(GreedySampling, NeverTakesAMaskedToken) {
  std::vector<float> logits(300, -kInfinity);
  logits[299] = -1e30f;
  EXPECT_EQ(SampleOnce(logits, Greedy()), 299);
}

// --- Bad logits ---

TEST(Sampling, RefusesLogitsThatAreNotNumbers) {
  for (const float bad : {kNaN, -kNaN, kInfinity}) {
    for (const size_t at : {0, 15, 127, 128, 200, 298}) {
      for (const double temperature : {0.0, 1.0}) {
        std::vector<float> logits = SomeLogits(299);
        logits[at] = bad;
        EXPECT_THAT([&] { SampleOnce(logits, {.temperature = temperature}); },
                    ThrowsMessage<Error>(HasSubstr("not finite")));
      }
    }
  }
  EXPECT_THROW(SampleOnce(std::vector<float>(299, -kInfinity), {}), Error);
}

TEST(Sampling, RefusesLogitsOfAnotherVocabulary) {
  Sampler sampler({}, 10);
  std::vector<float> logits(11);
  EXPECT_THROW(sampler.Sample(logits), Error);
}

// --- Distributions ---

TEST(Sampling, FollowsTheProbabilities) {
  ExpectDistribution(SomeLogits(50), {});
  ExpectDistribution(SomeLogits(1000), {});
  ExpectDistribution({0.0f, 0.0f, 0.0f}, {});
}

TEST(Sampling, FollowsTheTemperature) {
  ExpectDistribution(SomeLogits(300), {.temperature = 0.3});
  ExpectDistribution(SomeLogits(300), {.temperature = 5});
  ExpectDistribution(SomeLogits(300), {.temperature = 3, .top_k = 20});
}

TEST(Sampling, KeepsTheTopK) {
  for (const int64_t top_k : {1, 2, 5, 64, 299, 300, 1000}) {
    ExpectDistribution(SomeLogits(300), {.temperature = 4, .top_k = top_k}, 5000);
  }
}

TEST(Sampling, KeepsTheTopKOfALargeVocabulary) {
  const std::vector<float> logits = SomeLogits(20000);
  ExpectDistribution(logits, {.temperature = 4, .top_k = 64}, 5000);
  ExpectDistribution(logits, {.temperature = 4, .top_k = 157},
                     2000);  // as many as there are blocks
  ExpectDistribution(logits, {.temperature = 4, .top_k = 158}, 2000);
}

TEST(Sampling, KeepsWhatTiesWithTheLastOfTheTopK) {
  ExpectDistribution({1, 3, 2, 2, 0, 2, 1}, {.top_k = 2}, 5000);
}

TEST(Sampling, KeepsTheTopP) {
  for (const double top_p : {0.0, 1e-9, 0.3, 0.5, 0.9, 0.95, 0.999999, 1.0}) {
    ExpectDistribution(SomeLogits(300), {.temperature = 3, .top_p = top_p}, 5000);
  }
}

TEST(Sampling, CountsTheTokenThatReachesTopP) {
  // Probabilities 1/2, 1/4, 1/8, 1/8.
  const auto ln = [](double p) { return static_cast<float>(std::log(p)); };
  const std::vector<float> logits = {ln(0.125), ln(0.5), ln(0.125), ln(0.25)};
  ExpectDistribution(logits, {.top_p = 0.49}, 2000);
  ExpectDistribution(logits, {.top_p = 0.51}, 2000);
  ExpectDistribution(logits, {.top_p = 0.76}, 2000);
}

TEST(Sampling, TakesTopPOfWhatTopKLeaves) {
  ExpectDistribution(SomeLogits(300), {.temperature = 4, .top_k = 10, .top_p = 0.6}, 5000);
}

TEST(Sampling, KeepsTokensOfAtLeastMinP) {
  for (const double min_p : {1e-6, 0.01, 0.2, 0.9, 1.0}) {
    ExpectDistribution(SomeLogits(300), {.temperature = 2, .min_p = min_p}, 5000);
  }
  ExpectDistribution({1, 3, 3, 0}, {.min_p = 1.0}, 2000);  // equals stay
}

TEST(Sampling, CombinesAllFilters) {
  ExpectDistribution(SomeLogits(300), {.temperature = 3, .top_k = 40, .top_p = 0.9, .min_p = 0.1},
                     5000);
  ExpectDistribution(SomeLogits(300), {.temperature = 3, .top_p = 0.9, .min_p = 0.05}, 5000);
}

TEST(Sampling, NeverDrawsAMaskedToken) {
  std::vector<float> logits = SomeLogits(300);
  for (size_t i = 0; i < logits.size(); i += 2) logits[i] = -kInfinity;
  ExpectDistribution(logits, {}, 5000);
  ExpectDistribution(logits, {.top_k = 250}, 5000);
  ExpectDistribution(logits, {.top_p = 0.9999}, 5000);
}

TEST(Sampling, StaysExactForExtremeLogits) {
  ExpectDistribution({1e30f, -1e30f, 1e30f}, {}, 2000);
  ExpectDistribution({-5000, -5001, -5002}, {}, 2000);
  ExpectDistribution({0, 1, 2}, {.temperature = 1e-6}, 100);
}

// --- Repetition penalty ---

TEST(RepetitionPenalty, MakesTokensOfThePromptLessLikely) {
  Sampler sampler({.temperature = 0, .repetition_penalty = 2}, 4);
  const std::vector<TokenId> prompt = {0, 2, 2, 2};
  sampler.AddToHistory(prompt);
  std::vector<float> logits = {4, 1, -1, -3};
  sampler.Sample(logits);
  EXPECT_THAT(logits, ElementsAre(2, 1, -2, -3));
}

TEST(RepetitionPenalty, CountsWhatWasSampled) {
  Sampler sampler({.temperature = 0, .repetition_penalty = 2}, 3);
  std::vector<TokenId> sampled;
  for (int i = 0; i < 3; ++i) {
    std::vector<float> logits = {4, 3, 2.5f};
    sampled.push_back(sampler.Sample(logits));
  }
  EXPECT_THAT(sampled, ElementsAre(0, 1, 2));
}

TEST(RepetitionPenalty, OfOneChangesNothing) {
  Sampler sampler({.temperature = 0}, 3);
  for (int i = 0; i < 3; ++i) {
    std::vector<float> logits = {4, 3, 2.5f};
    EXPECT_EQ(sampler.Sample(logits), 0);
  }
}

TEST(PresencePenalty, CountsTokensOfTheOutputOnce) {
  Sampler sampler({.temperature = 0, .presence_penalty = 1.5}, 3);
  sampler.AddToHistory(std::vector<TokenId>{2, 2});  // the prompt does not count
  std::vector<TokenId> sampled;
  std::vector<float> logits;
  for (int i = 0; i < 4; ++i) {
    logits = {4, 3, 2};
    sampled.push_back(sampler.Sample(logits));
  }
  EXPECT_THAT(sampled, ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(logits, ElementsAre(2.5f, 1.5f, 2));
}

TEST(PresencePenalty, BelowZeroFavoursRepetition) {
  Sampler sampler({.temperature = 0, .presence_penalty = -2}, 2);
  std::vector<float> logits = {1, 0};
  EXPECT_EQ(sampler.Sample(logits), 0);
  logits = {0, 1};
  EXPECT_EQ(sampler.Sample(logits), 0);
  EXPECT_THAT(logits, ElementsAre(2, 1));
}

TEST(FrequencyPenalty, CountsEachTimeATokenWasSampled) {
  Sampler sampler({.temperature = 0, .frequency_penalty = 0.75}, 2);
  sampler.AddToHistory(std::vector<TokenId>{0, 1, 1});
  std::vector<TokenId> sampled;
  std::vector<float> logits;
  for (int i = 0; i < 5; ++i) {
    logits = {4, 2};
    sampled.push_back(sampler.Sample(logits));
  }
  EXPECT_THAT(sampled, ElementsAre(0, 0, 0, 1, 0));
  EXPECT_THAT(logits, ElementsAre(1.75f, 1.25f));
}

TEST(FrequencyPenalty, AddsToThePresencePenalty) {
  Sampler sampler({.temperature = 0, .presence_penalty = 0.5, .frequency_penalty = 0.25}, 2);
  std::vector<float> logits;
  for (int i = 0; i < 3; ++i) {
    logits = {9, 0};
    sampler.Sample(logits);
  }
  EXPECT_THAT(logits, ElementsAre(8, 0));
}

TEST(LogitBias, IsAddedToTheLogits) {
  std::vector<float> logits = {4, 1, -1};
  Sampler sampler({.temperature = 0, .logit_bias = {{0, -100}, {2, 2.5}}}, 3);
  EXPECT_EQ(sampler.Sample(logits), 2);
  EXPECT_THAT(logits, ElementsAre(-96, 1, 1.5f));
}

TEST(LogitBias, LeavesMaskedTokensMasked) {
  EXPECT_EQ(SampleOnce({-kInfinity, -50}, {.temperature = 0, .logit_bias = {{0, 100}}}), 1);
}

TEST(LogitBias, ComesBeforeAllElse) {
  SamplingParameters parameters = {
      .temperature = 0, .repetition_penalty = 2, .presence_penalty = 0.5, .logit_bias = {{0, 3}}};
  Sampler sampler(parameters, 2);
  std::vector<float> logits = {5, 0};
  sampler.Sample(logits);
  logits = {5, 0};
  sampler.Sample(logits);
  EXPECT_THAT(logits, ElementsAre((5 + 3) / 2.0f - 0.5f, 0));

  // And before the temperature: 2 * ln 3 at temperature 2 makes a token three times as likely.
  parameters = {.temperature = 2, .logit_bias = {{1, 2 * std::log(3.0)}}, .seed = 4};
  Sampler warm(parameters, 2);
  int drawn = 0;
  for (int i = 0; i < 4000; ++i) {
    logits = {0, 0};
    drawn += warm.Sample(logits);
  }
  EXPECT_NEAR(drawn, 3000, 110);  // 4 standard deviations
}

// --- Seeds ---

TEST(UniformGenerator, GivesTheSameNumbersOnEveryMachine) {
  // SplitMix64's published outputs for seed 1234567, 53 bits of them.
  UniformGenerator uniform(1234567);
  EXPECT_EQ(uniform.Next(), static_cast<double>(6457827717110365317u >> 11) * 0x1p-53);
  EXPECT_EQ(uniform.Next(), static_cast<double>(3203168211198807973u >> 11) * 0x1p-53);
}

TEST(UniformGenerator, IsUniform) {
  UniformGenerator uniform(7);
  std::vector<int> counts(16);
  for (int i = 0; i < 16000; ++i) ++counts.at(static_cast<size_t>(uniform.Next() * 16));
  double statistic = 0;
  for (const int count : counts) statistic += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_THAT(statistic, Lt(44.3));  // chi-square, 15 degrees of freedom, one in 10^4
}

TEST(Sampling, RepeatsItselfWithTheSameSeed) {
  const auto draw = [](std::optional<uint64_t> seed) {
    Sampler sampler({.temperature = 2, .top_k = 50, .seed = seed}, 300);
    std::vector<TokenId> tokens;
    for (int i = 0; i < 20; ++i) {
      std::vector<float> logits = SomeLogits(300);
      tokens.push_back(sampler.Sample(logits));
    }
    return tokens;
  };
  EXPECT_EQ(draw(5), draw(5));
  EXPECT_NE(draw(5), draw(6));
  EXPECT_NE(draw(std::nullopt), draw(std::nullopt));
}

// --- Parameters ---

TEST(SamplingParameters, AreCheckedByName) {
  const auto expect_refused = [](const SamplingParameters& parameters, const std::string& message) {
    EXPECT_THAT([&] { Sampler(parameters, 10); }, ThrowsMessage<Error>(HasSubstr(message)));
  };
  expect_refused({.temperature = -0.5}, "temperature is -0.5, expected 0");
  expect_refused({.temperature = kNaN}, "temperature is nan");
  expect_refused({.top_k = -1}, "top_k is -1");
  expect_refused({.top_p = 1.5}, "top_p is 1.5, expected a probability");
  expect_refused({.min_p = -0.1}, "min_p is -0.1");
  expect_refused({.repetition_penalty = 0}, "repetition_penalty is 0");
  expect_refused({.presence_penalty = 2.5}, "presence_penalty is 2.5, expected a number from -2");
  expect_refused({.presence_penalty = kNaN}, "presence_penalty is nan");
  expect_refused({.frequency_penalty = -2.5}, "frequency_penalty is -2.5, expected a number");
  expect_refused({.frequency_penalty = kNaN}, "frequency_penalty is nan");
  expect_refused({.logit_bias = {{7, 100.5}}},
                 "logit_bias of token 7 is 100.5, expected a number from -100 to 100");
  expect_refused({.logit_bias = {{7, kNaN}}}, "logit_bias of token 7 is nan");
  expect_refused({.logit_bias = {{10, 1}}}, "logit_bias has token 10, expected one of the");
  expect_refused({.logit_bias = {{-1, 1}}}, "logit_bias has token -1");
}

TEST(SamplingParameters, MayReachTheirLimits) {
  for (const double sign : {-1, 1}) {
    const SamplingParameters parameters = {.presence_penalty = 2 * sign,
                                           .frequency_penalty = 2 * sign,
                                           .logit_bias = {{0, 100 * sign}, {9, 100 * sign}}};
    EXPECT_NO_THROW(Sampler(parameters, 10));
  }
}

TEST(SamplingParameters, AreGreedyUnlessTheAuthorsSample) {
  model::GenerationDefaults defaults;
  defaults.temperature = 0.7;
  EXPECT_EQ(DefaultSampling(defaults).temperature, 0);
  defaults.do_sample = true;
  EXPECT_EQ(DefaultSampling(defaults).temperature, 0.7);
  EXPECT_EQ(DefaultSampling(defaults).top_k, 50);
}

}  // namespace
}  // namespace carat::engine
