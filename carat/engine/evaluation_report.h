// How many questions a model answers right, together with what was asked: what `carat evaluate`
// prints and other front ends return.

#ifndef CARAT_ENGINE_EVALUATION_REPORT_H_
#define CARAT_ENGINE_EVALUATION_REPORT_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "carat/base/progress.h"
#include "carat/engine/evaluation.h"
#include "carat/engine/text_generator.h"

namespace carat::engine {

struct EvaluationTasks {
  std::filesystem::path file;
  std::vector<EvaluationQuestion> questions;
};

// The questions of `file`, at most `limit` of each task. If `file` is empty, those that `model`
// (compiled or not) brings: tasks.jsonl in its folder, or beside its file. Throws Error as
// ReadEvaluationQuestions does, and if there is no such file.
EvaluationTasks ReadEvaluationTasks(const std::filesystem::path& model, std::filesystem::path file,
                                    std::optional<int64_t> limit);

struct EvaluationReport {
  std::filesystem::path folder;
  std::string quantization;
  int num_threads = 0;
  std::filesystem::path tasks_file;
  int64_t max_tokens = 0;
  std::vector<EvaluationAnswer> answers;
};

// Throws Error as Evaluate does, and on Ctrl-C (base/interrupt.h).
EvaluationReport ReportEvaluation(const TextModel& model, const EvaluationTasks& tasks,
                                  int64_t max_tokens, const ProgressCallback& on_progress = {});

nlohmann::ordered_json ToJson(const EvaluationReport& report);

}  // namespace carat::engine

#endif  // CARAT_ENGINE_EVALUATION_REPORT_H_
