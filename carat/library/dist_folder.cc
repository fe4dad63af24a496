#include "carat/library/dist_folder.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/json.h"
#include "carat/checkpoint/folder.h"
#include "carat/library/library_file.h"
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

// The folder has no carat-config.json, which the compiler writes last.
Error NoConfig(const std::filesystem::path& folder) {
  for (const std::string_view name : {kLibraryFile, kWeightsFile}) {
    if (!checkpoint::Has(folder, name)) continue;
    return Error("{}: an incomplete compiled folder: it has {}, but no {}; compile the model again",
                 folder.string(), name, kConfigFile);
  }
  return Error("{}: no {} in it: not a folder that `carat compile` wrote", folder.string(),
               kConfigFile);
}

void CheckFile(const std::filesystem::path& folder, std::string_view name) {
  if (!checkpoint::Has(folder, name)) {
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
  std::error_code error;  // what cannot be looked at is none either
  return std::filesystem::is_regular_file(folder / kConfigFile, error);
}

DistConfig ReadDistConfig(const std::filesystem::path& folder) {
  checkpoint::CheckIsFolder(folder, "a folder that `carat compile` wrote");
  if (!checkpoint::Has(folder, kConfigFile)) throw NoConfig(folder);
  const std::filesystem::path path = folder / kConfigFile;
  return ParseDistConfig(ReadTextFile(path), path.string());
}

DistConfig ReadDistFolder(const std::filesystem::path& folder) {
  DistConfig config = ReadDistConfig(folder);
  CheckFile(folder, kWeightsFile);
  CheckFile(folder, kLibraryFile);
  return config;
}

WeightsFile OpenWeights(const std::filesystem::path& folder, const LibraryMetadata& metadata) {
  WeightsFile weights(folder / kWeightsFile);
  if (weights.hash() != metadata.weights_hash ||
      static_cast<int64_t>(weights.bytes().size()) != metadata.weights_bytes) {
    throw Error(
        "{}: {} has hash {} and {} bytes, but {} was compiled for hash {} and {} bytes; compile "
        "the model again",
        folder.string(), kWeightsFile, weights.hash(), weights.bytes().size(), kLibraryFile,
        metadata.weights_hash, metadata.weights_bytes);
  }
  weights.Verify();
  return weights;
}

LibraryMetadata ReadMatchingLibrary(const std::filesystem::path& folder,
                                    const LibraryMetadata& metadata) {
  LibraryMetadata found = ReadLibraryMetadata(folder / kLibraryFile);
  const std::string difference = FirstDifference(metadata, found);
  if (!difference.empty()) {
    throw Error(
        "{}: {} and {} come from different compilations ('{}' differs); compile the model again",
        folder.string(), kConfigFile, kLibraryFile, difference);
  }
  return found;
}

std::string DistFolderName(const std::filesystem::path& model_folder, std::string_view quantization,
                           std::string_view device) {
  // "." and "models/demo/" have names too.
  std::filesystem::path absolute = std::filesystem::weakly_canonical(model_folder);
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  return fmt::format("{}-{}-{}", absolute.filename().string(), quantization, device);
}

}  // namespace carat::library
