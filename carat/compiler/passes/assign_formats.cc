// Gives every weight the format it is kept in:
//
//   @layers.0.q_proj : f32 [1024, 640]      ->   @layers.0.q_proj : q4_0 [1024, 640]
//   @layers.0.q_norm : f32 [256]            ->   f32 [256]            (vectors stay as they are)

#include <vector>

#include "carat/base/error.h"
#include "carat/compiler/passes/pass.h"
#include "carat/graph/weight_formats.h"

namespace carat::compiler {
namespace {

std::vector<quantization::WeightFormat> FormatsThatHold(
    const graph::Graph& graph, const quantization::QuantizationScheme& scheme) {
  try {
    return graph::WeightFormats(graph, scheme);
  } catch (const Error& error) {
    throw Error("tensor {}; use --quantization q0f16, q0bf16 or q0f32, which hold any shape",
                error.what());
  }
}

}  // namespace

graph::Graph AssignFormats(const graph::Graph& graph,
                           const quantization::QuantizationScheme& scheme) {
  const std::vector<quantization::WeightFormat> formats = FormatsThatHold(graph, scheme);
  graph::Graph result = graph;
  for (size_t id = 0; id < formats.size(); ++id) result.weights[id].format = formats[id];
  return result;
}

}  // namespace carat::compiler
