#include "carat/cli/sampling_flags.h"

#include <CLI/CLI.hpp>

namespace carat::cli {

void AddSamplingFlags(CLI::App& command, SamplingFlags& flags) {
  const auto add = [&](const char* name, auto& value, const char* help) {
    command.add_option(name, value, help)->group("Sampling (default: as the model's authors say)");
  };
  add("--temperature", flags.temperature, "Higher is more varied; 0: always the likeliest token");
  add("--top-k", flags.top_k, "Choose among the k likeliest tokens; 0: all");
  add("--top-p", flags.top_p, "Choose among the likeliest tokens that reach this probability");
  add("--min-p", flags.min_p, "Choose among tokens at least this times as likely as the likeliest");
  add("--repetition-penalty", flags.repetition_penalty, "Above 1: make used tokens less likely");
  add("--seed", flags.seed, "The same seed gives the same answer (default: random)");
}

engine::SamplingParameters ApplySamplingFlags(const SamplingFlags& flags,
                                              const model::GenerationDefaults& defaults) {
  engine::SamplingParameters sampling = engine::DefaultSampling(defaults);
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
