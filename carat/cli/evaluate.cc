// `carat evaluate`: how many questions a model answers right.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/ascii_json.h"
#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/base/progress.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/model_argument.h"
#include "carat/engine/evaluation.h"
#include "carat/engine/evaluation_report.h"
#include "carat/engine/text_generator.h"

namespace carat::cli {
namespace {

struct EvaluateArguments {
  std::filesystem::path model;
  std::filesystem::path tasks;
  int64_t max_tokens = engine::EvaluationOptions().max_tokens;
  std::optional<int64_t> limit;
  int num_threads = 0;
  bool json = false;
};

void PrintEvaluationText(std::span<const engine::EvaluationAnswer> answers) {
  const std::vector<engine::TaskScore> scores = engine::ScoreByTask(answers);
  size_t width = std::string_view("all").size();
  for (const engine::TaskScore& each : scores) width = std::max(width, Printable(each.task).size());
  const auto row = [width](std::string_view task, const engine::EvaluationScore& score) {
    std::cout << fmt::format("{:<{}}  {:5.1f}%  {} of {}\n", Printable(task), width,
                             100 * score.accuracy(), score.num_correct, score.num_questions);
  };
  for (const engine::TaskScore& each : scores) row(each.task, each.score);
  row("all", engine::ScoreAll(answers));
}

engine::EvaluationReport Evaluate(const EvaluateArguments& arguments) {
  const engine::EvaluationTasks tasks =
      engine::ReadEvaluationTasks(arguments.model, arguments.tasks, arguments.limit);
  const engine::TextModel model = engine::LoadTextModel(ResolveTextModel(arguments.model),
                                                        {.num_threads = arguments.num_threads});
  const InterruptGuard guard;
  Progress progress("evaluate");
  return engine::ReportEvaluation(model, tasks, arguments.max_tokens, progress.Callback());
}

void RunEvaluate(const EvaluateArguments& arguments) {
  const engine::EvaluationReport report = Evaluate(arguments);
  if (arguments.json) {
    std::cout << AsciiJson(engine::ToJson(report));
  } else {
    PrintEvaluationText(report.answers);
  }
}

}  // namespace

void AddEvaluate(CLI::App& app) {
  const auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command =
      app.add_subcommand("evaluate", "Count how many questions a model answers right");
  AddModelArgument(*command, arguments->model);
  command
      ->add_option("--tasks", arguments->tasks,
                   "Questions and answers, a .jsonl file (default: tasks.jsonl in MODEL's folder)")
      ->check(NotEmpty());
  command->add_option("--max-tokens", arguments->max_tokens, "Length of an answer at most")
      ->capture_default_str()
      ->check(WholeNumber(1, kMaxCount));
  command->add_option("--limit", arguments->limit, "Questions of each task at most (default: all)")
      ->check(WholeNumber(1, kMaxCount));
  AddThreadsFlag(*command, arguments->num_threads);
  command->add_flag("--json", arguments->json, "Print one JSON object, with every answer");
  command->callback([arguments] { RunEvaluate(*arguments); });
}

}  // namespace carat::cli
