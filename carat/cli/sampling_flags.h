// How to sample: the flags that commands share, over the defaults of the model's
// generation_config.json.

#ifndef CARAT_CLI_SAMPLING_FLAGS_H_
#define CARAT_CLI_SAMPLING_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "carat/engine/sampler.h"
#include "carat/model/generation_defaults.h"

namespace CLI {
class App;
}

namespace carat::cli {

struct SamplingFlags {
  std::optional<double> temperature = {};
  std::optional<int64_t> top_k = {};
  std::optional<double> top_p = {};
  std::optional<double> min_p = {};
  std::optional<double> repetition_penalty = {};
  std::optional<uint64_t> seed = {};
};

void AddSamplingFlags(CLI::App& command, SamplingFlags& flags);

// The model's defaults where a flag was not given. Where these are greedy (no do_sample), a
// temperature, top_k, top_p or min_p asks for sampling all the same, at temperature 1 unless it is
// given there or here. Throws Error for values out of range.
engine::SamplingParameters ApplySamplingFlags(const SamplingFlags& flags,
                                              const model::GenerationDefaults& defaults);

}  // namespace carat::cli

#endif  // CARAT_CLI_SAMPLING_FLAGS_H_
