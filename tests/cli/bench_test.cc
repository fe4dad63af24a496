// `carat bench`: that it measures and reports; how fast anything is, no test can say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/run_carat.h"

namespace carat {
namespace {

using ::testing::HasSubstr;
using tests::CompiledDemo;
using tests::IsOneLine;
using tests::RunCarat;

TEST(Bench, ReportsSpeedAndMemory) {
  const auto result = RunCarat({"bench", CompiledDemo().string(), "--prompt-tokens", "32",
                                "--gen-tokens", "8", "--repetitions", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const char* row : {"load", "prefill", "decode", "reads", "roof", "memory"}) {
    EXPECT_THAT(result.output, HasSubstr(row));
  }
}

TEST(Bench, PrintsJsonForPrograms) {
  const auto result =
      RunCarat({"bench", CompiledDemo().string(), "--prompt-tokens", "32", "--gen-tokens", "8",
                "--repetitions", "3", "--depth", "16", "--threads", "1", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json.at("num_threads"), 1);
  EXPECT_EQ(json.at("depth"), 16);
  for (const char* phase : {"prefill", "decode"}) {
    const auto& rates = json.at(phase);
    EXPECT_GT(rates.at("min"), 0);
    EXPECT_LE(rates.at("min"), rates.at("tokens_per_s"));
    EXPECT_LE(rates.at("tokens_per_s"), rates.at("max"));
  }
  EXPECT_GT(json.at("bytes_per_token").at("weights"), 100'000);
  EXPECT_GT(json.at("bytes_per_token").at("kv_cache"), 0);
  EXPECT_GT(json.at("memory_roof").at("share"), 0);
  EXPECT_GT(json.at("peak_memory_bytes"), json.at("bytes_per_token").at("weights"));
}

TEST(Bench, RefusesMoreTokensThanTheContextHolds) {
  const auto result = RunCarat({"bench", CompiledDemo().string(), "--depth", "1000000"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("do not fit the context window"));
}

TEST(Bench, RefusesCountsOutOfRange) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"--repetitions", "0"},   {"--depth", "-1"},    {"--depth", ""},
      {"--prompt-tokens", "0"}, {"--gen-tokens", ""}, {"--threads", "1025"}};
  for (const auto& [flag, value] : wrong) {
    const auto result = RunCarat({"bench", CompiledDemo().string(), flag, value});
    EXPECT_EQ(result.exit_code, 2) << flag;
    EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(flag + ": is '" + value + "', expected a whole number"));
  }
}

TEST(Bench, RefusesAnotherQuantizationThanTheFolders) {
  const auto result = RunCarat({"bench", CompiledDemo().string(), "--quantization", "q8_0"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("compiled with q4_0, not with q8_0"));
}

TEST(Bench, CtrlCEndsIt) {
  const auto result =
      RunCarat({"bench", CompiledDemo().string(), "--repetitions", "1000000"}, {.signal = SIGINT});
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_EQ(result.errors, "carat: interrupted\n");
  EXPECT_EQ(result.output, "");
}

}  // namespace
}  // namespace carat
