#include "carat/compiler/codegen/webgpu/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "carat/base/error.h"
#include "carat/model/architecture.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler::webgpu {
namespace {

using ::testing::HasSubstr;

// WebGPU's guaranteed maxStorageBufferBindingSize.
constexpr uint64_t kMaxBindingBytes = uint64_t{128} << 20;

model::ModelConfig Config270M() {
  model::ModelConfig config = SmallConfig();
  config.vocab_size = 262144;
  config.hidden_size = 640;
  config.intermediate_size = 2048;
  config.num_hidden_layers = 18;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 1;
  config.head_dim = 256;
  config.max_position_embeddings = 32768;
  config.sliding_window = 512;
  config.layer_types.assign(18, model::LayerKind::kSlidingAttention);
  for (const size_t layer : {5, 11, 17}) {
    config.layer_types[layer] = model::LayerKind::kFullAttention;
  }
  return config;
}

PlanModel Generate(const model::ModelConfig& config, OptLevel level = OptLevel::kO3,
                   const Features& features = {}) {
  const graph::Graph graph =
      RunPasses(model::BuildGraph(config), PassesOf(level, quantization::FindScheme("q0f32")));
  const Program program = MakeWebGpuProgram(graph, {level, 512});
  return GenerateWebGpu({program, config, model::FindMlcQuantization("q4f16_1"),
                         config.max_position_embeddings, features});
}

const PlanFunction& Find(const PlanModel& plan, std::string_view name) {
  return *std::ranges::find(plan.functions, name, &PlanFunction::name);
}

uint64_t BytesAt(const Expression& size, uint64_t context) {
  const uint64_t value = size.variable == Variable::kContext ? context : 0;
  return std::clamp<uint64_t>((value * size.multiplier + size.addend) / size.divisor, size.minimum,
                              size.maximum);
}

TEST(GenerateWebGpu, DecodesATokenInSixDispatchesALayer) {
  const PlanModel plan = Generate(Config270M());
  // And two for the head: its input, and the product.
  EXPECT_EQ(Find(plan, "decode").launches.size(), 18 * 6 + 2);
  EXPECT_EQ(Find(plan, "embed").launches.size(), 1);
}

TEST(GenerateWebGpu, KeepsTo270MsBuffersThatEveryAdapterBinds) {
  const PlanModel plan = Generate(Config270M());
  for (const PlanParameter& parameter : plan.parameters) {
    EXPECT_LE(parameter.num_bytes, kMaxBindingBytes) << parameter.name;
  }
  for (const auto* buffers : {&plan.scratch, &plan.cache, &plan.merged}) {
    for (const Expression& size : *buffers) EXPECT_LE(BytesAt(size, 32768), kMaxBindingBytes);
  }
}

TEST(GenerateWebGpu, KeepsTheWindowOfSlidingLayersAlone) {
  const PlanModel plan = Generate(Config270M());
  ASSERT_EQ(plan.cache.size(), 2 * 18);  // keys and values
  constexpr uint64_t kTokenBytes = 256 * 2;
  EXPECT_EQ(BytesAt(plan.cache[0], 32768), (512 + 512) * kTokenBytes);  // the window and a chunk
  EXPECT_EQ(BytesAt(plan.cache[1], 32768), (512 + 512) * kTokenBytes);
  EXPECT_EQ(BytesAt(plan.cache[10], 32768), 32768 * kTokenBytes);  // layer 5
  EXPECT_EQ(BytesAt(plan.cache[0], 100), 100 * kTokenBytes);
}

// WebGPU refuses a dispatch that reads a buffer by one binding and writes it by another.
TEST(GenerateWebGpu, NeverBindsABufferTwiceIfOneBindingWrites) {
  for (const OptLevel level : {OptLevel::kO0, OptLevel::kO1, OptLevel::kO2, OptLevel::kO3}) {
    const PlanModel plan = Generate(SmallConfig(), level);
    for (const PlanFunction& function : plan.functions) {
      for (const PlanLaunch& launch : function.launches) {
        const std::vector<bool>& writes = plan.kernels[launch.kernel].writes;
        for (size_t i = 0; i < launch.buffers.size(); ++i) {
          for (size_t j = i + 1; j < launch.buffers.size(); ++j) {
            const bool is_same = launch.buffers[i].place == launch.buffers[j].place &&
                                 launch.buffers[i].index == launch.buffers[j].index;
            EXPECT_FALSE(is_same && (writes[i] || writes[j]))
                << function.name << ": " << plan.kernels[launch.kernel].name;
          }
        }
      }
    }
  }
}

TEST(GenerateWebGpu, SharesKernelsBetweenLayers) {
  model::ModelConfig deep = SmallConfig();
  for (int i = 0; i < 9; ++i) deep.layer_types.push_back(deep.layer_types[i % 3]);
  deep.num_hidden_layers = static_cast<int64_t>(deep.layer_types.size());
  EXPECT_EQ(Generate(deep).kernels.size(), Generate(SmallConfig()).kernels.size());
}

TEST(GenerateWebGpu, UsesFeaturesOnlyWhereAskedTo) {
  const auto uses = [](const PlanModel& plan, std::string_view extension) {
    return std::ranges::any_of(plan.kernels, [&](const WgslKernel& kernel) {
      return kernel.wgsl.find("enable " + std::string(extension)) != std::string::npos;
    });
  };
  EXPECT_FALSE(uses(Generate(SmallConfig()), "subgroups"));
  EXPECT_FALSE(uses(Generate(SmallConfig()), "f16"));
  const PlanModel subgroups = Generate(SmallConfig(), OptLevel::kO3, {.subgroups = true});
  EXPECT_TRUE(uses(subgroups, "subgroups"));
  EXPECT_FALSE(uses(subgroups, "f16"));
  EXPECT_TRUE(
      uses(Generate(SmallConfig(), OptLevel::kO3, {.subgroups = true, .shader_f16 = true}), "f16"));
}

TEST(GenerateWebGpu, SaysInItsMetadataWhatWebLlmReads) {
  const auto metadata = nlohmann::json::parse(Generate(SmallConfig()).metadata);
  EXPECT_EQ(metadata.at("prefill_chunk_size"), 512);
  EXPECT_EQ(metadata.at("kv_state_kind"), "kv_cache");
  EXPECT_EQ(metadata.at("params").at(0).at("name"), "language_model.model.embed_tokens.q_weight");
  EXPECT_EQ(metadata.at("params").at(0).at("dtype"), "uint32");
}

TEST(GenerateWebGpu, RefusesShapesItHasNoKernelsFor) {
  model::ModelConfig config = SmallConfig();
  config.hidden_size = 60;
  EXPECT_THAT([&] { Generate(config); },
              testing::ThrowsMessage<Error>(HasSubstr("rows of 60 values")));
  config = SmallConfig();
  config.head_dim = 512;
  EXPECT_THAT([&] { Generate(config); }, testing::ThrowsMessage<Error>(HasSubstr("head_dim 512")));
  config = SmallConfig();
  config.num_attention_heads = 64;
  config.num_key_value_heads = 1;
  config.head_dim = 256;
  EXPECT_THAT([&] { Generate(config); },
              testing::ThrowsMessage<Error>(HasSubstr("bytes of workgroup memory")));
}

}  // namespace
}  // namespace carat::compiler::webgpu
