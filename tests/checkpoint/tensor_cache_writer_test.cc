#include "carat/checkpoint/tensor_cache_writer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "carat/base/numeric.h"
#include "carat/checkpoint/tensor_cache.h"
#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat::checkpoint {
namespace {

namespace fs = std::filesystem;

// The tensors of tests/data/tensor_cache/make.py.
TensorCacheContents Contents() {
  return {{{"a.q_weight", DType::kU32, {5, 8}},
           {"a.q_scale", DType::kF32, {5, 3}},
           {"b.weight", DType::kF16, {7}},
           {"large.q_weight", DType::kU32, {17, 16}},
           {"large.q_scale", DType::kF32, {16, 16}},
           {"c.weight", DType::kF16, {300}},
           {"d.weight", DType::kF32, {125}},
           {"full.q_weight", DType::kU32, {1, 128}},
           {"é.weight", DType::kF32, {3, 3}}},
          7000};
}

template <typename Element>
void Append(Element element, std::vector<std::byte>& bytes) {
  const auto* begin = reinterpret_cast<const std::byte*>(&element);
  bytes.insert(bytes.end(), begin, begin + sizeof element);
}

std::vector<std::byte> Elements(const TensorSpec& tensor) {
  std::vector<std::byte> bytes;
  for (uint32_t i = 0; i < tensor.num_elements(); ++i) {
    const float value = (static_cast<float>(i) - 4) * 0.37F;
    if (tensor.dtype == DType::kU32) Append(i * 2654435761U, bytes);
    if (tensor.dtype == DType::kF16) Append(FloatToF16(value), bytes);
    if (tensor.dtype == DType::kF32) Append(i == 0 ? 3.4e38F : value, bytes);
  }
  return bytes;
}

// In pieces of three elements, to show that pieces do not matter.
void HandOut(const TensorSpec& tensor, const TensorSink& sink) {
  const std::vector<std::byte> bytes = Elements(tensor);
  const size_t piece = 3 * ElementBytes(tensor.dtype);
  for (size_t begin = 0; begin < bytes.size(); begin += piece) {
    sink(std::span(bytes).subspan(begin, std::min(piece, bytes.size() - begin)));
  }
}

void WriteAll(const fs::path& folder, const ProgressCallback& progress = {}) {
  const TensorCacheContents contents = Contents();
  const auto source = [&](size_t index, const TensorSink& sink) {
    HandOut(contents.tensors[index], sink);
  };
  WriteTensorCache(folder, contents, source, progress, 1024);
}

std::vector<std::string> Names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(TensorCacheWriterTest, WritesWhatTvmWritesByteForByte) {
  const TemporaryFolder folder;
  WriteAll(folder.path());
  const fs::path expected = fs::path(CARAT_SOURCE_DIR) / "tests/data/tensor_cache";
  std::vector<std::string> names = Names(expected);
  std::erase(names, "make.py");
  EXPECT_EQ(Names(folder.path()), names);
  for (const std::string& name : names) {
    EXPECT_EQ(ReadAll(folder / name), ReadAll(expected / name)) << name;
  }
}

TEST(TensorCacheWriterTest, WhatIsWrittenCanBeRead) {
  const TemporaryFolder folder;
  WriteAll(folder.path());
  const TensorCache cache = TensorCache::Open(folder.path());
  cache.CheckMd5();
  for (const TensorSpec& tensor : Contents().tensors) {
    const TensorInfo* read = cache.Find(tensor.name);
    ASSERT_NE(read, nullptr) << tensor.name;
    EXPECT_EQ(read->shape, tensor.shape);
    const std::vector<std::byte> elements = Elements(tensor);
    if (tensor.dtype == DType::kF32) {
      EXPECT_EQ(read->dtype, DType::kBF16);
    } else {
      EXPECT_TRUE(std::ranges::equal(read->bytes, elements)) << tensor.name;
    }
  }
}

TEST(TensorCacheWriterTest, ATensorOfHalfAShardIsAlone) {
  const auto spec = [](int64_t count) { return TensorSpec{"t", DType::kF16, {count}}; };
  const std::vector<TensorSpec> tensors = {spec(100), spec(500), spec(100), spec(400), spec(255)};
  // 200 bytes wait while 1000 are written; 200 + 200 + 800 are too many, and 800 are alone; with
  // 510 more it is 910, which fit.
  const std::vector<std::vector<size_t>> expected = {{1}, {3}, {0, 2, 4}};
  EXPECT_EQ(PlanShards(tensors, 1024), expected);
}

TEST(TensorCacheWriterTest, AnOlderCacheStaysWholeWhenANewOneFails) {
  const TemporaryFolder folder;
  WriteAll(folder.path());
  const std::vector<std::string> names = Names(folder.path());
  const std::string index = ReadAll(folder / "tensor-cache.json");
  const auto fail = [](int64_t done, int64_t total) {
    if (done == total) throw Error("stop");
  };
  EXPECT_ERROR(WriteAll(folder.path(), fail), "stop");
  EXPECT_EQ(Names(folder.path()), names);
  EXPECT_EQ(ReadAll(folder / "tensor-cache.json"), index);
}

TEST(TensorCacheWriterTest, ACacheWithoutFloat32HasNoSecondIndex) {
  const TemporaryFolder folder;
  WriteText(folder, "tensor-cache-b16.json", "of an older cache");
  WriteText(folder, "mlc-chat-config.json", "{}");
  const TensorCacheContents contents = {{{"a", DType::kF16, {4}}}, 4};
  WriteTensorCache(folder.path(), contents, [&](size_t index, const TensorSink& sink) {
    HandOut(contents.tensors[index], sink);
  });
  const std::vector<std::string> expected = {"mlc-chat-config.json", "params_shard_0.bin",
                                             "tensor-cache.json"};
  EXPECT_EQ(Names(folder.path()), expected);
}

TEST(TensorCacheWriterTest, RefusesElementsThatDoNotFillTheShape) {
  const TemporaryFolder folder;
  const TensorCacheContents contents = {{{"a", DType::kF16, {4}}}, 4};
  const std::vector<std::byte> bytes(6);
  EXPECT_ERROR(WriteTensorCache(folder.path(), contents,
                                [&](size_t, const TensorSink& sink) { sink(bytes); }),
               "tensor 'a': 6 bytes were written, its shape [4] takes 8");
  EXPECT_TRUE(Names(folder.path()).empty());
}

}  // namespace
}  // namespace carat::checkpoint
