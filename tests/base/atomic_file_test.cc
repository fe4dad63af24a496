#include "carat/base/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/base/expect_error.h"
#include "tests/base/file_size_limit.h"
#include "tests/base/text_files.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

TEST(WriteFileAtomically, ReplacesTheFile) {
  const TemporaryFolder folder;
  const auto path = WriteText(folder, "a", "old");
  WriteFileAtomically(path, "new");
  EXPECT_EQ(ReadAll(path), "new");
}

TEST(WriteFileAtomically, LeavesTheOldFileWhenItFails) {
  const TemporaryFolder folder;
  const auto path = WriteText(folder, "a", "old");
  {
    const FileSizeLimit limit(10);
    EXPECT_ERROR(WriteFileAtomically(path, std::string(100, 'x')), "cannot write");
  }
  EXPECT_EQ(ReadAll(path), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(WriteFileAtomically, RefusesWhatIsNoRegularFile) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), S_IRUSR | S_IWUSR), 0);
  fs::create_symlink("/dev/full", folder / "link");
  EXPECT_ERROR(WriteFileAtomically(folder / "pipe", "x"), "pipe: is not a regular file");
  EXPECT_ERROR(WriteFileAtomically(folder / "link", "x"), "link: is not a regular file");
  EXPECT_ERROR(WriteFileAtomically(folder.path(), "x"), "is a folder; give the name of a file");
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(WriteFileAtomically, KeepsALinkALink) {
  const TemporaryFolder folder;
  const auto path = WriteText(folder, "a", "old");
  fs::create_symlink("a", folder / "link");
  WriteFileAtomically(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(ReadAll(path), "new");
}

TEST(WriteFileAtomically, RemovesWhatAKilledWriterLeft) {
  const TemporaryFolder folder;
  WriteText(folder, "a.carat-tmp-123", "half");
  WriteText(folder, "a.carat-tmp-other", "not ours");
  WriteFileAtomically(folder / "a", "new");
  EXPECT_FALSE(fs::exists(folder / "a.carat-tmp-123"));
  EXPECT_TRUE(fs::exists(folder / "a.carat-tmp-other"));
}

TEST(WriteFileAtomically, NamesTheFileWhereItCannotWrite) {
  EXPECT_ERROR(WriteFileAtomically("/proc/none", "x"), "/proc/none: cannot write there");
}

}  // namespace
}  // namespace carat
