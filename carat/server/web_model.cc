#include "carat/server/web_model.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/json.h"
#include "carat/base/md5.h"
#include "carat/checkpoint/tensor_cache.h"
#include "carat/library/dist_folder.h"
#include "carat/library/web_folder.h"
#include "carat/model/model_source.h"

namespace carat::server {
namespace {

constexpr std::string_view kChatConfig = "mlc-chat-config.json";
constexpr std::string_view kHowToCompile = "carat compile MODEL --device webgpu -o DIR";

std::vector<WebLibrary> KnownLibraries() {
  std::vector<WebLibrary> libraries;
  for (const library::WebLibrary& known : library::kWebLibraries) {
    WebLibrary& library = libraries.emplace_back(WebLibrary{std::string(known.file), {}});
    if (known.needs_shader_f16) library.required_features.emplace_back("shader-f16");
    if (known.needs_subgroups) library.required_features.emplace_back("subgroups");
  }
  return libraries;
}

bool IsFile(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

// What the folder is instead, and how to get what is wanted.
Error NoWebModel(const std::filesystem::path& folder) {
  const std::string name = folder.string();
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return Error("{}: there is no such folder", name);
  if (!std::filesystem::is_directory(folder, error)) {
    return Error("{}: is a file, not a folder with a model for the browser; make one by: {}", name,
                 kHowToCompile);
  }
  if (IsFile(folder / library::kConfigFile)) {
    return Error("{}: holds a model compiled for the CPU; compile it for the browser by: {}", name,
                 kHowToCompile);
  }
  if (IsFile(folder / "config.json") || IsFile(folder / kChatConfig)) {
    return Error(
        "{}: holds a model that is not compiled; compile it for the browser by: "
        "carat compile {} --device webgpu -o DIR",
        name, name);
  }
  return Error("{}: holds no model for the browser (no model.wasm); make one by: {}", name,
               kHowToCompile);
}

void RequireFile(const std::filesystem::path& path) {
  if (IsFile(path)) return;
  throw Error("{}: is missing; compile the model again by: {}", path.string(), kHowToCompile);
}

// Every shard is there and as long as it should be. Returns their bytes.
uint64_t CheckWeights(const std::filesystem::path& folder) {
  const std::filesystem::path index = folder / checkpoint::kTensorCacheFile;
  RequireFile(index);
  uint64_t num_bytes = 0;
  for (const checkpoint::TensorCacheShard& shard :
       checkpoint::ParseTensorCache(ParseJsonFile(index), checkpoint::kTensorCacheFile)) {
    const std::filesystem::path path = folder / shard.data_path;
    RequireFile(path);
    const uint64_t found = std::filesystem::file_size(path);
    if (found != shard.nbytes) {
      throw Error("{}: has {} bytes, but {} gives it {}; compile the model again, or copy it again",
                  path.string(), found, checkpoint::kTensorCacheFile, shard.nbytes);
    }
    num_bytes += shard.nbytes;
  }
  return num_bytes;
}

// Hidden files stay at home.
std::vector<std::string> FilesIn(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const std::filesystem::directory_entry& entry :
       std::filesystem::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && !name.starts_with('.')) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

// The weights enter by their index, which has an MD5 of each shard.
std::string Fingerprint(const WebModel& model) {
  Md5 md5;
  const auto append = [&md5](const std::filesystem::path& path) {
    const MappedFile file(path);
    const std::string name = path.filename().string();
    md5.Append(std::as_bytes(std::span(name)));
    md5.Append(file.bytes());
  };
  for (const WebLibrary& library : model.libraries) append(model.folder / library.file_name);
  for (const std::string& name : model.files) {
    if (name.ends_with(".json")) append(model.folder / model::kWebModelFolder / name);
  }
  return md5.HexDigest();
}

}  // namespace

WebModel OpenWebModel(const std::filesystem::path& folder) {
  if (!IsFile(folder / "model.wasm")) throw NoWebModel(folder);
  const std::filesystem::path main = folder / model::kWebModelFolder;
  for (const std::string_view name : {kChatConfig, std::string_view("tokenizer.json")}) {
    RequireFile(main / name);
  }
  WebModel model;
  model.folder = std::filesystem::canonical(folder);
  model.name = model.folder.filename().string();
  model.weight_bytes = CheckWeights(main);
  const Json config = ParseJsonFile(main / kChatConfig);
  model.context_window_size =
      JsonObject(config, std::string(kChatConfig)).PositiveInt("context_window_size");
  std::ranges::copy_if(
      KnownLibraries(), std::back_inserter(model.libraries),
      [&folder](const WebLibrary& library) { return IsFile(folder / library.file_name); });
  model.files = FilesIn(main);
  model.fingerprint = Fingerprint(model);
  return model;
}

}  // namespace carat::server
