// `carat evaluate` as its users see it. How well the demo model does is the business of
// tests/end_to_end/demo_tasks_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/run_carat.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using tests::CaratResult;
using tests::CompiledDemo;
using tests::DemoCheckpoint;
using tests::IsOneLine;
using tests::RunCarat;

class EvaluateCommand : public ::testing::Test {
 protected:
  void Write(const std::string& text) const { std::ofstream(tasks_, std::ios::binary) << text; }

  CaratResult Run(const std::vector<std::string>& flags = {},
                  const tests::CaratOptions& options = {}) const {
    std::vector<std::string> arguments = {"evaluate", CompiledDemo().string(), "--tasks",
                                          tasks_.string()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return RunCarat(arguments, options);
  }

  void ExpectRefused(const CaratResult& result, const std::string& reason) const {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.output, "");
    EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(reason));
  }

  tests::TemporaryFolder folder_;
  fs::path tasks_ = folder_ / "tasks.jsonl";
};

constexpr char kTwoTasks[] =
    R"({"task": "capital", "prompt": "What is the capital of Peru?", "answer": "The capital of Peru is Lima."}
{"task": "capital", "prompt": "What is the capital of Iran?", "answer": "It is Cairo."}
{"task": "a sum", "prompt": "What is 1 plus 2?", "answer": " 1 plus 2 is 3.\n"}
)";

TEST_F(EvaluateCommand, PrintsTheAccuracyOfEachTaskAndAll) {
  Write(kTwoTasks);
  const CaratResult result = Run();
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output,
            "capital   50.0%  1 of 2\n"
            "a sum    100.0%  1 of 1\n"
            "all       66.7%  2 of 3\n");
}

TEST_F(EvaluateCommand, PrintsEveryAnswerAsJson) {
  Write(kTwoTasks);
  const CaratResult result = Run({"--json", "--max-tokens", "50"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json.at("quantization"), "q4_0");
  EXPECT_EQ(json.at("all").at("correct"), 2);
  EXPECT_EQ(json.at("tasks").at("capital").at("accuracy"), 0.5);
  ASSERT_EQ(json.at("answers").size(), 3);
  const auto& wrong = json.at("answers").at(1);
  EXPECT_EQ(wrong.at("task"), "capital");
  EXPECT_THAT(wrong.at("prompt"), HasSubstr("<start_of_turn>user\nWhat is the capital of Iran?"));
  EXPECT_EQ(wrong.at("answer"), "It is Cairo.");
  EXPECT_EQ(wrong.at("output"), "The capital of Iran is Tehran.");
  EXPECT_EQ(wrong.at("correct"), false);
  EXPECT_EQ(wrong.at("finish_reason"), "stop");
}

TEST_F(EvaluateCommand, AsksAtMostTheLimitOfEachTask) {
  Write(kTwoTasks);
  const CaratResult result = Run({"--limit", "1"});
  EXPECT_THAT(result.output, HasSubstr("all      100.0%  2 of 2\n"));
}

TEST_F(EvaluateCommand, TakesTheTasksInTheModelsFolder) {
  const CaratResult result =
      RunCarat({"evaluate", DemoCheckpoint().string(), "--limit", "2"},
               {.environment = {{"XDG_CACHE_HOME", (folder_ / "cache").string()}}});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("name_far"));
  EXPECT_THAT(result.output, HasSubstr("all          100.0%  20 of 20\n"));

  ExpectRefused(RunCarat({"evaluate", CompiledDemo().string()}),
                "tasks.jsonl: there is no such file; give one with questions by --tasks");
}

TEST_F(EvaluateCommand, TakesTheTasksBesideAModelFile) {
  Write("{}");
  std::ofstream(folder_ / "model.gguf");
  ExpectRefused(RunCarat({"evaluate", (folder_ / "model.gguf").string()}), "tasks.jsonl:1: ");
}

TEST_F(EvaluateCommand, NamesTheLineThatIsWrong) {
  Write(std::string(kTwoTasks) + "{\"task\": 1}\n");
  ExpectRefused(Run(), "tasks.jsonl:4: ");
  Write(R"({"task": "t", "messages": [{"role": "assistant", "content": "a"},
        {"role": "user", "content": "b"}], "answer": ""})");
  ExpectRefused(Run(), "tasks.jsonl:1: is not JSON");
  Write(
      R"({"task": "t", "messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}], "answer": ""})");
  ExpectRefused(Run(), "tasks.jsonl:1: ");  // the template wants the user to begin
}

TEST_F(EvaluateCommand, RefusesFilesWithoutQuestions) {
  ExpectRefused(Run(), "tasks.jsonl: cannot open: No such file");
  Write("");
  ExpectRefused(Run(), "tasks.jsonl: has no questions");
}

TEST_F(EvaluateCommand, CtrlCEndsIt) {
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += kTwoTasks;
  Write(many);
  const CaratResult result = Run({}, {.signal = SIGINT});
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_EQ(result.errors, "carat: interrupted\n");
  EXPECT_EQ(result.output, "");
}

}  // namespace
}  // namespace carat
