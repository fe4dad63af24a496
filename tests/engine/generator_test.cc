#include "carat/engine/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "carat/base/error.h"
#include "tests/runtime/fake_model.h"

// The fake model counts: after token t comes t + 1, after 29 comes 0; 13 makes it fail. Its context
// is 30 tokens, its chunks are 5, and a rollback of more than 3 tokens loses the window once the
// ring has wrapped (tests/runtime/fake_library.cc).

namespace carat::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;
using tests::FakeModelFolder;

class GeneratorTest : public ::testing::Test {
 protected:
  static GenerationRequest Request(std::vector<TokenId> prompt, int64_t max_tokens = -1) {
    GenerationRequest request;
    request.prompt = std::move(prompt);
    request.sampling.temperature = 0;
    request.max_tokens = max_tokens;
    return request;
  }

  FakeModelFolder folder_;
  Generator generator_{runtime::Model::Load(folder_.path(), {.num_threads = 1})};
};

TEST_F(GeneratorTest, StopsAtMaxTokens) {
  const GenerationResult result = generator_.Generate(Request({14, 15, 16}, 4));
  EXPECT_THAT(result.tokens, ElementsAre(17, 18, 19, 20));
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
  EXPECT_EQ(result.timings.prompt_tokens, 3);
  EXPECT_EQ(result.timings.generated_tokens, 4);
  EXPECT_EQ(result.timings.decode_steps, 3);
}

TEST_F(GeneratorTest, StopsAtAStopTokenAndLeavesItOut) {
  GenerationRequest request = Request({14, 15, 16});
  request.stop_tokens = {3, 20};
  const GenerationResult result = generator_.Generate(request);
  EXPECT_THAT(result.tokens, ElementsAre(17, 18, 19));
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
}

TEST_F(GeneratorTest, StopsWhenTheContextIsFull) {
  GenerationRequest request = Request({14}, -1);
  request.prompt.resize(28, 14);
  const GenerationResult result = generator_.Generate(request);
  // 28 + 2 tokens fill the context; the third is chosen by the last one's logits.
  EXPECT_THAT(result.tokens, ElementsAre(15, 16, 17));
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
  EXPECT_EQ(generator_.tokens().size(), 30);
}

TEST_F(GeneratorTest, AnswersAPromptThatFillsTheContextWithOneToken) {
  const GenerationResult result = generator_.Generate(Request(std::vector<TokenId>(30, 14)));
  EXPECT_THAT(result.tokens, ElementsAre(15));
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
}

TEST_F(GeneratorTest, GeneratesNothingWhenAskedForNothing) {
  const GenerationResult result = generator_.Generate(Request({14, 15}, 0));
  EXPECT_THAT(result.tokens, IsEmpty());
  EXPECT_EQ(result.finish_reason, FinishReason::kLength);
}

TEST_F(GeneratorTest, StreamsTokensAndStopsWhenTheCallbackHasEnough) {
  std::vector<TokenId> streamed;
  GenerationRequest request = Request({14});
  request.on_token = [&](const GeneratedToken& generated) {
    streamed.push_back(generated.token);
    EXPECT_EQ(generated.logprobs, nullptr);
    return generated.token == 17 ? Continue::kStop : Continue::kYes;
  };
  const GenerationResult result = generator_.Generate(request);
  EXPECT_THAT(streamed, ElementsAre(15, 16, 17));
  EXPECT_EQ(result.tokens, streamed);
  EXPECT_EQ(result.finish_reason, FinishReason::kStop);
}

TEST_F(GeneratorTest, GivesLogprobsOfTheModelsOwnLogits) {
  GenerationRequest request = Request({14}, 3);
  request.top_logprobs = 2;
  // Were they of the logits that the sampler sees, token 0 would be e^-900 times as likely.
  request.sampling.logit_bias = {{15, -100}, {16, -100}, {17, -100}};
  TokenId expected = 15;
  request.on_token = [&](const GeneratedToken& generated) {
    EXPECT_EQ(generated.token, expected);
    EXPECT_EQ(generated.logprobs->chosen.token, expected);
    EXPECT_EQ(generated.logprobs->chosen.logprob, 0);
    EXPECT_EQ(generated.logprobs->top.size(), 2);
    EXPECT_EQ(generated.logprobs->top[0].token, expected);
    EXPECT_EQ(generated.logprobs->top[1].token, 0);
    EXPECT_EQ(generated.logprobs->top[1].logprob, -1000);
    ++expected;
    return Continue::kYes;
  };
  generator_.Generate(request);
  EXPECT_EQ(expected, 18);
}

TEST_F(GeneratorTest, GivesTheLogprobOfTheTokenAloneIfAskedForNoOther) {
  GenerationRequest request = Request({14}, 1);
  request.top_logprobs = 0;
  int streamed = 0;
  request.on_token = [&](const GeneratedToken& generated) {
    ++streamed;
    EXPECT_EQ(generated.logprobs->chosen.token, 15);
    EXPECT_THAT(generated.logprobs->top, IsEmpty());
    return Continue::kYes;
  };
  generator_.Generate(request);
  EXPECT_EQ(streamed, 1);
}

