// How a model's authors want it sampled: generation_config.json of its folder.

#ifndef CARAT_MODEL_GENERATION_DEFAULTS_H_
#define CARAT_MODEL_GENERATION_DEFAULTS_H_

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "carat/base/json.h"
#include "carat/base/types.h"
#include "carat/model/config.h"

namespace carat::model {

// The defaults are transformers': greedy unless do_sample is set.
struct GenerationDefaults {
  bool do_sample = false;
  double temperature = 1;
  int64_t top_k = 50;  // 0: all
  double top_p = 1;
  double min_p = 0;
  double repetition_penalty = 1;
  std::vector<TokenId> eos_token_ids;
};

GenerationDefaults ParseGenerationDefaults(const Json& json, std::string_view file,
                                           const ModelConfig& config);

// generation_config.json of a folder; where there is none, or a field is left out, the defaults
// above and config.json's end-of-sequence tokens.
GenerationDefaults LoadGenerationDefaults(const std::filesystem::path& folder,
                                          const ModelConfig& config);

}  // namespace carat::model

#endif  // CARAT_MODEL_GENERATION_DEFAULTS_H_
