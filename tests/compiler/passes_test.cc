#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "carat/base/error.h"
#include "carat/compiler/passes/pass.h"
#include "carat/graph/verifier.h"
#include "tests/compiler/model_graph.h"

namespace carat::compiler {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

quantization::QuantizationScheme Q4() { return quantization::FindScheme("q4_0"); }

// Every pass keeps the meaning; the interpreter, which rounds nothing, shows it.
void ExpectSameLogits(const graph::Graph& before, const graph::Graph& after) {
  graph::Verify(after);
  const std::vector<int32_t> rows = {0, 5, 15};
  const std::vector<float> expected = Interpret(before, rows);
  const std::vector<float> actual = Interpret(after, rows);
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5) << i;
}

TEST(AssignFormatsTest, MatricesAreQuantizedAndVectorsAreNot) {
  const graph::Graph graph = AssignFormats(SmallGraph(), Q4());
  for (const graph::Weight& weight : graph.weights) {
    const auto expected =
        weight.is_vector() ? quantization::WeightFormat::kF32 : quantization::WeightFormat::kQ4_0;
    EXPECT_EQ(weight.format, expected) << weight.name;
  }
}

TEST(AssignFormatsTest, ATensorThatBlocksCannotHoldIsNamedWithAFormatThatCan) {
  model::ModelConfig config = SmallConfig();
  config.intermediate_size = 80;
  const graph::Graph graph = model::BuildGraph(config);
  EXPECT_THAT(
      [&] { AssignFormats(graph, Q4()); },
      ThrowsMessage<Error>(AllOf(HasSubstr("model.layers.0.mlp.down_proj.weight"),
                                 HasSubstr("80 is not a multiple of 32"), HasSubstr("q0f16"))));
  EXPECT_NO_THROW(AssignFormats(graph, quantization::FindScheme("q0f16")));
}

TEST(FoldNormOffsetTest, TheOffsetMovesIntoTheWeight) {
  const graph::Graph before = SmallGraph();
  const graph::Graph after = FoldNormOffset(before);
  for (const graph::Node& node : after.nodes) {
    if (const auto* norm = std::get_if<graph::RmsNorm>(&node.op)) {
      EXPECT_EQ(norm->weight_offset, 0);
      EXPECT_EQ(after.weights[norm->weight].offset, 1);
    }
  }
  ExpectSameLogits(before, after);
}

TEST(FoldNormOffsetTest, ANormWeightThatAMatrixSharesKeepsItsValueThere) {
  graph::Graph graph("shared");
  graph::Weight weight;
  weight.name = "w";
  weight.parts = {{"w", 1, 8, /*is_vector=*/true}};
  const auto table = graph.AddWeight({.name = "embed", .parts = {{"embed", 50, 8}}});
  const auto w = graph.AddWeight(weight);
  const auto h = graph.Embed(graph.Tokens(), table, 1, "h");
  const auto a = graph.RmsNorm(h, w, 1e-6F, 1, 1, "a");
  const auto b = graph.RmsNorm(h, w, 1e-6F, 1, 0, "b");
  graph.output = graph.Linear(graph.SelectRows(graph.Add(a, b, "sum"), "rows"), table, "logits");
  ExpectSameLogits(graph, FoldNormOffset(graph));
}

TEST(MergeLinearsTest, QkvAndGateUpBecomeOneEach) {
  const graph::Graph before = SmallGraph();
  const graph::Graph after = MergeLinears(before);
  EXPECT_EQ(CountOps<graph::Linear>(before), 3 * 7 + 1);
  EXPECT_EQ(CountOps<graph::Linear>(after), 3 * 4 + 1);
  const auto qkv =
      std::ranges::find(after.weights, "layers.0.self_attn.q_k_v_proj", &graph::Weight::name);
  ASSERT_NE(qkv, after.weights.end());
  EXPECT_EQ(qkv->rows(), 64 + 32 + 32);
  ExpectSameLogits(before, after);
}

TEST(MergeLinearsTest, LinearsOfDifferentInputsStayApart) {
  const graph::Graph once = MergeLinears(SmallGraph());
  EXPECT_EQ(CountOps<graph::Linear>(MergeLinears(once)), CountOps<graph::Linear>(once));
}

TEST(FuseGeluMulTest, TheGatedActivationBecomesAnEpilogue) {
  const graph::Graph before = MergeLinears(SmallGraph());
  const graph::Graph after = FuseGeluMul(before);
  EXPECT_EQ(CountOps<graph::GeluTanh>(after), 0);
  EXPECT_EQ(CountOps<graph::Mul>(after), 0);
  const auto fused = std::ranges::count_if(after.nodes, [](const graph::Node& node) {
    const auto* linear = std::get_if<graph::Linear>(&node.op);
    return linear != nullptr && linear->epilogue == graph::Epilogue::kGeluMul;
  });
  EXPECT_EQ(fused, 3);
  ExpectSameLogits(before, after);
}

