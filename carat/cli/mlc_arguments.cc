#include "carat/cli/mlc_arguments.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "carat/base/printable.h"
#include "carat/model/mlc_parameters.h"

namespace carat::cli {
namespace {

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

compiler::MlcFolderOptions ToFolderOptions(const MlcArguments& arguments) {
  return {.config = arguments.config,
          .quantization = arguments.quantization,
          .output = arguments.output,
          .warn = [](const std::string& warning) { std::cerr << Printable(warning) << '\n'; }};
}

}  // namespace carat::cli
