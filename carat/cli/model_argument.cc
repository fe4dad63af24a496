#include "carat/cli/model_argument.h"

#include <CLI/CLI.hpp>
#include <string>

#include "carat/base/error.h"
#include "carat/checkpoint/folder.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/model_cache.h"
#include "carat/library/dist_folder.h"

namespace carat::cli {
namespace {

namespace fs = std::filesystem;

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
  checkpoint::CheckIsFolder(model,
                            "a folder that 'carat compile' wrote or a Hugging Face model folder");
  if (!fs::exists(model / "config.json")) {
    throw Error("{}: neither a compiled model (no {}) nor a Hugging Face folder (no config.json)",
                model.string(), library::kConfigFile);
  }
  return CompiledInCache(model, scheme);
}

}  // namespace carat::cli
