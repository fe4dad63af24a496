#include "carat/engine/evaluation.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/json.h"

namespace carat::engine {
namespace {

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

std::vector<text::ChatMessage> ParseMessages(const JsonObject& question) {
  if (question.Has("prompt") == question.Has("messages")) {
    throw Error("{}: expected either a field 'prompt' or a field 'messages'", question.file());
  }
  if (question.Has("prompt")) return {{"user", question.String("prompt")}};
  const Json& list = *question.Find("messages");
  if (!list.is_array() || list.empty()) {
    throw question.Wrong("messages", "a list of {\"role\": ..., \"content\": ...}");
  }
  std::vector<text::ChatMessage> messages;
  for (const Json& element : list) {
    const JsonObject message(element,
                             fmt::format("{}: message {}", question.file(), messages.size() + 1));
    messages.push_back({message.String("role"), message.String("content")});
  }
  if (messages.back().role != "user") {
    throw Error("{}: the last message is the {}'s, expected a question of the user",
                question.file(), messages.back().role);
  }
  return messages;
}

EvaluationQuestion ParseQuestion(std::string_view line, std::string where) {
  const Json json = ParseJson(line, where);
  const JsonObject question(json, where);
  return {.where = std::move(where),
          .task = question.String("task"),
          .messages = ParseMessages(question),
          .answer = question.String("answer")};
}

class Examination {
 public:
  Examination(TextModel model, const std::optional<text::ChatTemplate>& chat_template,
              const EvaluationOptions& options)
      : generator_(std::move(model)), chat_template_(chat_template), options_(options) {}

  EvaluationAnswer Ask(const EvaluationQuestion& question) {
    std::string prompt = Render(question.messages);
    CheckPromptBytes(prompt.size(), generator_.model().context_window_size());
    GenerationRequest request;
    request.prompt = generator_.tokenizer().Encode(
        prompt, chat_template_ ? text::SpecialTokens::kDoNotAdd : text::SpecialTokens::kAdd);
    request.sampling.temperature = 0;
    request.stop_tokens = generator_.model().config().generation.eos_token_ids;
    request.max_tokens = options_.max_tokens;
    request.is_interrupted = options_.is_interrupted;
    TextResult result = generator_.Generate(std::move(request), nullptr);
    const bool is_correct = Trimmed(result.text) == Trimmed(question.answer);
    return {.task = question.task,
            .prompt = std::move(prompt),
            .expected = question.answer,
            .output = std::move(result.text),
            .is_correct = is_correct,
            .finish_reason = result.generation.finish_reason};
  }

 private:
  std::string Render(const std::vector<text::ChatMessage>& messages) const {
    if (chat_template_) return chat_template_->Render(messages, text::GenerationPrompt::kAdd);
    if (messages.size() == 1) return messages.front().content;
    throw Error("has {} messages, and the model has no chat template to join them by",
                messages.size());
  }

  TextGenerator generator_;
  const std::optional<text::ChatTemplate>& chat_template_;
  const EvaluationOptions& options_;
};

}  // namespace

std::vector<EvaluationQuestion> ReadEvaluationQuestions(const std::filesystem::path& path) {
  const std::string text = ReadTextFile(path);
  std::vector<EvaluationQuestion> questions;
  std::string_view rest = text;
  for (int64_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (Trimmed(line).empty()) continue;
    questions.push_back(ParseQuestion(line, fmt::format("{}:{}", path.string(), number)));
  }
  if (questions.empty()) throw Error("{}: has no questions", path.string());
  return questions;
}

std::vector<EvaluationQuestion> FirstOfEachTask(std::span<const EvaluationQuestion> questions,
                                                int64_t limit) {
  std::map<std::string, int64_t> num_taken;
  std::vector<EvaluationQuestion> taken;
  std::ranges::copy_if(questions, std::back_inserter(taken), [&](const EvaluationQuestion& each) {
    return num_taken[each.task]++ < limit;
  });
  return taken;
}

std::vector<EvaluationAnswer> Evaluate(TextModel model,
                                       const std::optional<text::ChatTemplate>& chat_template,
                                       std::span<const EvaluationQuestion> questions,
                                       const EvaluationOptions& options) {
  Examination examination(std::move(model), chat_template, options);
  std::vector<EvaluationAnswer> answers;
  for (const EvaluationQuestion& question : questions) {
    try {
      answers.push_back(examination.Ask(question));
    } catch (const Error& error) {
      throw Error("{}: {}", question.where, error.what());
    }
    if (answers.back().finish_reason == FinishReason::kInterrupted) throw Error("interrupted");
    if (options.on_progress) options.on_progress(std::ssize(answers), std::ssize(questions));
  }
  return answers;
}

EvaluationScore ScoreAll(std::span<const EvaluationAnswer> answers) {
  return {.num_correct = std::ranges::count_if(answers, &EvaluationAnswer::is_correct),
          .num_questions = std::ssize(answers)};
}

std::vector<TaskScore> ScoreByTask(std::span<const EvaluationAnswer> answers) {
  std::vector<TaskScore> scores;
  for (const EvaluationAnswer& answer : answers) {
    auto score = std::ranges::find(scores, answer.task, &TaskScore::task);
    if (score == scores.end()) score = scores.insert(scores.end(), {answer.task, {}});
    ++score->score.num_questions;
    score->score.num_correct += answer.is_correct ? 1 : 0;
  }
  return scores;
}

}  // namespace carat::engine
