#include "carat/base/folder_to_fill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "carat/base/error.h"
#include "tests/base/text_files.h"

namespace carat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(FolderToFill, IsRemovedAgainIfNothingIsPutIntoIt) {
  const TemporaryFolder folder;
  for (const char* name : {"a/b/c", "a/b/"}) {
    {
      FolderToFill target(folder / name);
      target.Make();
      EXPECT_TRUE(fs::is_directory(folder / name));
    }
    EXPECT_TRUE(fs::is_empty(folder.path())) << name;
  }
}

TEST(FolderToFill, StaysIfSomethingIsInIt) {
  const TemporaryFolder folder;
  {
    FolderToFill target(folder / "a/b");
    target.Make();
    WriteText(folder, "a/b/file", "text");
  }
  EXPECT_EQ(ReadAll(folder / "a/b/file"), "text");
}

TEST(FolderToFill, ThatWasThereStaysEmpty) {
  const TemporaryFolder folder;
  { FolderToFill(folder.path()).Make(); }
  EXPECT_TRUE(fs::is_directory(folder.path()));
}

TEST(FolderToFill, IsNotMadeBeforeItIsAskedFor) {
  const TemporaryFolder folder;
  const FolderToFill target(folder / "a");
  EXPECT_FALSE(fs::exists(folder / "a"));
}

TEST(FolderToFill, CannotBeWhereAFileIs) {
  const TemporaryFolder folder;
  WriteText(folder, "file", "");
  FolderToFill same(folder / "file");
  EXPECT_THAT([&] { same.Make(); },
              ThrowsMessage<Error>(HasSubstr("file: cannot make the folder: ")));
  {
    FolderToFill below(folder / "file/a/b");
    EXPECT_THAT([&] { below.Make(); },
                ThrowsMessage<Error>(HasSubstr("a/b: cannot make the folder: ")));
  }
  EXPECT_TRUE(fs::is_regular_file(folder / "file"));
}

}  // namespace
}  // namespace carat
