// A pass rewrites a Graph into one that computes the same. Each has a file of its own, with a
// sketch of what it does in its header comment; this is the table of them.
//
// What a level runs (ascending: O2 does all that O1 does):
//
//   O0  assign_formats, quantize_activations        what the target needs, nothing else
//   O1  fold_norm_offset, merge_linears             fewer and larger kernels
//   O2  fuse_gelu_mul, and row loops fused          fewer trips through memory
//   O3  narrow_outputs, and rows replicated         work and barriers that need not be
//
// All levels give bit-identical logits: no pass changes the order of an addition.

#ifndef CARAT_COMPILER_PASSES_PASS_H_
#define CARAT_COMPILER_PASSES_PASS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "carat/graph/graph.h"
#include "carat/quantization/scheme.h"

namespace carat::compiler {

enum class OptLevel { kO0, kO1, kO2, kO3 };

struct Pass {
  std::string_view name;
  std::function<graph::Graph(const graph::Graph&)> run;
};

// Gives every weight the format the scheme keeps it in. Throws Error for a tensor a block format
// cannot hold.
graph::Graph AssignFormats(const graph::Graph& graph,
                           const quantization::QuantizationScheme& scheme);

// Puts a Quantize before each Linear whose weights come in integer blocks.
graph::Graph QuantizeActivations(const graph::Graph& graph);

// Moves the +1 of Gemma's norms into the packed weight.
graph::Graph FoldNormOffset(const graph::Graph& graph);

// Merges Linears of the same input into one: q, k, v; gate, up.
graph::Graph MergeLinears(const graph::Graph& graph);

// gelu_tanh(gate) * up becomes the epilogue of the Linear that makes both.
graph::Graph FuseGeluMul(const graph::Graph& graph);

// Moves SelectRows up, so that the last layer computes only rows whose logits are asked for.
graph::Graph NarrowOutputs(const graph::Graph& graph);

// Drops nodes and weights nothing uses and renumbers the rest. Every pass above that leaves such
// ends with it: all but assign_formats and quantize_activations.
graph::Graph EliminateDead(const graph::Graph& graph);

// The passes of a level, in order.
std::vector<Pass> PassesOf(OptLevel level, const quantization::QuantizationScheme& scheme);

// Runs them, verifying after each. `dump`, if set, gets each pass's name ("input" first) and the
// graph after it.
graph::Graph RunPasses(graph::Graph graph, const std::vector<Pass>& passes,
                       const std::function<void(std::string_view, const graph::Graph&)>& dump = {});

}  // namespace carat::compiler

#endif  // CARAT_COMPILER_PASSES_PASS_H_
