#ifndef CARAT_COMPILER_MODEL_CACHE_H_
#define CARAT_COMPILER_MODEL_CACHE_H_

#include <filesystem>
#include <string>

#include "carat/compiler/compile.h"
#include "carat/model/model_source.h"

namespace carat::compiler {

// What a model compiles to, kept in $XDG_CACHE_HOME/carat (or ~/.cache/carat) until the model or
// this program changes. `quantization` is CompileOptions'. `progress` is called if it compiles.
std::filesystem::path CompiledInCache(const model::ModelSource& model,
                                      const std::string& quantization,
                                      const CompileProgress& progress = {});

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_MODEL_CACHE_H_
