// `carat generate` and `carat chat` over the compiled demo model.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/run_carat.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using tests::CaratOptions;
using tests::CaratResult;
using tests::CompiledDemo;
using tests::DemoCheckpoint;
using tests::ExpectRefused;
using tests::IsOneLine;
using tests::RunCarat;
using tests::TemporaryFolder;

constexpr char kQuestion[] = "What is the capital of France?";
constexpr char kAnswer[] = "The capital of France is Paris.";

CaratResult Generate(std::vector<std::string> flags, const CaratOptions& options = {}) {
  flags.insert(flags.begin(), {"generate", CompiledDemo().string(), "--temperature", "0"});
  return RunCarat(flags, options);
}

CaratResult Chat(const std::string& input) {
  const TemporaryFolder home;
  return RunCarat({"chat", CompiledDemo().string(), "--temperature", "0"},
                  {.input = input, .environment = {{"XDG_STATE_HOME", home.path().string()}}});
}

TEST(Generate, AnswersThroughTheChatTemplate) {
  const auto result = Generate({"--prompt", kQuestion});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output, std::string(kAnswer) + "\n");
  EXPECT_EQ(result.errors, "");
}

TEST(Generate, ReadsThePromptFromStandardInput) {
  EXPECT_EQ(Generate({"--prompt", "-"}, {.input = kQuestion}).output, std::string(kAnswer) + "\n");
}

TEST(Generate, RawContinuesThePromptAsItIs) {
  const std::string turn =
      std::string("<start_of_turn>user\n") + kQuestion + "<end_of_turn>\n<start_of_turn>model\n";
  EXPECT_EQ(Generate({"--raw", "--prompt", turn}).output, std::string(kAnswer) + "\n");
}

TEST(Generate, JsonSaysEverything) {
  const auto result = Generate({"--json", "--prompt", kQuestion});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const json answer = json::parse(result.output);
  EXPECT_EQ(answer.at("text"), kAnswer);
  EXPECT_EQ(answer.at("finish_reason"), "stop");
  EXPECT_FALSE(answer.at("tokens").empty());
  EXPECT_GT(answer.at("timings").at("decode_tokens_per_s"), 0);
}

TEST(Generate, StopsAtMaxTokens) {
  const auto result = Generate({"--json", "--prompt", kQuestion, "--max-tokens", "2"});
  const json answer = json::parse(result.output);
  EXPECT_EQ(answer.at("tokens").size(), 2);
  EXPECT_EQ(answer.at("finish_reason"), "length");
}

TEST(Generate, TheSameSeedGivesTheSameAnswer) {
  const std::vector<std::string> flags = {"generate",      CompiledDemo().string(),
                                          "--prompt",      "Tell me a short story about a fox.",
                                          "--temperature", "1.5",
                                          "--seed",        "7"};
  EXPECT_EQ(RunCarat(flags).output, RunCarat(flags).output);
}

TEST(Generate, TheNumberOfThreadsChangesNothing) {
  const std::string story = "Tell me a short story about an owl.";
  const auto one = Generate({"--prompt", story, "--threads", "1"});
  EXPECT_EQ(one.exit_code, 0) << one.errors;
  EXPECT_EQ(one.output, Generate({"--prompt", story, "--threads", "3"}).output);
}

TEST(Generate, RefusesSamplingParametersOutOfRange) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
      {"--temperature", {"", "-1", "nan", "inf", "hot"}},
      {"--top-k", {"", "-1", "1.5"}},
      {"--top-p", {"", "0", "1.5", "nan"}},
      {"--min-p", {"", "-0.1", "1.1"}},
      {"--repetition-penalty", {"", "0", "-1"}},
      {"--presence-penalty", {"", "2.1", "nan"}},
      {"--frequency-penalty", {"", "-2.1", "much"}},
      {"--seed", {"", "-1", "18446744073709551616"}},
      {"--max-tokens", {"", "0"}},
      {"--threads", {"", "0", "100000"}}};
  for (const auto& [flag, values] : wrong) {
    for (const std::string& value : values) {
      ExpectRefused(RunCarat({"generate", CompiledDemo().string(), "--prompt", "Hi!", flag, value}),
                    flag + ": is '" + value + "', expected", 2);
    }
  }
}

