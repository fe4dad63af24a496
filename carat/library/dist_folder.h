// A compiled model's folder, `dist/<folder>-<quantization>-<device>/`:
//
//     carat-config.json       the metadata and how to sample; written last
//     weights.bin             the packed weights
//     model.so                the library; -o FILE.so gives it another name
//     config.json, generation_config.json, tokenizer.json, tokenizer_config.json, ...
//                             as a Hugging Face folder has them; all are optional

#ifndef CARAT_LIBRARY_DIST_FOLDER_H_
#define CARAT_LIBRARY_DIST_FOLDER_H_

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "carat/library/metadata.h"
#include "carat/library/weights_file.h"
#include "carat/model/generation_defaults.h"

namespace carat::library {

inline constexpr std::string_view kConfigFile = "carat-config.json";
inline constexpr std::string_view kWeightsFile = "weights.bin";
inline constexpr std::string_view kLibraryFile = "model.so";

// Those a Hugging Face folder may have, which are the model's but for its weights.
inline constexpr std::array<std::string_view, 7> kModelFiles = {
    "config.json",           "generation_config.json",  "tokenizer.json",      "tokenizer.model",
    "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
};

// Whether `folder` has one of them with that text already. Throws Error if it has another model's.
bool HasModelFile(const std::filesystem::path& folder, std::string_view name,
                  std::string_view text);

// Every file of a dist folder; carat-config.json is always there.
inline constexpr auto kDistFiles = [] {
  std::array<std::string_view, 3 + kModelFiles.size()> files = {kConfigFile, kWeightsFile,
                                                                kLibraryFile};
  std::copy(kModelFiles.begin(), kModelFiles.end(), files.begin() + 3);
  return files;
}();

// What carat-config.json holds.
struct DistConfig {
  std::string library = std::string(kLibraryFile);  // the file's name
  LibraryMetadata metadata;
  model::GenerationDefaults generation;
};

std::string ToJsonText(const DistConfig& config);
DistConfig ParseDistConfig(std::string_view json_text, std::string_view where);

// True if the folder has a carat-config.json: it was compiled by Carat.
bool IsDistFolder(const std::filesystem::path& folder);

// Reads carat-config.json alone.
DistConfig ReadDistConfig(const std::filesystem::path& folder);

// Reads carat-config.json and checks that the other files are there. Throws Error naming what is
// missing.
DistConfig ReadDistFolder(const std::filesystem::path& folder);

// The folder's weights.bin, which belongs to `metadata` and is intact. All of it is read: some 20
// ms for 150 MB that the system has in memory.
WeightsFile OpenWeights(const std::filesystem::path& folder, const LibraryMetadata& metadata);

// What the folder's library says about itself, which is what its carat-config.json says. None of
// its code runs.
LibraryMetadata ReadMatchingLibrary(const std::filesystem::path& folder, const DistConfig& config);

// "<model>-<quantization>-<device>": the dist folder's name for a model.
std::string DistFolderName(std::string_view model, std::string_view quantization,
                           std::string_view device);

}  // namespace carat::library

#endif  // CARAT_LIBRARY_DIST_FOLDER_H_
