#include "carat/checkpoint/tensor_cache.h"

#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "carat/base/interrupt.h"
#include "carat/base/json.h"
#include "carat/base/md5.h"
#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat::checkpoint {
namespace {

constexpr char kShardBytes[] = "abcdefghijklmnopqrstuvwx";  // and the 0 at the end

// An index of one shard of 24 bytes: 'a' is uint32 [2, 2], 'b' float32 [2, 2] stored as bfloat16.
Json Index() {
  return {{"metadata", {{"ParamSize", 2}}},
          {"records",
           {{{"dataPath", "params_shard_0.bin"},
             {"format", "raw-shard"},
             {"nbytes", 24},
             {"records",
              {{{"name", "a"},
                {"shape", {2, 2}},
                {"dtype", "uint32"},
                {"format", "f32-to-bf16"},
                {"nbytes", 16},
                {"byteOffset", 0}},
               {{"name", "b"},
                {"shape", {2, 2}},
                {"dtype", "float32"},
                {"format", "f32-to-bf16"},
                {"nbytes", 8},
                {"byteOffset", 16}}}},
             {"md5sum", "90bdecaf15cb0df85b05fc1e8794da3f"}}}}};
}

Json& Shard(Json& index) { return index["records"][0]; }
Json& Record(Json& index, size_t i) { return Shard(index)["records"][i]; }

std::vector<TensorCacheShard> ParseWith(const std::string& field, const Json& value, size_t i = 1) {
  Json index = Index();
  Record(index, i)[field] = value;
  return ParseTensorCache(index, "tensor-cache.json");
}

std::vector<TensorCacheShard> ParseWithShard(const std::string& field, const Json& value) {
  Json index = Index();
  Shard(index)[field] = value;
  return ParseTensorCache(index, "tensor-cache.json");
}

std::string Md5Of(std::string_view text) {
  Md5 md5;
  md5.Append(std::as_bytes(std::span(text)));
  return md5.HexDigest();
}

TEST(ParseTensorCacheTest, ReadsShardsAndTheirTensors) {
  const std::vector<TensorCacheShard> shards = ParseTensorCache(Index(), "tensor-cache.json");
  ASSERT_EQ(shards.size(), 1u);
  EXPECT_EQ(shards[0].data_path, "params_shard_0.bin");
  EXPECT_EQ(shards[0].nbytes, 24u);
  ASSERT_EQ(shards[0].tensors.size(), 2u);
  EXPECT_EQ(shards[0].tensors[0].dtype, DType::kU32);
  EXPECT_EQ(shards[0].tensors[1].shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(shards[0].offsets[1], 16u);
}

TEST(ParseTensorCacheTest, OnlyFloat32ChangesWithItsFormat) {
  EXPECT_EQ(ParseWith("format", "f32-to-bf16")[0].tensors[1].dtype, DType::kBF16);
  EXPECT_EQ(ParseWith("dtype", "float16")[0].tensors[1].dtype, DType::kF16);
  EXPECT_EQ(ParseWith("dtype", "bfloat16")[0].tensors[1].dtype, DType::kBF16);
  EXPECT_ERROR(ParseWith("format", "raw"), "tensor 'b': is float32 [2, 2] and should take 16 bytes",
               "its nbytes are 8");
}

TEST(ParseTensorCacheTest, RefusesTensorsOutsideTheirShardOrOverEachOther) {
  EXPECT_ERROR(ParseWith("byteOffset", 17), "tensor 'b': takes 8 bytes from byte 17 on",
               "params_shard_0.bin has 24");
  EXPECT_ERROR(ParseWith("byteOffset", INT64_MAX), "params_shard_0.bin has 24");
  EXPECT_ERROR(ParseWith("byteOffset", -1), "'byteOffset' is -1");
  EXPECT_ERROR(ParseWith("byteOffset", uint64_t{1} << 63), "'byteOffset'");
  EXPECT_ERROR(ParseWith("byteOffset", 12), "tensors 'a' and 'b' overlap in params_shard_0.bin");
}

TEST(ParseTensorCacheTest, RefusesFieldsThatLie) {
  EXPECT_ERROR(ParseWith("shape", {2, 3}), "should take 12 bytes");
  EXPECT_ERROR(ParseWith("shape", {-2, -2}), "impossible shape [-2, -2]");
  EXPECT_ERROR(ParseWith("shape", {int64_t{1} << 62, int64_t{1} << 62}), "impossible shape");
  EXPECT_ERROR(ParseWith("shape", {int64_t{1} << 62, int64_t{1} << 62, 0}), "impossible shape");
  EXPECT_ERROR(ParseWith("shape", Json::array({1, 1, 1, 1, 1, 1, 1, 1, 4})),
               "at most 8 dimensions");
  EXPECT_ERROR(ParseWith("shape", 4), "'shape' is 4, expected a list");
  EXPECT_ERROR(ParseWith("shape", {2.5}), "holds 2.5");
  EXPECT_ERROR(ParseWith("dtype", "int4"), "tensor 'b'", "'dtype' is \"int4\"");
  EXPECT_ERROR(ParseWith("format", "zip"), "tensor 'b'", "\"raw\" or \"f32-to-bf16\"");
  EXPECT_ERROR(ParseWith("nbytes", "8"), "'nbytes'", "an integer");
  EXPECT_ERROR(ParseWith("name", nullptr), "a tensor of params_shard_0.bin: field 'name'");
  EXPECT_ERROR(ParseWith("name", "a"), "names the tensor 'a' twice");
  EXPECT_ERROR(ParseTensorCache(Json::array(), "tensor-cache.json"), "expected an object");
  EXPECT_ERROR(ParseTensorCache(Json::object(), "tensor-cache.json"), "'records' is missing");
}

TEST(ParseTensorCacheTest, AShardIsAFileOfTheSameFolder) {
  for (const char* path : {"../x", "/etc/passwd", "..", ".", "", "a/b", "a/"}) {
    EXPECT_ERROR(ParseWithShard("dataPath", path), "shard 0: field 'dataPath'", "same folder");
  }
  EXPECT_ERROR(ParseWithShard("dataPath", std::string("a\0b", 3)), "'dataPath'");
  EXPECT_ERROR(ParseWithShard("format", "zip"), "shard 0: field 'format'", "raw-shard");
  EXPECT_ERROR(ParseWithShard("nbytes", -24), "'nbytes' is -24");
  Json index = Index();
  index["records"].push_back(Shard(index));
  EXPECT_ERROR(ParseTensorCache(index, "tensor-cache.json"), "params_shard_0.bin twice");
}

class TensorCacheTest : public ::testing::Test {
 protected:
  void Write(const Json& index, const std::string& name = "tensor-cache.json") {
    WriteText(folder_, name, index.dump());
    WriteText(folder_, "params_shard_0.bin", std::string(kShardBytes, 24));
  }

  TemporaryFolder folder_;
};

TEST_F(TensorCacheTest, MapsTheBytesOfEveryTensor) {
  Json index = Index();
  Shard(index)["md5sum"] = Md5Of(kShardBytes);
  Write(index);
  const TensorCache cache = TensorCache::Open(folder_.path());
  cache.CheckMd5();
  ASSERT_NE(cache.Find("b"), nullptr);
  EXPECT_EQ(cache.Find("b")->bytes.size(), 8u);
  EXPECT_EQ(static_cast<char>(cache.Find("b")->bytes[0]), 'q');
  EXPECT_EQ(static_cast<char>(cache.Find("a")->bytes[0]), 'a');
  EXPECT_EQ(cache.Find("c"), nullptr);
}

TEST_F(TensorCacheTest, ReadsTheOlderNameAndPrefersTheNewerOne) {
  Write(Index(), "ndarray-cache.json");
  EXPECT_EQ(TensorCache::Open(folder_.path()).index_name(), "ndarray-cache.json");
  Write(Index());
  EXPECT_EQ(TensorCache::Open(folder_.path()).index_name(), "tensor-cache.json");
}

TEST_F(TensorCacheTest, FindsADamagedShard) {
  Json index = Index();
  Shard(index)["md5sum"] = Md5Of("another shard");
  Write(index);
  const TensorCache cache = TensorCache::Open(folder_.path());
  EXPECT_ERROR(cache.CheckMd5(), "params_shard_0.bin: has the md5sum " + Md5Of(kShardBytes),
               Md5Of("another shard"), "download the folder again");
}

TEST_F(TensorCacheTest, ReportsProgressAndEndsWithCtrlC) {
  Json index = Index();
  Shard(index).erase("md5sum");  // as other writers leave it: nothing to compare with
  Write(index);
  const TensorCache cache = TensorCache::Open(folder_.path());
  int64_t done = 0;
  cache.CheckMd5([&](int64_t now, int64_t total) {
    done = now;
    EXPECT_EQ(total, 24);
  });
  EXPECT_EQ(done, 24);
  const InterruptGuard guard;
  raise(SIGINT);
  EXPECT_THROW(cache.CheckMd5(), InterruptedError);
  ClearInterrupt();
}

TEST_F(TensorCacheTest, RefusesShardsThatAreMissingOrOfAnotherLength) {
  WriteText(folder_, "tensor-cache.json", Index().dump());
  EXPECT_ERROR(TensorCache::Open(folder_.path()), "tensor-cache.json: names the file",
               "download is incomplete");
  WriteText(folder_, "params_shard_0.bin", "short");
  EXPECT_ERROR(TensorCache::Open(folder_.path()), "params_shard_0.bin: is 5 bytes long", "says 24");
}

TEST_F(TensorCacheTest, SaysWhatAFolderWithoutACacheLacks) {
  EXPECT_ERROR(TensorCache::Open(folder_.path()), "has no tensor-cache.json", "convert_weight");
}

}  // namespace
}  // namespace carat::checkpoint
