// `carat fixture` as its users see it. What it writes is tests/checkpoint's business.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/cli/run_carat.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using tests::CaratOptions;
using tests::CaratResult;
using tests::IsOneLine;
using tests::RunCarat;
using tests::TemporaryFolder;

constexpr size_t kSmallDisk = size_t{16} << 20;

TEST(Fixture, SaysInOneLineThatTheDiskIsFullAndLeavesNothing) {
  const TemporaryFolder folder;
  const CaratOptions options = {.max_file_bytes = kSmallDisk};
  const CaratResult result =
      RunCarat({"fixture", "gemma-3-270m", "-o", (folder / "out").string()}, options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("model.safetensors: cannot write"));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Fixture, RefusesAFolderItCannotWriteTo) {
  const CaratResult result = RunCarat({"fixture", "gemma-3-270m", "-o", "/proc/out"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(IsOneLine(result.errors)) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("/proc/out: cannot write there"));
}

TEST(Fixture, DoesNotReplaceARealModel) {
  const CaratResult result =
      RunCarat({"fixture", "gemma-3-270m", "-o", tests::DemoCheckpoint().string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("holds other files"));
  EXPECT_TRUE(fs::exists(tests::DemoCheckpoint() / "model.safetensors"));
}

TEST(Fixture, NamesTheModelsThereAre) {
  const CaratResult result = RunCarat({"fixture", "gemma-9", "-o", "out"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("gemma-3-270m"));
}

}  // namespace
}  // namespace carat
