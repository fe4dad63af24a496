#include "carat/text/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/base/json.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/count_threads.h"
#include "tests/text/tokenizer_golden.h"

namespace carat::text {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::ThrowsMessage;

const ChatTemplate::SpecialTokens kSpecialTokens = {{"bos_token", "<bos>"}, {"eos_token", "<eos>"}};

std::string Render(const std::string& source, const std::vector<ChatMessage>& messages = {}) {
  return ChatTemplate::Compile(source, "t.jinja", kSpecialTokens)
      .Render(messages, GenerationPrompt::kAdd);
}

// A folder with the files given by name and content.
class ModelFolder {
 public:
  ModelFolder(std::initializer_list<std::pair<std::string, std::string>> files) {
    for (const auto& [name, content] : files) WriteFileAtomically(folder_ / name, content);
  }
  std::string Render() const {
    return ChatTemplate::Load(folder_.path())
        .Render(std::vector<ChatMessage>{{"user", "Hi"}}, GenerationPrompt::kAdd);
  }

 private:
  tests::TemporaryFolder folder_;
};

TEST(ChatTemplate, RendersAsTransformersDoes) {
  const Json golden = ParseJsonFile(tests::TextData("chat_templates.json"));
  for (const Json& example : golden.at("renderings")) {
    const auto source = example.at("source").get<std::string>();
    std::vector<ChatMessage> messages;
    const Json& conversation = golden.at("conversations").at(example.at("conversation"));
    for (const Json& message : conversation) {
      messages.push_back({message.at("role"), message.at("content")});
    }
    const auto prompt = example.at("add_generation_prompt").get<bool>()
                            ? GenerationPrompt::kAdd
                            : GenerationPrompt::kDoNotAdd;
    EXPECT_EQ(ChatTemplate::Compile(source, "t", kSpecialTokens).Render(messages, prompt),
              example.at("text"))
        << example.at("template") << " " << example.at("conversation");
  }
}

TEST(ChatTemplate, TheDemoModelBringsOne) {
  const ChatTemplate demo =
      ChatTemplate::Load(std::filesystem::path(CARAT_SOURCE_DIR) / "models/demo");
  const std::vector<ChatMessage> messages = {{"system", "Be brief."}, {"user", " Hi \n"}};
  EXPECT_EQ(demo.Render(messages, GenerationPrompt::kAdd),
            "<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n");
}

TEST(ChatTemplate, AFileOfItsOwnWins) {
  const ModelFolder folder(
      {{"chat_template.jinja", "file {{ bos_token }}"},
       {"tokenizer_config.json", R"({"chat_template": "field", "bos_token": "<b>"})"}});
  EXPECT_EQ(folder.Render(), "file <b>");
}

TEST(ChatTemplate, OfAListTheDefaultIsTaken) {
  const ModelFolder folder({{"tokenizer_config.json", R"({"chat_template": [
      {"name": "tool_use", "template": "tools"}, {"name": "default", "template": "default"}]})"}});
  EXPECT_EQ(folder.Render(), "default");
}

TEST(ChatTemplate, AListWithoutADefaultIsRefusedUnlessItHasOneTemplate) {
  const ModelFolder one(
      {{"tokenizer_config.json", R"({"chat_template": [{"name": "x", "template": "only"}]})"}});
  EXPECT_EQ(one.Render(), "only");
  const ModelFolder two({{"tokenizer_config.json", R"({"chat_template": [
      {"name": "x", "template": "x"}, {"name": "y", "template": "y"}]})"}});
  EXPECT_THAT([&] { two.Render(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("2 templates"), HasSubstr("default"))));
}

TEST(ChatTemplate, SpecialTokensAreTextsOrObjectsOrInAFileOfTheirOwn) {
  const ModelFolder folder({{"tokenizer_config.json",
                             R"({"chat_template": "{{ bos_token }} {{ eos_token }} {{ pad_token }}",
            "bos_token": {"content": "<b>", "lstrip": false}, "eos_token": "<e>", "pad_token": null})"},
                            {"special_tokens_map.json",
                             R"({"eos_token": "not this", "pad_token": {"content": "<p>"}})"}});
  EXPECT_EQ(folder.Render(), "<b> <e> <p>");
}

TEST(ChatTemplate, WithoutATemplateTheErrorSaysWhatToDo) {
  const tests::TemporaryFolder empty;
  EXPECT_FALSE(ChatTemplate::Find(empty.path()).has_value());
  const ModelFolder folder({{"tokenizer_config.json", R"({"chat_template": null})"}});
  EXPECT_THAT([&] { folder.Render(); },
              ThrowsMessage<Error>(AllOf(HasSubstr("--raw"), HasSubstr("chat_template.jinja"))));
}

TEST(ChatTemplate, WrongFieldsAreNamed) {
  for (const std::string field : {"7", "{}", "[7]", "[]", R"([{"name": "default"}])"}) {
    const ModelFolder folder({{"tokenizer_config.json", R"({"chat_template": )" + field + "}"}});
    EXPECT_THAT(
        [&] { folder.Render(); },
        ThrowsMessage<Error>(AllOf(HasSubstr("tokenizer_config.json"), HasSubstr("template"))))
        << field;
  }
}

TEST(ChatTemplate, SyntaxErrorsNameFileAndLine) {
  EXPECT_THAT([] { Render("a\nb\n{% if %}"); },
              ThrowsMessage<Error>(HasSubstr("t.jinja: the chat template, line 3: syntax error")));
  EXPECT_THAT([] { Render("\n{{ messages | nonsense }}"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("line 2"), HasSubstr("nonsense"))));
}

