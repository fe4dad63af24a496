#include "carat/graph/weight_formats.h"

#include "carat/base/error.h"

namespace carat::graph {

using quantization::WeightFormat;

std::vector<WeightFormat> WeightFormats(const Graph& graph,
                                        const quantization::QuantizationScheme& scheme) {
  std::vector<WeightFormat> formats;
  for (const Weight& weight : graph.weights) {
    formats.push_back(weight.is_vector() ? WeightFormat::kF32 : scheme.matrix);
  }
  for (const Node& node : graph.nodes) {
    if (const auto* embed = std::get_if<Embed>(&node.op)) {
      formats.at(embed->table) = scheme.embedding;
    }
  }
  for (size_t id = 0; id < formats.size(); ++id) {
    const Weight& weight = graph.weights[id];
    const int64_t block = quantization::BlockValues(formats[id]);
    if (weight.cols() % block == 0) continue;
    throw Error("'{}' has {} columns, and {} is not a multiple of {}, the block of {}",
                weight.parts.front().name, weight.cols(), weight.cols(), block,
                quantization::FormatName(formats[id]));
  }
  return formats;
}

}  // namespace carat::graph
