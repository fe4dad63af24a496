#include "carat/engine/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "tests/engine/spelling_model.h"
#include "tests/support/temporary_folder.h"

// Every answer of the spelling model is "pqrs"; without a template it counts on: after "a" come "b"
// and "c".

namespace carat::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class QuestionsTest : public ::testing::Test {
 protected:
  std::vector<EvaluationQuestion> Read(const std::string& text) const {
    std::ofstream(folder_ / "q.jsonl", std::ios::binary) << text;
    return ReadEvaluationQuestions(folder_ / "q.jsonl");
  }

  tests::TemporaryFolder folder_;
};

TEST_F(QuestionsTest, ArePromptsOrConversations) {
  const std::vector<EvaluationQuestion> questions = Read(
      R"({"task": "sums", "prompt": "1 + 1?", "answer": "2"})"
      "\r\n\n"
      R"({"task": "names", "answer": "Ana", "messages": [{"role": "user", "content": "I am Ana"},)"
      R"( {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Who am I?"}]})");
  ASSERT_EQ(questions.size(), 2);
  EXPECT_EQ(questions[0].task, "sums");
  EXPECT_EQ(questions[0].answer, "2");
  ASSERT_EQ(questions[0].messages.size(), 1);
  EXPECT_EQ(questions[0].messages[0].role, "user");
  EXPECT_EQ(questions[0].messages[0].content, "1 + 1?");
  ASSERT_EQ(questions[1].messages.size(), 3);
  EXPECT_EQ(questions[1].messages[1].role, "assistant");
  EXPECT_EQ(questions[1].messages[2].content, "Who am I?");
  EXPECT_THAT(questions[1].where, ::testing::EndsWith("q.jsonl:3"));
}

TEST_F(QuestionsTest, AreRefusedByFileAndLine) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"{", "is not JSON"},
      {"[1]", "expected an object"},
      {R"({"prompt": "p", "answer": "a"})", "field 'task' is missing"},
      {R"({"task": "t", "prompt": "p"})", "field 'answer' is missing"},
      {R"({"task": "t", "prompt": "p", "answer": 2})", "field 'answer' is 2"},
      {R"({"task": "t", "answer": "a"})", "either a field 'prompt' or a field 'messages'"},
      {R"({"task": "t", "answer": "a", "prompt": "p", "messages": []})", "either a field 'prompt'"},
      {R"({"task": "t", "answer": "a", "messages": []})", "field 'messages' is a list of 0"},
      {R"({"task": "t", "answer": "a", "messages": "m"})", "field 'messages' is \"m\""},
      {R"({"task": "t", "answer": "a", "messages": [{"role": "user"}]})",
       "message 1: field 'content' is missing"},
      {R"({"task": "t", "answer": "a", "messages": [{"role": "assistant", "content": "c"}]})",
       "the last message is the assistant's"},
      {"{\"task\": \"\xff\", \"prompt\": \"p\", \"answer\": \"a\"}", "is not JSON"},
  };
  const std::string sound = "{\"task\": \"t\", \"prompt\": \"p\", \"answer\": \"a\"}\n";
  for (const auto& [line, message] : wrong) {
    const std::string text = sound + line;
    EXPECT_THAT([&] { Read(text); },
                ThrowsMessage<Error>(AllOf(HasSubstr("q.jsonl:2: "), HasSubstr(message))))
        << text;
  }
}

TEST_F(QuestionsTest, AreRefusedWhereThereAreNone) {
  EXPECT_THAT([&] { Read(" \n\n"); }, ThrowsMessage<Error>(HasSubstr("has no questions")));
  EXPECT_THAT([&] { ReadEvaluationQuestions(folder_ / "none.jsonl"); },
              ThrowsMessage<Error>(HasSubstr("none.jsonl: cannot open")));
}

class EvaluationTest : public ::testing::Test {
 protected:
  static EvaluationQuestion Question(const std::string& task, const std::string& prompt,
                                     const std::string& answer) {
    return {.where = "q.jsonl:7", .task = task, .messages = {{"user", prompt}}, .answer = answer};
  }

  std::vector<EvaluationAnswer> Ask(const std::vector<EvaluationQuestion>& questions) const {
    return Evaluate(folder_.Load(), template_, questions, options_);
  }

  tests::SpellingModelFolder folder_;
  std::optional<text::ChatTemplate> template_ =
      text::ChatTemplate::Compile(tests::kSpellingTemplate, "t.jinja", {});
  EvaluationOptions options_;
};

