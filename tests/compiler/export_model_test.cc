// What is in the files is the business of tests/model and tests/gguf.

#include "carat/compiler/export_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "carat/base/error.h"
#include "tests/runtime/fake_model.h"
#include "tests/support/temporary_folder.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ExportModelTest : public ::testing::Test {
 protected:
  tests::TemporaryFolder folder_;
  ExportOptions options_ = {.model = fs::path(CARAT_SOURCE_DIR) / "models" / "demo",
                            .format = "gguf",
                            .output = folder_ / "model.gguf"};
};

TEST_F(ExportModelTest, WritesAFileOrAFolder) {
  EXPECT_EQ(ExportModel(options_).name, "q0bf16");
  EXPECT_TRUE(fs::exists(options_.output));
  EXPECT_FALSE(fs::exists(folder_ / "config.json"));
  options_.format = "safetensors";
  options_.quantization = "q0f16";
  options_.output = folder_ / "model.safetensors";
  EXPECT_EQ(ExportModel(options_).name, "q0f16");
  for (const char* name : {"config.json", "tokenizer.json"}) {
    EXPECT_TRUE(fs::exists(folder_ / name)) << name;
  }
}

TEST_F(ExportModelTest, KnowsTwoFormats) {
  options_.format = "onnx";
  EXPECT_THAT([&] { ExportModel(options_); },
              ThrowsMessage<InvalidArgumentError>(
                  HasSubstr("format is 'onnx', expected 'gguf' or 'safetensors'")));
}

TEST_F(ExportModelTest, NeedsAFile) {
  options_.output = "";
  EXPECT_THAT([&] { ExportModel(options_); },
              ThrowsMessage<InvalidArgumentError>(HasSubstr("output is empty")));
  options_.output = folder_.path();
  EXPECT_THAT([&] { ExportModel(options_); }, ThrowsMessage<Error>(HasSubstr("is a folder")));
}

TEST_F(ExportModelTest, DoesNotTakeACompiledFolder) {
  const tests::FakeModelFolder compiled;
  options_.model = compiled.path();
  EXPECT_THAT([&] { ExportModel(options_); },
              ThrowsMessage<Error>(HasSubstr("give the model it was compiled from")));
}

TEST_F(ExportModelTest, DoesNotWriteOverTheModelItself) {
  ExportModel(options_);
  options_.model = options_.output;
  EXPECT_THAT([&] { ExportModel(options_); }, ThrowsMessage<Error>(HasSubstr("the model itself")));
}

}  // namespace
}  // namespace carat::compiler
