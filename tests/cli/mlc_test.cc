// `carat gen_config` and `carat convert_weight` as their users see them. What they write is
// tests/model's business, and tests/mlc's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/base/text_files.h"
#include "tests/cli/run_carat.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using tests::CaratOptions;
using tests::CaratResult;
using tests::DemoCheckpoint;
using tests::ExpectRefused;
using tests::RunCarat;

CaratResult ConvertWeight(const fs::path& output, const std::vector<std::string>& more = {},
                          const CaratOptions& options = {}) {
  std::vector<std::string> arguments = {"convert_weight", DemoCheckpoint().string(), "-o",
                                        output.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  if (more.empty()) arguments.insert(arguments.end(), {"--quantization", "q4f16_1"});
  return RunCarat(arguments, options);
}

CaratResult GenConfig(const fs::path& output, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"gen_config",      DemoCheckpoint().string(), "-o",
                                        output.string(),   "--quantization",          "q4f16_1",
                                        "--conv-template", "gemma3_instruction"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return RunCarat(arguments);
}

TEST(MlcCommands, WriteOneFolderInEitherOrderAndAgain) {
  const TemporaryFolder folder;
  const fs::path out = folder / "nested/out";
  for (int times = 0; times < 2; ++times) {
    EXPECT_EQ(GenConfig(out).exit_code, 0);
    const CaratResult result = ConvertWeight(out);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_THAT(result.output, HasSubstr("bits each"));
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(out)) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("mlc-chat-config.json", "params_shard_0.bin",
                                                     "tensor-cache.json", "tokenizer.json",
                                                     "tokenizer_config.json"));
}

TEST(MlcCommands, TakeThePathOfConfigJson) {
  const TemporaryFolder folder;
  const CaratResult result =
      RunCarat({"gen_config", (DemoCheckpoint() / "config.json").string(), "--quantization",
                "q0f16", "--conv-template", "gemma_instruction", "-o", folder.path().string(),
                "--context-window-size", "1024", "--tensor-parallel-shards", "1"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(ReadAll(folder / "mlc-chat-config.json"), HasSubstr("\"context_window_size\": 1024"));
}

TEST(MlcCommands, GenConfigIntoTheModelsOwnFolderKeepsItsFiles) {
  const TemporaryFolder folder;
  fs::copy(DemoCheckpoint(), folder.path());
  const std::string tokenizer = ReadAll(folder / "tokenizer.json");
  const CaratResult result =
      RunCarat({"gen_config", folder.path().string(), "--quantization", "q4f16_1",
                "--conv-template", "gemma3_instruction", "-o", folder.path().string()});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(ReadAll(folder / "tokenizer.json"), tokenizer);
}

TEST(MlcCommands, SayWhatIsNotSupported) {
  const TemporaryFolder folder;
  const fs::path out = folder / "out";
  ExpectRefused(GenConfig(out, {"--tensor-parallel-shards", "2"}), "--tensor-parallel-shards 2");
  ExpectRefused(GenConfig(out, {"--pipeline-parallel-stages", "2"}), "one device");
  ExpectRefused(GenConfig(out, {"--disaggregation", "true"}), "--disaggregation");
  ExpectRefused(GenConfig(out, {"--attention-sink-size", "4"}), "no attention sinks");
  ExpectRefused(GenConfig(out, {"--context-window-size", "4096"}), "max_position_embeddings");
  const std::vector<std::string> quantization = {"--quantization", "q4f16_1"};
  const auto with = [&](const std::string& flag, const std::string& value) {
    std::vector<std::string> more = quantization;
    more.insert(more.end(), {flag, value});
    return more;
  };
  ExpectRefused(ConvertWeight(out, with("--lora-adapter", "x")), "merge the adapter");
  ExpectRefused(ConvertWeight(out, with("--source-format", "awq")), "safe_serialization");
  ExpectRefused(ConvertWeight(out, with("--source", "/nowhere")), "/nowhere: does not exist");
  EXPECT_FALSE(fs::exists(out));
}

TEST(MlcCommands, NameTheQuantizationsThereAre) {
  const CaratResult result = ConvertWeight("out", {"--quantization", "q4_0"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("q4f16_1"));
}

TEST(MlcCommands, LeaveNothingOnAFullDisk) {
  const TemporaryFolder folder;
  const CaratOptions options = {.max_file_bytes = size_t{100} << 10};
  ExpectRefused(ConvertWeight(folder.path(), {}, options), "params_shard_0.bin: cannot write");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(MlcCommands, RefuseAFolderThatIsAFile) {
  const TemporaryFolder folder;
  const fs::path out = WriteText(folder, "out", "");
  ExpectRefused(ConvertWeight(out), "cannot make the folder");
}

}  // namespace
}  // namespace carat
