#include "carat/engine/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>

#include "carat/base/error.h"

namespace carat::engine {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Small enough that the maxima of the blocks narrow the search for the top k down well (each block whose
// maximum is too small is skipped), large enough that there are few of them: 2048 for 262144 tokens.
constexpr size_t kBlock = 128;

constexpr size_t kLanes = 16;

// The largest of kBlock values; NaN if one of them is.
float BlockMaximum(const float* values) {
  using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
  using Mask = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));
  Floats maximum = {};
  maximum -= kInfinity;
  Mask is_nan = {};
  for (size_t i = 0; i < kBlock; i += kLanes) {
    Floats value;
    std::memcpy(&value, values + i, sizeof(value));
    is_nan |= value != value;
    maximum = value > maximum ? value : maximum;
  }
  float result = maximum[0];
  int32_t any_nan = is_nan[0];
  for (size_t lane = 1; lane < kLanes; ++lane) {
    result = std::max(result, maximum[lane]);
    any_nan |= is_nan[lane];
  }
  return any_nan != 0 ? std::numeric_limits<float>::quiet_NaN() : result;
}

// e^x for x <= 0, within 2e-7 of it relatively; 0 below -87. Branch-free, so that compilers vectorise
// loops over it, and without libm, so that every platform draws the same tokens.
float ExpOfNegative(float x) {
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;  // few bits: its multiples by integers are exact
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const float n = (x * kLog2E + kRounder) - kRounder;
  const float r = (x - n * kLn2High) - n * kLn2Low;  // |r| <= ln(2) / 2
  float p = 1.9875691500e-4f;                        // Cephes' expf polynomial
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const float power = std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
  return x < -87.0f ? 0.0f : p * power;
}

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

std::span<const float> BlockOf(std::span<const float> logits, size_t block) {
  const size_t begin = block * kBlock;
  return logits.subspan(begin, std::min(kBlock, logits.size() - begin));
}

}  // namespace

SamplingParameters DefaultSampling(const model::GenerationDefaults& defaults) {
  SamplingParameters parameters;
  parameters.temperature = defaults.do_sample ? defaults.temperature : 0.0;
  parameters.top_k = defaults.top_k;
  parameters.top_p = defaults.top_p;
  parameters.min_p = defaults.min_p;
  parameters.repetition_penalty = defaults.repetition_penalty;
  return parameters;
}

void CheckSamplingParameters(const SamplingParameters& parameters) {
  const auto require = [](bool holds, std::string_view name, double value, std::string_view range) {
    if (!holds) throw Error("{} is {}, expected {}", name, value, range);
  };
  const auto& [temperature, top_k, top_p, min_p, repetition_penalty, seed] = parameters;
  require(temperature >= 0 && std::isfinite(temperature), "temperature", temperature,
          "0 (always the most likely token) or more");
  require(top_k >= 0, "top_k", static_cast<double>(top_k), "a number of tokens, or 0 for all");
  require(top_p >= 0 && top_p <= 1, "top_p", top_p, "a probability from 0 to 1");
  require(min_p >= 0 && min_p <= 1, "min_p", min_p, "a probability from 0 to 1");
  require(repetition_penalty > 0 && std::isfinite(repetition_penalty), "repetition_penalty",
          repetition_penalty, "more than 0 (1: none)");
}

// SplitMix64 of Steele, Lea and Flood: a counter in steps of the golden ratio, mixed. The upper 53 bits
// make a double.
double UniformGenerator::Next() {
  uint64_t z = seed_ + ++counter_ * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

Sampler::Sampler(const SamplingParameters& parameters, int64_t vocab_size)
    : parameters_(parameters),
      uniform_(parameters.seed.value_or(RandomSeed())),
      in_history_(vocab_size) {
  CheckSamplingParameters(parameters);
}

void Sampler::AddToHistory(std::span<const TokenId> tokens) {
  for (const TokenId token : tokens) {
    if (in_history_.at(token)) continue;
    in_history_[token] = true;
    history_.push_back(token);
  }
}

TokenId Sampler::Sample(std::span<float> logits) {
  if (logits.size() != in_history_.size()) {
    throw Error("{} logits given for a vocabulary of {}", logits.size(), in_history_.size());
  }
  ApplyPenalty(logits);
  FindBlockMaxima(logits);
  const bool filters = parameters_.top_k > 0 || parameters_.top_p < 1 || parameters_.min_p > 0;
  const TokenId token = parameters_.temperature == 0 ? MostLikely(logits)
                        : filters                    ? DrawFiltered(logits)
                                                     : DrawAny(logits);
  AddToHistory({&token, 1});
  return token;
}

void Sampler::ApplyPenalty(std::span<float> logits) const {
  const auto penalty = static_cast<float>(parameters_.repetition_penalty);
  if (penalty == 1.0f) return;
  for (const TokenId token : history_) {
    float& logit = logits[token];
    logit = logit < 0 ? logit * penalty : logit / penalty;
  }
}

void Sampler::FindBlockMaxima(std::span<const float> logits) {
  block_maxima_.resize((logits.size() + kBlock - 1) / kBlock);
  max_logit_ = -kInfinity;
  bool valid = true;
  for (size_t block = 0; block < block_maxima_.size(); ++block) {
    std::span<const float> values = BlockOf(logits, block);
    float padded[kBlock];
    if (values.size() < kBlock) {  // the last one
      std::fill(std::ranges::copy(values, padded).out, padded + kBlock, -kInfinity);
      values = padded;
    }
    const float maximum = BlockMaximum(values.data());
    block_maxima_[block] = maximum;
    valid &= maximum < kInfinity;  // false for NaN
    max_logit_ = std::max(max_logit_, maximum);
  }
  if (!valid || max_logit_ == -kInfinity) {
    throw Error("the model's logits are not finite numbers: the weights are damaged, or too large for "
                "this quantization; try --quantization q0f32");
  }
}

TokenId Sampler::MostLikely(std::span<const float> logits) const {
  const size_t block = std::ranges::find(block_maxima_, max_logit_) - block_maxima_.begin();
  return static_cast<TokenId>(std::find(logits.begin() + block * kBlock, logits.end(), max_logit_) -
                              logits.begin());
}

float Sampler::Weight(float logit) const {
  return ExpOfNegative((logit - max_logit_) / static_cast<float>(parameters_.temperature));
}

double Sampler::SumOfWeights(std::span<const float> logits) {
  const float inverse_temperature = 1.0f / static_cast<float>(parameters_.temperature);
  const float max_logit = max_logit_;
  block_weights_.resize(block_maxima_.size());
  double total = 0;
  for (size_t block = 0; block < block_weights_.size(); ++block) {
    const std::span<const float> values = BlockOf(logits, block);
    float sums[kLanes] = {};
    size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += ExpOfNegative((values[i + lane] - max_logit) * inverse_temperature);
      }
    }
    double sum = 0;
    for (const float lane_sum : sums) sum += lane_sum;
    for (; i < values.size(); ++i) sum += ExpOfNegative((values[i] - max_logit) * inverse_temperature);
    block_weights_[block] = sum;
    total += sum;
  }
  return total;
}

