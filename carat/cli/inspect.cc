// `carat inspect`: what is in a model, a compiled folder or a compiled library.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "carat/base/ascii_json.h"
#include "carat/base/error.h"
#include "carat/base/printable.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/library/inspection.h"

namespace carat::cli {
namespace {

struct InspectOptions {
  std::filesystem::path path;
  bool json = false;
};

// The report has names from the files that were looked at.
void PrintLines(const std::string& report) {
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);) std::cout << Printable(line) << '\n';
}

void RunInspect(const InspectOptions& options) {
  const library::Inspection inspection = library::Inspect(options.path);
  if (options.json) {
    std::cout << AsciiJson(library::ToJson(inspection));
  } else {
    PrintLines(library::ToText(inspection));
  }
  if (!inspection.problems.empty()) {
    throw Error("{}: cannot be run: {}", options.path.string(), inspection.problems.front());
  }
}

}  // namespace

void AddInspect(CLI::App& app) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command =
      app.add_subcommand("inspect", "Show what is in a model, a compiled folder or a library");
  command
      ->add_option(
          "PATH", options->path,
          "Model as carat compile takes it, compiled folder, or the library in it (model.so)")
      ->required()
      ->check(NotEmpty());
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { RunInspect(*options); });
}

}  // namespace carat::cli
