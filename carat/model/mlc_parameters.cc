#include "carat/model/mlc_parameters.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "carat/base/error.h"

namespace carat::model {
namespace {

using checkpoint::DType;
using checkpoint::TensorSpec;
using quantization::ModelDType;

constexpr std::string_view kMlcPrefix = "language_model.model.";

constexpr std::array<MlcQuantization, 4> kQuantizations = {{
    {"q4f16_1", ModelDType::kF16, true},
    {"q4f32_1", ModelDType::kF32, true},
    {"q0f16", ModelDType::kF16, false},
    {"q0f32", ModelDType::kF32, false},
}};

class WeightList {
 public:
  explicit WeightList(const ModelConfig& config) : config_(config) {}

  std::vector<MlcWeight> Make() && {
    Matrix("embed_tokens", config_.vocab_size, config_.hidden_size);
    for (int64_t layer = 0; layer < config_.num_hidden_layers; ++layer) {
      AddLayer(fmt::format("layers.{}.", layer));
    }
    Norm("norm", config_.hidden_size);
    return std::move(weights_);
  }

 private:
  void AddLayer(const std::string& layer) {
    const int64_t hidden = config_.hidden_size;
    const int64_t q_rows = config_.num_attention_heads * config_.head_dim;
    const int64_t kv_rows = config_.num_key_value_heads * config_.head_dim;
    Matrix(layer + "self_attn.q_proj", q_rows, hidden);
    Matrix(layer + "self_attn.k_proj", kv_rows, hidden);
    Matrix(layer + "self_attn.v_proj", kv_rows, hidden);
    Matrix(layer + "self_attn.o_proj", hidden, q_rows);
    Norm(layer + "self_attn.q_norm", config_.head_dim);
    Norm(layer + "self_attn.k_norm", config_.head_dim);
    const int64_t inner = config_.intermediate_size;
    Add(layer + "mlp.gate_up_proj", {Source(layer + "mlp.gate_proj", inner, hidden),
                                     Source(layer + "mlp.up_proj", inner, hidden)});
    Matrix(layer + "mlp.down_proj", hidden, inner);
    for (const char* norm : {"input_layernorm", "post_attention_layernorm",
                             "pre_feedforward_layernorm", "post_feedforward_layernorm"}) {
      Norm(layer + norm, hidden);
    }
  }

  graph::SourceTensor Source(const std::string& name, int64_t rows, int64_t cols) const {
    return {fmt::format("{}{}.weight", config_.weight_prefix, name), rows, cols};
  }

  void Add(const std::string& name, std::vector<graph::SourceTensor> parts, float offset = 0) {
    weights_.push_back({fmt::format("{}{}", kMlcPrefix, name), std::move(parts), offset});
  }

  void Matrix(const std::string& name, int64_t rows, int64_t cols) {
    Add(name, {Source(name, rows, cols)});
  }

  void Norm(const std::string& name, int64_t size) {
    graph::SourceTensor source = Source(name, 1, size);
    source.is_vector = true;
    Add(name, {std::move(source)}, 1);
  }

  const ModelConfig& config_;
  std::vector<MlcWeight> weights_;
};

}  // namespace

std::span<const MlcQuantization> AllMlcQuantizations() { return kQuantizations; }

const MlcQuantization& FindMlcQuantization(std::string_view name) {
  std::string known;
  for (const MlcQuantization& quantization : kQuantizations) {
    if (quantization.name == name) return quantization;
    known.append(known.empty() ? "" : ", ").append(quantization.name);
  }
  throw Error("no quantization of MLC's that Carat writes or reads is called '{}'; there are {}",
              name, known);
}

int64_t MlcWeight::rows() const {
  int64_t sum = 0;
  for (const graph::SourceTensor& part : parts) sum += part.rows;
  return sum;
}

std::vector<MlcWeight> MlcWeights(const ModelConfig& config) {
  if (!config.tie_word_embeddings) {
    throw Error(
        "config.json: field 'tie_word_embeddings' is false, but MLC's Gemma 3 has one matrix for "
        "embedding and head; such a model has no MLC form");
  }
  return WeightList(config).Make();
}

std::vector<TensorSpec> MlcParameters(const MlcWeight& weight,
                                      const MlcQuantization& quantization) {
  const DType dtype = quantization.model_dtype == ModelDType::kF16 ? DType::kF16 : DType::kF32;
  if (weight.IsQuantized(quantization)) {
    const int64_t rows = weight.rows();
    return {{weight.name + ".q_weight", DType::kU32, {rows, quantization::NumWords(weight.cols())}},
            {weight.name + ".q_scale", dtype, {rows, quantization::NumGroups(weight.cols())}}};
  }
  const std::vector<int64_t> shape =
      weight.is_vector() ? std::vector{weight.cols()} : std::vector{weight.rows(), weight.cols()};
  return {{weight.name + ".weight", dtype, shape}};
}

std::optional<MlcRows> FindMlcRows(std::span<const MlcWeight> weights, std::string_view hf_tensor) {
  for (const MlcWeight& weight : weights) {
    int64_t first_row = 0;
    for (const graph::SourceTensor& part : weight.parts) {
      if (part.name == hf_tensor) return MlcRows{&weight, first_row};
      first_row += part.rows;
    }
  }
  return std::nullopt;
}

}  // namespace carat::model
