#include "carat/library/dist_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "tests/library/example_metadata.h"
#include "tests/support/temporary_folder.h"

namespace carat::library {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

DistConfig ExampleConfig() {
  DistConfig config;
  config.metadata = tests::ExampleMetadata();
  config.generation.do_sample = true;
  config.generation.temperature = 0.75;
  config.generation.top_k = 64;
  config.generation.top_p = 0.95;
  config.generation.eos_token_ids = {1, 106};
  return config;
}

class DistFolderTest : public ::testing::Test {
 protected:
  void Write(std::string_view name, std::string_view text) const {
    WriteFileAtomically(folder_.path() / name, text);
  }

  void WriteExample() const {
    Write(kConfigFile, ToJsonText(ExampleConfig()));
    Write(kWeightsFile, "weights");
    Write(kLibraryFile, "library");
  }

  tests::TemporaryFolder folder_;
};

TEST_F(DistFolderTest, ReadsWhatWasWritten) {
  WriteExample();
  const DistConfig config = ReadDistFolder(folder_.path());
  EXPECT_EQ(FirstDifference(config.metadata, tests::ExampleMetadata()), "");
  EXPECT_TRUE(config.generation.do_sample);
  EXPECT_EQ(config.generation.temperature, 0.75);
  EXPECT_EQ(config.generation.top_k, 64);
  EXPECT_EQ(config.generation.top_p, 0.95);
  EXPECT_THAT(config.generation.eos_token_ids, ElementsAre(1, 106));
}

TEST_F(DistFolderTest, IsToldFromOtherFolders) {
  EXPECT_FALSE(IsDistFolder(folder_.path()));
  EXPECT_FALSE(IsDistFolder(folder_ / "nothing"));
  WriteExample();
  EXPECT_TRUE(IsDistFolder(folder_.path()));
}

TEST_F(DistFolderTest, NamesAMissingFile) {
  WriteExample();
  std::filesystem::remove(folder_ / "weights.bin");
  EXPECT_THAT([&] { ReadDistFolder(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("weights.bin is missing")));
}

TEST_F(DistFolderTest, SaysThatAFolderWithoutConfigIsIncomplete) {
  WriteExample();
  std::filesystem::remove(folder_ / "carat-config.json");
  EXPECT_THAT([&] { ReadDistFolder(folder_.path()); },
              ThrowsMessage<Error>(AllOf(HasSubstr("incomplete compiled folder"),
                                         HasSubstr("compile the model again"))));
}

TEST_F(DistFolderTest, SaysWhatIsThereInsteadOfAFolder) {
  const auto expect = [](const std::filesystem::path& path, const char* what) {
    EXPECT_FALSE(IsDistFolder(path));
    EXPECT_THAT([&] { ReadDistFolder(path); },
                ThrowsMessage<Error>(AllOf(HasSubstr(path.string()), HasSubstr(what))));
  };
  Write("file", "");
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  expect(folder_ / "none", "does not exist, expected a folder");
  expect(folder_ / "file", "is a file, expected a folder");
  expect(folder_ / "pipe", "is a pipe, expected a folder");
  expect("/dev/null", "is a device, expected a folder");
  expect(folder_ / std::string(5000, 'x'), "cannot be looked at: File name too long");
}

TEST_F(DistFolderTest, DoesNotWaitForAPipe) {
  WriteExample();
  std::filesystem::remove(folder_ / "carat-config.json");
  ASSERT_EQ(mkfifo((folder_ / "carat-config.json").c_str(), 0600), 0);
  EXPECT_THAT([&] { ReadDistFolder(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("not a regular file")));
}

TEST_F(DistFolderTest, NamesWhatIsWrongInTheConfig) {
  WriteExample();
  Write(kConfigFile, "{]");
  EXPECT_THAT([&] { ReadDistFolder(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("carat-config.json")));
  Write(kConfigFile, R"({"generation": {}})");
  EXPECT_THAT([&] { ReadDistFolder(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("carat-config.json: field 'metadata'")));
}

TEST(DistFolderName, IsMadeOfModelQuantizationAndDevice) {
  EXPECT_EQ(DistFolderName("demo", "q4_0", "cpu"), "demo-q4_0-cpu");
}

TEST_F(DistFolderTest, TakesTheLibrarysNameFromTheConfig) {
  WriteExample();
  DistConfig config = ReadDistFolder(folder_.path());
  EXPECT_EQ(config.library, "model.so");
  config.library = "gemma.so";
  Write(kConfigFile, ToJsonText(config));
  EXPECT_THAT([&] { ReadDistFolder(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("gemma.so is missing")));
  Write("gemma.so", "library");
  EXPECT_EQ(ReadDistFolder(folder_.path()).library, "gemma.so");
  config.library = "../gemma.so";
  Write(kConfigFile, ToJsonText(config));
  EXPECT_THAT([&] { ReadDistFolder(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("'library' is \"../gemma.so\"")));
}

}  // namespace
}  // namespace carat::library
