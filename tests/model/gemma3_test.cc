#include "carat/model/gemma3.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "carat/base/error.h"
#include "carat/checkpoint/checkpoint.h"
#include "carat/graph/printer.h"
#include "carat/graph/verifier.h"
#include "carat/model/architecture.h"
#include "carat/model/checkpoint_weights.h"

namespace carat::model {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

// The shape of Gemma 3 270M with three layers: sliding, sliding, full.
ModelConfig SmallConfig() {
  ModelConfig config;
  config.architecture = "Gemma3ForCausalLM";
  config.model_type = "gemma3_text";
  config.vocab_size = 1000;
  config.hidden_size = 640;
  config.intermediate_size = 2048;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 1;
  config.head_dim = 256;
  config.max_position_embeddings = 32768;
  config.sliding_window = 512;
  config.query_pre_attn_scalar = 256;
  config.rms_norm_eps = 1e-6;
  config.layer_types = {LayerKind::kSlidingAttention, LayerKind::kSlidingAttention,
                        LayerKind::kFullAttention};
  config.rope_sliding = {10'000, 1};
  config.rope_full = {1'000'000, 8};
  config.torch_dtype = "bfloat16";
  return config;
}

template <typename Op>
std::vector<Op> OpsOf(const graph::Graph& graph) {
  std::vector<Op> ops;
  for (const graph::Node& node : graph.nodes) {
    if (const auto* op = std::get_if<Op>(&node.op)) ops.push_back(*op);
  }
  return ops;
}

TEST(Gemma3Test, AConfigGivesAVerifiedGraphWithLogitsOfTheVocabulary) {
  const graph::Graph graph = BuildGemma3(SmallConfig());
  graph::Verify(graph);
  const graph::ValueType logits{graph::RowSpace::kOutputs, 1000, graph::ElementType::kF32};
  EXPECT_EQ(graph.TypeOf(graph.output), logits);
}

TEST(Gemma3Test, LayerKindsChooseWindowAndRope) {
  const graph::Graph graph = BuildGemma3(SmallConfig());
  const auto attentions = OpsOf<graph::Attention>(graph);
  ASSERT_EQ(attentions.size(), 3u);
  EXPECT_EQ(attentions[0].sliding_window, 512);
  EXPECT_EQ(attentions[1].sliding_window, 512);
  EXPECT_EQ(attentions[2].sliding_window, 0);
  EXPECT_EQ(attentions[2].layer, 2);
  EXPECT_FLOAT_EQ(attentions[0].scale, 1.0F / 16);
  EXPECT_FALSE(attentions[0].softcap);

  const auto ropes = OpsOf<graph::Rope>(graph);  // q and k of each layer
  ASSERT_EQ(ropes.size(), 6u);
  EXPECT_EQ(ropes[0].angles, (graph::RopeAngles{10'000, 1}));
  EXPECT_EQ(ropes[3].angles, (graph::RopeAngles{10'000, 1}));
  EXPECT_EQ(ropes[4].angles, (graph::RopeAngles{1'000'000, 8}));
  EXPECT_EQ(ropes[5].angles, (graph::RopeAngles{1'000'000, 8}));
}

TEST(Gemma3Test, TheEmbeddingScaleIsRoundedAsInTraining) {
  ModelConfig config = SmallConfig();
  EXPECT_EQ(OpsOf<graph::Embed>(BuildGemma3(config)).at(0).scale, 25.25F);
  config.torch_dtype = "float32";
  EXPECT_EQ(OpsOf<graph::Embed>(BuildGemma3(config)).at(0).scale, std::sqrt(640.0F));
}

TEST(Gemma3Test, WeightsAreCalledAsInTheCheckpoint) {
  ModelConfig config = SmallConfig();
  config.weight_prefix = "model.language_model.";
  std::set<std::string> tensors;
  for (const graph::Weight& weight : BuildGemma3(config).weights) {
    tensors.insert(weight.parts.at(0).name);
    EXPECT_EQ(weight.parts[0].name, "model.language_model." + weight.name + ".weight");
  }
  EXPECT_EQ(tensors.size(), 2u + 3 * 13);
  EXPECT_TRUE(tensors.count("model.language_model.layers.2.self_attn.q_norm.weight"));
}

TEST(Gemma3Test, ATiedHeadSharesTheEmbeddingAndAnotherIsAWeightOfItsOwn) {
  ModelConfig config = SmallConfig();
  const graph::Graph tied = BuildGemma3(config);
  EXPECT_EQ(OpsOf<graph::Linear>(tied).back().weight, OpsOf<graph::Embed>(tied)[0].table);

  config.tie_word_embeddings = false;
  config.lm_head_weight = "language_model.lm_head.weight";
  const graph::Graph untied = BuildGemma3(config);
  const graph::Weight& head = untied.weights.at(OpsOf<graph::Linear>(untied).back().weight);
  EXPECT_EQ(head.name, "lm_head");
  EXPECT_EQ(head.parts.at(0).name, "language_model.lm_head.weight");
  EXPECT_EQ(head.rows(), 1000);
}

TEST(Gemma3Test, SoftcapsAppearOnlyWhereTheConfigSetsThem) {
  ModelConfig config = SmallConfig();
  EXPECT_THAT(graph::PrintGraph(BuildGemma3(config)), Not(HasSubstr("softcap")));
  config.attn_logit_softcapping = 50;
  config.final_logit_softcapping = 30;
  const graph::Graph graph = BuildGemma3(config);
  for (const auto& attention : OpsOf<graph::Attention>(graph)) EXPECT_EQ(attention.softcap, 50.0F);
  EXPECT_TRUE(std::holds_alternative<graph::Softcap>(graph.nodes.back().op));
}

TEST(Gemma3Test, RowsAreSelectedBeforeTheFinalNorm) {
  const graph::Graph graph = BuildGemma3(SmallConfig());
  const size_t count = graph.nodes.size();
  EXPECT_TRUE(std::holds_alternative<graph::SelectRows>(graph.nodes[count - 3].op));
  EXPECT_TRUE(std::holds_alternative<graph::RmsNorm>(graph.nodes[count - 2].op));
}

TEST(ArchitectureTest, BothNamesOfGemma3BuildTheSameGraph) {
  ModelConfig config = SmallConfig();
  const std::string text = graph::PrintGraph(BuildGraph(config));
  config.architecture = "Gemma3ForConditionalGeneration";
  EXPECT_EQ(graph::PrintGraph(BuildGraph(config)), text);
}

TEST(ArchitectureTest, AnUnknownNameListsTheKnownOnes) {
  ModelConfig config = SmallConfig();
  config.architecture = "LlamaForCausalLM";
  EXPECT_THAT([&] { BuildGraph(config); },
              ThrowsMessage<Error>(HasSubstr("'LlamaForCausalLM' is not supported; Carat knows "
                                             "Gemma3ForCausalLM, Gemma3ForConditionalGeneration")));
}

class CheckpointWeightsTest : public testing::Test {
 protected:
  const checkpoint::Checkpoint checkpoint_ =
      checkpoint::Checkpoint::Open(std::filesystem::path(CARAT_SOURCE_DIR) / "models/demo");
};

TEST_F(CheckpointWeightsTest, AFormatRoundsMatricesAndLeavesVectors) {
  const graph::SourceTensor matrix{"model.layers.0.mlp.up_proj.weight", 512, 128};
  const graph::SourceTensor vector{"model.layers.0.input_layernorm.weight", 1, 128, true};
  const auto exact = CheckpointWeights(checkpoint_);
  const auto rounded = CheckpointWeights(checkpoint_, quantization::FindScheme("q4_0"));
  EXPECT_EQ(exact(vector), rounded(vector));
  const std::vector<float> a = exact(matrix);
  const std::vector<float> b = rounded(matrix);
  ASSERT_EQ(a.size(), 512u * 128);
  ASSERT_EQ(b.size(), a.size());
  EXPECT_NE(a, b);
  for (size_t i = 0; i < a.size(); ++i) {
    // Half a step of q4_0, or a whole one at the end that has no +8, is at most 1/8 of the largest.
    const auto block = std::span(a).subspan(i / 32 * 32, 32);
    const auto [low, high] = std::ranges::minmax(block);
    ASSERT_LE(std::abs(a[i] - b[i]), std::max(-low, high) * 0.126F) << i;
  }
}

TEST_F(CheckpointWeightsTest, AShapeThatTheConfigDoesNotGiveIsRefused) {
  const graph::SourceTensor wrong{"model.layers.0.mlp.up_proj.weight", 640, 128};
  EXPECT_THAT([&] { CheckpointWeights(checkpoint_)(wrong); },
              ThrowsMessage<Error>(HasSubstr("config.json")));
}

}  // namespace
}  // namespace carat::model
