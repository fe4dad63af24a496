#include "carat/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/base/expect_error.h"
#include "tests/checkpoint/safetensors_bytes.h"

namespace carat::checkpoint {
namespace {

std::vector<TensorInfo> Parse(const std::string& file) {
  return ParseSafetensors(std::as_bytes(std::span(file)), "model.safetensors");
}

TEST(ParseSafetensors, ReadsNamesTypesShapesAndBytes) {
  const std::string file = SafetensorsBytes(
      R"({"__metadata__": {"format": "pt"},
          "b": {"dtype": "F32", "shape": [1, 2], "data_offsets": [4, 12]},
          "a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
          "scalar": {"dtype": "U8", "shape": [], "data_offsets": [12, 13]},
          "empty": {"dtype": "F16", "shape": [0, 7], "data_offsets": [4, 4]}}   )",
      "abcdefghijklm");
  const std::vector<TensorInfo> tensors = Parse(file);
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_EQ(tensors[0].name, "a");
  EXPECT_EQ(tensors[0].dtype, DType::kBF16);
  EXPECT_EQ(tensors[0].rows(), 1);
  EXPECT_EQ(tensors[0].cols(), 2);
  EXPECT_EQ(tensors[1].name, "empty");
  EXPECT_TRUE(tensors[1].bytes.empty());
  EXPECT_EQ(tensors[2].name, "b");
  EXPECT_EQ(tensors[2].shape, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(static_cast<char>(tensors[2].bytes.front()), 'e');
  EXPECT_EQ(tensors[3].bytes.size(), 1u);
}

TEST(ParseSafetensors, TakesAFileWithoutTensors) {
  EXPECT_TRUE(Parse(SafetensorsBytes("{}", "")).empty());
}

TEST(ParseSafetensors, RefusesTruncatedFiles) {
  EXPECT_ERROR(Parse(""), "model.safetensors: is 0 bytes long", "download the file again");
  const std::string whole =
      SafetensorsBytes(R"({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}})", "abcd");
  ASSERT_EQ(Parse(whole).size(), 1u);
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_ERROR(Parse(whole.substr(0, length)), "model.safetensors: ");
  }
}

TEST(ParseSafetensors, RefusesHeaderLengthsThatLie) {
  EXPECT_ERROR(Parse(SafetensorsBytes("{}", "", 3)), "is 10 bytes long and gives its header 3");
  EXPECT_ERROR(Parse(SafetensorsBytes("{}", "", 99'999'999)), "truncated");
  EXPECT_ERROR(Parse(SafetensorsBytes("{}", "", 100'000'001)), "at most 100000000 are allowed");
  EXPECT_ERROR(Parse(SafetensorsBytes("{}", "", INT64_MAX)), "not a safetensors file");
  EXPECT_ERROR(Parse(SafetensorsBytes("{}", "", 0)), "is not JSON");
}

TEST(ParseSafetensors, RecognisesAFileThatGitLfsHasNotFetched) {
  EXPECT_ERROR(Parse("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"),
               "run git lfs pull");
}

