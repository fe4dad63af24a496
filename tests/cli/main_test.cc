// What every command shares: help, version, wrong usage, exit codes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/run_carat.h"

namespace carat {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using tests::IsOneLine;
using tests::RunCarat;

const std::vector<std::string> kCommands = {"compile", "chat",       "generate", "logits",
                                            "bench",   "perplexity", "evaluate", "inspect",
                                            "fixture", "doctor"};

TEST(Main, HelpNamesEveryCommand) {
  const auto result = RunCarat({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.errors, "");
  for (const std::string& command : kCommands) {
    EXPECT_THAT(result.output, HasSubstr("\n  " + command));
  }
}

TEST(Main, EveryCommandExplainsItself) {
  for (const std::string& command : kCommands) {
    const auto result = RunCarat({command, "--help"});
    EXPECT_EQ(result.exit_code, 0) << command;
    EXPECT_THAT(result.output, HasSubstr("Usage: carat " + command)) << command;
  }
}

TEST(Main, VersionIsThatOfTheVersionFile) {
  const auto result = RunCarat({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "carat " CARAT_VERSION "\n");
}

TEST(Main, WrongUsageIsOneLineAndExitCode2) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"nope"},
                                                       {"--nope"},
                                                       {"compile"},
                                                       {"generate"},
                                                       {"doctor", "--nope"},
                                                       {"chat", "a", "b"}};
  for (const auto& arguments : wrong) {
    const auto result = RunCarat(arguments);
    const std::string name = ::testing::PrintToString(arguments);
    EXPECT_EQ(result.exit_code, 2) << name;
    EXPECT_EQ(result.output, "") << name;
    EXPECT_TRUE(IsOneLine(result.errors)) << name << result.errors;
    EXPECT_THAT(result.errors, StartsWith("carat: ")) << name;
    EXPECT_THAT(result.errors, EndsWith("--help)\n")) << name;
  }
}

TEST(Main, NamesTheWordThatIsNoCommand) {
  EXPECT_THAT(RunCarat({"complie"}).errors, HasSubstr("'complie'"));
}

TEST(Main, AClosedStandardOutputIsAFailure) {
  const auto result = RunCarat({"--help"}, {.closed_streams = {STDOUT_FILENO}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("cannot write to standard output"));
}

TEST(Main, WhatATerminalWouldObeyIsSpelledOut) {
  std::string path = "/no\x1b[2Jwhere\n\xff";
  for (int i = 0; i < 30; ++i) path += std::string(100, 'x') + "/";
  const auto result = RunCarat({"inspect", path});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
  EXPECT_THAT(result.errors, StartsWith("carat: /no\\x1b[2Jwhere\\n\\xffxxx"));
  EXPECT_THAT(result.errors, EndsWith("model.so\n"));
  EXPECT_LT(result.errors.size(), 2200);
}

TEST(Main, OutputThatCannotBeWrittenIsAFailure) {
  const auto result = RunCarat({"--help"}, {.output_file = "/dev/full"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace carat
