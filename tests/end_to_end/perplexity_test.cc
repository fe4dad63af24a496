// Perplexity as the engine measures it, against the same sums over logits of whole windows.

#include "carat/engine/perplexity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "carat/base/file.h"
#include "carat/text/tokenizer.h"
#include "tests/end_to_end/compiled_model.h"

namespace carat {
namespace {

constexpr int64_t kContext = 96;  // longer than the sliding layers' window of 64
constexpr int64_t kTextBytes = 2000;

class PerplexityOfTheDemoTest : public testing::Test {
 protected:
  engine::TextModel model_ = engine::LoadTextModel(
      Compiled({.model = ModelFolder("demo"), .quantization = "q0f32"}), {.num_threads = 1});
  engine::PerplexityText text_ = engine::EncodePerplexityText(
      model_, ReadTextFile(ModelFolder("demo") / "sample.txt").substr(0, kTextBytes), "sample.txt",
      engine::PerplexityMethod::kSliding);

  // The NLL of tokens [first_scored, end) of the text, read from `begin` on.
  std::vector<double> Nll(std::span<const TokenId> tokens, size_t begin, size_t first_scored,
                          size_t end) const {
    const std::span<const TokenId> window = tokens.subspan(begin, end - begin);
    const std::vector<float> logits = AllLogits(model_.model, window, kContext);
    const int64_t vocab_size = model_.model->vocab_size();
    std::vector<double> nll;
    for (size_t i = first_scored; i < end; ++i) {
      const auto row = std::span(logits).subspan((i - begin - 1) * vocab_size, vocab_size);
      double sum = 0;
      for (const float logit : row) sum += std::exp(double{logit});
      nll.push_back(-std::log(std::exp(double{row[tokens[i]]}) / sum));
    }
    return nll;
  }

  static void ExpectMean(const engine::Perplexity& perplexity, const std::vector<double>& nll) {
    double sum = 0;
    double squares = 0;
    for (const double each : nll) {
      sum += each;
      squares += each * each;
    }
    const auto count = static_cast<double>(nll.size());
    const double mean = sum / count;
    // Logits of a window in one step and in several differ in their last bits.
    EXPECT_EQ(perplexity.num_scored, std::ssize(nll));
    EXPECT_NEAR(perplexity.mean_nll, mean, 1e-4);
    EXPECT_NEAR(perplexity.value(), std::exp(mean), 1e-3);
    EXPECT_NEAR(perplexity.mean_nll_standard_error,
                std::sqrt((squares / count - mean * mean) / (count - 1)), 1e-4);
    EXPECT_LT(perplexity.value(), 20);  // it knows these stories; chance is 2048
  }
};

TEST_F(PerplexityOfTheDemoTest, InSlidingWindows) {
  const size_t stride = 40;
  const size_t num_tokens = text_.tokens.size();
  std::vector<double> nll;
  for (size_t begin = 0, scored = 1; scored < num_tokens; begin += stride) {
    const size_t end = std::min(begin + kContext, num_tokens);
    const std::vector<double> more = Nll(text_.tokens, begin, scored, end);
    nll.insert(nll.end(), more.begin(), more.end());
    scored = end;
  }
  ExpectMean(
      engine::MeasurePerplexity(model_.model, text_, {.context = kContext, .stride = stride}), nll);
}

TEST_F(PerplexityOfTheDemoTest, InTheChunksOfLlamaCpp) {
  std::vector<TokenId> tokens = text_.tokens;
  std::vector<double> nll;
  for (size_t begin = 0; begin + kContext <= tokens.size(); begin += kContext) {
    tokens[begin] = 2;
    const std::vector<double> more = Nll(tokens, begin, begin + kContext / 2 + 1, begin + kContext);
    nll.insert(nll.end(), more.begin(), more.end());
  }
  ExpectMean(engine::MeasurePerplexity(
                 model_.model, text_,
                 {.method = engine::PerplexityMethod::kLlamaCpp, .context = kContext}),
             nll);
}

}  // namespace
}  // namespace carat
