#include "carat/base/npy.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"
#include "tests/support/npy_matrix.h"

namespace carat {
namespace {

// A .npy file of version 1 as NumPy writes it.
std::string Npy(std::string header, std::string_view data) {
  header += '\n';
  std::string file = "\x93NUMPY";
  file += {'\x01', '\x00', static_cast<char>(header.size()), '\x00'};
  return file.append(header).append(data);
}

std::string Header(std::string_view type, std::string_view shape) {
  return "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" +
         std::string(shape) + "), }";
}

const std::string kTwoInts = {1, 0, 0, 0, -1, -1, -1, -1};

TEST(ReadNpyInt32, ReadsTokens) {
  const TemporaryFolder folder;
  EXPECT_EQ(ReadNpyInt32(WriteText(folder, "a.npy", Npy(Header("<i4", "2,"), kTwoInts))),
            (std::vector<int32_t>{1, -1}));
  EXPECT_TRUE(ReadNpyInt32(WriteText(folder, "b.npy", Npy(Header("<i4", "0,"), ""))).empty());
}

TEST(ReadNpyInt32, NarrowsInt64) {
  const TemporaryFolder folder;
  const std::string seven = {7, 0, 0, 0, 0, 0, 0, 0};
  const std::string large = {0, 0, 0, 0, 1, 0, 0, 0};
  EXPECT_EQ(ReadNpyInt32(WriteText(folder, "a.npy", Npy(Header("<i8", "1,"), seven))),
            std::vector<int32_t>{7});
  EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "b.npy", Npy(Header("<i8", "1,"), large))),
               "b.npy: value 4294967296 does not fit int32");
}

TEST(ReadNpyInt32, RefusesOtherTypesAndShapes) {
  const TemporaryFolder folder;
  EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "a.npy", Npy(Header("<f4", "2,"), kTwoInts))),
               "a.npy: has type '<f4'", "expected int32");
  EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "a.npy", Npy(Header("<i4", "2, 1"), kTwoInts))),
               "2 dimensions");
  EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "a.npy",
                                      Npy("{'descr': '<i4', 'fortran_order': True, "
                                          "'shape': (2,), }",
                                          kTwoInts))),
               "Fortran order");
}

TEST(ReadNpyInt32, RefusesDamagedFiles) {
  const TemporaryFolder folder;
  EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "a.npy", "")), "is not a NumPy file");
  EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "a.npy", "PK\x03\x04 and more bytes")),
               "is not a NumPy file");
  EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "a.npy", Npy(Header("<i4", "3,"), kTwoInts))),
               "holds 8 bytes of values, its shape needs 12");
  EXPECT_ERROR(
      ReadNpyInt32(WriteText(folder, "a.npy", Npy(Header("<i4", "9223372036854775807,"), ""))),
      "impossible shape");
  EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "a.npy", Npy(Header("<i4", "-3,"), kTwoInts))),
               "header");
  EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "a.npy", Npy("{}", kTwoInts))), "header");
  const std::string whole = Npy(Header("<i4", "2,"), kTwoInts);
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_ERROR(ReadNpyInt32(WriteText(folder, "a.npy", whole.substr(0, length))), "a.npy");
  }
}

TEST(NpyWriter, WritesAMatrix) {
  const TemporaryFolder folder;
  NpyWriter writer(folder / "a.npy", 3, 2);
  writer.Append(std::vector<float>{1, 2});
  writer.Append(std::vector<float>{3, 4, 5, 6});
  writer.Finish();
  const tests::FloatMatrix matrix = tests::ReadNpyFloat32(folder / "a.npy");
  EXPECT_EQ(matrix.rows, 3);
  EXPECT_EQ(matrix.cols, 2);
  EXPECT_EQ(matrix.values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(matrix.Row(1)[1], 4);
}

TEST(NpyWriter, LeavesNothingUnlessFinished) {
  const TemporaryFolder folder;
  {
    NpyWriter writer(folder / "a.npy", 2, 1);
    writer.Append(std::vector<float>{1});
    EXPECT_ERROR(writer.Finish(), "1 rows are missing");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(NpyWriter, RefusesRowsThatDoNotFit) {
  const TemporaryFolder folder;
  NpyWriter writer(folder / "a.npy", 1, 2);
  EXPECT_ERROR(writer.Append(std::vector<float>{1}), "not whole rows");
  EXPECT_ERROR(writer.Append(std::vector<float>{1, 2, 3, 4}), "not whole rows");
}

}  // namespace
}  // namespace carat
