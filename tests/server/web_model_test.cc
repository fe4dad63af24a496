#include "carat/server/web_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "carat/base/error.h"
#include "tests/server/web_folder.h"

namespace carat::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::TemporaryFolder;
using tests::WriteText;
using tests::WriteWebFolder;

TEST(WebModel, IsWhatItsFolderHolds) {
  const TemporaryFolder parent;
  const std::filesystem::path folder = parent / "gemma";
  WriteWebFolder(folder);
  WriteText(folder / "resolve/main/.hidden", "");
  const WebModel model = OpenWebModel(folder);
  EXPECT_EQ(model.name, "gemma");
  EXPECT_EQ(model.weight_bytes, 4U);
  EXPECT_EQ(model.context_window_size, 512);
  EXPECT_THAT(model.files, ElementsAre("mlc-chat-config.json", "params_shard_0.bin",
                                       "tensor-cache.json", "tokenizer.json"));
  ASSERT_EQ(model.libraries.size(), 1U);
  EXPECT_EQ(model.libraries[0].file_name, "model.wasm");
  EXPECT_TRUE(model.libraries[0].required_features.empty());
}

TEST(WebModel, OffersTheBestLibraryFirst) {
  const TemporaryFolder folder;
  WriteWebFolder(folder.path());
  WriteText(folder / "model-f16.wasm", "");
  WriteText(folder / "model-subgroups.wasm", "");
  const WebModel model = OpenWebModel(folder.path());
  ASSERT_EQ(model.libraries.size(), 3U);
  EXPECT_EQ(model.libraries[0].file_name, "model-f16.wasm");
  EXPECT_THAT(model.libraries[0].required_features, ElementsAre("shader-f16", "subgroups"));
  EXPECT_EQ(model.libraries[1].file_name, "model-subgroups.wasm");
  EXPECT_THAT(model.libraries[1].required_features, ElementsAre("subgroups"));
  EXPECT_EQ(model.libraries[2].file_name, "model.wasm");
}

TEST(WebModel, HasAnotherFingerprintWhenSomethingIsNew) {
  const TemporaryFolder folder;
  WriteWebFolder(folder.path());
  const std::string before = OpenWebModel(folder.path()).fingerprint;
  EXPECT_EQ(OpenWebModel(folder.path()).fingerprint, before);
  WriteText(folder / "model.wasm", "another");
  const std::string after = OpenWebModel(folder.path()).fingerprint;
  EXPECT_NE(after, before);
  WriteText(folder / "resolve/main/tokenizer.json", "{\"another\": true}");
  EXPECT_NE(OpenWebModel(folder.path()).fingerprint, after);
}

void ExpectNoWebModel(const std::filesystem::path& folder, const std::string& reason) {
  EXPECT_THAT([&] { OpenWebModel(folder); }, testing::ThrowsMessage<Error>(HasSubstr(reason)));
}

TEST(WebModel, IsMissedInWhatItIsNot) {
  const TemporaryFolder folder;
  ExpectNoWebModel(folder / "nothing", "there is no such folder");
  ExpectNoWebModel(folder.path(), "holds no model for the browser (no model.wasm)");
  WriteText(folder / "model.gguf", "");
  ExpectNoWebModel(folder / "model.gguf", "is a file");
  WriteText(folder / "config.json", "{}");
  ExpectNoWebModel(folder.path(),
                   "carat compile " + folder.path().string() + " --device webgpu -o DIR");
  WriteText(folder / "carat-config.json", "{}");
  ExpectNoWebModel(folder.path(), "compiled for the CPU");
}

TEST(WebModel, IsRefusedWithAFileMissing) {
  for (const char* name :
       {"mlc-chat-config.json", "params_shard_0.bin", "tensor-cache.json", "tokenizer.json"}) {
    const TemporaryFolder folder;
    WriteWebFolder(folder.path());
    std::filesystem::remove(folder / "resolve/main" / name);
    ExpectNoWebModel(folder.path(), std::string(name) + ": is missing");
  }
}

TEST(WebModel, IsRefusedWithAShardCutShort) {
  const TemporaryFolder folder;
  WriteWebFolder(folder.path());
  WriteText(folder / "resolve/main/params_shard_0.bin", "123");
  ExpectNoWebModel(folder.path(), "has 3 bytes, but tensor-cache.json gives it 4");
}

}  // namespace
}  // namespace carat::server
