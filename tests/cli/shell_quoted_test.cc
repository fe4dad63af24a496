#include "carat/cli/shell_quoted.h"

#include <gtest/gtest.h>
#include <stdio.h>

#include <random>
#include <string>

#include "carat/base/error.h"

namespace carat::cli {
namespace {

// What bash makes of the word.
std::string Unquoted(const std::string& word) {
  // As a single-quoted argument of sh, which starts the bash that reads it.
  std::string script;
  for (const char c : "printf %s " + word) script += c == '\'' ? "'\\''" : std::string(1, c);
  FILE* pipe = popen(("LC_ALL=C bash -c '" + script + "'").c_str(), "r");
  if (pipe == nullptr) throw Error("popen failed");
  std::string output;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) output += static_cast<char>(c);
  pclose(pipe);
  return output;
}

TEST(ShellQuoted, LeavesPlainPathsAsTheyAre) {
  EXPECT_EQ(ShellQuoted("dist/gemma-3-270m_it.q4_0"), "dist/gemma-3-270m_it.q4_0");
}

TEST(ShellQuoted, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(ShellQuoted("my models/demo"), "'my models/demo'");
  EXPECT_EQ(ShellQuoted("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuoted("a;rm -rf $HOME"), "'a;rm -rf $HOME'");
  EXPECT_EQ(ShellQuoted("~"), "'~'");
  EXPECT_EQ(ShellQuoted("größe"), "'größe'");
  EXPECT_EQ(ShellQuoted(""), "''");
}

TEST(ShellQuoted, NeverLooksLikeAFlag) { EXPECT_EQ(ShellQuoted("-o"), "./-o"); }

TEST(ShellQuoted, KeepsControlCharactersFromTheTerminal) {
  EXPECT_EQ(ShellQuoted("bell\a\x1b[2J"), "$'bell\\x07\\x1b\\x5b2J'");
}

TEST(ShellQuoted, ComesOutOfTheShellAsItWas) {
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    std::string path = "/";
    for (int i = 0; i < 30; ++i) {
      path += static_cast<char>(round % 2 == 0 ? ' ' + random() % 95 : 1 + random() % 255);
    }
    EXPECT_EQ(Unquoted(ShellQuoted(path)), path);
  }
}

}  // namespace
}  // namespace carat::cli
