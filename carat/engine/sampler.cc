#include "carat/engine/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <utility>

#include "carat/base/error.h"
#include "carat/engine/softmax.h"

namespace carat::engine {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Small enough that the maxima of the blocks narrow the search for the top k down well (each block
// whose maximum is too small is skipped), large enough that there are few of them: 2048 for 262144
// tokens.
constexpr size_t kBlock = 128;

// Four SSE or NEON registers: enough independent chains to hide an operation's latency.
constexpr size_t kChains = 4;
using Floats = float __attribute__((vector_size(16)));
using Mask = int32_t __attribute__((vector_size(16)));
constexpr size_t kLanes = 4;

// The largest of kBlock values; NaN if one of them is.
float BlockMaximum(const float* values) {
  Floats maxima[kChains];
  std::memcpy(maxima, values, sizeof(maxima));
  Mask is_nan = {};
  for (size_t i = 0; i < kBlock; i += kChains * kLanes) {
    for (size_t chain = 0; chain < kChains; ++chain) {
      Floats value;
      std::memcpy(&value, values + i + chain * kLanes, sizeof(value));
      is_nan |= value != value;
      maxima[chain] = value > maxima[chain] ? value : maxima[chain];
    }
  }
  for (size_t chain = 1; chain < kChains; ++chain) {
    maxima[0] = maxima[chain] > maxima[0] ? maxima[chain] : maxima[0];
  }
  float result = maxima[0][0];
  int32_t any_nan = is_nan[0];
  for (size_t lane = 1; lane < kLanes; ++lane) {
    result = std::max(result, maxima[0][lane]);
    any_nan |= is_nan[lane];
  }
  return any_nan != 0 ? std::numeric_limits<float>::quiet_NaN() : result;
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

SamplingParameters ApplyOverrides(const SamplingOverrides& overrides,
                                  const model::GenerationDefaults& defaults) {
  SamplingParameters sampling = DefaultSampling(defaults);
  // Who narrows the choice wants one, even from a model that is greedy by default.
  const bool asks_for_sampling = overrides.top_k || overrides.top_p || overrides.min_p;
  if (asks_for_sampling && !defaults.do_sample) {
    sampling.temperature = defaults.temperature > 0 ? defaults.temperature : 1.0;
  }
  sampling.temperature = overrides.temperature.value_or(sampling.temperature);
  sampling.top_k = overrides.top_k.value_or(sampling.top_k);
  sampling.top_p = overrides.top_p.value_or(sampling.top_p);
  sampling.min_p = overrides.min_p.value_or(sampling.min_p);
  sampling.repetition_penalty = overrides.repetition_penalty.value_or(sampling.repetition_penalty);
  sampling.presence_penalty = overrides.presence_penalty.value_or(sampling.presence_penalty);
  sampling.frequency_penalty = overrides.frequency_penalty.value_or(sampling.frequency_penalty);
  if (overrides.seed) sampling.seed = overrides.seed;
  CheckSamplingParameters(sampling);
  return sampling;
}

void CheckSamplingParameters(const SamplingParameters& parameters) {
  const auto require = [](bool holds, std::string_view name, double value, std::string_view range) {
    if (!holds) throw Error("{} is {}, expected {}", name, value, range);
  };
  const auto& [temperature, top_k, top_p, min_p, repetition_penalty, presence_penalty,
               frequency_penalty, logit_bias, seed] = parameters;
  require(temperature >= 0 && std::isfinite(temperature), "temperature", temperature,
          "0 (always the most likely token) or more");
  require(top_k >= 0, "top_k", static_cast<double>(top_k), "a number of tokens, or 0 for all");
  require(top_p >= 0 && top_p <= 1, "top_p", top_p, "a probability from 0 to 1");
  require(min_p >= 0 && min_p <= 1, "min_p", min_p, "a probability from 0 to 1");
  require(repetition_penalty > 0 && std::isfinite(repetition_penalty), "repetition_penalty",
          repetition_penalty, "more than 0 (1: none)");
  require(std::abs(presence_penalty) <= 2, "presence_penalty", presence_penalty,
          "a number from -2 to 2");
  require(std::abs(frequency_penalty) <= 2, "frequency_penalty", frequency_penalty,
          "a number from -2 to 2");
  for (const auto& [token, bias] : logit_bias) {
    if (std::abs(bias) <= 100) continue;  // false for NaN
    throw Error("logit_bias of token {} is {}, expected a number from -100 to 100", token, bias);
  }
}

// SplitMix64 of Steele, Lea and Flood: a counter in steps of the golden ratio, mixed. The upper 53
// bits make a double.
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
  for (const auto& [token, bias] : parameters.logit_bias) {
    if (token < 0 || token >= vocab_size) {
      throw Error("logit_bias has token {}, expected one of the vocabulary, from 0 to {}", token,
                  vocab_size - 1);
    }
  }
  // Nothing but the most likely token has a chance, and dividing by it overflows.
  constexpr double kGreedyBelow = 1e-6;
  if (parameters_.temperature < kGreedyBelow) parameters_.temperature = 0;
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
  AddBias(logits);
  ApplyRepetitionPenalty(logits);
  ApplyPresenceAndFrequencyPenalties(logits);
  FindBlockMaxima(logits);
  const bool filters = parameters_.top_k > 0 || parameters_.top_p < 1 || parameters_.min_p > 0;
  const TokenId token = parameters_.temperature == 0 ? MostLikely(logits)
                        : filters                    ? DrawFiltered(logits)
                                                     : DrawAny(logits);
  AddToHistory({&token, 1});
  ++output_counts_[token];
  return token;
}

void Sampler::AddBias(std::span<float> logits) const {
  for (const auto& [token, bias] : parameters_.logit_bias) {
    logits[token] += static_cast<float>(bias);
  }
}

void Sampler::ApplyRepetitionPenalty(std::span<float> logits) const {
  const auto penalty = static_cast<float>(parameters_.repetition_penalty);
  if (penalty == 1.0f) return;
  for (const TokenId token : history_) {
    float& logit = logits[token];
    logit = logit < 0 ? logit * penalty : logit / penalty;
  }
}

void Sampler::ApplyPresenceAndFrequencyPenalties(std::span<float> logits) const {
  const double presence = parameters_.presence_penalty;
  const double frequency = parameters_.frequency_penalty;
  if (presence == 0 && frequency == 0) return;
  for (const auto& [token, count] : output_counts_) {
    logits[token] -= static_cast<float>(presence + frequency * static_cast<double>(count));
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
    throw Error(
        "the model's logits are not finite numbers: the weights are damaged, or too large for "
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
  const auto temperature = static_cast<float>(parameters_.temperature);
  block_weights_.resize(block_maxima_.size());
  double total = 0;
  for (size_t block = 0; block < block_weights_.size(); ++block) {
    block_weights_[block] = SumOfExp(BlockOf(logits, block), max_logit_, temperature);
    total += block_weights_[block];
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
  if (parameters_.top_k > 0) {
    CollectTop(logits, parameters_.top_k);
    if (parameters_.top_p < 1) KeepTopP(SumOfCandidates());
  } else if (parameters_.top_p < 1) {
    const double total = SumOfWeights(logits);
    CollectAtLeast(logits, LeastNeededLogit(total));
    KeepTopP(total);
  } else {
    CollectAtLeast(logits, LeastNeededLogit(0));
  }
  KeepMinP();

  double target = uniform_.Next() * SumOfCandidates();
  for (const Candidate& candidate : candidates_) {
    target -= candidate.weight;
    if (target < 0) return candidate.token;
  }
  return candidates_.back().token;  // rounding
}

double Sampler::SumOfCandidates() const {
  double sum = 0;
  for (const Candidate& candidate : candidates_) sum += candidate.weight;
  return sum;
}

// The `count` largest and what ties with the last of them. Of any `count` blocks each has a token
// as large as the smallest of their maxima, so the count-th largest maximum bounds the result from
// below.
void Sampler::CollectTop(std::span<const float> logits, int64_t count) {
  const auto wanted = static_cast<size_t>(std::min<int64_t>(count, std::ssize(logits)));
  const auto wanted_largest = [wanted](std::vector<float> values) {
    std::ranges::nth_element(values, values.begin() + wanted - 1, std::ranges::greater());
    return values[wanted - 1];
  };
  CollectAtLeast(logits,
                 wanted <= block_maxima_.size() ? wanted_largest(block_maxima_) : -kInfinity);
  std::vector<float> collected(candidates_.size());
  std::ranges::transform(candidates_, collected.begin(), &Candidate::logit);
  const float last = wanted_largest(std::move(collected));
  std::erase_if(candidates_, [last](const Candidate& candidate) { return candidate.logit < last; });
}

void Sampler::CollectAtLeast(std::span<const float> logits, float threshold) {
  candidates_.clear();
  for (size_t block = 0; block < block_maxima_.size(); ++block) {
    if (block_maxima_[block] < threshold) continue;
    const std::span<const float> values = BlockOf(logits, block);
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] < threshold) continue;
      candidates_.push_back(
          {values[i], Weight(values[i]), static_cast<TokenId>(block * kBlock + i)});
    }
  }
}

// No token below it passes top_p and min_p. For top_p: tokens of less than (1 - top_p) / vocab_size
// of the total are together less than 1 - top_p of it, so those above already reach top_p.
float Sampler::LeastNeededLogit(double total) const {
  const double least_for_top_p =
      parameters_.top_p < 1 ? (1 - parameters_.top_p) * total / std::ssize(in_history_) : 0;
  const double least_weight = std::min(1.0, std::max(least_for_top_p, parameters_.min_p));
  // A hair lower, so that rounding costs no token; KeepTopP and KeepMinP decide.
  constexpr double kMargin = 1e-5;
  return static_cast<float>(max_logit_ +
                            parameters_.temperature * (std::log(least_weight) - kMargin));
}

// Keeps the most likely candidates down to the one with which their sum reaches top_p of the total.
// The weights fall into buckets of 1/16 octave, so only the candidates of one bucket are ever
// sorted.
void Sampler::KeepTopP(double total) {
  constexpr int kBucketShift = 19;  // drops all but 4 bits of the mantissa
  constexpr size_t kNumBuckets = (std::bit_cast<uint32_t>(1.0f) >> kBucketShift) + 1;
  const auto bucket_of = [](const Candidate& candidate) {
    return std::bit_cast<uint32_t>(candidate.weight) >> kBucketShift;
  };
  std::vector<double> sums(kNumBuckets);
  for (const Candidate& candidate : candidates_) sums[bucket_of(candidate)] += candidate.weight;

  double missing = parameters_.top_p * total;
  size_t cut = kNumBuckets - 1;  // that of weight 1, which the most likely token has
  while (cut > 0 && sums[cut] < missing) missing -= sums[cut--];

  const auto is_more_likely = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  };
  std::vector<Candidate> at_cut;
  std::ranges::copy_if(candidates_, std::back_inserter(at_cut),
                       [&](const Candidate& candidate) { return bucket_of(candidate) == cut; });
  if (at_cut.empty()) return;  // rounding: even all of them do not quite reach it
  std::ranges::sort(at_cut, is_more_likely);
  auto last = at_cut.begin();
  for (missing -= last->weight; missing > 0 && last + 1 != at_cut.end();) {
    missing -= (++last)->weight;
  }
  std::erase_if(candidates_, [&](const Candidate& c) { return is_more_likely(*last, c); });
}

void Sampler::KeepMinP() {
  const auto least_weight = static_cast<float>(parameters_.min_p);
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < least_weight; });
}

}  // namespace carat::engine