TEST(Generate, RefusesASystemPromptWithoutATemplate) {
  ExpectRefused(Generate({"--prompt", "Hi!", "--raw", "--system", "Be brief."}), "--system", 2);
}

TEST(Generate, RefusesStandardInputThatCannotBeRead) {
  ExpectRefused(Generate({"--prompt", "-"}, {.input_file = "/"}), "standard input: cannot be read");
  ExpectRefused(Generate({"--prompt", "-"}, {.closed_streams = {STDIN_FILENO}}),
                "standard input: cannot be read");
}

TEST(Generate, RefusesAPromptBeforeReadingAllOfIt) {
  ExpectRefused(Generate({"--prompt", "-"}, {.input_file = "/dev/zero"}),
                "more than 131072 bytes, which is too much for the context window of 2048");
  const std::string half(100'000, 'x');
  ExpectRefused(Generate({"--prompt", half, "--system", half}), "context window of 2048");
}

TEST(Generate, RefusesAPromptLongerThanTheContext) {
  std::string prompt;
  for (int i = 0; i < 3000; ++i) prompt += "apple river stone ";
  ExpectRefused(Generate({"--prompt", prompt}), "2048");
}

TEST(Generate, RefusesAPromptThatIsNotUtf8) {
  ExpectRefused(Generate({"--prompt", "caf\xe9"}), "UTF-8");
}

TEST(Generate, RefusesWhatIsNoModel) {
  ExpectRefused(RunCarat({"generate", "/nowhere", "--prompt", "Hi!"}), "/nowhere");
  const TemporaryFolder empty;
  ExpectRefused(RunCarat({"generate", empty.path().string(), "--prompt", "Hi!"}), "config.json");
}

// A compiled folder that somebody damaged.
class DamagedFolder : public ::testing::Test {
 protected:
  DamagedFolder() { fs::copy(CompiledDemo(), folder_ / "dist"); }

  fs::path dist() const { return folder_ / "dist"; }
  CaratResult Run() const {
    return RunCarat({"generate", dist().string(), "--temperature", "0", "--prompt", kQuestion});
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(dist() / name, std::ios::binary) << text;
  }

  const TemporaryFolder folder_;
};

TEST_F(DamagedFolder, TruncatedWeightsAreRefused) {
  fs::resize_file(dist() / "weights.bin", 1000);
  ExpectRefused(Run(), "weights.bin");
}

TEST_F(DamagedFolder, AMissingFileIsNamed) {
  for (const char* name : {"tokenizer.json", "weights.bin", "model.so"}) {
    fs::remove(dist() / name);
    ExpectRefused(Run(), name);
    fs::copy(CompiledDemo() / name, dist() / name);
  }
}

TEST_F(DamagedFolder, ALibraryThatIsNoneIsRefused) {
  Write("model.so", "not a library");
  ExpectRefused(Run(), "model.so");
}

TEST_F(DamagedFolder, AnotherVersionsFolderIsRefused) {
  std::ifstream file(CompiledDemo() / "carat-config.json");
  json config = json::parse(file);
  json& metadata = config.contains("carat_version") ? config : config.at("metadata");
  metadata.at("carat_version") = "0.0.1";
  Write("carat-config.json", config.dump());
  ExpectRefused(Run(), "0.0.1");
}

TEST_F(DamagedFolder, BrokenTokenizersAreRefused) {
  for (const char* text : {"", "{}", "[1, 2", "\xff"}) {
    Write("tokenizer.json", text);
    ExpectRefused(Run(), "tokenizer.json");
  }
}

TEST_F(DamagedFolder, AHostileChatTemplateIsRefused) {
  const fs::path config = dist() / "tokenizer_config.json";
  fs::remove(config);
  for (const char* text :
       {"{% for i in range(1000000000) %}x{% endfor %}", "{{ nope", "{{ 1 // 0 }}"}) {
    Write("chat_template.jinja", text);
    ExpectRefused(Run(), "chat_template.jinja");
  }
}

TEST_F(DamagedFolder, AChatTemplateThatIsNotUtf8IsNamed) {
  Write("chat_template.jinja", "{{ messages }}\xff");
  ExpectRefused(Run(), "chat_template.jinja: ");
}

TEST_F(DamagedFolder, AModelWithoutTokenizerIsNotCompiledForText) {
  fs::copy(DemoCheckpoint(), folder_ / "model");
  fs::remove(folder_ / "model" / "tokenizer.json");
  ExpectRefused(RunCarat({"chat", (folder_ / "model").string()},
                         {.environment = {{"XDG_CACHE_HOME", (folder_ / "cache").string()}}}),
                "tokenizer.json");
  EXPECT_FALSE(fs::exists(folder_ / "cache"));
}

TEST(GenerateFromCheckpoint, CompilesOnceIntoTheCache) {
  const TemporaryFolder cache;
  const CaratOptions options = {.environment = {{"XDG_CACHE_HOME", cache.path().string()}}};
  const std::vector<std::string> arguments = {
      "generate", DemoCheckpoint().string(), "--temperature", "0", "--prompt", kQuestion};
  EXPECT_EQ(RunCarat(arguments, options).output, std::string(kAnswer) + "\n");

  CaratOptions without_compiler = options;
  without_compiler.environment["PATH"] = "/nonexistent";
  EXPECT_EQ(RunCarat(arguments, without_compiler).output, std::string(kAnswer) + "\n");
}

TEST(GenerateFromCheckpoint, CtrlCWhileCompilingLeavesNothingBehind) {
  const TemporaryFolder folder;
  const fs::path compiler = folder / "c++";
  const fs::path started = folder / "started";
  std::ofstream(compiler) << "#!/bin/sh\ncase \"$*\" in *-O3*) touch " << started.string()
                          << "; exec sleep 100;; *) exec g++ \"$@\";; esac\n";
  fs::permissions(compiler, fs::perms::owner_all);
  const auto result = RunCarat(
      {"generate", DemoCheckpoint().string(), "--prompt", kQuestion},
      {.environment = {{"XDG_CACHE_HOME", (folder / "cache").string()}, {"CXX", compiler.string()}},
       .signal = SIGINT,
       .signal_when = started});
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
  EXPECT_TRUE(fs::is_empty(folder / "cache" / "carat"));
}

TEST(Chat, RemembersTheConversation) {
  const auto result = Chat("My name is Rosa.\nWhat is my name?\n");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("Your name is Rosa."));
}

