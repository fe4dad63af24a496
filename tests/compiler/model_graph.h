// A Gemma 3 of three small layers (sliding, full, sliding), for tests of passes and programs.

#ifndef CARAT_TESTS_COMPILER_MODEL_GRAPH_H_
#define CARAT_TESTS_COMPILER_MODEL_GRAPH_H_

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "carat/graph/reference.h"
#include "carat/model/architecture.h"
#include "carat/model/config.h"

namespace carat::compiler {

inline model::ModelConfig SmallConfig() {
  model::ModelConfig config;
  config.architecture = "Gemma3ForCausalLM";
  config.model_type = "gemma3_text";
  config.vocab_size = 50;
  config.hidden_size = 64;
  config.intermediate_size = 96;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = 16;
  config.max_position_embeddings = 256;
  config.sliding_window = 8;
  config.query_pre_attn_scalar = 16;
  config.rms_norm_eps = 1e-6;
  config.layer_types = {model::LayerKind::kSlidingAttention, model::LayerKind::kFullAttention,
                        model::LayerKind::kSlidingAttention};
  config.rope_sliding = {10'000, 1};
  config.rope_full = {1'000'000, 8};
  config.torch_dtype = "bfloat16";
  return config;
}

inline graph::Graph SmallGraph() { return model::BuildGraph(SmallConfig()); }

// Seeded values for each tensor, by its name.
inline std::vector<float> RandomTensor(const graph::SourceTensor& tensor) {
  std::mt19937 generator(static_cast<uint32_t>(std::hash<std::string>()(tensor.name)));
  std::normal_distribution<float> normal(0, 0.2F);
  std::vector<float> values(static_cast<size_t>(tensor.rows * tensor.cols));
  for (float& value : values) value = normal(generator);
  return values;
}

// Logits of the rows asked for, by the reference interpreter.
inline std::vector<float> Interpret(const graph::Graph& graph,
                                    const std::vector<int32_t>& logit_rows) {
  graph::Reference reference(graph, RandomTensor);
  const std::vector<TokenId> tokens = {2, 7, 1, 8, 2, 8, 1, 8, 28, 4, 5, 9, 0, 49, 33, 12};
  return reference.Forward(tokens, logit_rows);
}

template <typename Op>
int CountOps(const graph::Graph& graph) {
  int count = 0;
  for (const graph::Node& node : graph.nodes) count += std::holds_alternative<Op>(node.op);
  return count;
}

}  // namespace carat::compiler

#endif  // CARAT_TESTS_COMPILER_MODEL_GRAPH_H_
