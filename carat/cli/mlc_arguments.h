// What MLC's commands gen_config and convert_weight have in common: the CONFIG argument, the
// quantization, the model's type, and the folder they both write into.

#ifndef CARAT_CLI_MLC_ARGUMENTS_H_
#define CARAT_CLI_MLC_ARGUMENTS_H_

#include <filesystem>
#include <string>

#include "carat/compiler/mlc_folder.h"

namespace CLI {
class App;
}

namespace carat::cli {

struct MlcArguments {
  std::filesystem::path config;  // a Hugging Face folder, or its config.json
  std::string quantization;
  std::string model_type = "auto";
  std::filesystem::path output;
};

void AddMlcArguments(CLI::App& command, MlcArguments& arguments);

// What is out of date is told on stderr.
compiler::MlcFolderOptions ToFolderOptions(const MlcArguments& arguments);

}  // namespace carat::cli

#endif  // CARAT_CLI_MLC_ARGUMENTS_H_
