#include "carat/base/output_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "carat/base/file.h"
#include "tests/base/expect_error.h"
#include "tests/base/file_size_limit.h"
#include "tests/base/text_files.h"

namespace carat {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMarker = "carat-config.json";
constexpr std::array<std::string_view, 2> kFiles = {kMarker, "content"};

void WriteFile(const fs::path& path, std::string_view text) {
  FileWriter writer(path);
  writer.Write(text);
  writer.Close();
}

// Fills and commits a folder with the marker and one file.
void WriteFolder(const fs::path& target, std::string_view content) {
  OutputDirectory output(target, kFiles);
  WriteFile(output.path() / kMarker, "{}");
  WriteFile(output.path() / "content", content);
  output.Commit();
}

std::vector<std::string> NamesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(OutputDirectory, AppearsWithCommit) {
  const TemporaryFolder folder;
  WriteFolder(folder / "new/deep/out", "x");
  EXPECT_EQ(ReadAll(folder / "new/deep/out/content"), "x");
  EXPECT_EQ(NamesIn(folder / "new/deep"), std::vector<std::string>{"out"});
}

TEST(OutputDirectory, LeavesNothingWithoutCommit) {
  const TemporaryFolder folder;
  {
    const OutputDirectory output(folder / "out", kFiles);
    WriteFile(output.path() / "content", "x");
    EXPECT_FALSE(fs::exists(folder / "out"));
  }
  EXPECT_TRUE(NamesIn(folder.path()).empty());
}

TEST(OutputDirectory, ReplacesAFolderOfAnEarlierRun) {
  const TemporaryFolder folder;
  WriteFolder(folder / "out", "old");
  WriteFolder(folder / "out", "new");
  EXPECT_EQ(ReadAll(folder / "out/content"), "new");
  EXPECT_EQ(NamesIn(folder / "out"), (std::vector<std::string>{"carat-config.json", "content"}));
  EXPECT_EQ(NamesIn(folder.path()), std::vector<std::string>{"out"});
}

TEST(OutputDirectory, ReplacesAnEmptyFolder) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "out");
  WriteFolder(folder / "out/", "new");
  EXPECT_EQ(ReadAll(folder / "out/content"), "new");
}

