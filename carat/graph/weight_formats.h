// Which format each weight of a graph is kept in, by a quantization scheme.

#ifndef CARAT_GRAPH_WEIGHT_FORMATS_H_
#define CARAT_GRAPH_WEIGHT_FORMATS_H_

#include <vector>

#include "carat/graph/graph.h"
#include "carat/quantization/scheme.h"

namespace carat::graph {

// By WeightId: vectors are f32 in every scheme, embedding tables have the scheme's format for them,
// also where they serve as the head, and all other matrices have the matrices'. Throws Error naming
// a tensor whose rows are not whole blocks of its format.
std::vector<quantization::WeightFormat> WeightFormats(
    const Graph& graph, const quantization::QuantizationScheme& scheme);

}  // namespace carat::graph

#endif  // CARAT_GRAPH_WEIGHT_FORMATS_H_
