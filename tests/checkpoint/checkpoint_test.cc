#include "carat/checkpoint/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "carat/base/numeric.h"
#include "carat/checkpoint/safetensors_writer.h"
#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"
#include "tests/checkpoint/safetensors_bytes.h"

namespace carat::checkpoint {
namespace {

// A file of one 16-bit tensor.
std::string File16(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& data) {
  return SafetensorsBytes("{\"" + name + R"(": {"dtype": ")" + dtype + R"(", "shape": )" + shape +
                              R"(, "data_offsets": [0, )" + std::to_string(data.size()) + "]}}",
                          data);
}

TEST(Checkpoint, ConvertsBf16F16AndF32) {
  const TemporaryFolder folder;
  const float third = 1.0f / 3;
  const std::string f32(reinterpret_cast<const char*>(&third), sizeof(third));
  WriteText(folder, "model.safetensors",
            SafetensorsBytes(
                R"({"bf16": {"dtype": "BF16", "shape": [2, 1], "data_offsets": [0, 4]},
                       "f16": {"dtype": "F16", "shape": [1], "data_offsets": [4, 6]},
                       "f32": {"dtype": "F32", "shape": [1], "data_offsets": [6, 10]}})",
                U16({FloatToBF16(1.5f), FloatToBF16(-2), FloatToF16(0.25f)}) + f32));
  const Checkpoint checkpoint = Checkpoint::Open(folder.path());
  EXPECT_EQ(checkpoint.Read(*checkpoint.Find("bf16")), (std::vector<float>{1.5f, -2}));
  EXPECT_EQ(checkpoint.Read(*checkpoint.Find("f16")), std::vector<float>{0.25f});
  EXPECT_EQ(checkpoint.Read(*checkpoint.Find("f32")), std::vector<float>{third});
  EXPECT_EQ(checkpoint.Find("none"), nullptr);
}

TEST(Checkpoint, ReadsRowsOfItsOwn) {
  const TemporaryFolder folder;
  WriteText(folder, "model.safetensors",
            File16("a", "BF16", "[3, 2]",
                   U16({FloatToBF16(0), FloatToBF16(1), FloatToBF16(2), FloatToBF16(3),
                        FloatToBF16(4), FloatToBF16(5)})));
  const Checkpoint checkpoint = Checkpoint::Open(folder.path());
  const TensorInfo& tensor = *checkpoint.Find("a");
  std::vector<float> rows(4);
  checkpoint.ReadRows(tensor, 1, 2, rows);
  EXPECT_EQ(rows, (std::vector<float>{2, 3, 4, 5}));
  EXPECT_ERROR(checkpoint.ReadRows(tensor, 2, 2, rows), "cannot read rows 2 to 4");
  EXPECT_ERROR(checkpoint.ReadRows(tensor, -1, 2, rows), "cannot read rows");
  EXPECT_ERROR(checkpoint.ReadRows(tensor, 0, 1, rows), "into 4 floats");
}

TEST(Checkpoint, FindsNanAndInfinityWhenTheyAreRead) {
  const TemporaryFolder folder;
  WriteText(folder, "model.safetensors",
            File16("a", "BF16", "[3, 2]", U16({0, 0, 0, 0x7fc0, 0xff80, 0})));
  const Checkpoint checkpoint = Checkpoint::Open(folder.path());
  const TensorInfo& tensor = *checkpoint.Find("a");
  std::vector<float> row(2);
  EXPECT_NO_THROW(checkpoint.ReadRows(tensor, 0, 1, row));
  EXPECT_ERROR(checkpoint.ReadRows(tensor, 1, 1, row),
               "model.safetensors: tensor 'a' holds NaN in row 1");
  EXPECT_ERROR(checkpoint.ReadRows(tensor, 2, 1, row), "tensor 'a' holds infinity in row 2");
  EXPECT_ERROR(checkpoint.Read(tensor), "holds NaN in row 1");
}

TEST(Checkpoint, RequiresTensorsOfTheConfigsShape) {
  const TemporaryFolder folder;
  WriteText(folder, "model.safetensors",
            SafetensorsBytes(R"({"m": {"dtype": "F16", "shape": [2, 1], "data_offsets": [0, 4]},
                                    "v": {"dtype": "F16", "shape": [2], "data_offsets": [4, 8]},
                                    "q": {"dtype": "U8", "shape": [2, 2], "data_offsets": [8, 12]}})",
                             "abcdefghijkl"));
  const Checkpoint checkpoint = Checkpoint::Open(folder.path());
  EXPECT_EQ(checkpoint.Require("m", 2, 1).name, "m");
  EXPECT_EQ(checkpoint.Require("v", 1, 2).name, "v");
  EXPECT_ERROR(checkpoint.Require("m", 2, 4),
               "model.safetensors: tensor 'm' says [2, 1] but config.json gives [2, 4]");
  EXPECT_ERROR(checkpoint.Require("v", 1, 3), "says [2]", "gives [3]");
  EXPECT_ERROR(checkpoint.Require("x", 1, 3), "tensor 'x' is missing");
  EXPECT_ERROR(checkpoint.Require("q", 2, 2), "tensor 'q' has dtype U8",
               "start from the unquantized checkpoint");
}

