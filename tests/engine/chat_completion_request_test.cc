#include "carat/engine/chat_completion_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "carat/base/error.h"

namespace carat::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

constexpr int64_t kVocabSize = 100;

ChatCompletionRequest Parse(const std::string& json) {
  model::GenerationDefaults defaults;
  defaults.do_sample = true;
  defaults.temperature = 0.7;
  defaults.top_k = 64;
  return ParseChatCompletionRequest(json, defaults, kVocabSize);
}

// A request with one message and `fields`, such as R"("n": 2)".
ChatCompletionRequest ParseWith(const std::string& fields) {
  return Parse(R"({"messages": [{"role": "user", "content": "Hi"}], )" + fields + "}");
}

auto Refuses(const std::string& message) {
  return ThrowsMessage<InvalidArgumentError>(HasSubstr(message));
}

TEST(ChatCompletionRequest, NeedsNothingButMessages) {
  const ChatCompletionRequest request =
      Parse(R"({"messages": [{"role": "user", "content": "Hi"}]})");
  ASSERT_EQ(request.messages.size(), 1);
  EXPECT_EQ(request.messages[0].role, "user");
  EXPECT_EQ(request.messages[0].content, "Hi");
  EXPECT_EQ(request.sampling.temperature, 0.7);
  EXPECT_EQ(request.sampling.top_k, 64);
  EXPECT_EQ(request.max_tokens, -1);
  EXPECT_EQ(request.num_choices, 1);
  EXPECT_FALSE(request.stream);
  EXPECT_FALSE(request.top_logprobs.has_value());
}

TEST(ChatCompletionRequest, ReadsEveryField) {
  const ChatCompletionRequest request = ParseWith(
      R"("temperature": 0.5, "top_p": 0.9, "top_k": 3, "min_p": 0.1, "repetition_penalty": 1.1,
         "presence_penalty": -1, "frequency_penalty": 2, "logit_bias": {"5": -100, "99": 1.5},
         "seed": -1, "max_tokens": 7, "n": 2, "stop": ["a", "b"], "logprobs": true,
         "top_logprobs": 4, "ignore_eos": true, "stream": true,
         "stream_options": {"include_usage": true}, "model": "any", "user": "me")");
  EXPECT_EQ(request.sampling.temperature, 0.5);
  EXPECT_EQ(request.sampling.top_p, 0.9);
  EXPECT_EQ(request.sampling.top_k, 3);
  EXPECT_EQ(request.sampling.min_p, 0.1);
  EXPECT_EQ(request.sampling.repetition_penalty, 1.1);
  EXPECT_EQ(request.sampling.presence_penalty, -1);
  EXPECT_EQ(request.sampling.frequency_penalty, 2);
  EXPECT_THAT(request.sampling.logit_bias, ElementsAre(Pair(5, -100), Pair(99, 1.5)));
  EXPECT_EQ(request.sampling.seed, ~uint64_t{0});
  EXPECT_EQ(request.max_tokens, 7);
  EXPECT_EQ(request.num_choices, 2);
  EXPECT_THAT(request.stop, ElementsAre("a", "b"));
  EXPECT_EQ(request.top_logprobs, 4);
  EXPECT_TRUE(request.ignore_eos);
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.include_usage);
}

TEST(ChatCompletionRequest, TakesMaxCompletionTokensBeforeItsOldName) {
  EXPECT_EQ(ParseWith(R"("max_tokens": 7, "max_completion_tokens": 9)").max_tokens, 9);
}

TEST(ChatCompletionRequest, TakesAMessageInPartsAndADeveloper) {
  const ChatCompletionRequest request = Parse(
      R"({"messages": [{"role": "developer", "content": "Be brief."},
          {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]})");
  EXPECT_EQ(request.messages[0].role, "system");
  EXPECT_EQ(request.messages[1].content, "ab");
}

TEST(ChatCompletionRequest, TakesWhatAsksForNothing) {
  EXPECT_NO_THROW(ParseWith(R"("tools": [], "tool_choice": "none", "audio": null,
                               "response_format": {"type": "text"}, "modalities": ["text"])"));
}

TEST(ChatCompletionRequest, RefusesWhatItDoesNotDo) {
  for (const char* name : {"tools", "functions", "audio", "response_format", "modalities", "n_"}) {
    EXPECT_THAT([&] { ParseWith('"' + std::string(name) + R"(": {"type": "x"})"); }, Refuses(name));
    EXPECT_THAT([&] { ParseWith('"' + std::string(name) + R"(": {"type": 5})"); }, Refuses(name));
  }
}

TEST(ChatCompletionRequest, NamesTheFieldThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("temperature": "hot")", "'temperature'"},
      {R"("temperature": -1)", "temperature"},
      {R"("top_p": 2)", "top_p"},
      {R"("max_tokens": 0)", "'max_tokens'"},
      {R"("n": 0)", "'n' is 0, expected 1 to 128"},
      {R"("stop": "")", "'stop'"},
      {R"("stop": [1])", "'stop"},
      {R"("top_logprobs": 1)", "'top_logprobs' needs 'logprobs'"},
      {R"("logit_bias": {"x": 1})", "logit_bias.x"},
      {R"("logit_bias": {"100": 1})", "token 100"},
      {R"("logit_bias": {"-1": 1})", "token -1"},
      {R"("logit_bias": {"5": 200})", "200"},
      {R"("stream_options": {})", "'stream_options' needs 'stream'"},
      {R"("stream": "yes")", "'stream'"},
      {R"("seed": 1.5)", "'seed'"},
  };
  for (const auto& [fields, message] : cases) {
    const std::string text = fields;
    EXPECT_THAT([&] { ParseWith(text); }, Refuses(message)) << text;
  }
}

TEST(ChatCompletionRequest, NamesTheMessageThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "'messages'"},
      {"{}", "'messages'"},
      {"[5]", "messages[0]"},
      {R"([{"role": "user", "content": "a"}, {"content": "b"}])", "messages[1]: field 'role'"},
      {R"([{"role": "tool", "content": "a"}])", "'role' is \"tool\""},
      {R"([{"role": "user", "content": null}])", "'content' is missing"},
      {R"([{"role": "user", "content": [{"type": "image_url"}]}])", "reads text"},
      {R"([{"role": "user", "content": ["a"]}])", "reads text"},
      {R"([{"role": "assistant", "content": "a", "tool_calls": [{"id": "x"}]}])", "'tool_calls'"},
  };
  for (const auto& [messages, message] : cases) {
    const std::string text = R"({"messages": )" + std::string(messages) + "}";
    EXPECT_THAT([&] { Parse(text); }, Refuses(message)) << text;
  }
}

TEST(ChatCompletionRequest, RefusesWhatIsNoJsonObject) {
  for (const char* text : {"", "[", "[]", "5", "{\"messages\": \xff}"}) {
    EXPECT_THAT([&] { Parse(text); }, Refuses("request")) << text;
  }
}

}  // namespace
}  // namespace carat::engine
