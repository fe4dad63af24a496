// The reference interpreter: runs a Graph in plain f32, node after node, written for reading and
// not for speed. Everything faster is tested against it.
//
// It runs any graph that Verify accepts, so the graph before a pass can be compared with the one
// after it: merged and interleaved weights are put together as the Weight says, fused epilogues are
// computed. Two things it leaves out, since they are how a kernel computes and not what the model
// means: Quantize is the identity, and a weight's format does not round it (a WeightSource may:
// model/checkpoint_weights.h).
//
// Sums and transcendental functions are computed in double; every value is f32.

#ifndef CARAT_GRAPH_REFERENCE_H_
#define CARAT_GRAPH_REFERENCE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "carat/base/types.h"
#include "carat/graph/graph.h"

namespace carat::graph {

// The values [rows, cols] of a tensor of the checkpoint.
using WeightSource = std::function<std::vector<float>(const SourceTensor&)>;

class Reference {
 public:
  // Loads all weights. `graph` must be verified, and outlive the interpreter.
  Reference(const Graph& graph, const WeightSource& source);

  // Appends `tokens` to the sequence. Returns the logits [logit_rows.size(), vocab_size] of the
  // given positions within `tokens`.
  std::vector<float> Forward(std::span<const TokenId> tokens, std::span<const int32_t> logit_rows);

  // Forgets the sequence.
  void Reset();

  // The tokens of the sequence so far.
  int64_t num_tokens() const { return num_tokens_; }

 private:
  using Matrix = std::vector<float>;  // row-major

  // Keys (after RoPE) and values of all tokens so far: [num_tokens, num_kv_heads * head_dim].
  struct LayerCache {
    Matrix keys;
    Matrix values;
  };

  class Step;

  const Graph& graph_;
  std::vector<Matrix> weights_;  // by WeightId
  std::map<int64_t, LayerCache> layers_;
  int64_t num_tokens_ = 0;
};

}  // namespace carat::graph

#endif  // CARAT_GRAPH_REFERENCE_H_
