// `carat perplexity` as its users see it. That the number is right is the business of
// tests/engine/perplexity_test.cc and tests/end_to_end/perplexity_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/run_carat.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using tests::CaratResult;
using tests::CompiledDemo;
using tests::DemoCheckpoint;
using tests::IsOneLine;
using tests::RunCarat;

class PerplexityCommand : public ::testing::Test {
 protected:
  CaratResult Run(const std::vector<std::string>& flags,
                  const tests::CaratOptions& options = {}) const {
    std::vector<std::string> arguments = {
        "perplexity", CompiledDemo().string(), "--file", text_.string(), "--threads", "1"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return RunCarat(arguments, options);
  }

  void Write(const std::string& text) {
    text_ = folder_ / "text.txt";
    std::ofstream(text_, std::ios::binary) << text;
  }

  void ExpectRefused(const std::vector<std::string>& flags, const std::string& reason) const {
    const CaratResult result = Run(flags);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.output, "");
    EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(reason));
  }

  tests::TemporaryFolder folder_;
  fs::path text_ = DemoCheckpoint() / "sample.txt";
};

TEST_F(PerplexityCommand, SaysWhatItMeasured) {
  const CaratResult result = Run({"--context", "128", "--stride", "64"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const char* part : {"model ", "text ", "windows of 128, 64 apart", "nats a token",
                           "bits/byte ", "perplexity ", " +/- "}) {
    EXPECT_THAT(result.output, HasSubstr(part));
  }
}

TEST_F(PerplexityCommand, PrintsJsonForPrograms) {
  const CaratResult result = Run({"--context", "128", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json.at("method"), "sliding");
  EXPECT_EQ(json.at("stride"), 64);
  EXPECT_EQ(json.at("num_threads"), 1);
  EXPECT_EQ(json.at("bytes"), fs::file_size(text_));
  EXPECT_EQ(json.at("scored_tokens"), json.at("tokens").get<int64_t>() - 1);
  const double perplexity = json.at("perplexity");
  EXPECT_NEAR(perplexity, std::exp(json.at("mean_nll").get<double>()), 1e-9);
  EXPECT_GT(perplexity, 2);
  EXPECT_LT(perplexity, 20);  // of 2048 tokens
  EXPECT_GT(json.at("perplexity_standard_error"), 0);
  EXPECT_GT(json.at("bits_per_byte"), 0);
}

TEST_F(PerplexityCommand, MeasuresAsLlamaPerplexityDoes) {
  const CaratResult result = Run({"--method", "llama.cpp", "--context", "128", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(result.output);
  const int64_t num_chunks = json.at("tokens").get<int64_t>() / 128;
  EXPECT_EQ(json.at("windows"), num_chunks);
  EXPECT_EQ(json.at("scored_tokens"), num_chunks * 63);
  EXPECT_FALSE(json.contains("stride"));
  ExpectRefused({"--method", "llama.cpp", "--stride", "64"},
                "--stride belongs to --method sliding");
}

TEST_F(PerplexityCommand, RefusesWhatIsNoText) {
  Write("");
  ExpectRefused({}, "text.txt: is empty");
  Write("caf\xe9");
  ExpectRefused({}, "text.txt: is not UTF-8 text");
  text_ = folder_ / "none.txt";
  ExpectRefused({}, "none.txt: cannot open: No such file");
  text_ = folder_.path();
  ExpectRefused({}, "is a folder, expected a file");
}

TEST_F(PerplexityCommand, RefusesWindowsThatDoNotFit) {
  ExpectRefused({"--context", "4096"}, "more than the model's context window of 2048");
  ExpectRefused({"--context", "64", "--stride", "65"}, "a stride of 65 tokens");
  Write("Once there was a fox.");
  ExpectRefused({},
                "--context 2048 needs at least 2048; take a longer text or a smaller --context");
}

TEST_F(PerplexityCommand, RefusesNumbersOutOfRange) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"--context", "1"}, {"--context", ""}, {"--stride", "0"}, {"--method", "guess"}};
  for (const auto& [flag, value] : wrong) {
    const CaratResult result = Run({flag, value});
    EXPECT_EQ(result.exit_code, 2) << flag;
    EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(flag));
  }
}

TEST_F(PerplexityCommand, CtrlCEndsIt) {
  const CaratResult result = Run({"--context", "2048", "--stride", "1"}, {.signal = SIGINT});
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_EQ(result.errors, "carat: interrupted\n");
  EXPECT_EQ(result.output, "");
}

}  // namespace
}  // namespace carat
