#include "carat/engine/perplexity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "tests/engine/spelling_model.h"

// The fake model (tests/runtime/fake_library.cc) tells what it has read: its logit of token 30 is
// minus the sum of token * (position + 1), while that of the token it expects is 1000. So the NLL
// of a 30 is 1000 + that sum, exactly. Its context has 30 tokens, its chunks 5.

namespace carat::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr TokenId kTelling = 30;

// The NLL of a 30 that follows `context`.
double NllAfter(const std::vector<TokenId>& context) {
  double nll = 1000;
  for (size_t i = 0; i < context.size(); ++i) nll += context[i] * (static_cast<double>(i) + 1);
  return nll;
}

// Of 30s that follow contexts of 30s.
std::vector<double> NllAfterLengths(const std::vector<int>& lengths) {
  std::vector<double> nll;
  nll.reserve(lengths.size());
  for (const int length : lengths) {
    nll.push_back(NllAfter(std::vector<TokenId>(length, kTelling)));
  }
  return nll;
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

class PerplexityTest : public ::testing::Test {
 protected:
  static PerplexityText Text(std::vector<TokenId> tokens) {
    PerplexityText text;
    text.name = "text.txt";
    text.tokens = std::move(tokens);
    text.num_bytes = 20;
    return text;
  }

  static PerplexityText Tellings(int64_t count) {
    return Text(std::vector<TokenId>(count, kTelling));
  }

  Perplexity Measure(const PerplexityText& text, const PerplexityOptions& options) const {
    return MeasurePerplexity(model_, text, options);
  }

  static PerplexityOptions Sliding(int64_t context, int64_t stride) {
    return {.context = context, .stride = stride};
  }

  static PerplexityOptions LlamaCpp(int64_t context) {
    return {.method = PerplexityMethod::kLlamaCpp, .context = context};
  }

  tests::SpellingModelFolder folder_;
  std::shared_ptr<runtime::Model> model_ = runtime::Model::Load(folder_.path(), {.num_threads = 2});
};

TEST_F(PerplexityTest, IsOneForATextThatTheModelExpects) {
  const Perplexity perplexity = Measure(Text({1, 2, 3, 4, 5, 6, 7, 8}), Sliding(4, 2));
  EXPECT_EQ(perplexity.value(), 1);
  EXPECT_EQ(perplexity.standard_error(), 0);
  EXPECT_EQ(perplexity.num_scored, 7);
}

TEST_F(PerplexityTest, SlidingWindowsScoreEachTokenButTheFirstOnce) {
  const Perplexity perplexity = Measure(Tellings(10), Sliding(6, 2));
  EXPECT_EQ(perplexity.num_windows, 3);
  EXPECT_EQ(perplexity.num_scored, 9);
  EXPECT_NEAR(perplexity.mean_nll, Mean(NllAfterLengths({1, 2, 3, 4, 5, 4, 5, 4, 5})), 1e-9);
}

TEST_F(PerplexityTest, TheLastSlidingWindowEndsWithTheText) {
  const Perplexity perplexity = Measure(Tellings(9), Sliding(6, 2));
  EXPECT_EQ(perplexity.num_windows, 3);
  EXPECT_NEAR(perplexity.mean_nll, Mean(NllAfterLengths({1, 2, 3, 4, 5, 4, 5, 4})), 1e-9);
  EXPECT_EQ(Measure(Tellings(6), Sliding(6, 2)).num_windows, 1);
}

TEST_F(PerplexityTest, AStrideOfAWholeWindowCannotScoreItsFirstToken) {
  const Perplexity perplexity = Measure(Tellings(10), Sliding(5, 5));
  EXPECT_EQ(perplexity.num_windows, 2);
  EXPECT_NEAR(perplexity.mean_nll, Mean(NllAfterLengths({1, 2, 3, 4, 1, 2, 3, 4})), 1e-9);
}

TEST_F(PerplexityTest, ReadsWindowsThatAreLongerThanAChunkOfTheModel) {
  const Perplexity perplexity = Measure(Tellings(23), Sliding(22, 1));
  std::vector<int> lengths(21);
  for (int i = 0; i < 21; ++i) lengths[i] = i + 1;
  lengths.push_back(21);
  EXPECT_NEAR(perplexity.mean_nll, Mean(NllAfterLengths(lengths)), 1e-9);
}

TEST_F(PerplexityTest, LlamaCppScoresTheSecondHalfOfWholeChunks) {
  const Perplexity perplexity = Measure(Tellings(17), LlamaCpp(6));
  EXPECT_EQ(perplexity.num_windows, 2);
  EXPECT_EQ(perplexity.num_scored, 4);
  EXPECT_NEAR(perplexity.mean_nll, Mean(NllAfterLengths({4, 5, 4, 5})), 1e-9);
  EXPECT_EQ(Measure(Tellings(14), LlamaCpp(7)).num_scored, 6);  // of 0..6: 4, 5 and 6
}

TEST_F(PerplexityTest, LlamaCppBeginsEachChunkWithBos) {
  PerplexityText text = Tellings(12);
  text.tokens.front() = 2;
  text.bos = 2;
  const double four = NllAfter({2, kTelling, kTelling, kTelling});
  const double five = NllAfter({2, kTelling, kTelling, kTelling, kTelling});
  EXPECT_NEAR(Measure(text, LlamaCpp(6)).mean_nll, (four + five) / 2, 1e-9);
}

TEST_F(PerplexityTest, GivesTheStandardErrorOfTheMean) {
  const double a = NllAfter({kTelling});
  const double b = NllAfter({kTelling, kTelling});
  const Perplexity perplexity = Measure(Tellings(3), Sliding(3, 1));
  // sqrt((mean of squares - square of the mean) / (n - 1))
  EXPECT_NEAR(perplexity.mean_nll_standard_error, (b - a) / 2, 1e-9);
  EXPECT_TRUE(std::isnan(Measure(Tellings(2), Sliding(2, 1)).mean_nll_standard_error));
}

TEST_F(PerplexityTest, GivesBitsOfTheWholeTextsBytes) {
  PerplexityText text = Tellings(11);
  const Perplexity without_bos = Measure(text, Sliding(11, 1));
  EXPECT_NEAR(without_bos.bits_per_byte, without_bos.mean_nll * 11 / 20 / std::numbers::ln2, 1e-9);
  text.tokens.front() = 2;
  text.bos = 2;
  const Perplexity with_bos = Measure(text, Sliding(11, 1));
  EXPECT_NEAR(with_bos.bits_per_byte, with_bos.mean_nll * 10 / 20 / std::numbers::ln2, 1e-9);
}

TEST_F(PerplexityTest, RefusesWhatCannotBeMeasured) {
  const auto expect_refused = [this](int64_t num_tokens, const PerplexityOptions& options,
                                     const std::string& message) {
    EXPECT_THAT([&] { Measure(Tellings(num_tokens), options); },
                ThrowsMessage<Error>(HasSubstr(message)));
  };
  expect_refused(5, Sliding(6, 2), "text.txt: has 5 tokens, and --context 6 needs at least 6");
  expect_refused(11, LlamaCpp(6), "text.txt: has 11 tokens, and --context 6 needs at least 12");
  expect_refused(9, Sliding(1, 1), "a context of 1 tokens scores none");
  expect_refused(9, LlamaCpp(2), "take a --context of at least 3");
  expect_refused(99, Sliding(31, 2), "more than the model's context window of 30");
  expect_refused(9, Sliding(6, 7), "take a --stride from 1 to the context of 6");
  expect_refused(9, Sliding(6, 0), "a stride of 0 tokens");
}

TEST_F(PerplexityTest, ReportsItsProgressAndCanBeInterrupted) {
  PerplexityOptions options = Sliding(6, 2);
  std::vector<int64_t> done;
  options.on_progress = [&](int64_t windows, int64_t total) {
    EXPECT_EQ(total, 3);
    done.push_back(windows);
  };
  options.is_interrupted = [&] { return done.size() == 2; };
  EXPECT_THAT([&] { Measure(Tellings(10), options); }, ThrowsMessage<Error>("interrupted"));
  EXPECT_THAT(done, ::testing::ElementsAre(1, 2));
}

TEST_F(PerplexityTest, HasTheWindowsThatTheOthersHaveByDefault) {
  EXPECT_EQ(DefaultPerplexityContext(PerplexityMethod::kSliding, 32768), 2048);
  EXPECT_EQ(DefaultPerplexityContext(PerplexityMethod::kSliding, 1024), 1024);
  EXPECT_EQ(DefaultPerplexityContext(PerplexityMethod::kLlamaCpp, 32768), 512);
  EXPECT_EQ(DefaultPerplexityContext(PerplexityMethod::kLlamaCpp, 256), 256);
}

class PerplexityTextTest : public PerplexityTest {
 protected:
  PerplexityText Encode(const std::string& text,
                        PerplexityMethod method = PerplexityMethod::kSliding) const {
    return EncodePerplexityText({model_, tokenizer_}, text, "text.txt", method);
  }

  std::shared_ptr<const text::Tokenizer> tokenizer_ = folder_.Load().tokenizer;
};

TEST_F(PerplexityTextTest, KnowsTheTokenThatTheTokenizerPutsBefore) {
  EXPECT_EQ(Encode("abc").bos, std::nullopt);
  std::string json = tests::kSpellingTokenizer;
  json.insert(json.find("\"decoder\""), R"("post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
      "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [21], "tokens": ["<s>"]}}}, )");
  tokenizer_ =
      std::make_shared<const text::Tokenizer>(text::Tokenizer::FromJson(json, "tokenizer.json"));
  const PerplexityText text = Encode("abc");
  EXPECT_EQ(text.bos, 21);
  EXPECT_THAT(text.tokens, ::testing::ElementsAre(21, 2, 3, 4));
  EXPECT_EQ(text.num_bytes, 3);
}

TEST_F(PerplexityTextTest, LosesItsLastLineBreakInLlamaCpp) {
  EXPECT_EQ(Encode("abc\n").num_bytes, 4);
  EXPECT_EQ(Encode("abc\n", PerplexityMethod::kLlamaCpp).num_bytes, 3);
  EXPECT_EQ(Encode("abc\n\n", PerplexityMethod::kLlamaCpp).num_bytes, 4);
}

TEST_F(PerplexityTextTest, IsRefusedWhereThereIsNone) {
  EXPECT_THAT([&] { Encode(""); }, ThrowsMessage<Error>("text.txt: is empty"));
  EXPECT_THAT([&] { Encode("ab\xff"); },
              ThrowsMessage<Error>(HasSubstr("text.txt: is not UTF-8 text")));
}

}  // namespace
}  // namespace carat::engine
