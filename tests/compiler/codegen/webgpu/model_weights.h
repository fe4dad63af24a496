// Random weights of a model as MLC's parameters, and the values that those stand for.

#ifndef CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_MODEL_WEIGHTS_H_
#define CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_MODEL_WEIGHTS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carat/graph/weight.h"
#include "carat/model/config.h"
#include "carat/model/mlc_parameters.h"
#include "tests/compiler/codegen/webgpu/kernel_case.h"

namespace carat::compiler::webgpu {

class ModelWeights {
 public:
  ModelWeights(const model::ModelConfig& config, std::string_view quantization);

  // What a tensor of Hugging Face's is after quantization, without MLC's + 1 of norms.
  const std::vector<float>& Values(const graph::SourceTensor& tensor) const {
    return values_.at(tensor.name);
  }

  const model::MlcQuantization& quantization() const { return quantization_; }

  // In the order of the plan's parameters.
  const std::vector<BufferBytes>& parameters() const { return parameters_; }

 private:
  void AddMatrix(const model::MlcWeight& weight);
  void AddVector(const model::MlcWeight& weight);

  const model::MlcQuantization& quantization_;
  std::map<std::string, std::vector<float>> values_;
  std::vector<BufferBytes> parameters_;
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_MODEL_WEIGHTS_H_
