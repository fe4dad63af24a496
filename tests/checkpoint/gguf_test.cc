#include "carat/checkpoint/gguf.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/base/expect_error.h"
#include "tests/checkpoint/gguf_bytes.h"

namespace carat::checkpoint {
namespace {

using quantization::GgmlType;
using enum GgufValueType;

constexpr uint32_t kF32Id = 0;
constexpr uint32_t kQ4_0Id = 2;

Gguf Parse(const std::string& file) {
  return Gguf::Parse(std::as_bytes(std::span(file)), "model.gguf");
}

std::string NumbersFile() {
  return GgufBytes()
      .Key("u8", kUint8, Raw<uint8_t>(200))
      .Key("i8", kInt8, Raw<int8_t>(-3))
      .Key("u16", kUint16, Raw<uint16_t>(65535))
      .Key("i16", kInt16, Raw<int16_t>(-300))
      .Key("u32", kUint32, Raw<uint32_t>(4'000'000'000))
      .Key("i32", kInt32, Raw<int32_t>(-70'000))
      .Key("u64", kUint64, Raw<uint64_t>(1))
      .Key("huge", kUint64, Raw<uint64_t>(1).replace(7, 1, "\xff"))
      .Key("i64", kInt64, Raw<int64_t>(-5'000'000'000))
      .Key("f32", kFloat32, Raw(1.5F))
      .Key("f64", kFloat64, Raw(0.1))
      .Key("nan", kFloat32, Raw(std::numeric_limits<float>::quiet_NaN()))
      .Key("no", kBool, Raw<uint8_t>(0))
      .Key("yes", kBool, Raw<uint8_t>(1))
      .Build();
}

TEST(Gguf, NumbersOfEveryTypeAreRead) {
  const std::string file = NumbersFile();
  const Gguf gguf = Parse(file);
  EXPECT_EQ(gguf.Int("u8"), 200);
  EXPECT_EQ(gguf.Int("i8"), -3);
  EXPECT_EQ(gguf.Int("u16"), 65535);
  EXPECT_EQ(gguf.Int("i16"), -300);
  EXPECT_EQ(gguf.Int("u32"), 4'000'000'000);
  EXPECT_EQ(gguf.Int("i32"), -70'000);
  EXPECT_EQ(gguf.Int("u64"), 1);
  EXPECT_EQ(gguf.Int("i64"), -5'000'000'000);
  EXPECT_EQ(gguf.Float("f32"), 1.5);
  EXPECT_EQ(gguf.Float("f64"), 0.1);
  EXPECT_EQ(gguf.Float("i8"), -3);
  EXPECT_FALSE(gguf.Bool("no"));
  EXPECT_TRUE(gguf.Bool("yes"));
  EXPECT_EQ(gguf.OptionalInt("u8"), 200);
  EXPECT_EQ(gguf.OptionalInt("nothing"), std::nullopt);
  EXPECT_EQ(gguf.OptionalBool("nothing"), std::nullopt);
  EXPECT_EQ(gguf.OptionalFloat("nothing"), std::nullopt);
  EXPECT_EQ(gguf.OptionalString("nothing"), std::nullopt);
}

TEST(Gguf, ValuesOfAnotherTypeAreRefusedByKey) {
  const std::string file = NumbersFile();
  const Gguf gguf = Parse(file);
  EXPECT_ERROR(gguf.Int("f32"), "model.gguf: key 'f32' is 1.5 (float32), expected an integer");
  EXPECT_ERROR(gguf.Int("huge"), "'huge' is 1.83", "(uint64)", "an integer");
  EXPECT_ERROR(gguf.PositiveInt("i8"), "'i8' is -3 (int8), expected a positive integer");
  EXPECT_ERROR(gguf.Int("yes"), "'yes' is true (bool)");
  EXPECT_ERROR(gguf.Float("nan"), "'nan' is nan");
  EXPECT_ERROR(gguf.Bool("u8"), "'u8' is 200", "true or false");
  EXPECT_ERROR(gguf.String("u8"), "'u8' is 200", "text");
  EXPECT_ERROR(gguf.Ints("u8"), "'u8' is 200", "a list of integers");
  EXPECT_ERROR(gguf.Int("nothing"), "model.gguf: key 'nothing' is missing");
}

TEST(Gguf, TextAndArraysAreRead) {
  const std::string file = GgufBytes()
                               .Key("text", kString, Text("gemma3"))
                               .Key("broken", kString, Text("a\xff\n" + std::string(100, 'b')))
                               .Array("strings", kString, 3, Text("a") + Text("") + Text("\u2581b"))
                               .Array("broken strings", kString, 2, Text("a") + Text("\xff"))
                               .Array("ints", kInt32, 2, Raw<int32_t>(-1) + Raw<int32_t>(7))
                               .Array("floats", kFloat32, 2, Raw(-0.5F) + Raw(2.0F))
                               .Array("bools", kBool, 2, std::string_view("\1\0", 2))
                               .Array("empty", kString, 0, "")
                               .Build();
  const Gguf gguf = Parse(file);
  EXPECT_EQ(gguf.String("text"), "gemma3");
  EXPECT_EQ(gguf.Strings("strings"), (std::vector<std::string_view>{"a", "", "\u2581b"}));
  EXPECT_EQ(gguf.Ints("ints"), (std::vector<int64_t>{-1, 7}));
  EXPECT_EQ(gguf.Floats("floats"), (std::vector<double>{-0.5, 2}));
  EXPECT_EQ(gguf.Floats("ints"), (std::vector<double>{-1, 7}));
  EXPECT_TRUE(gguf.Strings("empty").empty());
  EXPECT_TRUE(gguf.IsArray("ints"));
  EXPECT_FALSE(gguf.IsArray("text"));
  EXPECT_EQ(gguf.Bools("bools"), (std::vector<bool>{true, false}));
  EXPECT_ERROR(gguf.String("broken"), R"('broken' is "a\ufffd\nbbb)",
               "\"... (string), expected UTF-8");
  EXPECT_ERROR(gguf.Strings("broken strings"), "'broken strings' holds text 1 that is not UTF-8");
  EXPECT_ERROR(gguf.Strings("ints"), "'ints' is a list of 2 elements (int32)", "a list of strings");
  EXPECT_ERROR(gguf.Ints("floats"), "a list of integers");
  EXPECT_ERROR(gguf.Bools("ints"), "a list of truth values");
  EXPECT_ERROR(gguf.Int("ints"), "an integer");
}

TEST(Gguf, TensorsHaveRowsOfTheInnermostExtent) {
  const std::string data(64 + 18 * 2 * 3, 'x');
  const std::string file = GgufBytes()
                               .Tensor("norm", {5}, kF32Id, 0)
                               .Tensor("matrix", {64, 3}, kQ4_0Id, 32)
                               .Tensor("empty", {0, 3}, kF32Id, 0)
                               .Build(data);
  const Gguf gguf = Parse(file);
  ASSERT_EQ(gguf.tensors().size(), 3u);
  EXPECT_EQ(gguf.tensors()[0].name, "norm");
  EXPECT_EQ(gguf.tensors()[0].bytes.size(), 20u);
  const GgufTensor* matrix = gguf.FindTensor("matrix");
  ASSERT_NE(matrix, nullptr);
  EXPECT_EQ(matrix->type, GgmlType::kQ4_0);
  EXPECT_EQ(matrix->shape, (std::vector<int64_t>{3, 64}));
  EXPECT_EQ(matrix->bytes.size(), 18u * 2 * 3);
  EXPECT_EQ(matrix->bytes.data(), gguf.tensors()[0].bytes.data() + 32);
  EXPECT_TRUE(gguf.FindTensor("empty")->bytes.empty());
  EXPECT_EQ(gguf.FindTensor("nothing"), nullptr);
}

TEST(Gguf, AnAlignmentOfTheFilesOwnIsKept) {
  GgufBytes bytes;
  bytes.alignment = 64;
  bytes.Key("general.alignment", kUint32, Raw<uint32_t>(64)).Tensor("a", {1}, kF32Id, 64);
  const std::string file = bytes.Build(std::string(68, 'x'));
  EXPECT_EQ(Parse(file).tensors()[0].bytes.data(),
            std::as_bytes(std::span(file)).data() + file.size() - 4);
  bytes.infos.clear();
  bytes.num_tensors = 0;
  bytes.Tensor("a", {1}, kF32Id, 32);
  EXPECT_ERROR(Parse(bytes.Build(std::string(68, 'x'))), "tensor 'a' begins at byte 32", "64");
  for (const uint32_t alignment : {0u, 24u}) {
    EXPECT_ERROR(Parse(GgufBytes().Key("general.alignment", kUint32, Raw(alignment)).Build()),
                 "key 'general.alignment' is ", "a power of two");
  }
}

TEST(Gguf, TruncatedFilesAreRefused) {
  const std::string whole = GgufBytes()
                                .Key("text", kString, Text("gemma3"))
                                .Array("strings", kString, 2, Text("a") + Text("b"))
                                .Array("ints", kInt32, 1, Raw<int32_t>(1))
                                .Tensor("a", {2}, kF32Id, 0)
                                .Build("12345678");
  ASSERT_EQ(Parse(whole).tensors().size(), 1u);
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_ERROR(Parse(whole.substr(0, length)), "model.gguf: ");
  }
  EXPECT_ERROR(Parse(whole.substr(0, whole.size() - 1)),
               "tensor 'a' takes 8 bytes from byte 0 of the data, which has 7", "truncated");
  EXPECT_ERROR(Parse(whole.substr(0, 40)), "ends inside key 'text'; it is truncated");
}

TEST(Gguf, OtherFilesAreRefusedByWhatTheyAre) {
  EXPECT_ERROR(Parse("PK\x03\x04 and more"), "does not begin with GGUF");
  EXPECT_ERROR(Parse("version https://git-lfs.github.com/spec/v1\n"), "run git lfs pull");
  GgufBytes bytes;
  bytes.version = 2;
  EXPECT_ERROR(Parse(bytes.Build()), "is GGUF version 2, Carat reads version 3");
  bytes.version = 0x03000000;
  EXPECT_ERROR(Parse(bytes.Build()), "is big-endian");
}

TEST(Gguf, CountsThatLieAreRefused) {
  constexpr uint64_t kLies[] = {2, uint64_t{1} << 40, UINT64_MAX / 4 + 1, UINT64_MAX};
  for (const uint64_t lie : kLies) {
    GgufBytes bytes;
    bytes.num_keys = lie;
    EXPECT_ERROR(Parse(bytes.Build()), "truncated");
    bytes.num_keys = 0;
    bytes.num_tensors = lie;
    EXPECT_ERROR(Parse(bytes.Build()), "truncated");
    for (const GgufValueType type : {kUint8, kInt32, kString, kFloat64}) {
      EXPECT_ERROR(Parse(GgufBytes().Array("a", type, lie * 50, "").Build()),
                   "ends inside key 'a'");
    }
    EXPECT_ERROR(Parse(GgufBytes().Key("a", kString, Raw(lie * 50)).Build()),
                 "ends inside key 'a'");
  }
}

TEST(Gguf, KeysThatLieAreRefused) {
  EXPECT_ERROR(Parse(GgufBytes().Key("a", static_cast<GgufValueType>(13), "").Build()),
               "key 'a' has the unknown value type 13");
  EXPECT_ERROR(Parse(GgufBytes().Array("a", kArray, 1, Raw(kUint8)).Build()), "array of arrays");
  EXPECT_ERROR(Parse(GgufBytes().Key("a", kBool, "\1").Key("a", kBool, "\1").Build()),
               "'a' is given twice");
  EXPECT_ERROR(Parse(GgufBytes().Key("a\n", kBool, "\1").Build()), "key 0 is not printable");
  EXPECT_ERROR(Parse(GgufBytes().Key(std::string(256, 'a'), kBool, "\1").Build()),
               "key 0 is 256 bytes long");
}

TEST(Gguf, TensorsThatLieAreRefused) {
  const auto one = [](std::initializer_list<uint64_t> extents, uint32_t type, uint64_t offset) {
    return GgufBytes().Tensor("a", extents, type, offset).Build(std::string(64, 'x'));
  };
  EXPECT_NO_THROW(Parse(one({16}, kF32Id, 0)));
  EXPECT_ERROR(Parse(one({16}, 23, 0)), "tensor 'a' has the type IQ4_XS, Carat reads F32, F16");
  EXPECT_ERROR(Parse(one({16}, 99, 0)), "tensor 'a' has the type 99");
  EXPECT_ERROR(Parse(one({17}, kF32Id, 0)), "takes 68 bytes from byte 0", "has 64");
  EXPECT_ERROR(Parse(one({9}, kF32Id, 32)), "takes 36 bytes from byte 32", "has 64");
  EXPECT_ERROR(Parse(one({1}, kF32Id, 96)), "from byte 96", "has 64");
  EXPECT_ERROR(Parse(one({1}, kF32Id, UINT64_MAX - 31)), "from byte 18446744073709551584");
  EXPECT_ERROR(Parse(one({1}, kF32Id, 16)), "begins at byte 16", "no multiple of 32");
  EXPECT_ERROR(Parse(one({40}, kQ4_0Id, 0)), "tensor 'a' is Q4_0 [40]", "the block of Q4_0");
  EXPECT_ERROR(Parse(one({}, kQ4_0Id, 0)), "the block of Q4_0");
  EXPECT_ERROR(Parse(one({1, 1, 1, 1, 1}, kF32Id, 0)), "has 5 dimensions");
  EXPECT_ERROR(Parse(one({UINT64_MAX}, kF32Id, 0)), "impossible shape [-1]");
  EXPECT_ERROR(Parse(one({4, UINT64_MAX}, kF32Id, 0)), "impossible shape [-1, 4]");
  EXPECT_ERROR(Parse(one({uint64_t{1} << 32, uint64_t{1} << 32}, kF32Id, 0)), "impossible shape");
  EXPECT_ERROR(Parse(one({INT64_MAX, INT64_MAX, 0}, kF32Id, 0)), "impossible shape");
  EXPECT_ERROR(Parse(GgufBytes().Tensor("a\xff", {1}, kF32Id, 0).Build("1234")), "printable");
}

TEST(Gguf, TensorsGivenTwiceOrOverlappingAreRefused) {
  const auto two = [](std::string_view name, uint64_t offset) {
    return GgufBytes()
        .Tensor("a", {16}, kF32Id, 32)
        .Tensor(name, {9}, kF32Id, offset)
        .Build(std::string(192, 'x'));
  };
  EXPECT_NO_THROW(Parse(two("b", 96)));
  EXPECT_ERROR(Parse(two("a", 96)), "tensor 'a' is given twice");
  EXPECT_ERROR(Parse(two("b", 0)), "tensors 'b' and 'a' overlap");
  EXPECT_ERROR(Parse(two("b", 64)), "tensors 'a' and 'b' overlap");
}

}  // namespace
}  // namespace carat::checkpoint
