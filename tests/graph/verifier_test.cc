#include "carat/graph/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <utility>

#include "carat/base/error.h"
#include "tests/graph/graph_builder.h"

namespace carat::graph {
namespace {

using testing::HasSubstr;

// The first node with this kind of op.
template <typename Op>
Node& FindNode(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (std::holds_alternative<Op>(node.op)) return node;
  }
  throw Error("the graph has no such node");
}

template <typename Op>
Op& FindOp(Graph& graph) {
  return std::get<Op>(FindNode<Op>(graph).op);
}

std::string VerifyMessage(const Graph& graph) {
  try {
    Verify(graph);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

// A correct graph, one thing broken, and what the message must say about it.
struct BrokenGraph {
  std::string name;
  LayerOptions options;
  std::function<void(Graph&)> break_it;
  std::string message;
};

void PrintTo(const BrokenGraph& broken, std::ostream* out) { *out << broken.name; }

class VerifierRefusesTest : public testing::TestWithParam<BrokenGraph> {};

TEST_P(VerifierRefusesTest, NamesWhatIsWrong) {
  Graph graph = OneLayer(GetParam().options);
  Verify(graph);
  GetParam().break_it(graph);
  EXPECT_THAT(VerifyMessage(graph), HasSubstr(GetParam().message));
}

const BrokenGraph kBrokenGraphs[] = {
    {"AReadBeforeTheValueIsMade",
     {},
     [](Graph& g) { std::swap(g.nodes[1], g.nodes[2]); },
     "%1 is read before it is made"},
    {"AValueThatDoesNotExist",
     {},
     [](Graph& g) { g.nodes[2].inputs[0] = 999; },
     "%999 is no value"},
    {"AValueMadeTwice",
     {},
     [](Graph& g) { g.nodes.insert(g.nodes.begin(), g.nodes[0]); },
     "%0 is made a second time"},
    {"AValueNobodyReads",
     {},
     [](Graph& g) { g.GeluTanh(1, "useless"); },
     "'useless' is never read"},
    {"AValueWithoutANode",
     {},
     [](Graph& g) {
       g.values.push_back({{}, "orphan"});
     },
     "'orphan' has no node"},
    {"AnUnusedWeight",
     {},
     [](Graph& g) { g.AddWeight(MakeWeight("spare", 4, 4)); },
     "weight 'spare' is never used"},
    {"AMissingWeight",
     {},
     [](Graph& g) { FindOp<Linear>(g).weight = 99; },
     "@<no weight 99>) : f32[n, 32]: there is no weight 99"},
    {"AMissingInput",
     {},
     [](Graph& g) { FindNode<Add>(g).inputs.pop_back(); },
     "has 1 inputs instead of 2"},
    {"AnOutputOfTheWrongType",
     {},
     [](Graph& g) { g.values[2].type.width = 31; },
     "its type must be f32[n, 32]"},
    {"AGraphWithoutOutput", {}, [](Graph& g) { g.output = -1; }, "output %-1 is not made"},
    {"AnOutputThatIsNotSelected",
     {},
     [](Graph& g) {
       FindNode<SelectRows>(g).op = GeluTanh{};
       for (Value& value : g.values) value.type.rows = RowSpace::kTokens;
     },
     "logits are f32[r, vocab_size]"},
    {"ANormOfTheWrongWidth",
     {},
     [](Graph& g) { FindOp<RmsNorm>(g).groups = 3; },
     "3 groups of the weight's 32 values"},
    {"ANormWithAQuantizedWeight",
     {},
     [](Graph& g) { g.weights[1].format = quantization::WeightFormat::kQ8_0; },
     "'norm' must be an f32 vector"},
    {"ALinearOfTheWrongWidth",
     {},
     [](Graph& g) { g.weights[2].parts[0].cols = 64; },
     "width 32 is not the weight's 64 columns"},
    {"RopeOnOddHeads",
     {},
     [](Graph& g) { FindOp<Rope>(g).num_heads = 5; },
     "32 values are no 5 heads of even size"},
    {"RopeWithoutTheta",
     {},
     [](Graph& g) { FindOp<Rope>(g).angles.theta = 0; },
     "theta and linear_factor"},
    {"QueryHeadsThatCannotShare",
     {},
     [](Graph& g) { FindOp<Attention>(g).num_kv_heads = 3; },
     "4 query heads cannot share 3 key/value heads"},
    {"HeadsThatDoNotFit", {}, [](Graph& g) { FindOp<Attention>(g).head_dim = 4; }, "q is 32 wide"},
    {"ANegativeWindow",
     {},
     [](Graph& g) { FindOp<Attention>(g).sliding_window = -1; },
     "window is negative"},
    {"AThresholdOfZero", {}, [](Graph& g) { FindOp<Softcap>(g).cap = 0; }, "cap must be positive"},
    {"ALayerOutOfOrder",
     {},
     [](Graph& g) { FindOp<Attention>(g).layer = -1; },
     "caches are filled in order"},
    {"PartsOfDifferentWidth",
     {.merge_gate_up = true},
     [](Graph& g) {
       for (Weight& weight : g.weights)
         weight.parts.back().cols = weight.name == "gate_up" ? 16 : weight.cols();
     },
     "weight 'gate_up': its parts differ in columns"},
    {"ABlockThatIsNotWhole",
     {},
     [](Graph& g) { g.weights.back().format = quantization::WeightFormat::kQ4_0; },
     "rows of 40 values are not whole blocks of q4_0"},
    {"AWeightWithoutParts", {}, [](Graph& g) { g.weights[2].parts.clear(); }, "has no parts"},
    {"AnEpilogueOnAPlainWeight",
     {},
     [](Graph& g) { FindOp<Linear>(g).epilogue = Epilogue::kGeluMul; },
     "gelu_mul reads gate and up interleaved"},
    {"AnInterleavedWeightWithoutEpilogue",
     {.fuse_gelu_mul = true},
     [](Graph& g) {
       for (Node& node : g.nodes) {
         if (auto* linear = std::get_if<Linear>(&node.op)) linear->epilogue = Epilogue::kStore;
       }
     },
     "which only gelu_mul takes apart"},
    {"InterleavedPartsOfDifferentHeight",
     {.fuse_gelu_mul = true},
     [](Graph& g) {
       for (Weight& weight : g.weights) weight.parts.back().rows += weight.parts.size() == 2;
     },
     "only two parts of equal height interleave"},
    {"IntegerActivationsOnFloatWeights",
     {.quantize = true},
     [](Graph& g) {
       for (Weight& weight : g.weights) weight.format = quantization::WeightFormat::kF32;
     },
     "int8 activations need q4_0 or q8_0 weights"},
    {"IntegerActivationsWhereFloatsBelong",
     {.quantize = true},
     [](Graph& g) { FindNode<Add>(g).inputs[0] = FindNode<Quantize>(g).output; },
     "its input must be f32, not i8x32[n, 32]"},
    {"ASliceBeyondTheEnd",
     {.merge_gate_up = true},
     [](Graph& g) { FindOp<Slice>(g).offset = 41; },
     "columns 41 to 81 are not in f32[n, 80]"},
    {"RowsSelectedTwice",
     {},
     [](Graph& g) { g.output = g.Append(SelectRows{}, {g.output}, g.TypeOf(g.output), "again"); },
     "its rows are selected already"},
};

INSTANTIATE_TEST_SUITE_P(BrokenGraphs, VerifierRefusesTest, testing::ValuesIn(kBrokenGraphs),
                         [](const auto& info) { return info.param.name; });

TEST(VerifierTest, AcceptsEveryFormOfALayer) {
  Verify(OneLayer());
  Verify(OneLayer({.sliding_window = 3}));
  Verify(OneLayer({.merge_gate_up = true}));
  Verify(OneLayer({.fuse_gelu_mul = true}));
  Verify(OneLayer({.quantize = true, .fuse_gelu_mul = true}));
}

TEST(VerifierTest, AnErrorShowsTheNode) {
  Graph graph = OneLayer();
  FindOp<Softcap>(graph).cap = -1;
  EXPECT_THAT(VerifyMessage(graph), HasSubstr("%18 = softcap(%17) {cap=-1} : f32[r, 11]: the cap"));
}

}  // namespace
}  // namespace carat::graph
