#include "carat/cli/model_argument.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/compile_progress.h"
#include "carat/compiler/compile.h"
#include "carat/library/cpu_features.h"
#include "carat/library/dist_folder.h"
#include "carat/library/weights_file.h"

namespace carat::cli {
namespace {

namespace fs = std::filesystem;

fs::path CacheFolder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
    return fs::path(cache) / "carat";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return fs::path(home) / ".cache" / "carat";
  }
  throw Error(
      "no place to keep the compiled model: neither XDG_CACHE_HOME nor HOME is set; run "
      "'carat compile' and give its output folder instead");
}

std::string Hash(std::string_view text) {
  library::WeightsHash hash;
  hash.Append(std::as_bytes(std::span(text)));
  return library::HashToHex(hash.Digest());
}

// Changes whenever a file of the folder does: names, sizes and times of the files.
std::string Fingerprint(const fs::path& folder) {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files.push_back(fmt::format("{} {} {}", entry.path().filename().string(), entry.file_size(),
                                entry.last_write_time().time_since_epoch().count()));
  }
  std::ranges::sort(files);
  return Hash(fmt::format("{}", fmt::join(files, "\n")));
}

// What earlier states of the same folder were compiled to.
void RemoveOlder(const fs::path& cache, const std::string& prefix, const fs::path& current) {
  for (const fs::directory_entry& entry : fs::directory_iterator(cache)) {
    const std::string name = entry.path().filename().string();
    // What another process is writing just now has a longer name, and is its to clean up.
    if (name.starts_with(prefix) && name.size() == current.filename().string().size() &&
        entry.path() != current) {
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);
    }
  }
}

void CheckQuantization(const fs::path& dist_folder, const std::string& wanted) {
  const std::string compiled_with = library::ReadDistFolder(dist_folder).metadata.quantization;
  if (compiled_with == wanted) return;
  throw Error(
      "{}: compiled with {}, not with {}; leave --quantization out, or give the Hugging Face "
      "folder",
      dist_folder.string(), compiled_with, wanted);
}

}  // namespace

void AddModelArgument(CLI::App& command, fs::path& model) {
  command.add_option("MODEL", model, "Compiled folder or Hugging Face folder")
      ->required()
      ->check(NotEmpty());
}

void AddQuantizationFlag(CLI::App& command, std::optional<std::string>& quantization,
                         const std::string& description) {
  command.add_option("--quantization", quantization, description)->check(NotEmpty());
}

fs::path ResolveTextModel(const fs::path& model) {
  if (fs::exists(model / "config.json") && !fs::exists(model / "tokenizer.json")) {
    throw Error(
        "{}: has no tokenizer.json, so there is no text; put the one the model was published with "
        "into the folder, or work on token ids: 'carat logits' and 'carat bench' do",
        model.string());
  }
  return ResolveModel(model);
}

fs::path ResolveModel(const fs::path& model, const std::optional<std::string>& quantization) {
  if (library::IsDistFolder(model)) {
    if (quantization) CheckQuantization(model, *quantization);
    return model;
  }
  const std::string scheme = quantization.value_or("q4_0");
  if (!fs::is_directory(model)) {
    throw Error(
        "{}: no such folder; MODEL is a folder that 'carat compile' wrote or a Hugging Face "
        "model folder",
        model.string());
  }
  if (!fs::exists(model / "config.json")) {
    throw Error("{}: neither a compiled model (no {}) nor a Hugging Face folder (no config.json)",
                model.string(), library::kConfigFile);
  }
  const fs::path cache = CacheFolder();
  fs::path folder = fs::canonical(model);
  const std::string prefix = fmt::format(
      "{}-{}-", library::DistFolderName(folder, scheme, "cpu"),
      Hash(fmt::format("{} {} {}", folder.string(), CARAT_VERSION, library::BestTarget().name)));
  const fs::path output = cache / (prefix + Fingerprint(folder));
  if (library::IsDistFolder(output)) return output;

  std::error_code error;
  fs::create_directories(cache, error);
  if (error) throw Error("{}: cannot be made: {}", cache.string(), error.message());
  const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);
  CompileProgressBar bar;
  compiler::CompileOptions options;
  options.model = folder;
  options.quantization = scheme;
  options.output = output;
  compiler::Compile(options, std::ref(bar));
  RemoveOlder(cache, prefix, output);
  return output;
}

}  // namespace carat::cli
