// From probabilities to a token: argsort_probs and sample_with_top_p.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/compiler/codegen/webgpu/kernel_cases.h"
#include "tests/compiler/codegen/webgpu/logit_plan.h"
#include "tests/compiler/codegen/webgpu/plan_case.h"

namespace carat::compiler::webgpu {
namespace {

using Probabilities = std::vector<float>;

constexpr float kAlmostOne = 0x1.fffffep-1F;  // the largest that a uniform number in [0, 1) can be

Probabilities RandomProbabilities(int64_t vocab_size) {
  const std::vector<float> logits = RandomLogits(vocab_size);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  Probabilities probabilities;
  for (const float logit : logits) {
    probabilities.push_back(static_cast<float>(std::exp(static_cast<double>(logit)) / sum));
  }
  return probabilities;
}

// --- argsort_probs ---

constexpr size_t kBlock = 128;

// Every block sorted, the sums in it, and whose probabilities they are.
KernelCase ArgsortCase(const std::string& name, const Probabilities& probabilities) {
  const size_t size = probabilities.size();
  const PlanModel plan = LogitPlan(static_cast<int64_t>(size));
  PlanCase argsort("argsort_probs: " + name, plan);
  std::vector<int32_t> tokens(size);
  std::iota(tokens.begin(), tokens.end(), 0);
  const auto probability = [&](int32_t token) { return probabilities[static_cast<size_t>(token)]; };
  std::vector<float> sorted(2 * size);
  for (size_t first = 0; first < size; first += kBlock) {
    const size_t end = std::min(first + kBlock, size);
    const std::span block = std::span(tokens).subspan(first, end - first);
    std::ranges::stable_sort(block, std::ranges::greater(), probability);
    double sum = 0;
    for (size_t i = first; i < end; ++i) {
      sorted[i] = probability(tokens[i]);
      sum += sorted[i];
      sorted[size + i] = static_cast<float>(sum);
    }
  }
  const auto results = argsort.Call("argsort_probs", {argsort.AddBuffer(probabilities)});
  // Sums of at most 128 numbers, of which each step may round by 2^-24.
  argsort.Expect({results[0], sorted, 0, 2e-6});
  argsort.Expect({results[1], tokens});
  return std::move(argsort).Take();
}

// --- sample_with_top_p ---

// The token that one call draws.
KernelCase DrawCase(const std::string& name, const Probabilities& probabilities, float top_p,
                    float uniform, int32_t expected) {
  const PlanModel plan = LogitPlan(static_cast<int64_t>(probabilities.size()));
  PlanCase draw("sample_with_top_p: " + name, plan);
  const auto sorted = draw.Call("argsort_probs", {draw.AddBuffer(probabilities)});
  const auto drawn = draw.Call(
      "sample_with_top_p", {sorted[0], sorted[1], draw.AddBuffer(std::vector{uniform}),
                            draw.AddBuffer(std::vector{0}), draw.AddBuffer(std::vector{top_p})});
  draw.Expect({drawn[0], std::vector{expected}});
  return std::move(draw).Take();
}

Probabilities WithTokens(size_t vocab_size, std::vector<std::pair<size_t, float>> tokens) {
  Probabilities probabilities(vocab_size);
  for (const auto& [token, probability] : tokens) probabilities[token] = probability;
  return probabilities;
}

std::vector<KernelCase> DrawCases() {
  const Probabilities halves =
      WithTokens(3000, {{2900, 0.5F}, {1500, 0.25F}, {10, 0.125F}, {2000, 0.125F}});
  const Probabilities even(262144, 0x1p-18F);
  // In the order of their probabilities, of equal ones the lower token first.
  return {
      DrawCase("the likeliest at 0", halves, 1, 0, 2900),
      DrawCase("the second behind its weight", halves, 1, 0.5F, 1500),
      DrawCase("the last just below 1", halves, 1, kAlmostOne, 2000),
      DrawCase("as many as just weigh top_p", halves, 0.75F, kAlmostOne, 1500),
      DrawCase("one more than weigh less", halves, 0.7500001F, kAlmostOne, 10),
      DrawCase("of ties the lower token", halves, 0.875F, kAlmostOne, 10),
      DrawCase("the one before the ties", halves, 0.875F, 0.8F, 1500),
      DrawCase("both ties where both are needed", halves, 0.88F, kAlmostOne, 2000),
      DrawCase("at least one", halves, 0, kAlmostOne, 2900),
      DrawCase("all where rounding keeps the sum below top_p",
               WithTokens(5, {{1, 0.5F}, {3, 0.499999F}}), 1, kAlmostOne, 3),
      DrawCase("nothing of probability 0", WithTokens(262144, {{262143, 1}}), 1, 0, 262143),
      DrawCase("from one token", {1}, 1, kAlmostOne, 0),
      DrawCase("half of equal tokens", even, 0.5F, kAlmostOne, 131071),
      DrawCase("among equal tokens", even, 1, 65541 * 0x1p-18F, 65541),
      DrawCase("one of equal tokens", even, 1e-5F, kAlmostOne, 2),
      DrawCase("more tokens than any model has", WithTokens(600000, {{5, 0.25F}, {599999, 0.75F}}),
               0.9F, 0.5F, 599999),
  };
}

// The fewest tokens that weigh top_p, the most probable first. In f32 a set may seem to weigh
// enough that misses it by `slack`, or the other way round: both are right.
struct Nucleus {
  std::vector<size_t> tokens;
  double weight = 0;
};

Nucleus ExactNucleus(const Probabilities& probabilities, double top_p, double slack) {
  std::vector<size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](size_t token) { return probabilities[token]; });
  Nucleus nucleus;
  for (const size_t token : order) {
    if (nucleus.weight >= top_p + slack) break;
    nucleus.tokens.push_back(token);
    nucleus.weight += probabilities[token];
  }
  return nucleus;
}

