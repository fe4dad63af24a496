// A model to run, however it was named: a dist folder, or a model (model_source.h), which is
// compiled first and kept in the user's cache.

#ifndef CARAT_COMPILER_RESOLVE_MODEL_H_
#define CARAT_COMPILER_RESOLVE_MODEL_H_

#include <filesystem>
#include <optional>
#include <string>

#include "carat/compiler/compile.h"

namespace carat::compiler {

// The dist folder to load. A model is compiled into the cache (model_cache.h), which `progress` is
// told of. Throws Error if the path is neither, or a dist folder that was compiled with another
// quantization than given.
std::filesystem::path ResolveModel(const std::filesystem::path& path,
                                   const std::optional<std::string>& quantization = {},
                                   const CompileProgress& progress = {});

// The same for work on text: throws Error, before it compiles anything, if the model has no
// tokenizer.
std::filesystem::path ResolveTextModel(const std::filesystem::path& path,
                                       const CompileProgress& progress = {});

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_RESOLVE_MODEL_H_