TEST(OutputDirectory, KeepsALinkToAFolderALink) {
  const TemporaryFolder folder;
  WriteFolder(folder / "real", "old");
  fs::create_directory_symlink(folder / "real", folder / "link");
  WriteFolder(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(ReadAll(folder / "real/content"), "new");
}

TEST(OutputDirectory, RefusesAFolderOfOtherFiles) {
  const TemporaryFolder folder;
  WriteText(folder, "home/thesis", "years of work");
  EXPECT_ERROR(OutputDirectory(folder / "home", kFiles), "home", "holds other files",
               "carat-config.json");
  EXPECT_EQ(ReadAll(folder / "home/thesis"), "years of work");
}

TEST(OutputDirectory, RefusesAFolderOfAnEarlierRunThatGotOtherFiles) {
  const TemporaryFolder folder;
  WriteFolder(folder / "out", "old");
  WriteText(folder, "out/thesis", "years of work");
  EXPECT_ERROR(OutputDirectory(folder / "out", kFiles), "holds other files (such as thesis)");
  EXPECT_EQ(ReadAll(folder / "out/thesis"), "years of work");
}

TEST(OutputDirectory, RefusesALinkToNothing) {
  const TemporaryFolder folder;
  fs::create_directory_symlink(folder / "none", folder / "link");
  EXPECT_ERROR(OutputDirectory(folder / "link", kFiles), "link: is a link to nothing");
}

TEST(OutputDirectory, RestoresTheOldFolderOfAKilledWriter) {
  const TemporaryFolder folder;
  WriteFolder(folder / "out.carat-old", "old");  // killed between the two renames
  const OutputDirectory output(folder / "out", kFiles);
  EXPECT_EQ(ReadAll(folder / "out/content"), "old");
}

TEST(OutputDirectory, RefusesOtherFilesThatCameWhileItWasWritten) {
  const TemporaryFolder folder;
  OutputDirectory output(folder / "out", kFiles);
  WriteFile(output.path() / kMarker, "{}");
  WriteText(folder, "out/thesis", "years of work");
  EXPECT_ERROR(output.Commit(), "out", "holds other files");
  EXPECT_EQ(ReadAll(folder / "out/thesis"), "years of work");
}

TEST(OutputDirectory, RefusesAFile) {
  const TemporaryFolder folder;
  EXPECT_ERROR(OutputDirectory(WriteText(folder, "file", "x"), kFiles), "file: is a file");
}

TEST(OutputDirectory, RefusesAMountPoint) {
  EXPECT_ERROR(OutputDirectory("/proc", kFiles), "/proc: is a mount point");
}

TEST(OutputDirectory, KeepsTheOldFolderWhenAnUncommittedOneIsDropped) {
  const TemporaryFolder folder;
  WriteFolder(folder / "out", "old");
  {
    const OutputDirectory output(folder / "out", kFiles);
    WriteFile(output.path() / "content", "new");
  }
  EXPECT_EQ(ReadAll(folder / "out/content"), "old");
}

TEST(OutputDirectory, NamesTheReasonWhereItCannotWrite) {
  EXPECT_ERROR(OutputDirectory("/proc/out", kFiles), "/proc/out: cannot write there");
  EXPECT_ERROR(OutputDirectory("/proc/a/b/out", kFiles), "/proc/a/b: cannot make the folder");
}

TEST(OutputDirectory, KeepsTheOldFolderWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  WriteFolder(folder / "out", "old");
  {
    const FileSizeLimit limit(10);
    EXPECT_ERROR(WriteFolder(folder / "out", std::string(100, 'x')), "content: cannot write");
  }
  EXPECT_EQ(ReadAll(folder / "out/content"), "old");
  EXPECT_EQ(NamesIn(folder.path()), std::vector<std::string>{"out"});
}

// Starts a process that begins to write `target` and then hangs; returns its id.
pid_t StartWriterThatHangs(const fs::path& target) {
  int ready[2];
  if (pipe(ready) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    const OutputDirectory output(target, kFiles);
    WriteFile(output.path() / "content", "half");
    if (write(ready[1], "x", 1) == 1) pause();
    _exit(0);
  }
  char byte = 0;
  EXPECT_EQ(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  close(ready[1]);
  return child;
}

void KillAndWait(pid_t process) {
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
}

TEST(OutputDirectory, RemovesWhatAKilledWriterLeft) {
  const TemporaryFolder folder;
  KillAndWait(StartWriterThatHangs(folder / "out"));
  ASSERT_EQ(NamesIn(folder.path()).size(), 1u);
  EXPECT_FALSE(fs::exists(folder / "out"));
  WriteFolder(folder / "out", "new");
  EXPECT_EQ(NamesIn(folder.path()), std::vector<std::string>{"out"});
}

TEST(OutputDirectory, LeavesAnotherLiveWriterAlone) {
  const TemporaryFolder folder;
  const pid_t writer = StartWriterThatHangs(folder / "out");
  WriteFolder(folder / "out", "new");
  EXPECT_EQ(NamesIn(folder.path()).size(), 2u);
  KillAndWait(writer);
}

TEST(OutputDirectory, LeavesFilesOfSimilarNamesAlone) {
  const TemporaryFolder folder;
  WriteText(folder, "out.carat-tmp-x1/thesis", "x");
  WriteText(folder, "out.carat-tmp-/thesis", "x");
  WriteText(folder, "other.carat-tmp-1/thesis", "x");
  WriteFolder(folder / "out", "new");
  EXPECT_EQ(NamesIn(folder.path()).size(), 4u);
}

TEST(OutputDirectory, MayBeWrittenTwiceByOneProcess) {
  const TemporaryFolder folder;
  OutputDirectory first(folder / "out", kFiles);
  WriteFile(first.path() / kMarker, "1");
  OutputDirectory second(folder / "out", kFiles);
  WriteFile(second.path() / kMarker, "2");
  EXPECT_NE(first.path(), second.path());
  first.Commit();
  second.Commit();
  EXPECT_EQ(ReadAll(folder / "out" / kMarker), "2");
}

TEST(OutputDirectory, MayHoldFilesInFolders) {
  constexpr std::array<std::string_view, 2> kNested = {"marker", "a/b/part_*.bin"};
  const TemporaryFolder folder;
  const fs::path target = folder / "out";
  fs::create_directories(target / "a/b");
  WriteFile(target / "marker", "");
  WriteFile(target / "a/b/part_12.bin", "");
  { const OutputDirectory replaceable(target, kNested); }
  for (const char* other : {"a/b/part_12.txt", "a/part_1.bin", "a/b/other", "part_1.bin"}) {
    WriteFile(target / other, "");
    EXPECT_ERROR(OutputDirectory(target, kNested), other);
    fs::remove(target / other);
  }
  fs::create_directory(target / "a/empty");
  EXPECT_ERROR(OutputDirectory(target, kNested), "a/empty");
}

}  // namespace
}  // namespace carat
