#include "carat/engine/logprobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <ostream>
#include <random>
#include <vector>

namespace carat::engine {

void PrintTo(const TokenLogprob& logprob, std::ostream* out) {
  *out << "token " << logprob.token << ": " << logprob.logprob;
}

namespace {

using ::testing::AllOf;
using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

constexpr float kMasked = -std::numeric_limits<float>::infinity();

auto IsLogprob(TokenId token, double logprob) {
  return AllOf(Field(&TokenLogprob::token, token),
               Field(&TokenLogprob::logprob, DoubleNear(logprob, 2e-6)));
}

// By definition, in double, with a sort of the whole vocabulary.
TokenLogprobs ReferenceLogprobs(const std::vector<float>& logits, TokenId chosen, int64_t num_top) {
  const double max = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - max);
  std::vector<TokenLogprob> all;
  for (const float logit : logits) {
    all.push_back({static_cast<TokenId>(all.size()), logit - max - std::log(sum)});
  }
  TokenLogprobs logprobs = {all[chosen], all};
  std::ranges::stable_sort(logprobs.top, std::ranges::greater(), &TokenLogprob::logprob);
  logprobs.top.resize(std::min<size_t>(num_top, logits.size()));
  return logprobs;
}

void ExpectLikeReference(const std::vector<float>& logits, TokenId chosen, int64_t num_top) {
  const TokenLogprobs logprobs = ComputeLogprobs(logits, chosen, num_top);
  const TokenLogprobs expected = ReferenceLogprobs(logits, chosen, num_top);
  EXPECT_THAT(logprobs.chosen, IsLogprob(chosen, expected.chosen.logprob));
  ASSERT_EQ(logprobs.top.size(), expected.top.size());
  for (size_t i = 0; i < expected.top.size(); ++i) {
    ASSERT_THAT(logprobs.top[i], IsLogprob(expected.top[i].token, expected.top[i].logprob)) << i;
  }
}

TEST(Logprobs, AreLogarithmsOfProbabilities) {
  // Probabilities 1/8, 1/2, 1/8, 1/4.
  const auto ln = [](double p) { return static_cast<float>(std::log(p)); };
  const std::vector<float> logits = {ln(0.125), ln(0.5), ln(0.125), ln(0.25)};
  const TokenLogprobs logprobs = ComputeLogprobs(logits, 2, 2);
  EXPECT_THAT(logprobs.chosen, IsLogprob(2, std::log(0.125)));
  EXPECT_THAT(logprobs.top, ElementsAre(IsLogprob(1, std::log(0.5)), IsLogprob(3, std::log(0.25))));
}

TEST(Logprobs, AreLikeTheReference) {
  std::mt19937 random(20240601);
  std::normal_distribution<float> normal(0, 4);
  for (const size_t vocab_size : {1, 2, 127, 1000, 262144}) {
    std::vector<float> logits(vocab_size);
    std::ranges::generate(logits, [&] { return normal(random); });
    for (const int64_t num_top : {0, 1, 5, 20, 2000}) {
      ExpectLikeReference(logits, static_cast<TokenId>(vocab_size / 2), num_top);
    }
  }
}

TEST(Logprobs, OfEqualsBeginWithTheLowestId) {
  std::mt19937 random(7);
  std::vector<float> logits(500);
  std::ranges::generate(logits, [&] { return static_cast<float>(random() % 7); });
  for (const int64_t num_top : {1, 3, 20, 100, 500}) ExpectLikeReference(logits, 3, num_top);
  ExpectLikeReference(std::vector<float>(300, -2.0f), 299, 4);
}

TEST(Logprobs, FindTheTopInAscendingAndDescendingLogits) {
  std::vector<float> logits(1000);
  std::iota(logits.begin(), logits.end(), -500.0f);
  ExpectLikeReference(logits, 0, 20);
  std::ranges::reverse(logits);
  ExpectLikeReference(logits, 0, 20);
}

TEST(Logprobs, OfTheChosenTokenAloneHaveNoTop) {
  const TokenLogprobs logprobs = ComputeLogprobs(std::vector<float>{0, 0}, 1, 0);
  EXPECT_THAT(logprobs.chosen, IsLogprob(1, std::log(0.5)));
  EXPECT_THAT(logprobs.top, IsEmpty());
}

TEST(Logprobs, AreStableForExtremeLogits) {
  const TokenLogprobs large = ComputeLogprobs(std::vector<float>{1e30f, -1e30f, 1e30f}, 1, 2);
  EXPECT_THAT(large.chosen.logprob, DoubleEq(double{-1e30f} - 1e30f));
  EXPECT_THAT(large.top, ElementsAre(IsLogprob(0, std::log(0.5)), IsLogprob(2, std::log(0.5))));
  ExpectLikeReference({-5000, -5001, -5002}, 2, 3);
  ExpectLikeReference({1000, 0, 999}, 1, 3);
}

TEST(Logprobs, OfMaskedTokensAreMinusInfinity) {
  const TokenLogprobs logprobs = ComputeLogprobs(std::vector<float>{kMasked, 3, kMasked}, 1, 2);
  EXPECT_EQ(logprobs.chosen.logprob, 0);
  EXPECT_EQ(logprobs.top[1].token, 0);
  EXPECT_EQ(logprobs.top[1].logprob, -std::numeric_limits<double>::infinity());
}

TEST(Logprobs, AreNeverAboveZero) {
  EXPECT_EQ(ComputeLogprobs(std::vector<float>{3}, 0, 1).chosen.logprob, 0);
  EXPECT_LE(ComputeLogprobs(std::vector<float>{30, 0}, 0, 1).chosen.logprob, 0);
}

}  // namespace
}  // namespace carat::engine