TokenId Sampler::DrawAny(std::span<const float> logits) {
  double target = uniform_.Next() * SumOfWeights(logits);
  size_t block = 0;
  while (block + 1 < block_weights_.size() && target >= block_weights_[block]) {
    target -= block_weights_[block++];
  }
  // Rounding may leave a rest after the last token: then it is the last that has any weight.
  while (block_weights_[block] == 0) --block;
  const std::span<const float> values = BlockOf(logits, block);
  size_t drawn = 0;
  for (size_t i = 0; i < values.size() && target >= 0; ++i) {
    const float weight = Weight(values[i]);
    if (weight == 0) continue;
    drawn = i;
    target -= weight;
  }
  return static_cast<TokenId>(block * kBlock + drawn);
}

TokenId Sampler::DrawFiltered(std::span<const float> logits) {
  double total = 0;  // of the tokens that top_k leaves: what top_p is a part of
  if (parameters_.top_k > 0) {
    CollectTop(logits, parameters_.top_k);
    for (const Candidate& candidate : candidates_) total += Weight(candidate.logit);
  } else {
    if (parameters_.top_p < 1) total = SumOfWeights(logits);
    CollectAtLeast(logits, LeastNeededLogit(total));
  }
  candidates_.resize(CountKept(total));

  double kept = 0;
  for (const Candidate& candidate : candidates_) kept += Weight(candidate.logit);
  double target = uniform_.Next() * kept;
  for (const Candidate& candidate : candidates_) {
    target -= Weight(candidate.logit);
    if (target < 0) return candidate.token;
  }
  return candidates_.back().token;  // rounding
}

// The `count` largest and what ties with the last of them. Of any `count` blocks each has a token as large
// as the smallest of their maxima, so the count-th largest maximum bounds the result from below.
void Sampler::CollectTop(std::span<const float> logits, int64_t count) {
  const auto wanted = static_cast<size_t>(std::min<int64_t>(count, std::ssize(logits)));
  float bound = -kInfinity;
  if (wanted <= block_maxima_.size()) {
    std::vector<float> maxima = block_maxima_;
    std::ranges::nth_element(maxima, maxima.begin() + wanted - 1, std::ranges::greater());
    bound = maxima[wanted - 1];
  }
  CollectAtLeast(logits, bound);
  if (wanted >= candidates_.size()) return;
  const float last = candidates_[wanted - 1].logit;
  const auto is_smaller = [last](const Candidate& candidate) { return candidate.logit < last; };
  candidates_.erase(std::ranges::find_if(candidates_, is_smaller), candidates_.end());
}

// In order: most likely first, of equals the lowest id.
void Sampler::CollectAtLeast(std::span<const float> logits, float threshold) {
  candidates_.clear();
  for (size_t block = 0; block < block_maxima_.size(); ++block) {
    if (block_maxima_[block] < threshold) continue;
    const std::span<const float> values = BlockOf(logits, block);
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] < threshold) continue;
      candidates_.push_back({values[i], static_cast<TokenId>(block * kBlock + i)});
    }
  }
  std::ranges::sort(candidates_, [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  });
}

// No token below it passes top_p and min_p. For top_p: tokens of less than (1 - top_p) / vocab_size of the
// total are together less than 1 - top_p of it, so those above already reach top_p.
float Sampler::LeastNeededLogit(double total) const {
  const double least_for_top_p =
      parameters_.top_p < 1 ? (1 - parameters_.top_p) * total / std::ssize(in_history_) : 0;
  const double least_weight = std::min(1.0, std::max(least_for_top_p, parameters_.min_p));
  // A hair lower, so that rounding costs no token; CountKept decides.
  constexpr double kMargin = 1e-5;
  return static_cast<float>(max_logit_ +
                            parameters_.temperature * (std::log(least_weight) - kMargin));
}

// How many of the candidates pass top_p and min_p. At least one.
size_t Sampler::CountKept(double total) const {
  const double needed = parameters_.top_p < 1 ? parameters_.top_p * total : kInfinity;
  const auto least_weight = static_cast<float>(parameters_.min_p);
  double sum = 0;
  size_t count = 0;
  for (const Candidate& candidate : candidates_) {
    const float weight = Weight(candidate.logit);
    if (count > 0 && (sum >= needed || weight < least_weight)) break;
    sum += weight;
    ++count;
  }
  return count;
}

}  // namespace carat::engine
