#include "carat/library/weights_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "tests/support/temporary_folder.h"

namespace carat::library {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<std::byte> Pattern(size_t count) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 37 + (i >> 8));
  return bytes;
}

uint64_t HashOf(std::span<const std::byte> bytes) {
  WeightsHash hash;
  hash.Append(bytes);
  return hash.Digest();
}

class WeightsFileTest : public ::testing::Test {
 protected:
  void Overwrite(size_t offset, std::string_view bytes) const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  void WriteExample() const {
    WeightsWriter writer(path_);
    writer.BeginWeight();
    writer.Append(Pattern(100));
    writer.BeginWeight();
    writer.Append(Pattern(1000));
    writer.Finish();
  }

  tests::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "weights.bin";
};

TEST(WeightsHash, DoesNotDependOnHowTheStreamIsSplit) {
  const std::vector<std::byte> bytes = Pattern(1001);
  for (const size_t piece : {1, 3, 7, 8, 9, 63, 64, 65, 500}) {
    WeightsHash hash;
    for (size_t i = 0; i < bytes.size(); i += piece) {
      hash.Append(std::span(bytes).subspan(i, std::min(piece, bytes.size() - i)));
    }
    EXPECT_EQ(hash.Digest(), HashOf(bytes));
  }
}

TEST(WeightsHash, ChangesWithEveryBit) {
  std::vector<std::byte> bytes = Pattern(80);
  const uint64_t original = HashOf(bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(HashOf(bytes), original);
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(WeightsHash, ChangesWhenWordsChangePlaces) {
  std::vector<std::byte> bytes = Pattern(256);
  const uint64_t original = HashOf(bytes);
  for (const size_t other : {8, 56, 64, 72}) {  // in another lane, and in the same one
    std::swap_ranges(bytes.begin(), bytes.begin() + 8, bytes.begin() + other);
    EXPECT_NE(HashOf(bytes), original);
    std::swap_ranges(bytes.begin(), bytes.begin() + 8, bytes.begin() + other);
  }
}

TEST(WeightsHash, TellsZerosOfDifferentLengthsApart) {
  EXPECT_NE(HashOf(std::vector<std::byte>(7)), HashOf(std::vector<std::byte>(8)));
  EXPECT_NE(HashOf(std::vector<std::byte>(8)), HashOf(std::vector<std::byte>(16)));
  EXPECT_NE(HashOf(std::vector<std::byte>(64)), HashOf(std::vector<std::byte>(128)));
}

TEST(WeightsHash, StaysTheSameFromVersionToVersion) {
  EXPECT_EQ(HashToHex(HashOf(Pattern(21))), "54783d9d449c1e8b");
}

TEST_F(WeightsFileTest, HoldsAlignedWeightsAfterItsHeader) {
  WeightsWriter writer(path_);
  EXPECT_EQ(writer.BeginWeight(), 64);
  writer.Append(Pattern(100));
  EXPECT_EQ(writer.BeginWeight(), 192);
  writer.Append(Pattern(10));
  writer.Append(Pattern(20));
  EXPECT_EQ(writer.num_bytes(), 222);
  const uint64_t hash = writer.Finish();
  EXPECT_EQ(writer.num_bytes(), 256);

  const WeightsFile file(path_);
  EXPECT_EQ(file.hash(), HashToHex(hash));
  ASSERT_EQ(file.bytes().size(), 256);
  EXPECT_EQ(std::memcmp(file.bytes().data() + 64, Pattern(100).data(), 100), 0);
  EXPECT_EQ(std::memcmp(file.bytes().data() + 202, Pattern(20).data(), 20), 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.bytes().data()) % 64, 0);
  EXPECT_NO_THROW(file.Verify());
}

TEST_F(WeightsFileTest, IsNotValidBeforeItIsFinished) {
  {
    WeightsWriter writer(path_);
    writer.BeginWeight();
    writer.Append(Pattern(5'000'000));
  }
  EXPECT_THROW(WeightsFile file(path_), Error);
}

TEST_F(WeightsFileTest, NamesAMissingFile) {
  EXPECT_THAT([&] { WeightsFile file(path_); }, ThrowsMessage<Error>(HasSubstr(path_.string())));
}

TEST_F(WeightsFileTest, RefusesOtherFiles) {
  for (const std::string& text : {std::string(), std::string("CARATWTS"), std::string(200, 'x')}) {
    std::ofstream(path_) << text;
    EXPECT_THAT([&] { WeightsFile file(path_); },
                ThrowsMessage<Error>(HasSubstr("not a weights file")));
  }
}

TEST_F(WeightsFileTest, RefusesAnotherFormatVersion) {
  WriteExample();
  Overwrite(8, "\x09");
  EXPECT_THAT([&] { WeightsFile file(path_); },
              ThrowsMessage<Error>(HasSubstr("format version 9, but this Carat reads version 2")));
}

TEST_F(WeightsFileTest, RefusesTruncatedAndExtendedFiles) {
  WriteExample();
  const auto size = std::filesystem::file_size(path_);
  std::filesystem::resize_file(path_, size - 1);
  EXPECT_THAT([&] { WeightsFile file(path_); }, ThrowsMessage<Error>(HasSubstr("truncated")));
  std::filesystem::resize_file(path_, size + 1);
  EXPECT_THAT([&] { WeightsFile file(path_); }, ThrowsMessage<Error>(HasSubstr("too long")));
}

TEST_F(WeightsFileTest, FindsDamageWhenVerified) {
  WriteExample();
  Overwrite(300, "?");
  const WeightsFile file(path_);
  EXPECT_THAT([&] { file.Verify(); }, ThrowsMessage<Error>(HasSubstr("damaged")));
}

}  // namespace
}  // namespace carat::library
