#include "carat/cli/sampling_flags.h"

#include <CLI/CLI.hpp>

#include "carat/cli/checked_flags.h"

namespace carat::cli {

void AddSamplingFlags(CLI::App& command, SamplingFlags& flags) {
  const auto add = [&](const char* name, auto& value, const CLI::Validator& check,
                       const char* help) {
    command.add_option(name, value, help)
        ->check(check)
        ->group("Sampling (default: as the model's authors say)");
  };
  add("--temperature", flags.temperature,
      Number([](double value) { return value >= 0; }, "a number, 0 or more"),
      "Higher is more varied; 0: always the likeliest token");
  add("--top-k", flags.top_k, WholeNumber(0, kMaxCount),
      "Choose among the k likeliest tokens; 0: all");
  add("--top-p", flags.top_p,
      Number([](double value) { return value > 0 && value <= 1; },
             "a number above 0 and at most 1"),
      "Choose among the likeliest tokens that reach this probability");
  add("--min-p", flags.min_p,
      Number([](double value) { return value >= 0 && value <= 1; }, "a number from 0 to 1"),
      "Choose among tokens at least this times as likely as the likeliest");
  add("--repetition-penalty", flags.repetition_penalty,
      Number([](double value) { return value > 0; }, "a number above 0"),
      "Above 1: make used tokens less likely");
  add("--seed", flags.seed, SeedNumber(), "The same seed gives the same answer (default: random)");
}

engine::SamplingParameters ApplySamplingFlags(const SamplingFlags& flags,
                                              const model::GenerationDefaults& defaults) {
  engine::SamplingParameters sampling = engine::DefaultSampling(defaults);
  // Who narrows the choice wants one, even from a model that is greedy by default.
  const bool asks_for_sampling = flags.top_k || flags.top_p || flags.min_p;
  if (asks_for_sampling && !defaults.do_sample) {
    sampling.temperature = defaults.temperature > 0 ? defaults.temperature : 1.0;
  }
  sampling.temperature = flags.temperature.value_or(sampling.temperature);
  sampling.top_k = flags.top_k.value_or(sampling.top_k);
  sampling.top_p = flags.top_p.value_or(sampling.top_p);
  sampling.min_p = flags.min_p.value_or(sampling.min_p);
  sampling.repetition_penalty = flags.repetition_penalty.value_or(sampling.repetition_penalty);
  if (flags.seed) sampling.seed = flags.seed;
  engine::CheckSamplingParameters(sampling);
  return sampling;
}

}  // namespace carat::cli
