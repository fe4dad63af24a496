// Ground truth: the demo model answers 100 questions of each of its tasks, by exact match with
// greedy decoding, as well with 4-bit weights as without quantization. `name_far` asks for what
// lies some 300 tokens back, where only the full-attention layer sees it.

#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/engine/generator.h"
#include "carat/text/chat_template.h"
#include "carat/text/tokenizer.h"
#include "tests/end_to_end/compiled_model.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxAnswerTokens = 160;

struct Question {
  std::vector<text::ChatMessage> turns;  // the last one asks
  std::string expected;
};

std::vector<Question> ReadQuestions(const std::string& task) {
  const fs::path path = fs::path(CARAT_SOURCE_DIR) / "tests/data/demo_tasks" / (task + ".jsonl");
  std::ifstream file(path);
  std::vector<Question> questions;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line);
    Question question{{}, json.at("expected")};
    for (const auto& turn : json.at("turns")) {
      question.turns.push_back({turn.at("role"), turn.at("content")});
    }
    questions.push_back(std::move(question));
  }
  return questions;
}

class Answerer {
 public:
  explicit Answerer(const std::string& quantization)
      : model_(runtime::Model::Load(
            Compiled({.model = ModelFolder("demo"), .quantization = quantization}))),
        generator_(model_),
        tokenizer_(text::Tokenizer::Load(model_->folder())),
        template_(text::ChatTemplate::Load(model_->folder())) {}

  std::string Answer(const Question& question) {
    engine::GenerationRequest request;
    request.prompt =
        tokenizer_.Encode(template_.Render(question.turns, text::GenerationPrompt::kAdd),
                          text::SpecialTokens::kDoNotAdd);
    request.sampling.temperature = 0;
    request.stop_tokens = model_->config().generation.eos_token_ids;
    request.max_tokens = kMaxAnswerTokens;
    return tokenizer_.Decode(generator_.Generate(request).tokens, text::DecodeSpecial::kSkip);
  }

  int CountRight(const std::vector<Question>& questions) {
    int right = 0;
    for (const Question& question : questions) right += Answer(question) == question.expected;
    return right;
  }

 private:
  std::shared_ptr<runtime::Model> model_;
  engine::Generator generator_;
  text::Tokenizer tokenizer_;
  text::ChatTemplate template_;
};

class DemoTasksTest : public ::testing::TestWithParam<std::string> {};

TEST_P(DemoTasksTest, FourBitsAnswerAsWellAsTheUnquantizedModel) {
  const std::vector<Question> questions = ReadQuestions(GetParam());
  ASSERT_EQ(questions.size(), 100U);
  Answerer unquantized("q0f32");
  Answerer quantized("q4_0");
  const int expected = unquantized.CountRight(questions);
  const int right = quantized.CountRight(questions);
  std::cout << "  " << GetParam() << ": " << right << " of 100 in q4_0, " << expected
            << " unquantized\n";
  EXPECT_GE(right, expected >= 95 ? expected - 2 : expected - 10);
  EXPECT_GE(expected, 95) << "the demo model masters all of these tasks";
}

INSTANTIATE_TEST_SUITE_P(Tasks, DemoTasksTest,
                         ::testing::Values("capital", "country", "arithmetic", "reverse",
                                           "sort_words", "count", "json_record", "repeat",
                                           "name_memory", "name_far"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace carat