TEST(Chat, ResetForgetsIt) {
  const auto result = Chat("My name is Rosa.\n/reset\nWhat is my name?\n");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, ::testing::Not(HasSubstr("Your name is Rosa.")));
}

TEST(Chat, CommandsWorkWithoutATerminal) {
  const auto result = Chat("Hello!\n/stats\n/set temperature=0.5\n/set\n/help\n/exit\nHello!\n");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("tokens/s"));
  EXPECT_THAT(result.output, HasSubstr("temperature = 0.5"));
  EXPECT_THAT(result.output, HasSubstr("/reset"));
}

TEST(Chat, NamesTheWayOutOfAFullContext) {
  std::string digits;  // a token each
  for (int i = 0; i < 2100; ++i) digits += static_cast<char>('0' + i % 10);
  const auto result = Chat("Hello!\n" + digits + "\n");
  ExpectRefused(result, "context window of 2048");
  EXPECT_THAT(result.errors, HasSubstr("/reset"));
}

TEST(Chat, RefusesInputThatCannotBeReadOrDoesNotEnd) {
  const TemporaryFolder home;
  const auto chat_with = [&home](const fs::path& input) {
    return RunCarat(
        {"chat", CompiledDemo().string()},
        {.input_file = input, .environment = {{"XDG_STATE_HOME", home.path().string()}}});
  };
  ExpectRefused(chat_with("/"), "standard input: cannot be read");
  ExpectRefused(chat_with("/dev/zero"), "standard input: a line has more than 131072 bytes");
}

TEST(Chat, ReadsLinesOfFilesFromElsewhere) {
  EXPECT_THAT(Chat("What is the capital of France?\r\n/exit").output, HasSubstr(kAnswer));
}

TEST(Chat, RefusesWhatItDoesNotKnow) {
  ExpectRefused(Chat("/nope\n"), "/nope");
  ExpectRefused(Chat("/set colour=red\n"), "colour");
  ExpectRefused(Chat("/set top_p=2\n"), "top_p");
}

}  // namespace
}  // namespace carat