TEST(Checkpoint, SaysWhatIsWrongWithAFolder) {
  const TemporaryFolder folder;
  EXPECT_ERROR(Checkpoint::Open(folder / "none"), "none: does not exist");
  EXPECT_ERROR(Checkpoint::Open(folder.path()), "has neither model.safetensors nor");
  EXPECT_ERROR(Checkpoint::Open(WriteText(folder, "file", "x")), "file: is a file, expected");
  WriteText(folder, "pytorch_model.bin", "x");
  EXPECT_ERROR(Checkpoint::Open(folder.path()), "holds PyTorch weights (pytorch_model.bin)",
               "safe_serialization");
  WriteText(folder, "model.so", "x");
  EXPECT_ERROR(Checkpoint::Open(folder.path()), "an incomplete compiled folder: it has model.so");
  std::filesystem::create_directory(folder / "model.safetensors");
  EXPECT_ERROR(Checkpoint::Open(folder.path()), "model.safetensors: is a folder");
}

TEST(Checkpoint, FollowsSymlinks) {  // as the Hugging Face cache has them
  const TemporaryFolder folder;
  WriteText(folder, "blobs/123", File16("a", "BF16", "[1]", U16({0})));
  std::filesystem::create_directory(folder / "snapshot");
  std::filesystem::create_symlink("../blobs/123", folder / "snapshot/model.safetensors");
  EXPECT_NE(Checkpoint::Open(folder / "snapshot").Find("a"), nullptr);
}

class ShardsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteText(folder_, "s1.safetensors", File16("a", "BF16", "[1]", U16({FloatToBF16(1)})));
    WriteText(folder_, "s2.safetensors", File16("b", "BF16", "[1]", U16({FloatToBF16(2)})));
  }
  void WriteIndex(const std::string& weight_map) {
    WriteText(folder_, "model.safetensors.index.json", "{\"weight_map\": " + weight_map + "}");
  }

  TemporaryFolder folder_;
};

TEST_F(ShardsTest, AreFoundThroughTheIndex) {
  WriteIndex(R"({"a": "s1.safetensors", "b": "s2.safetensors"})");
  const Checkpoint checkpoint = Checkpoint::Open(folder_.path());
  EXPECT_EQ(checkpoint.Read(*checkpoint.Find("a")), std::vector<float>{1});
  EXPECT_EQ(checkpoint.Read(*checkpoint.Find("b")), std::vector<float>{2});
  EXPECT_EQ(checkpoint.FileName(*checkpoint.Find("b")), "s2.safetensors");
}

TEST_F(ShardsTest, MustBeThere) {
  WriteIndex(R"({"a": "s1.safetensors", "b": "s3.safetensors"})");
  EXPECT_ERROR(Checkpoint::Open(folder_.path()),
               "model.safetensors.index.json: names the file s3.safetensors", "incomplete");
}

TEST_F(ShardsTest, MustHoldWhatTheIndexSays) {
  WriteIndex(R"({"a": "s1.safetensors", "c": "s2.safetensors"})");
  EXPECT_ERROR(Checkpoint::Open(folder_.path()),
               "tensor 'c' is in s2.safetensors, where it is not");
}

TEST_F(ShardsTest, MustLieInTheFolder) {
  for (const char* name : {"../s1.safetensors", "/etc/passwd", "a/b", "..", ".", "", "s1\\u0000"}) {
    WriteIndex(std::string(R"({"a": ")") + name + "\"}");
    EXPECT_ERROR(Checkpoint::Open(folder_.path()), "field 'weight_map.a'",
                 "the name of a file in the same folder");
  }
}

TEST_F(ShardsTest, NeedAnIndexThatIsOne) {
  WriteIndex("[]");
  EXPECT_ERROR(Checkpoint::Open(folder_.path()), "'weight_map' is a list", "expected an object");
  WriteIndex("{}");
  EXPECT_ERROR(Checkpoint::Open(folder_.path()), "names no tensors");
  WriteIndex(R"({"a": 1})");
  EXPECT_ERROR(Checkpoint::Open(folder_.path()), "field 'weight_map.a' is 1");
}

// VmRSS of this process, in bytes.
int64_t ResidentBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

TEST(Checkpoint, GivesBackTheMemoryOfWhatWasRead) {
  constexpr int64_t kRows = 64 << 10;
  constexpr int64_t kCols = 513;  // rows that pages do not divide: 64 MiB in all
  const TemporaryFolder folder;
  SafetensorsWriter writer(folder / "model.safetensors", {{"a", DType::kBF16, {kRows, kCols}}});
  const std::vector<uint16_t> row(kCols);
  for (int64_t i = 0; i < kRows; ++i) writer.Write(std::as_bytes(std::span(row)));
  writer.Close();

  const Checkpoint checkpoint = Checkpoint::Open(folder.path());
  const TensorInfo& tensor = *checkpoint.Find("a");
  const int64_t before = ResidentBytes();
  std::vector<float> values(kCols);
  for (int64_t i = 0; i < kRows; ++i) checkpoint.ReadRows(tensor, i, 1, values);
  EXPECT_LT(ResidentBytes() - before, 4 << 20);
}

TEST(SafetensorsWriter, RefusesToFinishAFileWithMissingData) {
  const TemporaryFolder folder;
  SafetensorsWriter writer(folder / "a.safetensors", {{"a", DType::kF32, {4}}});
  EXPECT_ERROR(writer.Close(), "a.safetensors", "were written where the header announces");
}

}  // namespace
}  // namespace carat::checkpoint
