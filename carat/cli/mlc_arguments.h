// What MLC's commands gen_config and convert_weight have in common: the CONFIG argument, the
// quantization, the model's type, and the folder they both write into.

#ifndef CARAT_CLI_MLC_ARGUMENTS_H_
#define CARAT_CLI_MLC_ARGUMENTS_H_

#include <filesystem>
#include <string>

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

// The path of config.json. Throws Error if there is none.
std::filesystem::path ConfigPath(const MlcArguments& arguments);

// Makes the folder if it is not there. A library that was compiled into it belongs to what was
// there before: it is no compiled model any more.
void PrepareOutput(const MlcArguments& arguments);

}  // namespace carat::cli

#endif  // CARAT_CLI_MLC_ARGUMENTS_H_
