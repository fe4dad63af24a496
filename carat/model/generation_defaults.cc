#include "carat/model/generation_defaults.h"

#include <nlohmann/json.hpp>
#include <string>

#include "carat/base/error.h"
#include "carat/checkpoint/folder.h"

namespace carat::model {
namespace {

constexpr std::string_view kGenerationConfigFile = "generation_config.json";

double FloatBetween(const JsonObject& object, std::string_view name, double default_value,
                    double min, double max) {
  const double value = object.OptionalFloat(name).value_or(default_value);
  if (!(value >= min && value <= max)) {
    throw object.Wrong(name, fmt::format("a number from {} to {}", min, max));
  }
  return value;
}

}  // namespace

GenerationDefaults ParseGenerationDefaults(const Json& json, std::string_view file,
                                           const ModelConfig& config) {
  const JsonObject object(json, std::string(file));
  GenerationDefaults defaults;
  defaults.do_sample = object.OptionalBool("do_sample").value_or(defaults.do_sample);
  defaults.temperature = FloatBetween(object, "temperature", defaults.temperature, 0, 100);
  defaults.top_k = object.OptionalInt("top_k").value_or(defaults.top_k);
  if (defaults.top_k < 0) throw object.Wrong("top_k", "a number of tokens, or 0 for all");
  defaults.top_p = FloatBetween(object, "top_p", defaults.top_p, 0, 1);
  defaults.min_p = FloatBetween(object, "min_p", defaults.min_p, 0, 1);
  defaults.repetition_penalty =
      FloatBetween(object, "repetition_penalty", defaults.repetition_penalty, 0.01, 100);

  defaults.eos_token_ids = config.eos_token_ids;
  if (object.Has("eos_token_id")) {
    defaults.eos_token_ids.clear();
    for (const int64_t token : object.Ints("eos_token_id")) {
      if (token < 0 || token >= config.vocab_size) {
        throw Error("{} names token {}, but vocab_size is {}", object.Where("eos_token_id"), token,
                    config.vocab_size);
      }
      defaults.eos_token_ids.push_back(static_cast<TokenId>(token));
    }
  }
  return defaults;
}

GenerationDefaults LoadGenerationDefaults(const std::filesystem::path& folder,
                                          const ModelConfig& config) {
  const std::filesystem::path path = folder / kGenerationConfigFile;
  const Json json =
      checkpoint::Has(folder, kGenerationConfigFile) ? ParseJsonFile(path) : Json::object();
  return ParseGenerationDefaults(json, kGenerationConfigFile, config);
}

}  // namespace carat::model
