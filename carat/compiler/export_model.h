// A model (model/model_source.h) -> a GGUF file, or a Hugging Face folder around model.safetensors.

#ifndef CARAT_COMPILER_EXPORT_MODEL_H_
#define CARAT_COMPILER_EXPORT_MODEL_H_

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "carat/base/progress.h"
#include "carat/quantization/scheme.h"

namespace carat::compiler {

inline constexpr std::array<std::string_view, 2> kExportFormats = {"gguf", "safetensors"};

struct ExportOptions {
  std::filesystem::path model = {};
  std::string format = {};  // one of kExportFormats
  // As CompileOptions'; empty: as they are stored. All of a safetensors file is in one format.
  std::string quantization = {};
  std::string embedding_quantization = {};
  // The file. Beside a safetensors file go config.json, the tokenizer and others, as far as they
  // are not there.
  std::filesystem::path output = {};
};

// Returns the formats that were written. Throws Error for a format that the file cannot have, and
// for places where something else is: the model itself, or files of another one. The file is there
// in the end or, if anything goes wrong, as it was before.
quantization::QuantizationScheme ExportModel(const ExportOptions& options,
                                             const ProgressCallback& progress = {});

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_EXPORT_MODEL_H_