// Counts what was drawn, by groups of tokens, and sets the next uniform number. A token's group is
// counted from 1; 0 stands for those that may not be drawn.
WgslKernel TallyKernel(size_t draws) {
  constexpr const char* kText = R"(
@group(0) @binding(0) var<storage, read> drawn: array<u32>;
@group(0) @binding(1) var<storage, read> group_of: array<u32>;
@group(0) @binding(2) var<storage, read_write> draws: array<u32>;
@group(0) @binding(3) var<storage, read_write> uniform_sample: array<f32>;
@group(0) @binding(4) var<storage, read_write> counts: array<u32>;
@group(0) @binding(5) var<storage, read_write> wrong: array<u32>;
@compute @workgroup_size(1)
fn tally() {{
  let group = group_of[drawn[0]];
  if (group == 0u) {{
    wrong[0] += 1u;
  }} else {{
    counts[group - 1u] += 1u;
  }}
  draws[0] += 1u;
  uniform_sample[0] = (f32(draws[0]) + 0.5) / {}.0;
}}
)";
  return {.name = "tally",
          .writes = {false, false, true, true, true, true},
          .wgsl = fmt::format(kText, draws)};
}

// Draws with uniform numbers at even distances. The tokens of a group follow each other in the
// order of their probabilities, so that an interval of these numbers draws them: as often as they
// weigh, but for one at each end.
KernelCase DistributionCase(int64_t vocab_size, float top_p, size_t draws,
                            size_t tokens_per_group) {
  const Probabilities probabilities = RandomProbabilities(vocab_size);
  const Nucleus nucleus = ExactNucleus(probabilities, top_p, 1e-6);
  std::vector<int32_t> group_of(probabilities.size());
  std::vector<double> counts((nucleus.tokens.size() - 1) / tokens_per_group + 1);
  for (size_t rank = 0; rank < nucleus.tokens.size(); ++rank) {
    const size_t token = nucleus.tokens[rank];
    const size_t group = rank / tokens_per_group;
    group_of[token] = static_cast<int32_t>(group) + 1;
    counts[group] += static_cast<double>(draws) * probabilities[token] / nucleus.weight;
  }
  std::vector<int32_t> rounded;
  for (const double count : counts) rounded.push_back(static_cast<int32_t>(std::lround(count)));

  const PlanModel plan = LogitPlan(vocab_size);
  PlanCase draw(
      fmt::format("sample_with_top_p: {} draws of {} tokens at top_p {}", draws, vocab_size, top_p),
      plan);
  const size_t uniform = draw.AddBuffer(std::vector{0.5F / static_cast<float>(draws)});
  const size_t groups = draw.AddBuffer(group_of);
  const size_t index = draw.AddBuffer(std::vector{0});
  const size_t tally = draw.AddZeros(static_cast<int64_t>(rounded.size() * sizeof(int32_t)));
  const size_t wrong = draw.AddBuffer(std::vector{0});
  const size_t row = draw.AddBuffer(std::vector{0});
  const size_t top_p_buffer = draw.AddBuffer(std::vector{top_p});
  const auto sorted = draw.Call("argsort_probs", {draw.AddBuffer(probabilities)});
  for (size_t i = 0; i < draws; ++i) {
    const auto drawn =
        draw.Call("sample_with_top_p", {sorted[0], sorted[1], uniform, row, top_p_buffer});
    draw.Launch(TallyKernel(draws), {drawn[0], groups, index, uniform, tally, wrong});
  }
  draw.Expect({wrong, std::vector{0}});
  draw.Expect({tally, rounded, /*atol=*/1});
  return std::move(draw).Take();
}

// All three functions, as WebLLM calls them for a temperature of 0.
KernelCase GreedyCase(int64_t vocab_size) {
  const std::vector<float> logits = RandomLogits(vocab_size);
  const PlanModel plan = LogitPlan(vocab_size);
  PlanCase draw(fmt::format("sample_with_top_p: the largest of {} logits", vocab_size), plan);
  const auto probabilities = draw.Call(
      "softmax_with_temperature", {draw.AddBuffer(logits), draw.AddBuffer(std::vector{1e-6F})});
  const auto sorted = draw.Call("argsort_probs", probabilities);
  const auto drawn = draw.Call("sample_with_top_p",
                               {sorted[0], sorted[1], draw.AddBuffer(std::vector{0.3F}),
                                draw.AddBuffer(std::vector{0}), draw.AddBuffer(std::vector{1.0F})});
  const auto largest = std::ranges::max_element(logits) - logits.begin();
  draw.Expect({drawn[0], std::vector{static_cast<int32_t>(largest)}});
  return std::move(draw).Take();
}

}  // namespace

std::vector<KernelCase> SamplingKernelCases() {
  std::vector<KernelCase> cases;
  for (const int64_t vocab_size : {1, 100, 128, 1500, 262144}) {
    cases.push_back(
        ArgsortCase(fmt::format("{} tokens", vocab_size), RandomProbabilities(vocab_size)));
  }
  Probabilities ties(3000);
  for (size_t token = 0; token < ties.size(); ++token) {
    ties[token] = static_cast<float>(token * 7 % 4) * 0x1p-13F;
  }
  cases.push_back(ArgsortCase("many ties, and zeros", ties));
  std::ranges::move(DrawCases(), std::back_inserter(cases));
  cases.push_back(DistributionCase(3000, 0.9F, 2000, 1));
  cases.push_back(DistributionCase(3000, 1, 500, 1));
  cases.push_back(DistributionCase(262144, 0.95F, 200, 16384));
  cases.push_back(GreedyCase(262144));
  return cases;
}

}  // namespace carat::compiler::webgpu
