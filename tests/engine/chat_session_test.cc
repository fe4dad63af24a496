#include "carat/engine/chat_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "tests/engine/spelling_model.h"

// Every answer of the spelling model is "pqrs". Its context has 30 tokens; a turn of one letter
// takes <u> a <e> <m> pqrs: 8.

namespace carat::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

class ChatSessionTest : public ::testing::Test {
 protected:
  ChatSessionTest() { options_.sampling.temperature = 0; }

  ChatSession NewSession(const std::string& chat_template = tests::kSpellingTemplate) {
    return ChatSession(folder_.Load(), text::ChatTemplate::Compile(chat_template, "t.jinja", {}));
  }

  std::string Streamed(ChatSession& session, const std::string& message) {
    std::string text;
    session.Ask(message, options_, [&](std::string_view piece) { text += piece; });
    return text;
  }

  tests::SpellingModelFolder folder_;
  ChatOptions options_;
};

std::vector<std::string> Contents(const ChatSession& session) {
  std::vector<std::string> contents;
  for (const text::ChatMessage& message : session.messages()) contents.push_back(message.content);
  return contents;
}

TEST_F(ChatSessionTest, AnswersAndRemembersBothSides) {
  ChatSession session = NewSession();
  EXPECT_EQ(Streamed(session, "a"), "pqrs");
  EXPECT_THAT(Contents(session), ElementsAre("a", "pqrs"));
  EXPECT_EQ(session.messages()[1].role, "assistant");
}

TEST_F(ChatSessionTest, ALaterTurnReadsOnlyWhatIsNew) {
  ChatSession session = NewSession();
  Streamed(session, "a");
  const TextResult second = session.Ask("b", options_, {});
  // Known: <u> a <e> <m> p q r s, in the model's own spelling. New: <e> <u> b <e> <m>.
  EXPECT_EQ(second.generation.timings.reused_tokens, 8);
  EXPECT_EQ(second.generation.timings.prompt_tokens, 13);
  EXPECT_EQ(second.text, "pqrs");
}

TEST_F(ChatSessionTest, ATemplateThatChangesTheAnswerIsFollowed) {
  ChatSession session = NewSession(
      "{% for m in messages %}{{ '<u>' if m.role == 'user' else '<m>' }}"
      "{{ m.content | replace('s', '') }}<e>{% endfor %}<m>");
  Streamed(session, "a");
  const TextResult second = session.Ask("b", options_, {});
  // <u> a <e> <m> pq r <e> <u> b <e> <m>: the answer is spelled anew, and only what precedes it
  // reused.
  EXPECT_EQ(second.generation.timings.prompt_tokens, 11);
  EXPECT_LE(second.generation.timings.reused_tokens, 4);
  EXPECT_EQ(second.text, "pqrs");
}

TEST_F(ChatSessionTest, TheSystemPromptComesFirst) {
  ChatSession session = NewSession();
  options_.system_prompt = "c";
  EXPECT_EQ(session.Ask("a", options_, {}).generation.timings.prompt_tokens, 7);
  EXPECT_THAT(Contents(session), ElementsAre("a", "pqrs"));
  // Changed in the middle, it counts from the next turn on.
  options_.system_prompt = "";
  EXPECT_EQ(session.Ask("b", options_, {}).text, "pqrs");
}

TEST_F(ChatSessionTest, AConversationThatOutgrowsTheContextStaysAsItWas) {
  ChatSession session = NewSession();
  Streamed(session, "a");
  EXPECT_THAT([&] { Streamed(session, std::string(20, 'b')); },
              ThrowsMessage<Error>(HasSubstr("context window of 30")));
  EXPECT_THAT(Contents(session), ElementsAre("a", "pqrs"));
  EXPECT_EQ(Streamed(session, "b"), "pqrs");
}

TEST_F(ChatSessionTest, AMessageThatNoContextHoldsIsNotEvenRead) {
  ChatSession session = NewSession();
  const std::string too_long(30 * 64 + 1, 'a');
  EXPECT_THAT([&] { Streamed(session, too_long); },
              ThrowsMessage<Error>(HasSubstr("more than 1920 bytes")));
  // Nor one that a template makes as long.
  ChatSession verbose = NewSession("<u>{% for i in range(2000) %}a{% endfor %}<e><m>");
  EXPECT_THAT([&] { Streamed(verbose, "a"); },
              ThrowsMessage<Error>(HasSubstr("more than 1920 bytes")));
  EXPECT_EQ(Streamed(session, "a"), "pqrs");
}

TEST_F(ChatSessionTest, AnAnswerIsCutWhereTheContextEnds) {
  ChatSession session = NewSession();
  const TextResult result = session.Ask(std::string(24, 'a'), options_, {});
  EXPECT_EQ(result.generation.finish_reason, FinishReason::kLength);
  EXPECT_EQ(result.text, "pqrs");
  EXPECT_THROW(Streamed(session, "b"), Error);
  session.Reset();
  EXPECT_EQ(Streamed(session, "b"), "pqrs");
}

TEST_F(ChatSessionTest, AnInterruptedAnswerStaysAsFarAsItCame) {
  ChatSession session = NewSession();
  std::string text;
  const auto append = [&](std::string_view piece) { text += piece; };
  const TextResult result = session.Ask("a", options_, append, [&] { return text.size() == 2; });
  EXPECT_EQ(result.generation.finish_reason, FinishReason::kInterrupted);
  EXPECT_THAT(Contents(session), ElementsAre("a", "pq"));
  // <u> a <e> <m> p q: the second token has been chosen, but the model has not read it yet.
  EXPECT_GE(session.Ask("b", options_, {}).generation.timings.reused_tokens, 5);
}

TEST_F(ChatSessionTest, AQuestionInterruptedBeforeItsAnswerIsForgotten) {
  ChatSession session = NewSession();
  session.Ask("a", options_, {}, [] { return true; });
  EXPECT_THAT(Contents(session), IsEmpty());
  EXPECT_EQ(Streamed(session, "b"), "pqrs");
}

TEST_F(ChatSessionTest, AMessageTheTemplateRefusesIsForgotten) {
  ChatSession session =
      NewSession("{% if messages[-1].content == 'c' %}{{ raise_exception('no c') }}{% endif %}" +
                 std::string(tests::kSpellingTemplate));
  EXPECT_THAT([&] { Streamed(session, "c"); }, ThrowsMessage<Error>(HasSubstr("no c")));
  EXPECT_THAT(Contents(session), IsEmpty());
  EXPECT_EQ(Streamed(session, "a"), "pqrs");
}

TEST_F(ChatSessionTest, ResetForgets) {
  ChatSession session = NewSession();
  Streamed(session, "a");
  session.Reset();
  EXPECT_THAT(Contents(session), IsEmpty());
  EXPECT_EQ(session.Ask("a", options_, {}).generation.timings.reused_tokens, 0);
}

}  // namespace
}  // namespace carat::engine
