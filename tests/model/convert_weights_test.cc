#include "carat/model/convert_weights.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/base/interrupt.h"
#include "carat/base/json.h"
#include "carat/base/numeric.h"
#include "carat/checkpoint/tensor_cache.h"
#include "tests/base/expect_error.h"
#include "tests/base/text_files.h"

namespace carat::model {
namespace {

namespace fs = std::filesystem;
using checkpoint::Checkpoint;
using checkpoint::TensorCache;
using checkpoint::TensorInfo;

fs::path DemoFolder() { return fs::path(CARAT_SOURCE_DIR) / "models/demo"; }

void Convert(const fs::path& folder, const std::string& quantization,
             const ProgressCallback& progress = {}) {
  const Checkpoint checkpoint = Checkpoint::Open(DemoFolder());
  ModelConfig config = LoadModelConfig(DemoFolder());
  ResolveWeightNames(checkpoint, config);
  ConvertWeights(checkpoint, config, FindMlcQuantization(quantization), folder, progress);
}

// The md5sums of MLC's own shards (tests/data/mlc/make.py).
std::map<std::string, std::string> MlcMd5Sums(const std::string& quantization) {
  std::ifstream file(fs::path(CARAT_SOURCE_DIR) / "tests/data/mlc/converted.txt");
  std::map<std::string, std::string> sums;
  for (std::string name, shard, md5; file >> name >> shard >> md5;) {
    if (name == quantization) sums[shard] = md5;
  }
  EXPECT_FALSE(sums.empty());
  return sums;
}

// The same, out of an index.
std::map<std::string, std::string> WrittenMd5Sums(const fs::path& folder) {
  const Json json = ParseJsonFile(folder / "tensor-cache.json");
  std::map<std::string, std::string> sums;
  for (auto& shard : checkpoint::ParseTensorCache(json, "tensor-cache.json")) {
    sums[shard.data_path] = shard.md5sum;
  }
  return sums;
}

TEST(ConvertWeightsTest, WritesTheBytesOfMlcWhereNormsAreBfloat16) {
  for (const std::string quantization : {"q4f32_1", "q0f32"}) {
    const TemporaryFolder folder;
    Convert(folder.path(), quantization);
    EXPECT_EQ(WrittenMd5Sums(folder.path()), MlcMd5Sums(quantization)) << quantization;
  }
}

float ReadElement(const TensorInfo& tensor, size_t i) {
  uint16_t bits;
  std::memcpy(&bits, tensor.bytes.data() + i * sizeof bits, sizeof bits);
  return tensor.dtype == checkpoint::DType::kF16 ? F16ToFloat(bits) : BF16ToFloat(bits);
}

TEST(ConvertWeightsTest, NormsAreOnePlusTheWeightRoundedOnce) {
  const TemporaryFolder folder;
  Convert(folder.path(), "q4f16_1");
  const TensorCache cache = TensorCache::Open(folder.path());
  const Checkpoint checkpoint = Checkpoint::Open(DemoFolder());
  const TensorInfo& source = *checkpoint.Find("model.layers.3.input_layernorm.weight");
  const std::vector<float> values = checkpoint.Read(source);
  const TensorInfo* norm = cache.Find("language_model.model.layers.3.input_layernorm.weight");
  ASSERT_NE(norm, nullptr);
  ASSERT_EQ(norm->dtype, checkpoint::DType::kF16);
  bool is_finer_than_bf16 = false;
  for (size_t i = 0; i < values.size(); ++i) {
    const float expected = F16ToFloat(FloatToF16(1 + values[i]));
    EXPECT_EQ(ReadElement(*norm, i), expected);
    is_finer_than_bf16 |= BF16ToFloat(FloatToBF16(expected)) != expected;
  }
  EXPECT_TRUE(is_finer_than_bf16);
}

TEST(ConvertWeightsTest, UpFollowsGate) {
  const TemporaryFolder folder;
  Convert(folder.path(), "q0f16");
  const TensorCache cache = TensorCache::Open(folder.path());
  const TensorInfo* merged = cache.Find("language_model.model.layers.1.mlp.gate_up_proj.weight");
  ASSERT_NE(merged, nullptr);
  const Checkpoint checkpoint = Checkpoint::Open(DemoFolder());
  size_t i = 0;
  for (const char* part : {"gate", "up"}) {
    const std::string name = fmt::format("model.layers.1.mlp.{}_proj.weight", part);
    for (const float value : checkpoint.Read(*checkpoint.Find(name))) {
      ASSERT_EQ(ReadElement(*merged, i++), F16ToFloat(FloatToF16(value))) << name;
    }
  }
  EXPECT_EQ(i * sizeof(uint16_t), merged->bytes.size());
}

TEST(ConvertWeightsTest, CtrlCLeavesTheFolderAsItWas) {
  const TemporaryFolder folder;
  WriteText(folder, "mlc-chat-config.json", "{}");
  const InterruptGuard guard;
  const auto interrupt = [](int64_t done, int64_t total) {
    if (done > total / 2) raise(SIGINT);
  };
  EXPECT_THROW(Convert(folder.path(), "q4f16_1", interrupt), InterruptedError);
  ClearInterrupt();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST(ConvertWeightsTest, RefusesShapesThatDisagree) {
  const TemporaryFolder folder;
  ModelConfig config = LoadModelConfig(DemoFolder());
  const Checkpoint demo = Checkpoint::Open(DemoFolder());
  config.intermediate_size = 513;
  EXPECT_ERROR(ConvertWeights(demo, config, FindMlcQuantization("q4f16_1"), folder.path()),
               "gate_proj.weight' says [512, 128]", "config.json gives [513, 128]");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace carat::model
