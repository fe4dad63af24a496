// The MODEL argument of commands that run a model: compiler/resolve_model.h says what it may be.

#ifndef CARAT_CLI_MODEL_ARGUMENT_H_
#define CARAT_CLI_MODEL_ARGUMENT_H_

#include <filesystem>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace carat::cli {

// Declares MODEL, and --quantization for commands that let it be chosen.
void AddModelArgument(CLI::App& command, std::filesystem::path& model);
void AddQuantizationFlag(CLI::App& command, std::optional<std::string>& quantization,
                         const std::string& description);

// compiler::ResolveModel and ResolveTextModel, with a bar while they compile. Ctrl-C ends the
// compilation and leaves nothing.
std::filesystem::path ResolveModel(const std::filesystem::path& model,
                                   const std::optional<std::string>& quantization = {});
std::filesystem::path ResolveTextModel(const std::filesystem::path& model);

}  // namespace carat::cli

#endif  // CARAT_CLI_MODEL_ARGUMENT_H_
