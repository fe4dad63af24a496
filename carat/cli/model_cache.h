#ifndef CARAT_CLI_MODEL_CACHE_H_
#define CARAT_CLI_MODEL_CACHE_H_

#include <filesystem>
#include <string>

#include "carat/model/model_source.h"

namespace carat::cli {

// What a model compiles to, kept in $XDG_CACHE_HOME/carat (or ~/.cache/carat) until the model or
// this program changes. `quantization` is CompileOptions'. Shows progress while it compiles.
std::filesystem::path CompiledInCache(const model::ModelSource& model,
                                      const std::string& quantization);

}  // namespace carat::cli

#endif  // CARAT_CLI_MODEL_CACHE_H_
