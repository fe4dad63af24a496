#include "carat/cli/sampling_flags.h"

#include <CLI/CLI.hpp>

#include "carat/cli/checked_flags.h"

namespace carat::cli {

void AddSamplingFlags(CLI::App& command, engine::SamplingOverrides& flags) {
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
  const auto penalty =
      Number([](double value) { return value >= -2 && value <= 2; }, "a number from -2 to 2");
  add("--presence-penalty", flags.presence_penalty, penalty,
      "Above 0: make tokens of the answer so far less likely");
  add("--frequency-penalty", flags.frequency_penalty, penalty,
      "The same, for each time that a token was used");
  add("--seed", flags.seed, SeedNumber(), "The same seed gives the same answer (default: random)");
}

}  // namespace carat::cli