TEST_F(GeneratorTest, CanBeInterruptedAmidTheAnswerAndGoOn) {
  int64_t streamed = 0;
  GenerationRequest request = Request({14});
  request.on_token = [&](const GeneratedToken&) {
    ++streamed;
    return Continue::kYes;
  };
  request.is_interrupted = [&] { return streamed == 3; };
  GenerationResult result = generator_.Generate(request);
  EXPECT_THAT(result.tokens, ElementsAre(15, 16, 17));
  EXPECT_EQ(result.finish_reason, FinishReason::kInterrupted);

  result = generator_.Generate(Request({14, 15, 16, 17, 20}, 2));
  EXPECT_THAT(result.tokens, ElementsAre(21, 22));
  EXPECT_EQ(result.timings.reused_tokens, 4);
}

TEST_F(GeneratorTest, CanBeInterruptedAmidThePrompt) {
  int asked = 0;
  GenerationRequest request = Request(std::vector<TokenId>(18, 2));
  request.is_interrupted = [&] { return ++asked == 3; };
  GenerationResult result = generator_.Generate(request);
  EXPECT_EQ(result.finish_reason, FinishReason::kInterrupted);
  EXPECT_THAT(result.tokens, IsEmpty());
  EXPECT_EQ(generator_.tokens().size(), 10);

  request.is_interrupted = nullptr;
  request.max_tokens = 1;
  result = generator_.Generate(request);
  EXPECT_EQ(result.timings.reused_tokens, 10);
  EXPECT_THAT(result.tokens, ElementsAre(3));
}

TEST_F(GeneratorTest, ReusesTheConversationSoFar) {
  generator_.Generate(Request({14, 15, 16}, 4));  // 17 18 19 20, the last of which never ran
  const GenerationResult result =
      generator_.Generate(Request({14, 15, 16, 17, 18, 19, 20, 5, 6}, 2));
  EXPECT_EQ(result.timings.reused_tokens, 6);
  EXPECT_THAT(result.tokens, ElementsAre(7, 8));
}

TEST_F(GeneratorTest, RollsBackToWhereThePromptDiffers) {
  generator_.Generate(Request({14, 15, 16}, 4));
  const GenerationResult result = generator_.Generate(Request({14, 15, 7, 8}, 2));
  EXPECT_EQ(result.timings.reused_tokens, 2);
  EXPECT_THAT(result.tokens, ElementsAre(9, 10));
}

TEST_F(GeneratorTest, RunsTheLastTokenOfARepeatedPromptAgain) {
  generator_.Generate(Request({14, 15, 16}, 1));
  const GenerationResult result = generator_.Generate(Request({14, 15, 16}, 1));
  EXPECT_EQ(result.timings.reused_tokens, 2);
  EXPECT_THAT(result.tokens, ElementsAre(17));
}

TEST_F(GeneratorTest, StartsOverWhereTheWindowIsLost) {
  std::vector<TokenId> prompt(20, 14);
  generator_.Generate(Request(prompt, 1));
  prompt.resize(12);
  const GenerationResult result = generator_.Generate(Request(prompt, 1));
  EXPECT_EQ(result.timings.reused_tokens, 0);
  EXPECT_THAT(result.tokens, ElementsAre(15));
}

TEST_F(GeneratorTest, ForgetsTheConversationWhenReset) {
  generator_.Generate(Request({14, 15, 16}, 4));
  generator_.Reset();
  EXPECT_THAT(generator_.tokens(), IsEmpty());
  EXPECT_EQ(generator_.Generate(Request({14, 15, 16}, 1)).timings.reused_tokens, 0);
}

TEST_F(GeneratorTest, RefusesBadPromptsAndKeepsTheConversation) {
  generator_.Generate(Request({14, 15, 16}, 4));
  const auto expect_refused = [this](GenerationRequest request, const std::string& message) {
    EXPECT_THAT([&] { generator_.Generate(request); }, ThrowsMessage<Error>(HasSubstr(message)));
  };
  expect_refused(Request({}), "the prompt is empty");
  expect_refused(Request(std::vector<TokenId>(31, 1)),
                 "the prompt has 31 tokens, but the context window is 30");
  expect_refused(Request({14, 32}), "token 32, but the vocabulary ends at 31");
  expect_refused(Request({14, -1}), "token -1");
  GenerationRequest request = Request({14});
  request.sampling.top_p = 2;
  expect_refused(request, "top_p is 2");
  request = Request({14});
  request.sampling.logit_bias = {{32, 1}};
  expect_refused(request, "logit_bias has token 32, expected one of the vocabulary, from 0 to 31");
  request = Request({14});
  request.top_logprobs = -1;
  expect_refused(request, "top_logprobs is -1, expected a number of tokens");
  EXPECT_EQ(generator_.tokens().size(), 6);
}

TEST_F(GeneratorTest, StaysUsableAfterTheModelFails) {
  EXPECT_THROW(generator_.Generate(Request({9, 10}, 8)), Error);  // 13 comes third
  EXPECT_THAT(generator_.tokens(), ElementsAre(9, 10, 11, 12));
  EXPECT_THAT(generator_.Generate(Request({9, 10, 11, 4}, 2)).tokens, ElementsAre(5, 6));
}

TEST_F(GeneratorTest, NamesFinishReasons) {
  EXPECT_EQ(FinishReasonName(FinishReason::kStop), "stop");
  EXPECT_EQ(FinishReasonName(FinishReason::kLength), "length");
  EXPECT_EQ(FinishReasonName(FinishReason::kInterrupted), "interrupted");
}

TEST(GenerationTimings, DivideByNoZero) {
  EXPECT_EQ(GenerationTimings().prefill_tokens_per_s(), 0);
  EXPECT_EQ(GenerationTimings().decode_tokens_per_s(), 0);
}

}  // namespace
}  // namespace carat::engine
