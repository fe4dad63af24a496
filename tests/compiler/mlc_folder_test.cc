// What is in the files is the business of tests/model and tests/mlc.

#include "carat/compiler/mlc_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "tests/support/temporary_folder.h"

namespace carat::compiler {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class MlcFolderTest : public ::testing::Test {
 protected:
  MlcFolderTest() { chat_.conv_template = "gemma3_instruction"; }

  tests::TemporaryFolder folder_;
  std::vector<std::string> warnings_;
  MlcFolderOptions options_ = {
      .config = fs::path(CARAT_SOURCE_DIR) / "models" / "demo",
      .quantization = "q4f16_1",
      .output = folder_ / "new" / "out",
      .warn = [this](const std::string& warning) { warnings_.push_back(warning); }};
  model::MlcChatOptions chat_;
};

TEST_F(MlcFolderTest, IsWrittenByBothCommands) {
  const model::ConvertedWeights weights = ConvertWeight(options_);
  EXPECT_GT(weights.num_bytes, 0);
  EXPECT_EQ(GenConfig(options_, chat_), options_.output / "mlc-chat-config.json");
  for (const char* name : {"tensor-cache.json", "mlc-chat-config.json", "tokenizer.json"}) {
    EXPECT_TRUE(fs::exists(options_.output / name)) << name;
  }
  EXPECT_THAT(warnings_, ::testing::IsEmpty());
}

TEST_F(MlcFolderTest, IsNoCompiledModelAnyMore) {
  fs::create_directories(options_.output);
  std::ofstream(options_.output / "carat-config.json") << "{}";
  GenConfig(options_, chat_);
  EXPECT_FALSE(fs::exists(options_.output / "carat-config.json"));
  EXPECT_THAT(warnings_, ::testing::ElementsAre(HasSubstr("is out of date; compile it again")));
}

TEST_F(MlcFolderTest, IsNotMadeForWhatCannotBeWritten) {
  chat_.context_window_size = 1 << 20;
  EXPECT_THAT([&] { GenConfig(options_, chat_); },
              ThrowsMessage<Error>(HasSubstr("max_position_embeddings")));
  EXPECT_THAT([&] { ConvertWeight(options_, "/nowhere"); },
              ThrowsMessage<Error>(HasSubstr("/nowhere: does not exist")));
  options_.quantization = "q4_0";
  EXPECT_THAT([&] { ConvertWeight(options_); }, ThrowsMessage<Error>(HasSubstr("'q4_0'")));
  EXPECT_THAT([&] { GenConfig(options_, chat_); }, ThrowsMessage<Error>(HasSubstr("'q4_0'")));
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(MlcFolderTest, IsRemovedIfWritingItFails) {
  EXPECT_THROW(ConvertWeight(options_, {}, [](int64_t, int64_t) { throw Error("enough"); }), Error);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(MlcFolderTest, IsMadeOfAHuggingFaceFolder) {
  options_.config = folder_ / "model.gguf";
  EXPECT_THAT([&] { ConvertWeight(options_); }, ThrowsMessage<Error>(HasSubstr("does not exist")));
  std::ofstream(options_.config) << "GGUF";
  EXPECT_THAT([&] { ConvertWeight(options_); }, ThrowsMessage<Error>(HasSubstr("'carat export ")));
  options_.config = folder_.path();
  EXPECT_THAT([&] { ConvertWeight(options_); },
              ThrowsMessage<Error>(HasSubstr("has no config.json")));
}

}  // namespace
}  // namespace carat::compiler