TEST(ChatTemplate, WhatTheTemplateRefusesIsSaidInItsWords) {
  EXPECT_THAT(
      [] { Render("{% if true %}\n{{ raise_exception('Roles must alternate') }}{% endif %}"); },
      ThrowsMessage<Error>(HasSubstr(
          "t.jinja: the chat template, line 2 refuses the conversation: Roles must alternate")));
}

TEST(ChatTemplate, TodayIsInReach) {
  EXPECT_THAT(Render("{{ strftime_now('%Y-%m-%d') }}"), MatchesRegex("20..-..-.."));
  EXPECT_THAT([] { Render("{{ strftime_now('a\\u0000b') }}"); },
              ThrowsMessage<Error>(HasSubstr("zero")));
  EXPECT_EQ(Render("{{ strftime_now('%99999999999d') }}").size() <= 256, true);
}

TEST(ChatTemplate, MessagesThatAreNotUtf8AreRefused) {
  EXPECT_THAT([] { Render("x", {{"user", "\xFF"}}); }, ThrowsMessage<Error>(HasSubstr("UTF-8")));
}

TEST(ChatTemplate, FilesAreOutOfReach) {
  for (const std::string tag : {"{% include '/etc/passwd' %}", "{% extends 'x' %}",
                                "{% import 'tokenizer.json' as t %}", "{% include 't.jinja' %}"}) {
    EXPECT_THROW(Render(tag), Error) << tag;
  }
}

// What a hostile template may try: each ends as an error, soon.
TEST(ChatTemplate, HostileTemplatesEndAsErrors) {
  const std::string forever =
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
  const std::string grow =
      "{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for i in range(60) %}"
      "{% set ns.s = ns.s ~ ns.s %}{% endfor %}";
  const std::string nest =
      "{% set ns = namespace(x=[]) %}{% for a in range(99999) %}"
      "{% for b in range(9) %}{% set ns.x = [ns.x] %}{% endfor %}{% endfor %}";
  const std::vector<std::string> hostile = {
      forever,
      grow,
      grow + "{{ ns.s }}",
      "{% set s = 'x' * 99999999 %}{% for i in range(900) %}{{ s }}{% endfor %}",
      "{% set s = 'x' * 99999999 %}{{ s.replace('x', s) }}",
      "{% set s = 'ab' * 999 %}{% for i in range(99) %}{{ s.replace('a', s) }}{% endfor %}",
      "{{ ('x\n' * 9999999) | indent(9999999) }}",
      "{{ messages | tojson(indent=999999999999) }}",
      "{{ '%999999999999d' % 1 }}",
      "{{ range(999999999) | list }}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
      "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
      nest,
      "{{ " + std::string(100000, '[') + std::string(100000, ']') + " }}",
      "{{ x" + std::string(100000, '.') + " }}",
      "{% if 1 %}" + std::string(100, 'x'),
      "{{ 9 ** 9 ** 9 ** 9 }}",
      "\xFF",
  };
  for (const std::string& source : hostile) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THROW(Render(source, {{"user", "Hi"}}), Error) << source.substr(0, 100);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    EXPECT_LT(taken.count(), 15) << source.substr(0, 100);
  }
}

// A thread whose limit is broken stays, so a template may break one only once.
TEST(ChatTemplate, AfterABrokenLimitTheSameErrorComesAtOnce) {
  const ChatTemplate hostile =
      ChatTemplate::Compile("{% set s = 'x' * 99999999 %}{{ s.replace('x', s) }}", "t.jinja", {});
  const int num_threads = tests::CountThreads();
  const auto render = [&] {
    EXPECT_THAT(
        [&] { hostile.Render({}, GenerationPrompt::kAdd); },
        ThrowsMessage<Error>("t.jinja: the chat template uses more than 512 MiB of memory"));
  };
  std::vector<std::thread> at_once;
  for (int i = 0; i < 4; ++i) at_once.emplace_back(render);
  for (std::thread& thread : at_once) thread.join();
  render();
  EXPECT_LE(tests::CountThreads(), num_threads + 1);
}

// What the template says itself is no broken limit.
TEST(ChatTemplate, AfterARefusedConversationOthersRender) {
  const ChatTemplate chat_template = ChatTemplate::Compile(
      "{% if messages %}{{ raise_exception('no') }}{% endif %}ready", "t.jinja", {});
  EXPECT_THROW(
      chat_template.Render(std::vector<ChatMessage>{{"user", "Hi"}}, GenerationPrompt::kAdd),
      Error);
  EXPECT_EQ(chat_template.Render({}, GenerationPrompt::kAdd), "ready");
}

// Deep values are walked and dropped recursively; the stack must do for all that the steps allow.
TEST(ChatTemplate, DepthDoesNotOverflowTheStack) {
  const std::string nest =
      "{% set ns = namespace(x=[]) %}{% for a in range(12000) %}"
      "{% for b in range(9) %}{% set ns.x = [ns.x] %}{% endfor %}{% endfor %}";
  for (const std::string walk :
       {"", "{{ ns.x | length }}", "{{ ns.x | tojson | length }}", "{{ (ns.x | string) | length }}",
        "{{ ns.x == ns.x }}", "{{ ns.x | pprint | length }}", "{{ {ns.x: 1} | length }}"}) {
    try {
      Render(nest + walk);
    } catch (const Error&) {
      // A limit may end it.
    }
  }
  for (const std::string operation : {"-", "not ", "(", "[", "x."}) {
    std::string source = "{{ ";
    for (int i = 0; i < 100000; ++i) source += operation;
    try {
      Render(source + "1 }}");
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace carat::text
