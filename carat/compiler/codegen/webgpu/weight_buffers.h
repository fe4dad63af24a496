// Where kernels find the weights of a Program among MLC's parameters. A matrix that the Program
// made of several of them (q, k, v) has buffers of its own, into which they are copied once when
// loaded.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_WEIGHT_BUFFERS_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_WEIGHT_BUFFERS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "carat/compiler/codegen/webgpu/kernel_builder.h"
#include "carat/compiler/codegen/webgpu/plan_model.h"
#include "carat/graph/weight.h"
#include "carat/model/config.h"
#include "carat/model/mlc_parameters.h"

namespace carat::compiler::webgpu {

// A quantized matrix: words [rows, groups, 4] and scales [rows, groups].
struct MatrixBuffers {
  Reference words;
  Reference scales;
  int64_t num_groups = 0;  // of a row
  // Of the buffers' rows, the first of each part of the weight.
  std::vector<int64_t> first_rows;
};

class WeightBuffers {
 public:
  // Throws Error for what MLC's format cannot hold, or WebGPU cannot bind.
  WeightBuffers(const model::ModelConfig& config, const model::MlcQuantization& quantization);

  MatrixBuffers Matrix(const graph::Weight& weight);

  // Element `index` of a vector plus `offset`, as an expression of f32.
  std::string VectorElement(KernelBuilder& kernel, std::string_view name,
                            const graph::Weight& weight, float offset, std::string_view index);

  // The scale at `index` of [rows, groups], as an expression of f32.
  std::string Scale(KernelBuilder& kernel, const MatrixBuffers& matrix,
                    std::string_view index) const;

  // Fills in parameters, merged buffers and copies.
  void AddTo(PlanModel& plan) const;

  // [{"name", "shape", "dtype"}], as MLC's metadata lists them.
  const std::vector<checkpoint::TensorSpec>& parameters() const { return parameters_; }

 private:
  const model::MlcWeight& FindWeight(const std::string& tensor, int64_t& first_row) const;
  Reference Parameter(const std::string& name) const;
  MatrixBuffers Merge(const graph::Weight& weight);

  bool has_f16_;
  float norm_offset_;  // what Gemma adds to norm weights, and MLC's have in them
  std::vector<model::MlcWeight> weights_;
  std::vector<checkpoint::TensorSpec> parameters_;
  std::map<std::string, uint32_t> index_of_;  // of a parameter
  std::vector<Expression> merged_;
  std::vector<webllm::Copy> copies_;
  std::map<std::string, MatrixBuffers> merged_weights_;
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_WEIGHT_BUFFERS_H_
