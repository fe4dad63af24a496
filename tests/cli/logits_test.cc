// `carat logits` as its users see it. That the numbers are right is tests/end_to_end's business;
// here it is the files, the flags and the errors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tests/cli/run_carat.h"
#include "tests/support/npy_matrix.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using tests::CaratOptions;
using tests::CaratResult;
using tests::CompiledDemo;
using tests::DemoCheckpoint;
using tests::FloatMatrix;
using tests::IsOneLine;
using tests::RunCarat;

void WriteTokens(const fs::path& path, std::span<const int32_t> tokens) {
  std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (" +
                       std::to_string(tokens.size()) + ",), }";
  header.resize(118, ' ');
  std::ofstream file(path, std::ios::binary);
  file << std::string("\x93NUMPY\x01\x00\x76\x00", 10) << header;
  file.write(reinterpret_cast<const char*>(tokens.data()),
             static_cast<std::streamsize>(tokens.size_bytes()));
}

class Logits : public ::testing::Test {
 protected:
  CaratResult Run(const fs::path& model, std::vector<int32_t> tokens,
                  const std::vector<std::string>& flags = {},
                  const CaratOptions& options = {}) const {
    WriteTokens(tokens_, tokens);
    std::vector<std::string> arguments = {"logits",         model.string(), "--tokens",
                                          tokens_.string(), "--output",     output_.string()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return RunCarat(arguments, options);
  }

  FloatMatrix RunAndRead(const fs::path& model, const std::vector<std::string>& flags = {}) const {
    const CaratResult result = Run(model, {2, 50, 60, 70, 80, 90, 100}, flags);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return tests::ReadNpyFloat32(output_);
  }

  void ExpectRefused(const CaratResult& result, const std::string& reason) const {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(reason));
    EXPECT_FALSE(fs::exists(output_));
  }

  tests::TemporaryFolder folder_;
  fs::path tokens_ = folder_ / "tokens.npy";
  fs::path output_ = folder_ / "logits.npy";
};

double MaxDifference(const FloatMatrix& a, const FloatMatrix& b) {
  double difference = 0;
  for (size_t i = 0; i < a.values.size(); ++i) {
    const double here = std::abs(double{a.values[i]} - b.values.at(i));
    if (std::isnan(here)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, here);
  }
  return difference;
}

TEST_F(Logits, HaveARowForEachToken) {
  const FloatMatrix logits = RunAndRead(CompiledDemo());
  EXPECT_EQ(logits.rows, 7);
  EXPECT_EQ(logits.cols, 2048);
}

TEST_F(Logits, DependLittleOnTheChunkSize) {
  const FloatMatrix at_once = RunAndRead(CompiledDemo());
  const FloatMatrix one_by_one = RunAndRead(CompiledDemo(), {"--chunk-size", "1"});
  EXPECT_LT(MaxDifference(at_once, one_by_one), 1e-3);
}

TEST_F(Logits, OfTheReferenceAreNearThoseOfTheLibrary) {
  const FloatMatrix compiled = RunAndRead(CompiledDemo());
  const FloatMatrix reference = RunAndRead(DemoCheckpoint(), {"--reference"});
  const FloatMatrix quantized =
      RunAndRead(DemoCheckpoint(), {"--reference", "--quantization", "q4_0"});
  const double of_weights = MaxDifference(quantized, reference);
  const double of_kernels = MaxDifference(quantized, compiled);
  EXPECT_GT(of_weights, 1e-3);        // 4 bits are not all of them
  EXPECT_LT(of_kernels, of_weights);  // what the kernels round is less
}

TEST_F(Logits, AreRefusedForTokensOutsideTheVocabulary) {
  ExpectRefused(Run(CompiledDemo(), {2, 2048}),
                "token 2048 at position 1 is outside the vocabulary of 2048");
  ExpectRefused(Run(CompiledDemo(), {-1}), "token -1 at position 0");
  ExpectRefused(Run(DemoCheckpoint(), {2048}, {"--reference"}), "token 2048 at position 0");
}

TEST_F(Logits, AreRefusedForTextsLongerThanTheContext) {
  ExpectRefused(Run(CompiledDemo(), std::vector<int32_t>(100'000, 5)), "context window");
}

TEST_F(Logits, AreRefusedForFilesThatAreNoTokens) {
  ExpectRefused(Run(CompiledDemo(), {}), "no tokens");
  const CaratResult missing =
      RunCarat({"logits", CompiledDemo().string(), "--tokens", (folder_ / "none.npy").string(),
                "--output", output_.string()});
  ExpectRefused(missing, "none.npy");
}

TEST_F(Logits, SayThatTheReferenceNeedsTheCheckpoint) {
  ExpectRefused(Run(CompiledDemo(), {1}, {"--reference"}),
                "reads the model, and this is a compiled folder");
}

TEST_F(Logits, SayThatAFolderWasCompiledWithAnotherQuantization) {
  ExpectRefused(Run(CompiledDemo(), {1}, {"--quantization", "q8_0"}),
                "compiled with q4_0, not with q8_0");
}

TEST_F(Logits, LeaveNoFileWhenTerminated) {
  const CaratResult result = Run(DemoCheckpoint(), std::vector<int32_t>(2000, 5),
                                 {"--reference", "--chunk-size", "1"}, {.signal = SIGTERM});
  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
  EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
  fs::remove(tokens_);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(Logits, AreWrittenToAFileOnly) {
  for (const char* output : {"", "-"}) {
    const CaratResult result = RunCarat(
        {"logits", CompiledDemo().string(), "--tokens", tokens_.string(), "--output", output});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.errors, HasSubstr("--output"));
  }
}

TEST_F(Logits, LeaveNoFileWhenTheDiskIsFull) {
  ExpectRefused(Run(CompiledDemo(), std::vector<int32_t>(64, 5), {}, {.max_file_bytes = 100'000}),
                "logits.npy");
}

}  // namespace
}  // namespace carat
