#include "carat/graph/printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/graph_builder.h"

namespace carat::graph {
namespace {

using testing::HasSubstr;

TEST(PrinterTest, AGraphIsItsWeightsThenItsNodes) {
  Graph graph("tiny");
  const WeightId table = graph.AddWeight(MakeWeight("embed_tokens", 11, 8));
  const ValueId h = graph.Embed(graph.Tokens(), table, 2.5F, "embedding");
  graph.output = graph.Linear(graph.SelectRows(h, "selected"), table, "logits");
  EXPECT_EQ(PrintGraph(graph),
            "graph tiny\n"
            "@embed_tokens : f32[11, 8] = model.embed_tokens\n"
            "\n"
            "%0 = tokens() : i32[n, 1]  # tokens\n"
            "%1 = embed(%0, @embed_tokens) {scale=2.5} : f32[n, 8]  # embedding\n"
            "%2 = select_rows(%1) : f32[r, 8]  # selected\n"
            "%3 = linear(%2, @embed_tokens) : f32[r, 11]  # logits\n"
            "return %3\n");
}

TEST(PrinterTest, AttributesStandInBraces) {
  const std::string text = PrintGraph(OneLayer({.sliding_window = 3}));
  EXPECT_THAT(text,
              HasSubstr("%2 = rms_norm(%1, @norm) {eps=1e-06, weight_offset=1} : f32[n, 32]"));
  EXPECT_THAT(text, HasSubstr("{eps=1e-06, groups=4, weight_offset=1}"));
  EXPECT_THAT(text, HasSubstr("= rope(%6) {heads=4, theta=10000} : f32[n, 32]"));
  EXPECT_THAT(text, HasSubstr("= attention(%7, %8, %5) {layer=0, heads=4, kv_heads=2, head_dim=8, "
                              "scale=0.5, window=3} : f32[n, 32]"));
  EXPECT_THAT(text, HasSubstr("{cap=30} : f32[r, 11]"));
}

TEST(PrinterTest, FusedAndQuantizedNodesShowIt) {
  const std::string fused = PrintGraph(OneLayer({.quantize = true, .fuse_gelu_mul = true}));
  EXPECT_THAT(fused, HasSubstr("@gate_up : q4_0[80, 32] = interleave(model.gate, model.up)"));
  EXPECT_THAT(fused, HasSubstr("quantize(%9) : i8x32[n, 32]"));
  EXPECT_THAT(fused, HasSubstr("linear(%10, @gate_up) {epilogue=gelu_mul} : f32[n, 40]"));
  const std::string merged = PrintGraph(OneLayer({.merge_gate_up = true}));
  EXPECT_THAT(merged, HasSubstr("= concatenate(model.gate, model.up)"));
  EXPECT_THAT(merged, HasSubstr("{offset=40} : f32[n, 40]"));
}

TEST(PrinterTest, AWeightShowsItsOffset) {
  Weight weight = MakeVector("norm", 8);
  weight.offset = 1;
  EXPECT_EQ(PrintWeight(weight), "@norm : f32[1, 8] = model.norm + 1");
}

TEST(PrinterTest, ABrokenNodeStillPrints) {
  const Graph empty;
  const Node node{Linear{7}, {3}, 9};
  EXPECT_EQ(PrintNode(empty, node), "%9 = linear(%3, @<no weight 7>)");
}

}  // namespace
}  // namespace carat::graph
