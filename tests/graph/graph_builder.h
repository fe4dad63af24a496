// What graph tests build from: a small graph with every kind of operation a model has, and weights.

#ifndef CARAT_TESTS_GRAPH_GRAPH_BUILDER_H_
#define CARAT_TESTS_GRAPH_GRAPH_BUILDER_H_

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "carat/graph/graph.h"
#include "carat/graph/reference.h"

namespace carat::graph {

inline Weight MakeWeight(std::string name, int64_t rows, int64_t cols) {
  Weight weight;
  weight.parts = {{"model." + name, rows, cols}};
  weight.name = std::move(name);
  return weight;
}

inline Weight MakeVector(std::string name, int64_t size) {
  Weight weight = MakeWeight(std::move(name), 1, size);
  weight.parts.front().is_vector = true;
  return weight;
}

// Values that depend on nothing but the tensor's name, about as large as trained ones.
inline std::vector<float> RandomTensor(const SourceTensor& tensor) {
  std::mt19937 generator(static_cast<uint32_t>(std::hash<std::string>()(tensor.name)));
  std::normal_distribution<float> normal(0, 0.3F);
  std::vector<float> values(static_cast<size_t>(tensor.rows * tensor.cols));
  for (float& value : values) value = normal(generator);
  return values;
}

// One layer: hidden 32, 4 query heads on 2 key/value heads of 8, gated MLP of 48, 11 tokens.
struct LayerOptions {
  int64_t sliding_window = 0;
  bool quantize = false;       // int8 activations into the MLP's q4_0 weights
  bool merge_gate_up = false;  // one Linear and two slices
  bool fuse_gelu_mul = false;  // one Linear with the epilogue
};

inline ValueId AppendMlp(Graph& graph, ValueId x, const LayerOptions& options) {
  constexpr int64_t kHidden = 32;
  constexpr int64_t kIntermediate = 40;  // two and a half groups of interleaved rows
  Weight gate = MakeWeight("gate", kIntermediate, kHidden);
  Weight up = MakeWeight("up", kIntermediate, kHidden);
  Weight gate_up = gate;
  gate_up.name = "gate_up";
  gate_up.parts.push_back(up.parts.front());
  if (options.quantize) {
    gate_up.format = gate.format = up.format = quantization::WeightFormat::kQ4_0;
    x = graph.Quantize(x, "x_quantized");
  }
  ValueId product;
  if (options.fuse_gelu_mul) {
    gate_up.arrangement = Arrangement::kInterleave;
    product = graph.Append(Linear{graph.AddWeight(gate_up), Epilogue::kGeluMul}, {x},
                           {RowSpace::kTokens, kIntermediate, ElementType::kF32}, "gated");
  } else if (options.merge_gate_up) {
    const ValueId both = graph.Linear(x, graph.AddWeight(gate_up), "gate_up");
    const ValueId gelu = graph.GeluTanh(graph.Slice(both, 0, kIntermediate, "gate"), "gelu");
    product = graph.Mul(gelu, graph.Slice(both, kIntermediate, kIntermediate, "up"), "gated");
  } else {
    const ValueId gelu = graph.GeluTanh(graph.Linear(x, graph.AddWeight(gate), "gate"), "gelu");
    product = graph.Mul(gelu, graph.Linear(x, graph.AddWeight(up), "up"), "gated");
  }
  return graph.Linear(product, graph.AddWeight(MakeWeight("down", kHidden, kIntermediate)), "down");
}

inline Graph OneLayer(const LayerOptions& options = {}) {
  constexpr int64_t kHidden = 32;
  constexpr int64_t kHeads = 4;
  constexpr int64_t kKvHeads = 2;
  constexpr int64_t kHeadDim = 8;
  Graph graph("one_layer");
  const WeightId table = graph.AddWeight(MakeWeight("embed", 11, kHidden));
  const ValueId h = graph.Embed(graph.Tokens(), table, 2.5F, "embedding");
  const WeightId norm = graph.AddWeight(MakeVector("norm", kHidden));
  const ValueId x = graph.RmsNorm(h, norm, 1e-6F, 1, 1, "x");
  const auto linear = [&](const char* name, int64_t rows) {
    return graph.Linear(x, graph.AddWeight(MakeWeight(name, rows, kHidden)), name);
  };
  ValueId q = linear("q", kHeads * kHeadDim);
  ValueId k = linear("k", kKvHeads * kHeadDim);
  const ValueId v = linear("v", kKvHeads * kHeadDim);
  const WeightId q_norm = graph.AddWeight(MakeVector("q_norm", kHeadDim));
  q = graph.RmsNorm(q, q_norm, 1e-6F, kHeads, 1, "q_norm");
  q = graph.Rope(q, kHeads, {10000, 1}, "q_rope");
  k = graph.Rope(k, kKvHeads, {10000, 1}, "k_rope");
  Attention attention{};
  attention.num_heads = kHeads;
  attention.num_kv_heads = kKvHeads;
  attention.head_dim = kHeadDim;
  attention.scale = 0.5F;
  attention.sliding_window = options.sliding_window;
  const ValueId a = graph.Attention(q, k, v, attention, "attention");
  const ValueId residual = graph.Add(h, AppendMlp(graph, a, options), "residual");
  const ValueId logits = graph.Linear(graph.SelectRows(residual, "selected"), table, "logits");
  graph.output = graph.Softcap(logits, 30, "capped");
  return graph;
}

}  // namespace carat::graph

#endif  // CARAT_TESTS_GRAPH_GRAPH_BUILDER_H_