TEST(ParseSafetensors, RefusesHeadersThatAreNotAnObject) {
  EXPECT_ERROR(Parse(SafetensorsBytes("[]", "")), "not a JSON object");
  EXPECT_ERROR(Parse(SafetensorsBytes("{\"a\"", "")), "header: is not JSON");
  EXPECT_ERROR(Parse(SafetensorsBytes("{\"\xc3\x28\": 1}", "")), "UTF-8");
  EXPECT_ERROR(Parse(SafetensorsBytes(std::string(200'000, '['), "")), "nested");
  EXPECT_ERROR(Parse(SafetensorsBytes(R"({"a": 3})", "")), "tensor 'a'", "expected an object");
}

// A file of one tensor 'a' with these fields and 4 bytes of data.
std::string OneTensor(const std::string& fields) {
  return SafetensorsBytes("{\"a\": {" + fields + "}}", "abcd");
}

TEST(ParseSafetensors, RefusesFieldsThatLie) {
  const std::string shape = R"("shape": [2], )";
  const std::string offsets = R"("data_offsets": [0, 4], )";
  const std::string dtype = R"("dtype": "BF16")";
  EXPECT_NO_THROW(Parse(OneTensor(shape + offsets + dtype)));

  EXPECT_ERROR(Parse(OneTensor(shape + offsets + R"("dtype": "F17")")),
               "tensor 'a' has the unknown dtype 'F17'");
  EXPECT_ERROR(Parse(OneTensor(shape + offsets + R"("dtype": 3)")), "'dtype' is 3", "a string");
  EXPECT_ERROR(Parse(OneTensor(shape + dtype)), "'data_offsets' is missing");
  EXPECT_ERROR(Parse(OneTensor(offsets + dtype)), "'shape' is missing, expected a list");
  EXPECT_ERROR(Parse(OneTensor(R"("shape": 2, )" + offsets + dtype)), "expected a list");
  EXPECT_ERROR(Parse(OneTensor(R"("shape": [-2], )" + offsets + dtype)), "impossible shape [-2]");
  EXPECT_ERROR(Parse(OneTensor(R"("shape": [2.5], )" + offsets + dtype)), "holds 2.5");
  EXPECT_ERROR(Parse(OneTensor(R"("shape": [4294967296, 4294967296], )" + offsets + dtype)),
               "impossible shape");
  EXPECT_ERROR(Parse(OneTensor(R"("shape": [9223372036854775807, 9223372036854775807, 0],
                                  "data_offsets": [0, 0], )" +
                               dtype)),
               "impossible shape");
  EXPECT_ERROR(Parse(OneTensor(R"("shape": [1,1,1,1,1,1,1,1,2], )" + offsets + dtype)),
               "9 dimensions");
  EXPECT_ERROR(Parse(OneTensor(R"("shape": [3], )" + offsets + dtype)),
               "should take 6 bytes, its data_offsets give 4");
  EXPECT_ERROR(Parse(OneTensor(shape + dtype + R"(, "data_offsets": [4, 0])")), "data_offsets");
  EXPECT_ERROR(Parse(OneTensor(shape + dtype + R"(, "data_offsets": [-4, 0])")), "data_offsets");
  EXPECT_ERROR(Parse(OneTensor(shape + dtype + R"(, "data_offsets": [0, 2, 4])")), "data_offsets");
  EXPECT_ERROR(Parse(OneTensor(shape + dtype + R"(, "data_offsets": [0, 18446744073709551615])")),
               "data_offsets");
}

// Two tensors of 2 bytes at these offsets in `data`.
std::string TwoTensors(int first, int second, const std::string& data) {
  const auto tensor = [](int begin) {
    return R"({"dtype": "BF16", "shape": [1], "data_offsets": [)" + std::to_string(begin) + ", " +
           std::to_string(begin + 2) + "]}";
  };
  return SafetensorsBytes("{\"a\": " + tensor(first) + ", \"b\": " + tensor(second) + "}", data);
}

TEST(ParseSafetensors, RefusesDataThatOverlapsOrLeavesHoles) {
  EXPECT_EQ(Parse(TwoTensors(2, 0, "abcd")).front().name, "b");
  EXPECT_ERROR(Parse(TwoTensors(0, 0, "abcd")), "begins at byte 0", "overlap");
  EXPECT_ERROR(Parse(TwoTensors(0, 1, "abc")), "tensor 'b' begins at byte 1", "overlap");
  EXPECT_ERROR(Parse(TwoTensors(0, 3, "abcde")), "tensor 'b'", "leave a hole");
  EXPECT_ERROR(Parse(TwoTensors(1, 3, "abcde")), "tensor 'a'", "leave a hole");
  EXPECT_ERROR(Parse(TwoTensors(0, 2, "abc")), "tensor 'b' ends at byte 4", "truncated");
  EXPECT_ERROR(Parse(TwoTensors(0, 2, "abcde")), "has 5 bytes of data, its tensors take 4");
}

TEST(ParseSafetensors, RefusesATensorGivenTwice) {
  const std::string tensor = R"("a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]})";
  EXPECT_ERROR(Parse(SafetensorsBytes("{" + tensor + ", " + tensor + "}", "ab")),
               "key 'a' is given twice");
}

}  // namespace
}  // namespace carat::checkpoint
