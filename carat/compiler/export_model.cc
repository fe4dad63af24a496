#include "carat/compiler/export_model.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/library/dist_folder.h"
#include "carat/model/export_gguf.h"
#include "carat/model/export_safetensors.h"
#include "carat/model/model_source.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGguf = kExportFormats[0];
constexpr std::string_view kSafetensors = kExportFormats[1];

void CheckExportOptions(const ExportOptions& options) {
  if (options.format != kGguf && options.format != kSafetensors) {
    throw InvalidArgumentError("format is '{}', expected '{}' or '{}'", options.format, kGguf,
                               kSafetensors);
  }
  if (options.output.empty()) throw InvalidArgumentError("output is empty, expected a file's name");
  if (library::IsDistFolder(options.model) && !model::ModelSource::HoldsWeights(options.model)) {
    throw Error(
        "{}: a compiled folder, whose weights are laid out for one machine; give the model it was "
        "compiled from",
        options.model.string());
  }
  if (options.format == kSafetensors && !options.embedding_quantization.empty()) {
    throw Error("--embedding-quantization: all of a safetensors file is in one format");
  }
}

// What makes the folder of model.safetensors a Hugging Face folder, as far as it is not there yet.
std::map<std::string, std::string> MissingModelFiles(const model::ModelSource& source,
                                                     const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const std::string_view name : library::kModelFiles) {
    auto text = source.ReadFile(name);
    if (!text && name == "config.json") text = source.Config().dump(2) + "\n";
    if (text && !library::HasModelFile(folder, name, *text)) files.emplace(name, *text);
  }
  return files;
}

// Weights are read while others are written.
void CheckIsNotItsOwnOutput(const model::ModelSource& source, const fs::path& output) {
  std::error_code error;
  const fs::path folder = fs::absolute(output).parent_path();
  if (fs::equivalent(source.path(), output, error) ||
      (fs::exists(output, error) && fs::equivalent(source.path(), folder, error))) {
    throw Error("{}: belongs to the model itself; choose another place", output.string());
  }
}

quantization::QuantizationScheme ExportFolder(const model::ModelSource& source,
                                              const ExportOptions& options,
                                              const ProgressCallback& progress) {
  const fs::path folder = fs::absolute(options.output).parent_path();
  const auto files = MissingModelFiles(source, folder);
  auto scheme = model::ExportSafetensors(source, options.quantization, options.output, progress);
  for (const auto& [name, text] : files) WriteFileAtomically(folder / name, text);
  return scheme;
}

}  // namespace

quantization::QuantizationScheme ExportModel(const ExportOptions& options,
                                             const ProgressCallback& progress) {
  CheckExportOptions(options);
  const auto source = model::ModelSource::Open(options.model);
  CheckIsNotItsOwnOutput(*source, options.output);
  if (options.format == kSafetensors) return ExportFolder(*source, options, progress);
  return model::ExportGguf(*source, options.quantization, options.embedding_quantization,
                           options.output, progress);
}

}  // namespace carat::compiler
