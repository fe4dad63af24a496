// `carat export`: a model -> a GGUF file or model.safetensors.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/base/progress.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/library/dist_folder.h"
#include "carat/model/export_gguf.h"
#include "carat/model/export_safetensors.h"
#include "carat/model/model_source.h"
#include "carat/quantization/scheme.h"

namespace carat::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGguf = "gguf";
constexpr std::string_view kSafetensors = "safetensors";

struct ExportArguments {
  fs::path model;
  std::string format;
  std::string quantization;
  std::string embedding_quantization;
  fs::path output;
};

void CheckExportArguments(const ExportArguments& arguments) {
  if (library::IsDistFolder(arguments.model) &&
      !model::ModelSource::HoldsWeights(arguments.model)) {
    throw Error(
        "{}: a compiled folder, whose weights are laid out for one machine; give the model it was "
        "compiled from",
        arguments.model.string());
  }
  if (arguments.format == kSafetensors && !arguments.embedding_quantization.empty()) {
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

quantization::QuantizationScheme ExportFolder(const model::ModelSource& source,
                                              const ExportArguments& arguments,
                                              const ProgressCallback& progress) {
  const fs::path folder = fs::absolute(arguments.output).parent_path();
  const auto files = MissingModelFiles(source, folder);
  auto scheme =
      model::ExportSafetensors(source, arguments.quantization, arguments.output, progress);
  for (const auto& [name, text] : files) WriteFileAtomically(folder / name, text);
  return scheme;
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

void RunExport(const ExportArguments& arguments) {
  CheckExportArguments(arguments);
  const auto source = model::ModelSource::Open(arguments.model);
  CheckIsNotItsOwnOutput(*source, arguments.output);
  quantization::QuantizationScheme scheme;
  {
    const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);
    Progress progress(fmt::format("writing {}", arguments.output.string()));
    scheme = arguments.format == kGguf ? model::ExportGguf(*source, arguments.quantization,
                                                           arguments.embedding_quantization,
                                                           arguments.output, progress.Callback())
                                       : ExportFolder(*source, arguments, progress.Callback());
  }
  std::cout << fmt::format("{}: {:.1f} MB, {}\n", Printable(arguments.output.string()),
                           static_cast<double>(fs::file_size(arguments.output)) / 1e6, scheme.name);
}

}  // namespace

void AddExport(CLI::App& app) {
  const auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command =
      app.add_subcommand("export", "Write a model as a GGUF file or as Hugging Face's safetensors");
  command->add_option("MODEL", arguments->model, "Model as carat compile takes it")
      ->required()
      ->check(NotEmpty());
  command->add_option("--format", arguments->format, "gguf or safetensors")
      ->required()
      ->check(
          CLI::IsMember(std::vector<std::string>{std::string(kGguf), std::string(kSafetensors)}));
  command
      ->add_option(
          "--quantization", arguments->quantization,
          "Weight format: q4_0, q8_0, q0f16, q0bf16 or q0f32 (default: as they are stored)")
      ->check(NotEmpty());
  command
      ->add_option("--embedding-quantization", arguments->embedding_quantization,
                   "Weight format of the embedding and the tied head (default: --quantization)")
      ->check(NotEmpty());
  command
      ->add_option("-o,--output", arguments->output,
                   "The file to write; beside model.safetensors go config.json and the tokenizer")
      ->required()
      ->check(OutputFile());
  command->callback([arguments] { RunExport(*arguments); });
}

}  // namespace carat::cli
