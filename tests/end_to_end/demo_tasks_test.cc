// Ground truth: the demo model answers 100 questions of each of its tasks, by exact match with
// greedy decoding, as well with 4-bit weights as without quantization. `name_far` asks for what
// lies some 300 tokens back, where only the full-attention layer sees it.

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "carat/engine/evaluation.h"
#include "tests/end_to_end/compiled_model.h"

namespace carat {
namespace {

// Right answers of 100, by task.
std::map<std::string, int64_t> CountRight(const std::string& quantization) {
  const auto folder = ModelFolder("demo");
  const engine::TextModel model =
      engine::LoadTextModel(Compiled({.model = folder, .quantization = quantization}));
  const std::vector<engine::EvaluationAnswer> answers =
      engine::Evaluate(model, text::ChatTemplate::Load(folder),
                       engine::ReadEvaluationQuestions(folder / "tasks.jsonl"), {});
  std::map<std::string, int64_t> right;
  for (const engine::TaskScore& each : engine::ScoreByTask(answers)) {
    EXPECT_EQ(each.score.num_questions, 100) << each.task;
    right[each.task] = each.score.num_correct;
  }
  return right;
}

TEST(DemoTasks, FourBitsAnswerAsWellAsTheUnquantizedModel) {
  const std::map<std::string, int64_t> unquantized = CountRight("q0f32");
  std::map<std::string, int64_t> quantized = CountRight("q4_0");
  EXPECT_EQ(unquantized.size(), 10U);
  for (const auto& [task, expected] : unquantized) {
    const int64_t right = quantized[task];
    std::cout << "  " << task << ": " << right << " of 100 in q4_0, " << expected
              << " unquantized\n";
    EXPECT_GE(right, expected >= 95 ? expected - 2 : expected - 10) << task;
    EXPECT_GE(expected, 95) << task << ": the demo model masters all of these tasks";
  }
}

}  // namespace
}  // namespace carat
