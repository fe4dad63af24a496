// `carat export`, and the commands that take what it and MLC-LLM write, as their users see them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>
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
using tests::CompiledDemo;
using tests::DemoCheckpoint;
using tests::RunCarat;

constexpr const char* kExportQuestion = "What is the capital of France?";
constexpr const char* kExportAnswer = "The capital of France is Paris.";

class Export : public ::testing::Test {
 protected:
  CaratResult Write(const fs::path& model, const std::string& format, const std::string& name,
                    const std::vector<std::string>& more = {}, const CaratOptions& options = {}) {
    std::vector<std::string> arguments = {"export", model.string(), "--format",
                                          format,   "-o",           (folder_ / name).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunCarat(arguments, options);
  }

  void ExpectRefusal(const CaratResult& result, const std::string& part) {
    tests::ExpectRefused(result, part);
    EXPECT_TRUE(fs::is_empty(folder_.path()));
  }

  const TemporaryFolder folder_;
};

TEST_F(Export, AGgufFileAnswersAsTheFolderDoes) {
  const CaratResult written =
      Write(DemoCheckpoint(), "gguf", "demo.gguf", {"--quantization", "q4_0"});
  EXPECT_EQ(written.exit_code, 0) << written.errors;
  EXPECT_THAT(written.output, HasSubstr("demo.gguf: 1."));
  const CaratResult answer =
      RunCarat({"generate", (folder_ / "demo.gguf").string(), "--prompt", kExportQuestion},
               {.environment = {{"XDG_CACHE_HOME", (folder_ / "cache").string()}}});
  EXPECT_EQ(answer.exit_code, 0) << answer.errors;
  EXPECT_THAT(answer.output, HasSubstr(kExportAnswer));
}

TEST_F(Export, SafetensorsComeWithWhatAHuggingFaceFolderNeeds) {
  EXPECT_EQ(Write(DemoCheckpoint(), "gguf", "demo.gguf").exit_code, 0);
  fs::create_directories(folder_ / "out");
  const CaratResult written = Write(folder_ / "demo.gguf", "safetensors", "out/model.safetensors");
  EXPECT_EQ(written.exit_code, 0) << written.errors;
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_ / "out")) {
    names.insert(entry.path().filename().string());
  }
  EXPECT_EQ(names,
            (std::set<std::string>{"config.json", "generation_config.json", "model.safetensors",
                                   "tokenizer.json", "tokenizer_config.json"}));
  EXPECT_EQ(RunCarat({"inspect", (folder_ / "out").string()}).exit_code, 0);
}

TEST_F(Export, SaysWhatItCannotWrite) {
  ExpectRefusal(Write(CompiledDemo(), "gguf", "a.gguf"), "give the model it was compiled from");
  ExpectRefusal(Write(DemoCheckpoint(), "gguf", "a.gguf", {"--quantization", "q5_0"}), "q8_0");
  ExpectRefusal(Write(DemoCheckpoint(), "safetensors", "a", {"--quantization", "q4_0"}),
                "have no q4_0");
  ExpectRefusal(Write(DemoCheckpoint(), "safetensors", "a", {"--embedding-quantization", "q0f16"}),
                "--embedding-quantization");
  ExpectRefusal(Write(folder_ / "none", "gguf", "a.gguf"), "none");
  ExpectRefusal(Write(DemoCheckpoint(), "gguf", "no/folder/a.gguf"), "no/folder");
}

TEST_F(Export, DoesNotWriteOverItsOwnModelOrADevice) {
  EXPECT_EQ(Write(DemoCheckpoint(), "gguf", "demo.gguf").exit_code, 0);
  tests::ExpectRefused(Write(folder_ / "demo.gguf", "gguf", "demo.gguf"), "the model itself");
  EXPECT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  tests::ExpectRefused(Write(DemoCheckpoint(), "gguf", "pipe"), "not a regular file");
}

TEST_F(Export, LeavesNothingOnAFullDisk) {
  const CaratResult result =
      Write(DemoCheckpoint(), "gguf", "a.gguf", {}, {.max_file_bytes = size_t{100} << 10});
  ExpectRefusal(result, "a.gguf");
}

