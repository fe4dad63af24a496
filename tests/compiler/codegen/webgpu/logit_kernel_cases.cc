// What becomes of logits: masks, biases, penalties and the softmax.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/compiler/codegen/webgpu/kernel_cases.h"
#include "tests/compiler/codegen/webgpu/logit_plan.h"
#include "tests/compiler/codegen/webgpu/plan_case.h"

namespace carat::compiler::webgpu {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kColdest = 1e-6F;  // WebLLM's temperature for 0

// --- Softmax ---

std::vector<float> ExpectedSoftmax(const std::vector<float>& logits, float temperature) {
  const double peak = *std::ranges::max_element(logits);
  std::vector<double> weights;
  double sum = 0;
  for (const float logit : logits) {
    weights.push_back(std::exp((logit - peak) / temperature));
    sum += weights.back();
  }
  std::vector<float> probabilities;
  for (const double weight : weights) probabilities.push_back(static_cast<float>(weight / sum));
  return probabilities;
}

// The quotient in the exponent, here down to -50, may be wrong by 2.5 ULP, and exp of it by 3 ULP
// and 2 more for each unit of it: some 230 ULP together, of 2^-24 to 2^-23.
constexpr double kSoftmaxTolerance = 3e-5;

KernelCase SoftmaxCase(std::string name, const std::vector<float>& logits, float temperature,
                       std::vector<float> expected, double rtol) {
  const PlanModel plan = LogitPlan(static_cast<int64_t>(logits.size()));
  PlanCase softmax("softmax_with_temperature: " + name, plan);
  const auto results =
      softmax.Call("softmax_with_temperature",
                   {softmax.AddBuffer(logits), softmax.AddBuffer(std::vector{temperature})});
  softmax.Expect({results[0], std::move(expected), 0, rtol});
  return std::move(softmax).Take();
}

std::vector<KernelCase> SoftmaxCases() {
  std::vector<KernelCase> cases;
  for (const int64_t vocab_size : {1, 5, 256, 1024, 1025, 5000, 262144, 300001}) {
    const std::vector<float> logits = RandomLogits(vocab_size);
    cases.push_back(SoftmaxCase(fmt::format("{} logits", vocab_size), logits, 0.75F,
                                ExpectedSoftmax(logits, 0.75F), kSoftmaxTolerance));
  }

  std::vector<float> logits = RandomLogits(3000);
  logits[2345] = 20;
  std::vector<float> one_hot(3000);
  one_hot[2345] = 1;
  cases.push_back(SoftmaxCase("only the largest at temperature 0", logits, kColdest, one_hot, 0));
  logits[7] = std::nextafter(20.0F, 0.0F);
  cases.push_back(
      SoftmaxCase("the nearest is not the largest at temperature 0", logits, kColdest, one_hot, 0));
  logits[7] = 20;
  one_hot[2345] = one_hot[7] = 0.5F;
  cases.push_back(SoftmaxCase("two largest at temperature 0", logits, kColdest, one_hot, 1e-6));

  for (const float masked : {-kInfinity, kLowest}) {
    std::vector<float> some = RandomLogits(3000);
    for (size_t i = 0; i < 1500; ++i) some[i] = some[2 * i] = masked;  // and all of the first block
    cases.push_back(SoftmaxCase(fmt::format("masked by {}", masked), some, 0.75F,
                                ExpectedSoftmax(some, 0.75F), kSoftmaxTolerance));
    cases.push_back(SoftmaxCase(fmt::format("all masked by {}", masked),
                                std::vector<float>(3000, masked), 0.75F,
                                std::vector<float>(3000, 1 / 3000.0F), 1e-6));
  }
  cases.push_back(SoftmaxCase("the range of floats", {kLowest, -kLowest, 0}, 1, {0, 1, 0}, 0));
  return cases;
}

// --- In place ---

KernelCase BitmaskCase(int64_t vocab_size) {
  const PlanModel plan = LogitPlan(vocab_size);
  PlanCase apply(fmt::format("apply_bitmask_inplace: {} logits", vocab_size), plan);
  std::vector<float> logits = RandomLogits(vocab_size);
  const size_t buffer = apply.AddBuffer(logits);
  std::mt19937 random(3);
  std::vector<uint32_t> mask(static_cast<size_t>(vocab_size + 31) / 32);
  for (uint32_t& word : mask) word = static_cast<uint32_t>(random());
  for (size_t i = 0; i < logits.size(); ++i) {
    if ((mask[i / 32] >> (i % 32) & 1) == 0) logits[i] = kLowest;
  }
  apply.Call("apply_bitmask_inplace",
             {buffer, apply.AddBuffer(std::vector{0}), apply.AddBuffer(mask)});
  apply.Expect({buffer, logits});
  return std::move(apply).Take();
}

// Different tokens, in no order.
std::vector<int32_t> SomeTokens(int64_t count, int64_t vocab_size) {
  std::vector<int32_t> tokens(static_cast<size_t>(vocab_size));
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(i);
  std::ranges::shuffle(tokens, std::mt19937(5));
  tokens.resize(static_cast<size_t>(count));
  return tokens;
}

KernelCase LogitBiasCase(int64_t count) {
  constexpr int64_t kVocabSize = 1000;
  const PlanModel plan = LogitPlan(kVocabSize);
  PlanCase apply(fmt::format("apply_logit_bias_inplace: {} tokens", count), plan);
  std::vector<float> logits = RandomLogits(kVocabSize);
  const size_t buffer = apply.AddBuffer(logits);
  const std::vector<int32_t> ids = SomeTokens(count, kVocabSize);
  std::vector<float> bias;
  for (size_t k = 0; k < ids.size(); ++k) {
    bias.push_back(k % 2 == 0 ? -100.0F : 0.5F * static_cast<float>(k));
    logits[static_cast<size_t>(ids[k])] += bias[k];
  }
  apply.Call("apply_logit_bias_inplace", {buffer, apply.AddBuffer(std::vector<int32_t>(ids.size())),
                                          apply.AddBuffer(ids), apply.AddBuffer(bias)});
  apply.Expect({buffer, logits});
  return std::move(apply).Take();
}

struct Penalties {
  float presence, frequency, repetition;
};

KernelCase PenaltyCase(int64_t count, const Penalties& penalties) {
  constexpr int64_t kVocabSize = 1000;
  const PlanModel plan = LogitPlan(kVocabSize);
  PlanCase apply(fmt::format("apply_penalty_inplace: {} tokens, presence {}, frequency {}, "
                             "repetition {}",
                             count, penalties.presence, penalties.frequency, penalties.repetition),
                 plan);
  std::vector<float> logits = RandomLogits(kVocabSize);
  const size_t buffer = apply.AddBuffer(logits);
  const std::vector<int32_t> ids = SomeTokens(count, kVocabSize);
  std::vector<int32_t> counts;
  for (size_t k = 0; k < ids.size(); ++k) {
    counts.push_back(static_cast<int32_t>(k % 7) + 1);
    float& logit = logits[static_cast<size_t>(ids[k])];
    logit -= penalties.presence + static_cast<float>(counts[k]) * penalties.frequency;
    logit = logit > 0 ? logit / penalties.repetition : logit * penalties.repetition;
  }
  apply.Call(
      "apply_penalty_inplace",
      {buffer, apply.AddBuffer(std::vector{0}), apply.AddBuffer(std::vector<int32_t>(ids.size())),
       apply.AddBuffer(ids), apply.AddBuffer(counts),
       apply.AddBuffer(
           std::vector{penalties.presence, penalties.frequency, penalties.repetition})});
  // A difference of numbers below 32, where a fused multiply and add may round otherwise.
  apply.Expect({buffer, logits, 1e-5, 1e-6});
  return std::move(apply).Take();
}

KernelCase ForeignTokenCase() {
  const PlanModel plan = LogitPlan(100);
  PlanCase apply("apply_logit_bias_inplace: passes over tokens that the model has not", plan);
  std::vector<float> logits = RandomLogits(100);
  const size_t buffer = apply.AddBuffer(logits);
  apply.Call("apply_logit_bias_inplace", {buffer, apply.AddBuffer(std::vector{0, 0, 0}),
                                          apply.AddBuffer(std::vector{-1, 3, 100}),
                                          apply.AddBuffer(std::vector{5.0F, 5.0F, 5.0F})});
  logits[3] += 5;
  apply.Expect({buffer, logits});
  return std::move(apply).Take();
}

// A token that a mask has taken out, and that was seen before, stays out and finite.
KernelCase PenalizedMaskedCase() {
  const PlanModel plan = LogitPlan(2);
  PlanCase apply("apply_penalty_inplace: masked logits stay floats", plan);
  const size_t buffer = apply.AddBuffer(std::vector{kLowest, 1.0F});
  apply.Call("apply_penalty_inplace",
             {buffer, apply.AddBuffer(std::vector{0}), apply.AddBuffer(std::vector{0}),
              apply.AddBuffer(std::vector{0}), apply.AddBuffer(std::vector{1}),
              apply.AddBuffer(std::vector{0.0F, 0.0F, 2.0F})});
  apply.Expect({buffer, std::vector{-2e38F, 1.0F}, 0, 1e-6});
  return std::move(apply).Take();
}

}  // namespace

std::vector<KernelCase> LogitKernelCases() {
  std::vector<KernelCase> cases = SoftmaxCases();
  for (const int64_t vocab_size : {1, 32, 1001}) cases.push_back(BitmaskCase(vocab_size));
  for (const int64_t count : {1, 300}) cases.push_back(LogitBiasCase(count));
  cases.push_back(ForeignTokenCase());
  cases.push_back(PenalizedMaskedCase());
  cases.push_back(PenaltyCase(1, {0.5F, 0, 1}));
  cases.push_back(PenaltyCase(300, {0.5F, 0.25F, 1.3F}));
  cases.push_back(PenaltyCase(1000, {-1, -0.5F, 0.8F}));
  return cases;
}

}  // namespace carat::compiler::webgpu
