#include "carat/library/dist_folder.h"

#include <nlohmann/json.hpp>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/json.h"
#include "carat/model/config.h"

namespace carat::library {

namespace {

Json GenerationToJson(const model::GenerationDefaults& generation) {
  return {
      {"do_sample", generation.do_sample},
      {"temperature", generation.temperature},
      {"top_k", generation.top_k},
      {"top_p", generation.top_p},
      {"min_p", generation.min_p},
      {"repetition_penalty", generation.repetition_penalty},
      {"eos_token_id", generation.eos_token_ids},
  };
}

void CheckFile(const std::filesystem::path& folder, std::string_view name) {
  if (!std::filesystem::is_regular_file(folder / name)) {
    throw Error("{}: {} is missing; compile the model again", folder.string(), name);
  }
}

}  // namespace

std::string ToJsonText(const DistConfig& config) {
  const Json json = {{"metadata", ToJson(config.metadata)},
                     {"generation", GenerationToJson(config.generation)}};
  return json.dump(2) + "\n";
}

DistConfig ParseDistConfig(std::string_view json_text, std::string_view where) {
  const Json json = ParseJson(json_text, where);
  const JsonObject object(json, std::string(where));
  DistConfig config;
  config.metadata = MetadataFromJson(object.Object("metadata").json(), where);
  const Json model_config = ParseJson(config.metadata.model_config, where);
  config.generation = model::ParseGenerationDefaults(object.Object("generation").json(), where,
                                                     model::ParseModelConfig(model_config, where));
  return config;
}

bool IsDistFolder(const std::filesystem::path& folder) {
  return std::filesystem::is_regular_file(folder / kConfigFile);
}

DistConfig ReadDistFolder(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) throw Error("{}: no such folder", folder.string());
  if (!IsDistFolder(folder)) {
    throw Error("{}: no {} in it: not a folder that `carat compile` wrote", folder.string(),
                kConfigFile);
  }
  CheckFile(folder, kWeightsFile);
  CheckFile(folder, kLibraryFile);
  const std::filesystem::path path = folder / kConfigFile;
  return ParseDistConfig(ReadTextFile(path), path.string());
}

std::string DistFolderName(const std::filesystem::path& model_folder, std::string_view quantization,
                           std::string_view device) {
  // "." and "models/demo/" have names too.
  std::filesystem::path absolute = std::filesystem::weakly_canonical(model_folder);
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  return fmt::format("{}-{}-{}", absolute.filename().string(), quantization, device);
}

}  // namespace carat::library
