// Chooses the next token from the logits.
//
// What changes the logits comes first: logit_bias, then the repetition penalty, then OpenAI's
// presence and frequency penalties. The filters follow in the order of Hugging Face transformers:
// temperature, top_k, top_p, min_p; then a token is drawn from what is left, by its probability.
// Each of the last three keeps the most likely tokens down to some point. Finding that point needs
// no sorting, and most of the vocabulary is looked at only once, for the maxima of its blocks.

#ifndef CARAT_ENGINE_SAMPLER_H_
#define CARAT_ENGINE_SAMPLER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "carat/base/types.h"
#include "carat/model/generation_defaults.h"

namespace carat::engine {

struct SamplingParameters {
  double temperature = 1.0;         // 0: always the most likely token, of equals the lowest id
  int64_t top_k = 0;                // keep the k most likely, and what ties with the last; 0: all
  double top_p = 1.0;               // keep the most likely that together reach this probability
  double min_p = 0.0;               // keep those at least min_p times as likely as the most likely
  double repetition_penalty = 1.0;  // of tokens of the prompt or output: logit / r, or * r below 0

  // OpenAI's penalties, of tokens of the output alone, each from -2 to 2:
  //   logit -= presence_penalty * (count > 0) + frequency_penalty * count
  double presence_penalty = 0.0;
  double frequency_penalty = 0.0;

  // Added to the tokens' logits, each from -100 to 100: a few make a token likelier or less likely,
  // 100 all but forces it and -100 all but bans it.
  std::map<TokenId, double> logit_bias = {};

  std::optional<uint64_t> seed = {};  // the same seed, the same choices; without: a random one
};

// What the model's authors recommend: greedy unless they set do_sample.
SamplingParameters DefaultSampling(const model::GenerationDefaults& defaults);

// What a caller wants otherwise than the model's authors.
struct SamplingOverrides {
  std::optional<double> temperature = {};
  std::optional<int64_t> top_k = {};
  std::optional<double> top_p = {};
  std::optional<double> min_p = {};
  std::optional<double> repetition_penalty = {};
  std::optional<double> presence_penalty = {};
  std::optional<double> frequency_penalty = {};
  std::optional<uint64_t> seed = {};
};

// Where the defaults are greedy (no do_sample), a temperature, top_k, top_p or min_p asks for
// sampling all the same, at temperature 1 unless it is given there or here. Throws Error for values
// out of range.
SamplingParameters ApplyOverrides(const SamplingOverrides& overrides,
                                  const model::GenerationDefaults& defaults);

// Throws Error naming the parameter and the values it may have. Whether the tokens of logit_bias
// are in the vocabulary is left to the Sampler, which knows it.
void CheckSamplingParameters(const SamplingParameters& parameters);

// Numbers in [0, 1), the same on every machine: the n-th is a function of the seed and n alone.
class UniformGenerator {
 public:
  explicit UniformGenerator(uint64_t seed) : seed_(seed) {}
  double Next();

 private:
  uint64_t seed_;
  uint64_t counter_ = 0;
};

class Sampler {
 public:
  // Throws Error for parameters out of range and for a logit_bias outside the vocabulary.
  Sampler(const SamplingParameters& parameters, int64_t vocab_size);

  // Tokens the repetition penalty is to count: the prompt. Sampled tokens count by themselves.
  void AddToHistory(std::span<const TokenId> tokens);

  // `logits` [vocab_size] are scratch memory: bias and penalties change them. Throws Error if one
  // of them is NaN or +infinity, or all are -infinity.
  TokenId Sample(std::span<float> logits);

 private:
  struct Candidate {
    float logit;
    float weight;
    TokenId token;
  };

  void AddBias(std::span<float> logits) const;
  void ApplyRepetitionPenalty(std::span<float> logits) const;
  void ApplyPresenceAndFrequencyPenalties(std::span<float> logits) const;
  void FindBlockMaxima(std::span<const float> logits);
  TokenId MostLikely(std::span<const float> logits) const;

  // Draws from the whole vocabulary.
  TokenId DrawAny(std::span<const float> logits);

  // Draws from the tokens that top_k, top_p and min_p leave.
  TokenId DrawFiltered(std::span<const float> logits);
  void CollectTop(std::span<const float> logits, int64_t count);
  void CollectAtLeast(std::span<const float> logits, float threshold);
  float LeastNeededLogit(double total) const;
  void KeepTopP(double total);
  void KeepMinP();
  double SumOfCandidates() const;

  // exp((logit - max_logit_) / temperature): the probability but for a common factor.
  float Weight(float logit) const;
  double SumOfWeights(std::span<const float> logits);

  SamplingParameters parameters_;
  UniformGenerator uniform_;
  std::vector<bool> in_history_;  // [vocab_size]
  std::vector<TokenId> history_;  // each token once
  std::map<TokenId, int64_t> output_counts_;

  // Of the logits being sampled, which are looked at in blocks.
  float max_logit_ = 0;
  std::vector<float> block_maxima_;
  std::vector<double> block_weights_;
  std::vector<Candidate> candidates_;  // those that may be drawn, by token
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_SAMPLER_H_
