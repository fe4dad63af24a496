#include "carat/engine/evaluation_report.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/text/chat_template.h"

namespace carat::engine {
namespace {

namespace fs = std::filesystem;

fs::path TasksOf(const fs::path& model) {
  const fs::path file = (fs::is_regular_file(model) ? model.parent_path() : model) / "tasks.jsonl";
  if (fs::exists(file)) return file;
  throw Error("{}: there is no such file; give one with questions by --tasks", file.string());
}

nlohmann::ordered_json ScoreJson(const EvaluationScore& score) {
  return {{"accuracy", score.accuracy()},
          {"correct", score.num_correct},
          {"questions", score.num_questions}};
}

nlohmann::ordered_json AnswerJson(const EvaluationAnswer& answer) {
  return {
      {"task", answer.task},          {"prompt", answer.prompt},
      {"answer", answer.expected},    {"output", answer.output},
      {"correct", answer.is_correct}, {"finish_reason", FinishReasonName(answer.finish_reason)}};
}

}  // namespace

EvaluationTasks ReadEvaluationTasks(const fs::path& model, fs::path file,
                                    std::optional<int64_t> limit) {
  if (limit && *limit < 1) throw InvalidArgumentError("limit is {}, expected 1 or more", *limit);
  EvaluationTasks tasks;
  tasks.file = file.empty() ? TasksOf(model) : std::move(file);
  tasks.questions = ReadEvaluationQuestions(tasks.file);
  if (limit) tasks.questions = FirstOfEachTask(tasks.questions, *limit);
  return tasks;
}

EvaluationReport ReportEvaluation(const TextModel& model, const EvaluationTasks& tasks,
                                  int64_t max_tokens, const ProgressCallback& on_progress) {
  if (max_tokens < 1) {
    throw InvalidArgumentError("max_tokens is {}, expected 1 or more", max_tokens);
  }
  const auto chat_template = text::ChatTemplate::Find(model.model->folder());
  return {
      .folder = model.model->folder(),
      .quantization = model.model->metadata().quantization,
      .num_threads = model.model->num_threads(),
      .tasks_file = tasks.file,
      .max_tokens = max_tokens,
      .answers = Evaluate(
          model, chat_template, tasks.questions,
          {.max_tokens = max_tokens, .on_progress = on_progress, .is_interrupted = Interrupted})};
}

nlohmann::ordered_json ToJson(const EvaluationReport& report) {
  nlohmann::ordered_json json = {
      {"model", report.folder.string()},           {"quantization", report.quantization},
      {"num_threads", report.num_threads},         {"tasks_file", report.tasks_file.string()},
      {"max_tokens", report.max_tokens},           {"all", ScoreJson(ScoreAll(report.answers))},
      {"tasks", nlohmann::ordered_json::object()}, {"answers", nlohmann::ordered_json::array()},
  };
  for (const TaskScore& each : ScoreByTask(report.answers)) {
    json["tasks"][each.task] = ScoreJson(each.score);
  }
  for (const EvaluationAnswer& each : report.answers) json["answers"].push_back(AnswerJson(each));
  return json;
}

}  // namespace carat::engine
