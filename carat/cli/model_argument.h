// The MODEL argument of commands that run a model: a dist folder, or a Hugging Face folder, which
// is compiled first and kept in the user's cache.

#ifndef CARAT_CLI_MODEL_ARGUMENT_H_
#define CARAT_CLI_MODEL_ARGUMENT_H_

#include <filesystem>
#include <string>

namespace carat::cli {

// The dist folder to load. A Hugging Face folder is compiled to $XDG_CACHE_HOME/carat
// (~/.cache/carat) unless what is there was made from the same files by the same version for the
// same machine. Throws Error if MODEL is neither.
std::filesystem::path ResolveModel(const std::filesystem::path& model,
                                   const std::string& quantization = "q4_0");

}  // namespace carat::cli

#endif  // CARAT_CLI_MODEL_ARGUMENT_H_