TEST_F(Export, DoesNotReplaceTheFilesOfAnotherModel) {
  WriteText(folder_, "config.json", "{}");
  const CaratResult result = Write(DemoCheckpoint(), "safetensors", "model.safetensors");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("has the config.json of another model"));
  EXPECT_FALSE(fs::exists(folder_ / "model.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "tokenizer.json"));
}

class MlcFolder : public ::testing::Test {
 protected:
  MlcFolder() {
    const std::string demo = DemoCheckpoint().string();
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"gen_config", demo, "--quantization", "q4f16_1",
                                   "--conv-template", "gemma3_instruction", "-o", path()},
          std::vector<std::string>{"convert_weight", demo, "--quantization", "q4f16_1", "-o",
                                   path()}}) {
      const CaratResult result = RunCarat(arguments);
      EXPECT_EQ(result.exit_code, 0) << result.errors;
    }
  }

  std::string path() const { return (folder_ / "OUT").string(); }

  const TemporaryFolder folder_;
};

TEST_F(MlcFolder, CompilesAsUsersOfMlcTypeIt) {
  const CaratResult compiled =
      RunCarat({"compile", path() + "/mlc-chat-config.json", "--quantization", "q4f16_1",
                "--device", "cpu", "-o", path() + "/model.so"});
  EXPECT_EQ(compiled.exit_code, 0) << compiled.errors;
  EXPECT_TRUE(fs::exists(path() + "/model.so"));
  const CaratResult answer = RunCarat({"generate", path(), "--prompt", kExportQuestion});
  EXPECT_THAT(answer.output, HasSubstr(kExportAnswer)) << answer.errors;
}

TEST_F(MlcFolder, WithItsLibraryInItIsStillAModel) {
  EXPECT_EQ(RunCarat({"compile", path(), "-o", path() + "/model.so"}).exit_code, 0);
  const CaratResult result =
      RunCarat({"export", path(), "--format", "gguf", "-o", (folder_ / "out.gguf").string()});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("q4_0"));
}

TEST_F(MlcFolder, NewWeightsAreNotComputedByTheOldLibrary) {
  EXPECT_EQ(RunCarat({"compile", path(), "-o", path() + "/model.so"}).exit_code, 0);
  EXPECT_THAT(RunCarat({"inspect", path()}).output, HasSubstr("compiled folder"));
  const CaratResult result = RunCarat(
      {"convert_weight", DemoCheckpoint().string(), "--quantization", "q4f16_1", "-o", path()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("compile it again"));
  EXPECT_FALSE(fs::exists(path() + "/carat-config.json"));
}

TEST_F(MlcFolder, TakesTheFlagsOfMlcsCommands) {
  const CaratResult compiled =
      RunCarat({"compile", path(), "--model-type", "gemma3_text", "--opt",
                "flashinfer=0;cublas_gemm=0", "--overrides",
                "context_window_size=512;tensor_parallel_shards=1", "-o", path() + "/model.so"});
  EXPECT_EQ(compiled.exit_code, 0) << compiled.errors;
  const CaratResult answer =
      RunCarat({"chat", path(), "--device", "cpu", "--model-lib", path() + "/model.so"},
               {.input = std::string(kExportQuestion) + "\n"});
  EXPECT_THAT(answer.output, HasSubstr(kExportAnswer)) << answer.errors;
}

TEST_F(MlcFolder, ADamagedShardIsNamedAndNothingWritten) {
  std::string shard = ReadAll(path() + "/params_shard_0.bin");
  shard[5000] ^= 1;
  WriteText(folder_, "OUT/params_shard_0.bin", shard);
  const CaratResult result = RunCarat({"compile", path(), "-o", (folder_ / "dist").string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("params_shard_0.bin: has the md5sum"));
  EXPECT_FALSE(fs::exists(folder_ / "dist"));
}

TEST_F(MlcFolder, AHuggingFaceFolderIsNotCompiledToMlcsFormat) {
  const CaratResult result =
      RunCarat({"compile", DemoCheckpoint().string(), "--quantization", "q4f16_1"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("'carat convert_weight'"));
}

}  // namespace
}  // namespace carat
