#include "carat/model/gemma3.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "carat/base/numeric.h"

namespace carat::model {
namespace {

using graph::ValueId;
using graph::WeightId;

// Training computed the factor in the type of the embedding.
float EmbeddingScale(const ModelConfig& config) {
  const auto scale = static_cast<float>(std::sqrt(static_cast<double>(config.hidden_size)));
  return config.torch_dtype == "bfloat16" ? BF16ToFloat(FloatToBF16(scale)) : scale;
}

class Builder {
 public:
  explicit Builder(const ModelConfig& config) : config_(config), graph_(config.model_type) {}

  graph::Graph Build() && {
    const WeightId embed_tokens = Matrix("embed_tokens", config_.vocab_size, config_.hidden_size);
    ValueId h = graph_.Embed(graph_.Tokens(), embed_tokens, EmbeddingScale(config_), "h");
    for (int64_t layer = 0; layer < config_.num_hidden_layers; ++layer) {
      prefix_ = fmt::format("layers.{}.", layer);
      h = Residual(h, SelfAttention(layer, Norm(h, "input_layernorm")), "post_attention_layernorm",
                   "attention_residual");
      h = Residual(h, Mlp(Norm(h, "pre_feedforward_layernorm")), "post_feedforward_layernorm",
                   "residual");
    }
    prefix_.clear();
    graph_.output = Logits(Norm(graph_.SelectRows(h, "selected"), "norm"), embed_tokens);
    return std::move(graph_);
  }

 private:
  ValueId SelfAttention(int64_t layer, ValueId x) {
    const bool sliding = config_.layer_types[layer] == LayerKind::kSlidingAttention;
    const RopeParameters& rope = sliding ? config_.rope_sliding : config_.rope_full;
    const graph::RopeAngles angles{rope.theta, rope.linear_factor};
    const int64_t heads = config_.num_attention_heads;
    const int64_t kv_heads = config_.num_key_value_heads;
    const int64_t head_dim = config_.head_dim;

    ValueId q = Linear(x, "self_attn.q_proj", heads * head_dim, "q");
    ValueId k = Linear(x, "self_attn.k_proj", kv_heads * head_dim, "k");
    const ValueId v = Linear(x, "self_attn.v_proj", kv_heads * head_dim, "v");
    q = graph_.Rope(HeadNorm(q, heads, "self_attn.q_norm"), heads, angles, prefix_ + "q_rope");
    k = graph_.Rope(HeadNorm(k, kv_heads, "self_attn.k_norm"), kv_heads, angles,
                    prefix_ + "k_rope");

    graph::Attention attention{};
    attention.layer = layer;
    attention.num_heads = heads;
    attention.num_kv_heads = kv_heads;
    attention.head_dim = head_dim;
    attention.scale = static_cast<float>(1 / std::sqrt(config_.query_pre_attn_scalar));
    attention.sliding_window = sliding ? config_.sliding_window : 0;
    if (config_.attn_logit_softcapping) {
      attention.softcap = static_cast<float>(*config_.attn_logit_softcapping);
    }
    const ValueId mixed = graph_.Attention(q, k, v, attention, prefix_ + "attention");
    return Linear(mixed, "self_attn.o_proj", config_.hidden_size, "o");
  }

  ValueId Mlp(ValueId x) {
    const ValueId gate = Linear(x, "mlp.gate_proj", config_.intermediate_size, "gate");
    const ValueId up = Linear(x, "mlp.up_proj", config_.intermediate_size, "up");
    const ValueId activated = graph_.GeluTanh(gate, prefix_ + "gelu");
    const ValueId product = graph_.Mul(activated, up, prefix_ + "gated");
    return Linear(product, "mlp.down_proj", config_.hidden_size, "down");
  }

  ValueId Logits(ValueId x, WeightId embed_tokens) {
    const WeightId head =
        config_.tie_word_embeddings
            ? embed_tokens
            : AddWeight("lm_head", config_.lm_head_weight, config_.vocab_size, config_.hidden_size);
    const ValueId logits = graph_.Linear(x, head, "logits");
    if (!config_.final_logit_softcapping) return logits;
    return graph_.Softcap(logits, static_cast<float>(*config_.final_logit_softcapping),
                          "capped_logits");
  }

  // h + rms(x; norm_name)
  ValueId Residual(ValueId h, ValueId x, std::string_view norm_name, std::string_view value_name) {
    return graph_.Add(h, Norm(x, norm_name), prefix_ + std::string(value_name));
  }

  ValueId Norm(ValueId x, std::string_view name) {
    return graph_.RmsNorm(x, Vector(name, config_.hidden_size), Eps(), /*groups=*/1,
                          config_.norm_offset, prefix_ + std::string(name));
  }

  ValueId HeadNorm(ValueId x, int64_t heads, std::string_view name) {
    const std::string_view short_name = name.substr(name.rfind('.') + 1);
    return graph_.RmsNorm(x, Vector(name, config_.head_dim), Eps(), heads, config_.norm_offset,
                          prefix_ + std::string(short_name));
  }

  ValueId Linear(ValueId x, std::string_view weight, int64_t out, std::string_view value_name) {
    return graph_.Linear(x, Matrix(weight, out, graph_.TypeOf(x).width),
                         prefix_ + std::string(value_name));
  }

  float Eps() const { return static_cast<float>(config_.rms_norm_eps); }

  WeightId Vector(std::string_view name, int64_t size) {
    return AddWeight(prefix_ + std::string(name), TensorName(name), 1, size, /*is_vector=*/true);
  }

  WeightId Matrix(std::string_view name, int64_t rows, int64_t cols) {
    return AddWeight(prefix_ + std::string(name), TensorName(name), rows, cols);
  }

  std::string TensorName(std::string_view name) const {
    return fmt::format("{}{}{}.weight", config_.weight_prefix, prefix_, name);
  }

  WeightId AddWeight(std::string name, std::string tensor, int64_t rows, int64_t cols,
                     bool is_vector = false) {
    graph::Weight weight;
    weight.name = std::move(name);
    weight.parts = {{std::move(tensor), rows, cols, is_vector}};
    return graph_.AddWeight(std::move(weight));
  }

  const ModelConfig& config_;
  graph::Graph graph_;
  std::string prefix_;  // "layers.3.", of the layer under construction
};

}  // namespace

graph::Graph BuildGemma3(const ModelConfig& config) { return Builder(config).Build(); }

}  // namespace carat::model
