// Makes a KernelCase of one stage of a Program: a kernel for one token, or for many.
//
//     StageCase stage("rms_norm", config, "q4f16_1", 4);
//     const BufferId x = stage.Input("x", 64, values);      // [4, 64]
//     const BufferId y = stage.Buffer("y", 64);
//     stage.AddStage(RowLoop{...});
//     stage.Expect(y, expected, 0, 1e-5);
//     cases.push_back(std::move(stage).Take(Step::kManyTokens));

#ifndef CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_STAGE_CASE_H_
#define CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_STAGE_CASE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "carat/compiler/codegen/webgpu/features.h"
#include "carat/compiler/codegen/webgpu/model_buffers.h"
#include "carat/compiler/program/program.h"
#include "carat/graph/weight.h"
#include "carat/model/config.h"
#include "tests/compiler/codegen/webgpu/kernel_case.h"
#include "tests/compiler/codegen/webgpu/model_weights.h"

namespace carat::compiler::webgpu {

class StageCase {
 public:
  // Steps of `num_tokens` after `position` others.
  StageCase(std::string name, const model::ModelConfig& config, std::string_view quantization,
            int64_t num_tokens, int64_t position = 0);

  const ModelWeights& weights() const { return weights_; }
  graph::WeightId AddWeight(graph::Weight weight);

  // [num_tokens, width].
  BufferId Buffer(std::string name, int64_t width);
  BufferId Input(std::string name, int64_t width, std::vector<float> values);
  Operand Whole(BufferId buffer) const;

  void AddStage(std::variant<RowLoop, MatMul, Attend> work);

  // What the cache of layer 0 holds before the step: f16 as [tokens, width], by slots.
  void SetCache(std::vector<uint16_t> keys, std::vector<uint16_t> values);

  // The values of a buffer, or of layer 0's cache, after the stages have run.
  void Expect(BufferId buffer, std::vector<float> values, double atol, double rtol);
  void ExpectKeys(const std::vector<uint16_t>& halves);

  void Use(const Features& features) { features_ = features; }

  // Generates the kernels.
  KernelCase Take(Step step) &&;

 private:
  std::string name_;
  model::ModelConfig config_;
  ModelWeights weights_;
  int64_t num_tokens_;
  int64_t position_;
  Features features_;
  Program program_;
  std::map<BufferId, std::vector<float>> inputs_;
  std::vector<uint16_t> keys_;
  std::vector<uint16_t> values_;
  struct Expected {
    BufferId buffer;
    std::vector<float> values;
    double atol;
    double rtol;
  };
  std::vector<Expected> expected_;
  std::vector<int32_t> expected_keys_;
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_STAGE_CASE_H_
