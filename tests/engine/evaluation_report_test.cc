#include "carat/engine/evaluation_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "carat/base/error.h"
#include "tests/engine/spelling_model.h"
#include "tests/support/temporary_folder.h"

namespace carat::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr char kThreeQuestions[] =
    "{\"task\": \"z\", \"prompt\": \"a\", \"answer\": \"b\"}\n"
    "{\"task\": \"z\", \"prompt\": \"a\", \"answer\": \"?\"}\n"
    "{\"task\": \"y\", \"prompt\": \"b\", \"answer\": \"c\"}\n";

class EvaluationReportTest : public ::testing::Test {
 protected:
  EvaluationReportTest() { std::ofstream(tasks_) << kThreeQuestions; }

  tests::TemporaryFolder folder_;
  std::filesystem::path tasks_ = folder_ / "tasks.jsonl";
  tests::SpellingModelFolder model_;  // without a chat template: it counts on
};

TEST_F(EvaluationReportTest, SaysWhatWasAskedAndAnswered) {
  const EvaluationTasks tasks = ReadEvaluationTasks(model_.path(), tasks_, {});
  const auto json = ToJson(ReportEvaluation(model_.Load(), tasks, 1));
  EXPECT_EQ(json["model"], model_.path().string());
  EXPECT_EQ(json["tasks_file"], tasks_.string());
  EXPECT_EQ(json["max_tokens"], 1);
  EXPECT_EQ(json["all"]["correct"], 2);
  EXPECT_EQ(json["all"]["questions"], 3);
  EXPECT_EQ(json["tasks"].begin().key(), "z");  // as they come, not by name
  EXPECT_EQ(json["tasks"]["z"]["accuracy"], 0.5);
  EXPECT_EQ(json["answers"][1]["output"], "b");
  EXPECT_EQ(json["answers"][1]["correct"], false);
  EXPECT_EQ(json["answers"][1]["finish_reason"], "length");
}

TEST_F(EvaluationReportTest, TakesTheTasksThatTheModelBrings) {
  EXPECT_EQ(ReadEvaluationTasks(folder_.path(), {}, {}).file, tasks_);
  std::ofstream(folder_ / "model.gguf");
  EXPECT_EQ(ReadEvaluationTasks(folder_ / "model.gguf", {}, {}).file, tasks_);
  EXPECT_THAT([&] { ReadEvaluationTasks(model_.path(), {}, {}); },
              ThrowsMessage<Error>(HasSubstr("tasks.jsonl: there is no such file")));
}

TEST_F(EvaluationReportTest, LimitsTheQuestionsOfEachTask) {
  EXPECT_EQ(ReadEvaluationTasks({}, tasks_, 1).questions.size(), 2);
  EXPECT_THAT([&] { ReadEvaluationTasks({}, tasks_, 0); },
              ThrowsMessage<InvalidArgumentError>(HasSubstr("limit is 0")));
}

TEST_F(EvaluationReportTest, RefusesAnswersWithoutTokens) {
  const EvaluationTasks tasks = ReadEvaluationTasks(model_.path(), tasks_, {});
  EXPECT_THAT([&] { ReportEvaluation(model_.Load(), tasks, 0); },
              ThrowsMessage<InvalidArgumentError>(HasSubstr("max_tokens is 0")));
}

}  // namespace
}  // namespace carat::engine
