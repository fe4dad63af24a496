#include "carat/compiler/codegen/webgpu/weight_buffers.h"

#include <fmt/format.h>

#include <utility>

#include "carat/base/error.h"
#include "carat/compiler/codegen/webgpu/wgsl.h"
#include "carat/quantization/group_quantization.h"

namespace carat::compiler::webgpu {
WeightBuffers::WeightBuffers(const model::ModelConfig& config,
                             const model::MlcQuantization& quantization)
    : has_f16_(quantization.model_dtype == quantization::ModelDType::kF16),
      norm_offset_(config.norm_offset),
      weights_(model::MlcWeights(config)) {
  for (const model::MlcWeight& weight : weights_) {
    if (!weight.is_vector() && weight.cols() % quantization::kGroupSize != 0) {
      throw Error("tensor '{}' has rows of {} values; WebGPU kernels take multiples of {}",
                  weight.parts.front().name, weight.cols(), quantization::kGroupSize);
    }
    for (checkpoint::TensorSpec& parameter : model::MlcParameters(weight, quantization)) {
      if (parameter.num_bytes() % 4 != 0) {
        throw Error(
            "tensor '{}': WebGPU binds multiples of 4 bytes, {} has {}; an even number of rows is "
            "needed (vocab_size in config.json, for the embedding)",
            weight.parts.front().name, parameter.name, parameter.num_bytes());
      }
      index_of_[parameter.name] = static_cast<uint32_t>(parameters_.size());
      parameters_.push_back(std::move(parameter));
    }
  }
}

MatrixBuffers WeightBuffers::Matrix(const graph::Weight& weight) {
  const int64_t num_groups = quantization::NumGroups(weight.cols());
  const model::MlcWeight* common = nullptr;
  std::vector<int64_t> first_rows;
  for (const graph::SourceTensor& part : weight.parts) {
    int64_t first_row = 0;
    const model::MlcWeight& found = FindWeight(part.name, first_row);
    if (common != nullptr && common != &found) return Merge(weight);
    common = &found;
    first_rows.push_back(first_row);
  }
  return {Parameter(common->name + ".q_weight"), Parameter(common->name + ".q_scale"), num_groups,
          std::move(first_rows)};
}

MatrixBuffers WeightBuffers::Merge(const graph::Weight& weight) {
  if (const auto known = merged_weights_.find(weight.name); known != merged_weights_.end()) {
    return known->second;
  }
  const auto words = static_cast<uint32_t>(merged_.size());
  const uint32_t scales = words + 1;
  MatrixBuffers result{{Place::kMerged, words},
                       {Place::kMerged, scales},
                       quantization::NumGroups(weight.cols()),
                       {}};
  uint32_t offsets[] = {0, 0};
  int64_t num_rows = 0;
  for (const graph::SourceTensor& part : weight.parts) {
    int64_t first_row = 0;
    const model::MlcWeight& found = FindWeight(part.name, first_row);
    if (first_row != 0 || found.rows() != part.rows) {
      throw Error("weight '{}' takes a part of MLC's '{}'", weight.name, found.name);
    }
    result.first_rows.push_back(num_rows);
    num_rows += part.rows;
    for (const uint32_t i : {0u, 1u}) {
      const Reference parameter = Parameter(found.name + (i == 0 ? ".q_weight" : ".q_scale"));
      const auto num_bytes = static_cast<uint32_t>(parameters_[parameter.index].num_bytes());
      copies_.push_back({parameter.index, words + i, offsets[i], num_bytes});
      offsets[i] += num_bytes;
    }
  }
  for (const uint32_t num_bytes : offsets) merged_.push_back(Constant(num_bytes));
  merged_weights_[weight.name] = result;
  return result;
}

std::string WeightBuffers::VectorElement(KernelBuilder& kernel, std::string_view name,
                                         const graph::Weight& weight, float offset,
                                         std::string_view index) {
  int64_t first_row = 0;
  const model::MlcWeight& found = FindWeight(weight.parts.front().name, first_row);
  const std::string vector =
      kernel.Bind(name, Parameter(found.name + ".weight"), has_f16_ ? "u32" : "f32");
  const std::string element =
      has_f16_ ? fmt::format("unpack2x16float({0}[({1}) >> 1u])[({1}) & 1u]", vector, index)
               : fmt::format("{}[{}]", vector, index);
  const float rest = offset + weight.offset - norm_offset_;
  return rest == 0 ? element : fmt::format("({} + {})", element, FloatLiteral(rest));
}

std::string WeightBuffers::Scale(KernelBuilder& kernel, const MatrixBuffers& matrix,
                                 std::string_view index) const {
  const std::string scales = kernel.Bind("scales", matrix.scales, has_f16_ ? "u32" : "f32");
  return has_f16_ ? fmt::format("unpack2x16float({0}[({1}) >> 1u])[({1}) & 1u]", scales, index)
                  : fmt::format("{}[{}]", scales, index);
}

void WeightBuffers::AddTo(PlanModel& plan) const {
  for (const checkpoint::TensorSpec& parameter : parameters_) {
    plan.parameters.push_back({parameter.name, static_cast<int64_t>(parameter.num_bytes())});
  }
  plan.merged = merged_;
  plan.copies = copies_;
}

const model::MlcWeight& WeightBuffers::FindWeight(const std::string& tensor,
                                                  int64_t& first_row) const {
  const auto rows = model::FindMlcRows(weights_, tensor);
  if (!rows) throw Error("tensor '{}' has no place among MLC's parameters", tensor);
  first_row = rows->first_row;
  return *rows->weight;
}

Reference WeightBuffers::Parameter(const std::string& name) const {
  return {Place::kParameter, index_of_.at(name)};
}

}  // namespace carat::compiler::webgpu
