// The parameters of MLC-LLM's Gemma 3, and which of Hugging Face's tensors each is made of.
//
//     language_model.model.embed_tokens                       also the head, which is tied
//     language_model.model.layers.N.self_attn.{q,k,v,o}_proj
//     language_model.model.layers.N.mlp.gate_up_proj          the rows of gate_proj, then up_proj
//     language_model.model.layers.N.mlp.down_proj
//     ...layers.N.*_norm, *_layernorm, language_model.model.norm      1 + w, where HF has w
//
// A quantized matrix NAME is the parameters NAME.q_weight and NAME.q_scale; every other weight is
// NAME.weight in the model dtype.

#ifndef CARAT_MODEL_MLC_PARAMETERS_H_
#define CARAT_MODEL_MLC_PARAMETERS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carat/checkpoint/safetensors_writer.h"
#include "carat/graph/weight.h"
#include "carat/model/config.h"
#include "carat/quantization/group_quantization.h"

namespace carat::model {

struct MlcQuantization {
  std::string_view name;
  quantization::ModelDType model_dtype;
  bool quantizes_matrices;
};

std::span<const MlcQuantization> AllMlcQuantizations();

// q4f16_1, q4f32_1, q0f16 or q0f32. Throws Error listing them.
const MlcQuantization& FindMlcQuantization(std::string_view name);

// A weight of MLC's model before quantization.
struct MlcWeight {
  std::string name;                        // without .weight, .q_weight or .q_scale
  std::vector<graph::SourceTensor> parts;  // their rows follow each other
  float offset = 0;                        // added to every element

  bool is_vector() const { return parts.front().is_vector; }
  int64_t cols() const { return parts.front().cols; }
  int64_t rows() const;
  bool IsQuantized(const MlcQuantization& quantization) const {
    return quantization.quantizes_matrices && !is_vector();
  }
};

// In MLC's order. Throws Error for an untied head, for which MLC has no parameter.
std::vector<MlcWeight> MlcWeights(const ModelConfig& config);

// What the weight is stored as: q_weight and q_scale, or weight.
std::vector<checkpoint::TensorSpec> MlcParameters(const MlcWeight& weight,
                                                  const MlcQuantization& quantization);

// Where MLC keeps one of Hugging Face's tensors: rows [first_row, first_row + rows of the tensor).
struct MlcRows {
  const MlcWeight* weight;
  int64_t first_row;
};

std::optional<MlcRows> FindMlcRows(std::span<const MlcWeight> weights, std::string_view hf_tensor);

}  // namespace carat::model

#endif  // CARAT_MODEL_MLC_PARAMETERS_H_
