// `carat web`, before and after it serves; what it serves is in tests/server and tests/web.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/cli/run_carat.h"
#include "tests/server/web_folder.h"

namespace carat {
namespace {

using tests::CaratResult;
using tests::ExpectRefused;
using tests::RunCarat;
using tests::TemporaryFolder;

TEST(WebCommand, SaysWhereThePageIsAndEndsByCtrlC) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const TemporaryFolder parent;
    tests::WriteWebFolder(parent / "gemma");
    const CaratResult result =
        RunCarat({"web", (parent / "gemma").string(), "--port", "0"}, {.signal = signal});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.errors, "");
    EXPECT_THAT(
        result.output,
        testing::ContainsRegex("^gemma, 0\\.0 MB of weights: http://127\\.0\\.0\\.1:[0-9]+/\n"));
  }
}

TEST(WebCommand, SaysHowToCompileWhatIsNoWebModel) {
  ExpectRefused(RunCarat({"web", tests::CompiledDemo().string()}), "--device webgpu -o DIR");
  ExpectRefused(RunCarat({"web", tests::DemoCheckpoint().string()}),
                "carat compile " + tests::DemoCheckpoint().string() + " --device webgpu -o DIR");
}

TEST(WebCommand, RefusesPortsThatAreNone) {
  ExpectRefused(RunCarat({"web", ".", "--port", "65536"}), "a whole number from 0 to 65535", 2);
}

}  // namespace
}  // namespace carat
