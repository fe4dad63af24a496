#include "carat/cli/mlc_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/printable.h"
#include "carat/library/dist_folder.h"
#include "carat/model/mlc_parameters.h"

namespace carat::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> QuantizationNames() {
  std::vector<std::string> names;
  for (const model::MlcQuantization& quantization : model::AllMlcQuantizations()) {
    names.emplace_back(quantization.name);
  }
  return names;
}

}  // namespace

void AddMlcArguments(CLI::App& command, MlcArguments& arguments) {
  command.add_option("CONFIG", arguments.config, "Hugging Face folder, or its config.json")
      ->required();
  command.add_option("--quantization", arguments.quantization, "What weights are stored as")
      ->required()
      ->check(CLI::IsMember(QuantizationNames()));
  command.add_option("--model-type", arguments.model_type, "Architecture (auto: config.json's)")
      ->capture_default_str()
      ->check(CLI::IsMember(std::vector<std::string>{"auto", "gemma3", "gemma3_text"}));
  command.add_option("-o,--output", arguments.output, "The folder to write into")->required();
}

fs::path ConfigPath(const MlcArguments& arguments) {
  const fs::path& path = arguments.config;
  if (!fs::exists(path)) throw Error("{}: does not exist", path.string());
  if (path.extension() == ".gguf") {
    throw Error(
        "{}: a GGUF file; write it as a Hugging Face folder first: 'carat export {} --format "
        "safetensors -o FOLDER/model.safetensors'",
        path.string(), path.string());
  }
  if (!fs::is_directory(path)) return fs::absolute(path);
  if (fs::exists(path / "config.json")) return path / "config.json";
  throw Error("{}: has no config.json; is it a Hugging Face model folder, fully downloaded?",
              path.string());
}

void PrepareOutput(const MlcArguments& arguments) {
  std::error_code error;
  fs::create_directories(arguments.output, error);
  if (fs::is_directory(arguments.output, error)) {
    if (library::IsDistFolder(arguments.output)) {
      fs::remove(arguments.output / library::kConfigFile, error);
      std::cerr << fmt::format("{}: what was compiled there is out of date; compile it again\n",
                               Printable(arguments.output.string()));
    }
    return;
  }
  throw Error("{}: cannot make the folder: {}", arguments.output.string(),
              error ? error.message() : "a file has that name");
}

}  // namespace carat::cli
