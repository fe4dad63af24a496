// `carat export`: a model -> a GGUF file or model.safetensors.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/base/progress.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/compiler/export_model.h"
#include "carat/quantization/scheme.h"

namespace carat::cli {
namespace {

namespace fs = std::filesystem;

void RunExport(const compiler::ExportOptions& options) {
  quantization::QuantizationScheme scheme;
  {
    const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);
    Progress progress(fmt::format("writing {}", options.output.string()));
    scheme = compiler::ExportModel(options, progress.Callback());
  }
  std::cout << fmt::format("{}: {:.1f} MB, {}\n", Printable(options.output.string()),
                           static_cast<double>(fs::file_size(options.output)) / 1e6, scheme.name);
}

}  // namespace

void AddExport(CLI::App& app) {
  const auto options = std::make_shared<compiler::ExportOptions>();
  CLI::App* command =
      app.add_subcommand("export", "Write a model as a GGUF file or as Hugging Face's safetensors");
  command->add_option("MODEL", options->model, "Model as carat compile takes it")
      ->required()
      ->check(NotEmpty());
  command->add_option("--format", options->format, "gguf or safetensors")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(compiler::kExportFormats.begin(),
                                                     compiler::kExportFormats.end())));
  command
      ->add_option(
          "--quantization", options->quantization,
          "Weight format: q4_0, q8_0, q0f16, q0bf16 or q0f32 (default: as they are stored)")
      ->check(NotEmpty());
  command
      ->add_option("--embedding-quantization", options->embedding_quantization,
                   "Weight format of the embedding and the tied head (default: --quantization)")
      ->check(NotEmpty());
  command
      ->add_option("-o,--output", options->output,
                   "The file to write; beside model.safetensors go config.json and the tokenizer")
      ->required()
      ->check(OutputFile());
  command->callback([options] { RunExport(*options); });
}

}  // namespace carat::cli
