// `carat inspect` as its users see it. What it finds out is tests/library's business.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/run_carat.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

using ::testing::HasSubstr;
using tests::CaratResult;
using tests::CompiledDemo;
using tests::DemoCheckpoint;
using tests::IsOneLine;
using tests::RunCarat;

nlohmann::json InspectJson(const std::filesystem::path& path) {
  const CaratResult result = RunCarat({"inspect", path.string(), "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  return nlohmann::json::parse(result.output);
}

TEST(Inspect, ShowsAModelFolder) {
  const CaratResult result = RunCarat({"inspect", DemoCheckpoint().string()});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("Gemma3ForCausalLM"));
  EXPECT_THAT(result.output, HasSubstr("5 sliding, 1 full"));
  EXPECT_THAT(result.output, HasSubstr("less than bf16"));
}

TEST(Inspect, FindsTheSameInACompiledFolderAndInItsLibrary) {
  const nlohmann::json folder = InspectJson(CompiledDemo());
  const nlohmann::json library = InspectJson(CompiledDemo() / "model.so");
  EXPECT_EQ(folder["kind"], "compiled folder");
  EXPECT_EQ(library["kind"], "compiled library");
  for (const char* field : {"config", "parameters", "weights", "kv", "quantization"}) {
    EXPECT_EQ(folder[field], library[field]) << field;
  }
  EXPECT_EQ(folder["config"], InspectJson(DemoCheckpoint())["config"]);
  EXPECT_EQ(folder["parameters"], InspectJson(DemoCheckpoint())["parameters"]);
}

TEST(Inspect, FailsForACompiledFolderThatIsDamaged) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path copy = folder / "copy";
  std::filesystem::copy(CompiledDemo(), copy);
  std::filesystem::resize_file(copy / "weights.bin", 1000);
  const CaratResult result = RunCarat({"inspect", copy.string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("Gemma3ForCausalLM"));
  EXPECT_THAT(result.errors, HasSubstr("weights.bin"));
}

TEST(Inspect, RefusesOtherFilesInOneLine) {
  for (const char* path : {"/dev/null", "/proc", "/nonexistent", "/proc/self/exe"}) {
    const CaratResult result = RunCarat({"inspect", path});
    EXPECT_EQ(result.exit_code, 1) << path;
    EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(path));
    EXPECT_EQ(result.output, "");
  }
}

}  // namespace
}  // namespace carat
