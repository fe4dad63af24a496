#ifndef CARAT_CLI_MODEL_CACHE_H_
#define CARAT_CLI_MODEL_CACHE_H_

#include <filesystem>
#include <string>

namespace carat::cli {

// What a Hugging Face folder compiles to, kept in $XDG_CACHE_HOME/carat (or ~/.cache/carat) until
// the folder or this program changes. Shows progress while it compiles.
std::filesystem::path CompiledInCache(const std::filesystem::path& model,
                                      const std::string& quantization);

}  // namespace carat::cli

#endif  // CARAT_CLI_MODEL_CACHE_H_
