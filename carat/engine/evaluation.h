// How many questions a model answers right: greedy decoding, and an answer is right if it is the
// expected one, white space at both ends aside.
//
// Questions are lines of JSON, grouped by what they test:
//
//     {"task": "sums", "prompt": "What is 1 plus 1?", "answer": "1 plus 1 is 2."}
//     {"task": "names", "messages": [{"role": "user", "content": "My name is Ana."},
//                                    {"role": "assistant", "content": "Hello, Ana!"},
//                                    {"role": "user", "content": "Who am I?"}], "answer": "Ana"}

#ifndef CARAT_ENGINE_EVALUATION_H_
#define CARAT_ENGINE_EVALUATION_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carat/base/progress.h"
#include "carat/engine/text_generator.h"
#include "carat/text/chat_template.h"

namespace carat::engine {

struct EvaluationQuestion {
  std::string where;  // "tasks.jsonl:17", for errors
  std::string task;
  std::vector<text::ChatMessage> messages;  // the last one asks
  std::string answer;
};

// Empty lines are skipped. Throws Error naming the file and the line that is wrong.
std::vector<EvaluationQuestion> ReadEvaluationQuestions(const std::filesystem::path& path);

// The first `limit` questions of each task, in their order.
std::vector<EvaluationQuestion> FirstOfEachTask(std::span<const EvaluationQuestion> questions,
                                                int64_t limit);

struct EvaluationOptions {
  int64_t max_tokens = 256;  // of an answer
  ProgressCallback on_progress = {};
  std::function<bool()> is_interrupted = {};  // asked between steps
};

struct EvaluationAnswer {
  std::string task;
  std::string prompt;  // as the model read it, chat template included
  std::string expected;
  std::string output;
  bool is_correct = false;
  FinishReason finish_reason = FinishReason::kStop;
};

// The answers in the order of the questions. Without a chat template a question is its one
// message's text. Throws Error naming the line whose question cannot be asked (it does not fit the
// context window, the template refuses it), and if interrupted.
std::vector<EvaluationAnswer> Evaluate(TextModel model,
                                       const std::optional<text::ChatTemplate>& chat_template,
                                       std::span<const EvaluationQuestion> questions,
                                       const EvaluationOptions& options);

struct EvaluationScore {
  int64_t num_correct = 0;
  int64_t num_questions = 0;

  double accuracy() const {
    return static_cast<double>(num_correct) / static_cast<double>(num_questions);
  }
};

EvaluationScore ScoreAll(std::span<const EvaluationAnswer> answers);

struct TaskScore {
  std::string task;
  EvaluationScore score;
};

// In the order in which tasks first occur.
std::vector<TaskScore> ScoreByTask(std::span<const EvaluationAnswer> answers);

}  // namespace carat::engine

#endif  // CARAT_ENGINE_EVALUATION_H_
