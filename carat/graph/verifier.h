// Checks that a Graph is well-formed: after an architecture has built it and after every pass.
//
// - A value is made once, by a node that stands before those that read it, and is read unless it
//   is the graph's output; a weight is used.
// - A node has its op's number of inputs, their types fit its attributes and weights, and its
//   output has the type that follows from them.
// - A weight's parts have equal rows of whole blocks; an interleaved one is read by the epilogue
//   that takes it apart, and by nothing else.
// - Each Attention is a layer of its own, in ascending order.
// - The output is f32 with a row for each token whose logits are asked for.

#ifndef CARAT_GRAPH_VERIFIER_H_
#define CARAT_GRAPH_VERIFIER_H_

#include "carat/graph/graph.h"

namespace carat::graph {

// Throws Error naming the node or weight and what is wrong with it.
void Verify(const Graph& graph);

}  // namespace carat::graph

#endif  // CARAT_GRAPH_VERIFIER_H_
