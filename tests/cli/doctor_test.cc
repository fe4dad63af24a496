#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/run_carat.h"

namespace carat {
namespace {

using ::testing::HasSubstr;
using tests::RunCarat;

TEST(Doctor, SaysWhatThisMachineHas) {
  const auto result = RunCarat({"doctor"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  for (const char* row : {"processor", "target", "compiler", "bandwidth", "TVM FFI", "disk"}) {
    EXPECT_THAT(result.output, HasSubstr(row));
  }
}

TEST(Doctor, PrintsJsonForPrograms) {
  const auto result = RunCarat({"doctor", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json.at("carat"), CARAT_VERSION);
  EXPECT_GT(json.at("read_bytes_per_second").at("one_thread"), 1e8);
  EXPECT_FALSE(json.at("target").get<std::string>().empty());
  EXPECT_FALSE(json.at("compilers").empty());
}

TEST(Doctor, ExplainsAMissingCompiler) {
  const auto result =
      RunCarat({"doctor"}, {.environment = {{"PATH", "/nonexistent"}, {"CXX", ""}}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("no C++ compiler"));
  EXPECT_THAT(result.output, HasSubstr("apt-get install g++"));
}

TEST(Doctor, ExplainsACompilerThatWasChosenAndDoesNotWork) {
  const auto result = RunCarat({"doctor"}, {.environment = {{"CXX", "/no/such/c++"}}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("problem: CXX is '/no/such/c++'"));
  EXPECT_THAT(result.output, HasSubstr("not found"));
  EXPECT_THAT(result.output, HasSubstr("unset it"));
}

}  // namespace
}  // namespace carat
