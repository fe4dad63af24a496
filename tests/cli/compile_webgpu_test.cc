// `carat compile --device webgpu` as its users see it. What browsers make of the result is
// tests/web's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/cli/run_carat.h"
#include "tests/support/temporary_folder.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;
using tests::CaratResult;
using tests::DemoCheckpoint;
using tests::ExpectRefused;
using tests::RunCarat;
using tests::TemporaryFolder;

class CompileWebGpu : public ::testing::Test {
 protected:
  fs::path output() const { return folder_ / "web"; }
  fs::path model() const { return output() / "resolve" / "main"; }

  CaratResult Run(const std::vector<std::string>& flags,
                  const fs::path& checkpoint = DemoCheckpoint()) const {
    std::vector<std::string> arguments = {"compile", checkpoint.string(), "--device", "webgpu",
                                          "-o",      output().string()};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return RunCarat(arguments);
  }

  static std::vector<std::string> NamesIn(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(CompileWebGpu, WritesWhatWebLlmFetches) {
  const CaratResult result = Run({});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("Next: carat web "));
  EXPECT_THAT(NamesIn(output()), UnorderedElementsAre("model.wasm", "model-subgroups.wasm",
                                                      "model-f16.wasm", "resolve"));
  EXPECT_THAT(NamesIn(model()),
              IsSupersetOf({"mlc-chat-config.json", "tensor-cache.json", "params_shard_0.bin",
                            "tokenizer.json", "tokenizer_config.json"}));
}

TEST_F(CompileWebGpu, NeedsNoCompiler) {
  const CaratResult result = RunCarat(
      {"compile", DemoCheckpoint().string(), "--device", "webgpu", "-o", output().string()},
      {.environment = {{"PATH", "/nonexistent"}, {"CXX", "/nonexistent/c++"}}});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
}

TEST_F(CompileWebGpu, ReplacesWhatItWroteAndNothingElse) {
  ASSERT_EQ(Run({}).exit_code, 0);
  ASSERT_EQ(Run({"--quantization", "q4f32_1"}).exit_code, 0);
  ASSERT_EQ(Run({"--quantization", "q4f32_1"}).exit_code, 0);
  ASSERT_EQ(Run({}).exit_code, 0);
  std::ofstream(model() / "notes.txt") << "mine";
  ExpectRefused(Run({}), "holds other files (such as resolve/main/notes.txt)");
  EXPECT_TRUE(fs::exists(model() / "notes.txt"));
}

TEST_F(CompileWebGpu, TwiceGivesTheSameBytes) {
  ASSERT_EQ(Run({}).exit_code, 0);
  const auto hash = [&] {
    std::ifstream file(output() / "model.wasm", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string first = hash();
  ASSERT_EQ(Run({}).exit_code, 0);
  EXPECT_EQ(hash(), first);
}

TEST_F(CompileWebGpu, RefusesWhatBrowsersCannotUse) {
  ExpectRefused(Run({"--quantization", "q4_0"}), "q4f16_1 or q4f32_1");
  ExpectRefused(Run({"--quantization", "q4f9_9"}), "q4f9_9");
  ExpectRefused(Run({"--target", "x86-64-v3"}), "--target x86-64-v3");
  ExpectRefused(Run({"--overrides", "rope_theta=5"}), "only sizes can be overridden");
  ExpectRefused(Run({"--context-window-size", "100000"}), "--context-window-size 100000");
  ExpectRefused(Run({"--prefill-chunk-size", "100000"}), "--prefill-chunk-size 100000");
  EXPECT_FALSE(fs::exists(output()));
}

TEST_F(CompileWebGpu, RefusesAFolderWithoutTokenizer) {
  const fs::path checkpoint = folder_ / "model";
  fs::copy(DemoCheckpoint(), checkpoint);
  fs::remove(checkpoint / "tokenizer.json");
  ExpectRefused(Run({}, checkpoint), "has no tokenizer.json");
}

TEST_F(CompileWebGpu, RefusesModelsThatAreQuantizedAlready) {
  ASSERT_EQ(Run({}).exit_code, 0);
  const CaratResult again = RunCarat(
      {"compile", output().string(), "--device", "webgpu", "-o", (folder_ / "again").string()});
  ExpectRefused(again, "compile the Hugging Face folder");
}

TEST_F(CompileWebGpu, ItsFolderIsAModelForOtherCommands) {
  ASSERT_EQ(Run({}).exit_code, 0);
  EXPECT_THAT(RunCarat({"inspect", output().string()}).output, HasSubstr("Gemma3ForCausalLM"));
}

TEST_F(CompileWebGpu, DumpsItsKernels) {
  ASSERT_EQ(Run({"--debug-dump", (folder_ / "dump").string()}).exit_code, 0);
  EXPECT_THAT(NamesIn(folder_ / "dump"),
              IsSupersetOf({"model.wgsl", "model-subgroups.wgsl", "model-f16.wgsl"}));
}

}  // namespace
}  // namespace carat
