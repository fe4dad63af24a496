// The MODEL argument of commands that run a model: a dist folder, or a model (model_source.h),
// which is compiled first and kept in the user's cache.

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

// The dist folder to load. A model is compiled into the cache (model_cache.h). Throws Error if
// MODEL is neither, or a dist folder that was compiled with another quantization than given.
std::filesystem::path ResolveModel(const std::filesystem::path& model,
                                   const std::optional<std::string>& quantization = {});

// The same for commands that work on text: throws Error, before it compiles anything, if MODEL has
// no tokenizer.
std::filesystem::path ResolveTextModel(const std::filesystem::path& model);

}  // namespace carat::cli

#endif  // CARAT_CLI_MODEL_ARGUMENT_H_
