#include "carat/base/file.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat {
namespace {

std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(MappedFile, HasTheBytesOfTheFile) {
  const TemporaryFolder folder;
  const MappedFile file(WriteText(folder, "a", "hello"));
  EXPECT_EQ(Text(file.bytes()), "hello");
}

TEST(MappedFile, OfAnEmptyFileIsEmpty) {
  const TemporaryFolder folder;
  EXPECT_TRUE(MappedFile(WriteText(folder, "a", "")).bytes().empty());
}

TEST(MappedFile, ReadsTheSameAfterItsPagesWereDropped) {
  const TemporaryFolder folder;
  const std::string content(100'000, 'x');
  const MappedFile file(WriteText(folder, "a", content));
  EXPECT_EQ(Text(file.bytes()), content);
  file.DropPages(file.bytes());
  file.DropPages(file.bytes().subspan(5000, 10));
  EXPECT_EQ(Text(file.bytes()), content);
}

TEST(MappedFile, SurvivesMoves) {
  const TemporaryFolder folder;
  MappedFile a(WriteText(folder, "a", "first"));
  MappedFile b(WriteText(folder, "b", "second"));
  a = std::move(b);
  const MappedFile c(std::move(a));
  EXPECT_EQ(Text(c.bytes()), "second");
}

TEST(MappedFile, RefusesWhatIsNotAFile) {
  const TemporaryFolder folder;
  EXPECT_ERROR(MappedFile(folder / "none"), "none", "cannot open", "No such file");
  EXPECT_ERROR(MappedFile(folder.path()), "is a folder, expected a file");
  EXPECT_ERROR(MappedFile("/dev/zero"), "/dev/zero: is not a regular file");
}

TEST(ReadTextFile, ReadsUpToTheLimit) {
  const TemporaryFolder folder;
  const auto path = WriteText(folder, "a", "12345");
  EXPECT_EQ(ReadTextFile(path, 5), "12345");
  EXPECT_ERROR(ReadTextFile(path, 4), "is 5 bytes long, at most 4 are expected");
}

TEST(FileWriter, WritesSmallAndLargePiecesInOrder) {
  const TemporaryFolder folder;
  const std::string large(3'000'000, 'b');
  FileWriter writer(folder / "a");
  writer.Write("a");
  writer.Write(large);
  writer.Write("c");
  EXPECT_EQ(writer.bytes_written(), large.size() + 2);
  const std::string patch = "XY";
  writer.WriteAt(0, std::as_bytes(std::span(patch)));
  writer.Write("d");
  writer.Close();
  EXPECT_EQ(ReadAll(folder / "a"), "XY" + large.substr(1) + "cd");
}

TEST(FileWriter, NamesFileAndReasonWhenTheDiskIsFull) {
  FileWriter writer("/dev/full");
  writer.Write("a");
  EXPECT_ERROR(writer.Close(), "/dev/full: cannot write: No space left on device");
}

TEST(FileWriter, NamesFileAndReasonWhenItCannotBeMade) {
  EXPECT_ERROR(FileWriter("/proc/none"), "/proc/none: cannot write");
}

}  // namespace
}  // namespace carat
