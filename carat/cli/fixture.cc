// carat fixture: a checkpoint of the true shapes with random weights.

#include "carat/checkpoint/fixture.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/base/progress.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/shell_quoted.h"

namespace carat::cli {
namespace {

struct FixtureOptions {
  std::string model;
  std::string output;
  uint64_t seed = 1;
};

void RunFixture(const FixtureOptions& options) {
  const checkpoint::FixtureModel& model = checkpoint::FindFixtureModel(options.model);
  {
    const InterruptGuard guard;
    Progress progress(fmt::format("writing {}", Printable(options.output)));
    checkpoint::WriteFixture(model, options.seed, options.output, progress.Callback());
  }
  std::cout << fmt::format(
      "{} has the shapes of {} and random weights; next:\n  carat compile {}\n",
      Printable(options.output), model.name, ShellQuoted(options.output));
}

}  // namespace

void AddFixture(CLI::App& app) {
  const auto options = std::make_shared<FixtureOptions>();
  std::vector<std::string> names;
  for (const checkpoint::FixtureModel& model : checkpoint::FixtureModels()) {
    names.push_back(model.name);
  }
  CLI::App* command = app.add_subcommand(
      "fixture",
      "Write a checkpoint of the true shapes with random weights, to test and measure with");
  command->add_option("MODEL", options->model, "Whose shapes")
      ->required()
      ->check(CLI::IsMember(names));
  command->add_option("-o,--output", options->output, "The folder to write")
      ->required()
      ->check(NotEmpty());
  command->add_option("--seed", options->seed, "Of the random weights")->capture_default_str();
  command->callback([options] { RunFixture(*options); });
}

}  // namespace carat::cli
