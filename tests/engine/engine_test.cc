#include "carat/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "carat/base/error.h"
#include "tests/engine/spelling_model.h"

// Every answer of the spelling model is "pqrs", four tokens. Its context has 30 tokens; the prompt
// of one letter takes <u> a <e> <m>: 4.

namespace carat::engine {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;
using Json = nlohmann::json;
using Status = ChatCompletion::Status;
using std::chrono::milliseconds;

class EngineTest : public ::testing::Test {
 protected:
  std::shared_ptr<Engine> NewEngine() const {
    return std::make_shared<Engine>(
        folder_.Load(), text::ChatTemplate::Compile(tests::kSpellingTemplate, "t.jinja", {}));
  }

  // A request for an answer to "a", with `fields` besides.
  static std::string Request(const std::string& fields = "") {
    return R"({"messages": [{"role": "user", "content": "a"}], "temperature": 0)" +
           (fields.empty() ? "" : ", " + fields) + "}";
  }

  // All that there is to read.
  static std::vector<Json> ReadAll(ChatCompletion& completion) {
    std::vector<Json> all;
    std::string json;
    while (true) {
      const Status status = completion.Read(milliseconds(60'000), json);
      if (status != Status::kReady) {
        EXPECT_EQ(status, Status::kEnded);
        return all;
      }
      all.push_back(Json::parse(json));
    }
  }

  static std::vector<Json> Ask(Engine& engine, const std::string& request) {
    return ReadAll(*engine.CreateChatCompletion(request));
  }

  static std::string TextOf(const std::vector<Json>& chunks) {
    std::string text;
    for (const Json& chunk : chunks) {
      for (const Json& choice : chunk["choices"]) text += choice["delta"].value("content", "");
    }
    return text;
  }

  tests::SpellingModelFolder folder_;
};

TEST_F(EngineTest, AnswersWithOneObject) {
  const auto engine = NewEngine();
  const std::vector<Json> answer = Ask(*engine, Request());
  ASSERT_THAT(answer, SizeIs(1));
  EXPECT_EQ(answer[0]["object"], "chat.completion");
  EXPECT_EQ(answer[0]["model"], engine->name());
  EXPECT_EQ(answer[0]["choices"],
            Json::parse(R"([{"index": 0, "finish_reason": "stop", "logprobs": null,
                "message": {"role": "assistant", "content": "pqrs", "refusal": null}}])"));
  EXPECT_EQ(answer[0]["usage"], Json::parse(R"({"prompt_tokens": 4, "completion_tokens": 4,
                "total_tokens": 8, "prompt_tokens_details": {"cached_tokens": 0}})"));
}

TEST_F(EngineTest, StreamsAChunkForEachToken) {
  const auto engine = NewEngine();
  const std::vector<Json> chunks = Ask(*engine, Request(R"("stream": true)"));
  std::vector<Json> deltas;
  for (const Json& chunk : chunks) {
    EXPECT_EQ(chunk["object"], "chat.completion.chunk");
    EXPECT_EQ(chunk["id"], chunks[0]["id"]);
    EXPECT_FALSE(chunk.contains("usage"));
    deltas.push_back(chunk["choices"][0]["delta"]);
  }
  EXPECT_THAT(deltas,
              ElementsAre(Json({{"role", "assistant"}, {"content", ""}}), Json({{"content", "p"}}),
                          Json({{"content", "q"}}), Json({{"content", "r"}}),
                          Json({{"content", "s"}}), Json::object()));
  EXPECT_EQ(chunks.back()["choices"][0]["finish_reason"], "stop");
}

TEST_F(EngineTest, EndsAStreamWithTheUsageIfAsked) {
  const auto engine = NewEngine();
  const std::vector<Json> chunks =
      Ask(*engine, Request(R"("stream": true, "stream_options": {"include_usage": true})"));
  EXPECT_EQ(chunks.back()["choices"], Json::array());
  EXPECT_EQ(chunks.back()["usage"]["total_tokens"], 8);
  EXPECT_EQ(chunks.front()["usage"], nullptr);
}

TEST_F(EngineTest, EndsAtAStopTextAcrossTokens) {
  const auto engine = NewEngine();
  const std::vector<Json> chunks = Ask(*engine, Request(R"("stream": true, "stop": "qr")"));
  EXPECT_EQ(TextOf(chunks), "p");
  EXPECT_EQ(chunks.back()["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(Ask(*engine, Request(R"("stop": ["x", "rs"])"))[0]["choices"][0]["message"]["content"],
            "pq");
  // A beginning of a stop text is text when nothing follows.
  EXPECT_EQ(Ask(*engine, Request(R"("stop": "rst")"))[0]["choices"][0]["message"]["content"],
            "pqrs");
}

TEST_F(EngineTest, EndsAtMaxTokensAndAtTheEndOfTheContext) {
  const auto engine = NewEngine();
  const Json cut = Ask(*engine, Request(R"("max_tokens": 2)"))[0];
  EXPECT_EQ(cut["choices"][0]["message"]["content"], "pq");
  EXPECT_EQ(cut["choices"][0]["finish_reason"], "length");
  const Json full = Ask(*engine, Request(R"("ignore_eos": true)"))[0];
  EXPECT_EQ(full["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(full["usage"]["total_tokens"], 31);  // the last one is not read again
}

TEST_F(EngineTest, GivesSeveralAnswers) {
  const auto engine = NewEngine();
  const Json answer = Ask(*engine, Request(R"("n": 3)"))[0];
  ASSERT_THAT(answer["choices"], SizeIs(3));
  EXPECT_EQ(answer["choices"][2]["index"], 2);
  EXPECT_EQ(answer["choices"][2]["message"]["content"], "pqrs");
  EXPECT_EQ(answer["usage"]["completion_tokens"], 12);
}

TEST_F(EngineTest, TellsLogprobs) {
  const auto engine = NewEngine();
  const Json answer = Ask(*engine, Request(R"("logprobs": true, "top_logprobs": 2)"))[0];
  const Json& content = answer["choices"][0]["logprobs"]["content"];
  ASSERT_THAT(content, SizeIs(4));
  EXPECT_EQ(content[1]["token"], "q");
  EXPECT_EQ(content[1]["bytes"], Json::array({'q'}));
  EXPECT_LE(content[1]["logprob"], 0);
  ASSERT_THAT(content[1]["top_logprobs"], SizeIs(2));
  EXPECT_EQ(content[1]["top_logprobs"][0]["token"], "q");
}

TEST_F(EngineTest, ReadsAgainOnlyWhatIsNew) {
  const auto engine = NewEngine();
  Ask(*engine, Request());
  const Json answer = Ask(*engine, Request())[0];
  EXPECT_EQ(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 3);
}

TEST_F(EngineTest, AnswersManyThreads) {
  const auto engine = NewEngine();
  std::vector<std::thread> threads;
  std::vector<std::string> texts(8);
  for (std::string& text : texts) {
    threads.emplace_back([&engine, &text] {
      for (int i = 0; i < 5; ++i) text = TextOf(Ask(*engine, Request(R"("stream": true)")));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(texts, Each("pqrs"));
}

TEST_F(EngineTest, RefusesBeforeItQueues) {
  const auto engine = NewEngine();
  EXPECT_THAT([&] { engine->CreateChatCompletion("{}"); },
              ThrowsMessage<InvalidArgumentError>(HasSubstr("messages")));
  const std::string long_text(40, 'a');
  EXPECT_THAT(
      [&] {
        engine->CreateChatCompletion(R"({"messages": [{"role": "user", "content": ")" + long_text +
                                     R"("}]})");
      },
      ThrowsMessage<InvalidArgumentError>(HasSubstr("context window of 30")));
}

TEST_F(EngineTest, AnAnswerThatNobodyHoldsIsNotWorkedOn) {
  const auto engine = NewEngine();
  engine->CreateChatCompletion(Request(R"("n": 128, "ignore_eos": true)"));
  EXPECT_EQ(TextOf(Ask(*engine, Request(R"("stream": true)"))), "pqrs");
}

TEST_F(EngineTest, ACancelledAnswerHasEnded) {
  const auto engine = NewEngine();
  const auto completion = engine->CreateChatCompletion(Request(R"("stream": true)"));
  completion->Cancel();
  EXPECT_THAT(ReadAll(*completion), SizeIs(0));
}

TEST_F(EngineTest, CancellingWakesWhoReads) {
  const auto engine = NewEngine();
  const auto first = engine->CreateChatCompletion(Request(R"("n": 128, "ignore_eos": true)"));
  const auto second = engine->CreateChatCompletion(Request());
  std::thread cancels([&] {
    std::this_thread::sleep_for(milliseconds(10));
    second->Cancel();
  });
  std::string json;
  EXPECT_NE(second->Read(milliseconds(60'000), json), Status::kNotYet);
  cancels.join();
}

TEST_F(EngineTest, AnAnswerKeepsItsEngine) {
  auto engine = NewEngine();
  const auto completion = engine->CreateChatCompletion(Request(R"("stream": true)"));
  engine.reset();
  EXPECT_EQ(TextOf(ReadAll(*completion)), "pqrs");
}

TEST_F(EngineTest, AClosedEngineSaysSo) {
  const auto engine = NewEngine();
  // Of these, some wait and one may have begun.
  std::vector<std::unique_ptr<ChatCompletion>> completions;
  for (int i = 0; i < 3; ++i) {
    completions.push_back(engine->CreateChatCompletion(Request(R"("n": 128, "ignore_eos": true)")));
  }
  engine->Close();
  for (const auto& completion : completions) {
    EXPECT_THAT([&] { ReadAll(*completion); }, ThrowsMessage<Error>(HasSubstr("closed")));
  }
  EXPECT_THAT([&] { engine->CreateChatCompletion(Request()); },
              ThrowsMessage<Error>(HasSubstr("closed")));
}

TEST_F(EngineTest, ReadWaitsNoLongerThanAsked) {
  const auto engine = NewEngine();
  const auto first = engine->CreateChatCompletion(Request(R"("n": 128, "ignore_eos": true)"));
  const auto second = engine->CreateChatCompletion(Request());
  std::string json;
  EXPECT_EQ(second->Read(milliseconds(0), json), Status::kNotYet);
}

}  // namespace
}  // namespace carat::engine
