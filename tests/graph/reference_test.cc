#include "carat/graph/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "tests/graph/graph_builder.h"

namespace carat::graph {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;
using testing::ThrowsMessage;

const std::vector<TokenId> kTokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};

std::vector<int32_t> AllRows(size_t count) {
  std::vector<int32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::vector<float> Logits(const Graph& graph, std::span<const TokenId> tokens) {
  return Reference(graph, RandomTensor).Forward(tokens, AllRows(tokens.size()));
}

// A graph of one op on the rows of an embedding: token t enters as table[t].
class SingleOp {
 public:
  SingleOp(int64_t width, std::vector<float> table)
      : graph_("single_op"), table_(std::move(table)) {
    const auto rows = static_cast<int64_t>(table_.size()) / width;
    x_ = graph_.Embed(graph_.Tokens(), graph_.AddWeight(MakeWeight("table", rows, width)), 1, "x");
  }

  Graph& graph() { return graph_; }
  ValueId x() const { return x_; }

  // The rows of `y` for these tokens; weights other than the table are all `weight`.
  std::vector<float> Run(ValueId y, std::span<const TokenId> tokens, float weight = 1) {
    graph_.output = graph_.SelectRows(y, "y");
    Reference reference(graph_, [&](const SourceTensor& tensor) {
      if (tensor.name == "model.table") return table_;
      return std::vector<float>(static_cast<size_t>(tensor.rows * tensor.cols), weight);
    });
    return reference.Forward(tokens, AllRows(tokens.size()));
  }

 private:
  Graph graph_;
  std::vector<float> table_;
  ValueId x_;
};

TEST(ReferenceTest, RmsNormScalesEachGroupToUnitMeanSquare) {
  SingleOp op(4, {3, -3, 8, 8});
  const WeightId weight = op.graph().AddWeight(MakeVector("norm", 2));
  const ValueId y = op.graph().RmsNorm(op.x(), weight, 0, 2, /*weight_offset=*/1, "y");
  EXPECT_THAT(op.Run(y, std::vector<TokenId>{0}, /*weight=*/0.5F),
              ElementsAre(1.5F, -1.5F, 1.5F, 1.5F));
}

TEST(ReferenceTest, TheEpsilonStandsInsideTheRoot) {
  SingleOp op(2, {1, 1});
  const WeightId weight = op.graph().AddWeight(MakeVector("norm", 2));
  const ValueId y = op.graph().RmsNorm(op.x(), weight, 3, 1, 0, "y");
  EXPECT_THAT(op.Run(y, std::vector<TokenId>{0}), ElementsAre(0.5F, 0.5F));
}

TEST(ReferenceTest, RopeRotatesHalvesByTheAngleOfThePosition) {
  SingleOp op(4, {1, 0, 0, 2});
  // Pairs are (0, 2) and (1, 3), with angles p / 2 and p / 2 * 100^(-1/2).
  const ValueId y = op.graph().Rope(op.x(), 1, {100, 2}, "y");
  const std::vector<float> rows = op.Run(y, std::vector<TokenId>{0, 0, 0});
  const float a = 1.0F;  // position 2
  const float b = 0.1F;
  EXPECT_THAT(std::vector<float>(rows.begin(), rows.begin() + 4), ElementsAre(1, 0, 0, 2));
  EXPECT_THAT(std::vector<float>(rows.begin() + 8, rows.end()),
              ElementsAre(FloatEq(std::cos(a)), FloatEq(-2 * std::sin(b)), FloatEq(std::sin(a)),
                          FloatEq(2 * std::cos(b))));
}

TEST(ReferenceTest, SoftcapAndGeluAreTheirFormulas) {
  SingleOp capped(2, {50, -1});
  EXPECT_THAT(
      capped.Run(capped.graph().Softcap(capped.x(), 30, "y"), std::vector<TokenId>{0}),
      ElementsAre(FloatEq(30 * std::tanh(50.0F / 30)), FloatEq(30 * std::tanh(-1.0F / 30))));
  SingleOp gelu(3, {0, 1, -2});
  // torch.nn.functional.gelu(torch.tensor([0., 1., -2.]), approximate="tanh")
  EXPECT_THAT(gelu.Run(gelu.graph().GeluTanh(gelu.x(), "y"), std::vector<TokenId>{0}),
              ElementsAre(0, FloatNear(0.841192F, 1e-6F), FloatNear(-0.045402F, 1e-6F)));
}

// Attention over one-dimensional heads whose keys are 0, so that every visible key weighs the same
// and the output is the mean of the visible values.
std::vector<float> MeansOfVisibleValues(int64_t window, const std::vector<size_t>& steps) {
  Graph graph("attention");
  const WeightId table = graph.AddWeight(MakeWeight("table", 8, 2));
  const ValueId v = graph.Embed(graph.Tokens(), table, 1, "v");
  const ValueId zero = graph.Linear(v, graph.AddWeight(MakeWeight("zero", 2, 2)), "zero");
  Attention attention{};
  attention.num_heads = 1;
  attention.num_kv_heads = 1;
  attention.head_dim = 2;
  attention.scale = 1;
  attention.sliding_window = window;
  graph.output = graph.SelectRows(graph.Attention(zero, zero, v, attention, "mean"), "y");
  Reference reference(graph, [](const SourceTensor& tensor) {
    std::vector<float> values(static_cast<size_t>(tensor.rows * tensor.cols), 0.0F);
    if (tensor.name == "model.table") std::iota(values.begin(), values.end(), 0.0F);
    return values;
  });
  // Token t has the value (2t, 2t + 1).
  const std::vector<TokenId> tokens = {0, 1, 2, 3, 4, 5};
  std::vector<float> means;
  size_t begin = 0;
  for (const size_t count : steps) {
    const auto rows = reference.Forward(std::span(tokens).subspan(begin, count), AllRows(count));
    for (size_t i = 0; i < rows.size(); i += 2) means.push_back(rows[i]);
    begin += count;
  }
  return means;
}

TEST(ReferenceTest, FullAttentionSeesEverythingBefore) {
  EXPECT_THAT(MeansOfVisibleValues(0, {6}), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(ReferenceTest, SlidingAttentionSeesExactlyTheWindow) {
  EXPECT_THAT(MeansOfVisibleValues(3, {6}), ElementsAre(0, 1, 2, 4, 6, 8));
  EXPECT_THAT(MeansOfVisibleValues(1, {6}), ElementsAre(0, 2, 4, 6, 8, 10));
}

TEST(ReferenceTest, CallsContinueTheSequence) {
  EXPECT_THAT(MeansOfVisibleValues(3, {2, 3, 1}), ElementsAre(0, 1, 2, 4, 6, 8));
  EXPECT_THAT(MeansOfVisibleValues(0, {1, 1, 1, 1, 1, 1}), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(ReferenceTest, ChunksGiveTheSameLogitsAsOneCall) {
  const Graph graph = OneLayer({.sliding_window = 4});
  const std::vector<float> at_once = Logits(graph, kTokens);
  Reference reference(graph, RandomTensor);
  std::vector<float> in_chunks;
  for (const auto& [begin, count] : {std::pair{0, 3}, {3, 1}, {4, 6}}) {
    const auto logits = reference.Forward(std::span(kTokens).subspan(begin, count), AllRows(count));
    in_chunks.insert(in_chunks.end(), logits.begin(), logits.end());
  }
  EXPECT_EQ(in_chunks, at_once);
  EXPECT_EQ(reference.num_tokens(), 10);
}

TEST(ReferenceTest, LogitsComeForTheAskedRowsOnly) {
  const Graph graph = OneLayer();
  const std::vector<float> all = Logits(graph, kTokens);
  const std::vector<int32_t> rows = {7, 2};
  const std::vector<float> some = Reference(graph, RandomTensor).Forward(kTokens, rows);
  ASSERT_EQ(some.size(), 22u);
  EXPECT_TRUE(std::equal(some.begin(), some.begin() + 11, all.begin() + 7 * 11));
  EXPECT_TRUE(std::equal(some.begin() + 11, some.end(), all.begin() + 2 * 11));
  EXPECT_TRUE(Reference(graph, RandomTensor).Forward(kTokens, {}).empty());
}

TEST(ReferenceTest, MergedWeightsGiveTheSameLogits) {
  EXPECT_EQ(Logits(OneLayer({.merge_gate_up = true}), kTokens), Logits(OneLayer(), kTokens));
}

TEST(ReferenceTest, InterleavedWeightsAndTheirEpilogueGiveTheSameLogits) {
  EXPECT_EQ(Logits(OneLayer({.fuse_gelu_mul = true}), kTokens), Logits(OneLayer(), kTokens));
}

TEST(ReferenceTest, QuantizeChangesNothing) {
  EXPECT_EQ(Logits(OneLayer({.quantize = true}), kTokens), Logits(OneLayer(), kTokens));
}

TEST(ReferenceTest, AnOffsetInTheWeightIsTheSameAsOneInTheNorm) {
  Graph folded = OneLayer();
  for (Node& node : folded.nodes) {
    if (auto* norm = std::get_if<RmsNorm>(&node.op)) {
      folded.weights[norm->weight].offset = std::exchange(norm->weight_offset, 0);
    }
  }
  // 1 + w is rounded to f32 once it is a weight: 6e-8 of logits up to 30, through a few operations.
  EXPECT_THAT(Logits(folded, kTokens), Pointwise(FloatNear(1e-4F), Logits(OneLayer(), kTokens)));
}

TEST(ReferenceTest, BadCallsAreRefusedAndLeaveTheSequenceAsItWas) {
  const Graph graph = OneLayer();
  Reference reference(graph, RandomTensor);
  reference.Forward(std::span(kTokens).first(4), {});
  const std::vector<TokenId> bad_token = {3, 11};
  EXPECT_THAT(
      [&] { reference.Forward(bad_token, {}); },
      ThrowsMessage<Error>(HasSubstr("token 11 at position 5 is not in the vocabulary of 11")));
  const std::vector<int32_t> bad_row = {2};
  EXPECT_THAT([&] { reference.Forward(std::span(kTokens).first(2), bad_row); },
              ThrowsMessage<Error>(HasSubstr("position 2 are asked for, of 2 tokens")));
  EXPECT_EQ(reference.num_tokens(), 4);
  const std::vector<float> all = Logits(graph, kTokens);
  const std::vector<float> rest = reference.Forward(std::span(kTokens).subspan(4), AllRows(6));
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), all.begin() + 4 * 11));
}

TEST(ReferenceTest, AWeightOfTheWrongSizeIsRefusedByName) {
  const Graph graph = OneLayer();
  EXPECT_THAT(
      [&] { Reference(graph, [](const SourceTensor&) { return std::vector<float>(5); }); },
      ThrowsMessage<Error>(HasSubstr("'model.embed' has 5 values; the graph needs [11, 32]")));
}

}  // namespace
}  // namespace carat::graph