TEST_F(EvaluationTest, ComparesAnswersButForWhiteSpaceAround) {
  const std::vector<EvaluationAnswer> answers =
      Ask({Question("t", "a", "pqrs"), Question("t", "a", " \tpqrs\n"), Question("t", "a", "pqr"),
           Question("t", "a", "p qrs"), Question("t", "a", " ")});
  std::vector<bool> correct;
  correct.reserve(answers.size());
  for (const EvaluationAnswer& answer : answers) correct.push_back(answer.is_correct);
  EXPECT_THAT(correct, ElementsAre(true, true, false, false, false));
  EXPECT_EQ(answers[2].output, "pqrs");
  EXPECT_EQ(answers[2].expected, "pqr");
}

TEST_F(EvaluationTest, AsksInTheChatTemplate) {
  EvaluationQuestion question = Question("t", "c", "pqrs");
  question.messages.insert(question.messages.begin(), {{"user", "a"}, {"assistant", "b"}});
  const std::vector<EvaluationAnswer> answers = Ask({question});
  EXPECT_EQ(answers[0].prompt, "<u>a<e><m>b<e><u>c<e><m>");
  EXPECT_EQ(answers[0].output, "pqrs");
  EXPECT_EQ(answers[0].finish_reason, FinishReason::kStop);
}

TEST_F(EvaluationTest, AsksInPlainTextWithoutATemplate) {
  template_ = std::nullopt;
  options_.max_tokens = 2;
  EvaluationQuestion question = Question("t", "a", "bc");
  const std::vector<EvaluationAnswer> answers = Ask({question});
  EXPECT_EQ(answers[0].prompt, "a");
  EXPECT_TRUE(answers[0].is_correct);
  EXPECT_EQ(answers[0].finish_reason, FinishReason::kLength);

  question.messages.push_back({"user", "b"});
  EXPECT_THAT([&] { Ask({question}); },
              ThrowsMessage<Error>("q.jsonl:7: has 2 messages, and the model has no chat template "
                                   "to join them by"));
}

TEST_F(EvaluationTest, NamesTheQuestionThatDoesNotFit) {
  for (const size_t length : {30, 30 * 64 + 1}) {
    EXPECT_THAT([&] { Ask({Question("t", std::string(length, 'a'), "")}); },
                ThrowsMessage<Error>(AllOf(::testing::StartsWith("q.jsonl:7: the prompt has"),
                                           HasSubstr("context window"))));
  }
}

TEST_F(EvaluationTest, ReportsItsProgressAndCanBeInterrupted) {
  std::vector<int64_t> done;
  options_.on_progress = [&](int64_t questions, int64_t total) {
    EXPECT_EQ(total, 3);
    done.push_back(questions);
  };
  options_.is_interrupted = [&] { return done.size() == 2; };
  const EvaluationQuestion question = Question("t", "a", "pqrs");
  EXPECT_THAT([&] { Ask({question, question, question}); }, ThrowsMessage<Error>("interrupted"));
  EXPECT_THAT(done, ElementsAre(1, 2));
}

TEST_F(EvaluationTest, ScoresEachTaskAndAll) {
  const std::vector<EvaluationAnswer> answers =
      Ask({Question("z", "a", "pqrs"), Question("b", "a", "no"), Question("z", "b", "no"),
           Question("z", "c", "pqrs")});
  const std::vector<TaskScore> scores = ScoreByTask(answers);
  ASSERT_EQ(scores.size(), 2);
  EXPECT_EQ(scores[0].task, "z");
  EXPECT_EQ(scores[0].score.num_correct, 2);
  EXPECT_EQ(scores[0].score.num_questions, 3);
  EXPECT_EQ(scores[1].task, "b");
  EXPECT_EQ(scores[1].score.accuracy(), 0);
  EXPECT_EQ(ScoreAll(answers).accuracy(), 0.5);
}

TEST_F(EvaluationTest, CanAskTheFirstQuestionsOfEachTask) {
  const std::vector<EvaluationQuestion> questions =
      FirstOfEachTask(std::vector{Question("z", "a", "1"), Question("z", "b", "2"),
                                  Question("b", "c", "3"), Question("z", "d", "4")},
                      2);
  std::vector<std::string> answers;
  answers.reserve(questions.size());
  for (const EvaluationQuestion& question : questions) answers.push_back(question.answer);
  EXPECT_THAT(answers, ElementsAre("1", "2", "3"));
}

}  // namespace
}  // namespace carat::engine
