// `carat inspect`: what is in a Hugging Face folder, a compiled folder or a compiled library.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "carat/cli/commands.h"
#include "carat/library/inspection.h"

namespace carat::cli {
namespace {

struct InspectOptions {
  std::filesystem::path path;
  bool json = false;
};

void RunInspect(const InspectOptions& options) {
  const library::Inspection inspection = library::Inspect(options.path);
  if (options.json) {
    std::cout << library::ToJson(inspection).dump(2) << '\n';
  } else {
    std::cout << library::ToText(inspection);
  }
}

}  // namespace

void AddInspect(CLI::App& app) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand(
      "inspect", "Show what is in a model folder, a compiled folder or a library");
  command
      ->add_option("PATH", options->path,
                   "Hugging Face folder, compiled folder, or the library in it (model.so)")
      ->required();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { RunInspect(*options); });
}

}  // namespace carat::cli
