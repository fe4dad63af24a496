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

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/base/progress.h"
#include "carat/cli/ascii_json.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/cli/model_argument.h"
#include "carat/engine/evaluation.h"
#include "carat/engine/text_generator.h"
#include "carat/text/chat_template.h"

namespace carat::cli {
namespace {

struct EvaluateArguments {
  std::filesystem::path model;
  std::filesystem::path tasks;
  int64_t max_tokens = engine::EvaluationOptions().max_tokens;
  int64_t limit = kMaxCount;
  int num_threads = 0;
  bool json = false;
};

// The questions that a model brings: in its folder, or beside its file.
std::filesystem::path TasksOf(const std::filesystem::path& model) {
  const bool is_file = std::filesystem::is_regular_file(model);
  const std::filesystem::path file = (is_file ? model.parent_path() : model) / "tasks.jsonl";
  if (std::filesystem::exists(file)) return file;
  throw Error("{}: there is no such file; give one with questions by --tasks", file.string());
}

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

nlohmann::ordered_json ScoreJson(const engine::EvaluationScore& score) {
  return {{"accuracy", score.accuracy()},
          {"correct", score.num_correct},
          {"questions", score.num_questions}};
}

void PrintEvaluationJson(const EvaluateArguments& arguments, const runtime::Model& model,
                         std::span<const engine::EvaluationAnswer> answers) {
  nlohmann::ordered_json json = {
      {"model", model.folder().string()},          {"quantization", model.metadata().quantization},
      {"num_threads", model.num_threads()},        {"tasks_file", arguments.tasks.string()},
      {"max_tokens", arguments.max_tokens},        {"all", ScoreJson(engine::ScoreAll(answers))},
      {"tasks", nlohmann::ordered_json::object()}, {"answers", nlohmann::ordered_json::array()},
  };
  for (const engine::TaskScore& each : engine::ScoreByTask(answers)) {
    json["tasks"][each.task] = ScoreJson(each.score);
  }
  for (const engine::EvaluationAnswer& each : answers) {
    json["answers"].push_back({{"task", each.task},
                               {"prompt", each.prompt},
                               {"answer", each.expected},
                               {"output", each.output},
                               {"correct", each.is_correct},
                               {"finish_reason", engine::FinishReasonName(each.finish_reason)}});
  }
  std::cout << AsciiJson(json);
}

std::vector<engine::EvaluationAnswer> Answers(
    const EvaluateArguments& arguments, const engine::TextModel& model,
    std::span<const engine::EvaluationQuestion> questions) {
  const auto chat_template = text::ChatTemplate::Find(model.model->folder());
  const InterruptGuard guard;
  Progress progress("evaluate");
  return engine::Evaluate(model, chat_template, questions,
                          {.max_tokens = arguments.max_tokens,
                           .on_progress = progress.Callback(),
                           .is_interrupted = Interrupted});
}

void RunEvaluate(EvaluateArguments& arguments) {
  if (arguments.tasks.empty()) arguments.tasks = TasksOf(arguments.model);
  const std::vector<engine::EvaluationQuestion> questions =
      engine::FirstOfEachTask(engine::ReadEvaluationQuestions(arguments.tasks), arguments.limit);
  const engine::TextModel model = engine::LoadTextModel(ResolveTextModel(arguments.model),
                                                        {.num_threads = arguments.num_threads});
  const std::vector<engine::EvaluationAnswer> answers = Answers(arguments, model, questions);
  if (arguments.json) {
    PrintEvaluationJson(arguments, *model.model, answers);
  } else {
    PrintEvaluationText(answers);
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