TEST(FuseGeluMulTest, AGateThatIsUsedElsewhereTooIsLeftAlone) {
  graph::Graph graph = MergeLinears(SmallGraph());
  // Another reader of the first gate's activation.
  for (const graph::Node& node : graph.nodes) {
    if (!std::holds_alternative<graph::GeluTanh>(node.op)) continue;
    const graph::ValueId extra = graph.SelectRows(graph.Slice(node.output, 0, 50, "extra"), "rows");
    graph.output = graph.Add(graph.output, extra, "both");
    break;
  }
  const graph::Graph after = FuseGeluMul(graph);
  EXPECT_EQ(CountOps<graph::GeluTanh>(after), 1);
  ExpectSameLogits(graph, after);
}

TEST(NarrowOutputsTest, TheLastLayersMlpSeesOnlySelectedRows) {
  const graph::Graph before = SmallGraph();
  const graph::Graph after = NarrowOutputs(before);
  const auto rows_of = [&](std::string_view name) {
    return std::ranges::find(after.values, name, &graph::Value::name)->type.rows;
  };
  EXPECT_EQ(rows_of("layers.2.down"), graph::RowSpace::kOutputs);
  EXPECT_EQ(rows_of("layers.2.k"), graph::RowSpace::kTokens);
  EXPECT_EQ(rows_of("layers.1.down"), graph::RowSpace::kTokens);
  ExpectSameLogits(before, after);
}

TEST(QuantizeActivationsTest, LinearsOfOneInputShareItsQuantization) {
  const graph::Graph before = AssignFormats(SmallGraph(), Q4());
  const graph::Graph after = QuantizeActivations(before);
  EXPECT_EQ(CountOps<graph::Quantize>(after), 3 * 4 + 1);
  ExpectSameLogits(before, after);
}

TEST(QuantizeActivationsTest, FloatWeightsMeetFloatActivations) {
  const graph::Graph graph = AssignFormats(SmallGraph(), quantization::FindScheme("q0f16"));
  EXPECT_EQ(CountOps<graph::Quantize>(QuantizeActivations(graph)), 0);
}

TEST(QuantizeActivationsTest, EachLinearGetsWhatItsWeightsWant) {
  const graph::Graph graph = AssignFormats(SmallGraph(), quantization::FindScheme("q4_0+q0f16"));
  EXPECT_EQ(CountOps<graph::Quantize>(QuantizeActivations(graph)), 3 * 4);  // all but the head
}

TEST(EliminateDeadTest, WhatNothingReadsGoes) {
  graph::Graph graph = SmallGraph();
  const graph::Graph before = graph;
  graph.AddWeight({.name = "unused", .parts = {{"unused", 4, 4}}});
  graph.GeluTanh(graph.nodes[1].output, "unused");
  const graph::Graph after = EliminateDead(graph);
  EXPECT_EQ(after.nodes.size(), before.nodes.size());
  EXPECT_EQ(after.weights.size(), before.weights.size());
  ExpectSameLogits(before, after);
}

class PipelineTest : public ::testing::TestWithParam<OptLevel> {};

TEST_P(PipelineTest, EveryLevelKeepsTheLogits) {
  const graph::Graph before = SmallGraph();
  ExpectSameLogits(before, RunPasses(before, PassesOf(GetParam(), Q4())));
}

INSTANTIATE_TEST_SUITE_P(Levels, PipelineTest,
                         ::testing::Values(OptLevel::kO0, OptLevel::kO1, OptLevel::kO2,
                                           OptLevel::kO3));

TEST(PipelineTest, APassThatBreaksTheGraphIsNamed) {
  const Pass broken{"broken", [](graph::Graph graph) {
                      graph.nodes.back().inputs[0] = 1000;
                      return graph;
                    }};
  EXPECT_THAT([&] { RunPasses(SmallGraph(), {broken}); },
              ThrowsMessage<Error>(HasSubstr("after pass 'broken'")));
}

TEST(PipelineTest, DumpsTheInputAndTheGraphAfterEachPass) {
  std::vector<std::string> names;
  RunPasses(SmallGraph(), PassesOf(OptLevel::kO1, Q4()),
            [&](std::string_view name, const graph::Graph&) { names.emplace_back(name); });
  EXPECT_THAT(names, ::testing::ElementsAre("input", "assign_formats", "fold_norm_offset",
                                            "merge_linears", "quantize_activations"));
}

}  // namespace
}  // namespace carat::compiler
