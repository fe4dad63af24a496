// Gives every weight the format it is kept in:
//
//   @layers.0.q_proj : f32 [1024, 640]      ->   @layers.0.q_proj : q4_0 [1024, 640]
//   @layers.0.q_norm : f32 [256]            ->   f32 [256]            (vectors stay as they are)

#include <string>

#include "carat/base/error.h"
#include "carat/compiler/passes/pass.h"

namespace carat::compiler {
namespace {

using quantization::WeightFormat;

void CheckHolds(const graph::Weight& weight, WeightFormat format) {
  const int64_t block = quantization::BlockValues(format);
  if (weight.cols() % block == 0) return;
  throw Error(
      "tensor '{}' [{}, {}]: {} keeps rows in blocks of {} values and {} is not a multiple of {}; "
      "use --quantization q0f16, q0bf16 or q0f32, which hold any shape",
      weight.parts.front().name, weight.rows(), weight.cols(), quantization::FormatName(format),
      block, weight.cols(), block);
}

bool IsEmbeddingTable(const graph::Graph& graph, graph::WeightId id) {
  for (const graph::Node& node : graph.nodes) {
    if (const auto* embed = std::get_if<graph::Embed>(&node.op); embed && embed->table == id) {
      return true;
    }
  }
  return false;
}

}  // namespace

graph::Graph AssignFormats(const graph::Graph& graph,
                           const quantization::QuantizationScheme& scheme) {
  graph::Graph result = graph;
  for (graph::WeightId id = 0; id < static_cast<graph::WeightId>(result.weights.size()); ++id) {
    graph::Weight& weight = result.weights[id];
    if (weight.is_vector()) {
      weight.format = WeightFormat::kF32;
      continue;
    }
    weight.format = IsEmbeddingTable(graph, id) ? scheme.embedding : scheme.matrix;
    CheckHolds(weight, weight.format);
  }
  return result;
}

}  // namespace carat::compiler
