#include "carat/library/dist_folder.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/json.h"
#include "carat/checkpoint/folder.h"
#include "carat/library/library_file.h"
#include "carat/model/config.h"
#include "carat/model/model_source.h"

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

bool HasModelFile(const std::filesystem::path& folder, std::string_view name,
                  std::string_view text) {
  if (!checkpoint::Has(folder, name)) return false;
  if (ReadTextFile(folder / name, model::kMaxModelFileBytes) == text) return true;
  throw Error("{}: has the {} of another model; choose another folder", folder.string(), name);
}

std::string ToJsonText(const DistConfig& config) {
  const Json json = {{"library", config.library},
                     {"metadata", ToJson(config.metadata)},
                     {"generation", GenerationToJson(config.generation)}};
  return json.dump(2) + "\n";
}

DistConfig ParseDistConfig(std::string_view json_text, std::string_view where) {
  const Json json = ParseJson(json_text, where);
  const JsonObject object(json, std::string(where));
  DistConfig config;
  config.library = object.OptionalString("library").value_or(std::string(kLibraryFile));
  if (!checkpoint::IsPlainFileName(config.library)) {
    throw object.Wrong("library", "the name of a file in the same folder");
  }
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
  CheckFile(folder, config.library);
  return config;
}

WeightsFile OpenWeights(const std::filesystem::path& folder, const LibraryMetadata& metadata) {
  WeightsFile weights(folder / kWeightsFile);
  if (weights.hash() != metadata.weights_hash ||
      static_cast<int64_t>(weights.bytes().size()) != metadata.weights_bytes) {
    throw Error(
        "{}: {} has hash {} and {} bytes, but the library was compiled for hash {} and {} bytes; "
        "compile the model again",
        folder.string(), kWeightsFile, weights.hash(), weights.bytes().size(),
        metadata.weights_hash, metadata.weights_bytes);
  }
  weights.Verify();
  return weights;
}

LibraryMetadata ReadMatchingLibrary(const std::filesystem::path& folder, const DistConfig& config) {
  LibraryMetadata found = ReadLibraryMetadata(folder / config.library);
  const std::string difference = FirstDifference(config.metadata, found);
  if (!difference.empty()) {
    throw Error(
        "{}: {} and {} come from different compilations ('{}' differs); compile the model again",
        folder.string(), kConfigFile, config.library, difference);
  }
  return found;
}

std::string DistFolderName(std::string_view model, std::string_view quantization,
                           std::string_view device) {
  return fmt::format("{}-{}-{}", model, quantization, device);
}

}  // namespace carat::library
