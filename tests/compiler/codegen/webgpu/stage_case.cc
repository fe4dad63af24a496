#include "tests/compiler/codegen/webgpu/stage_case.h"

#include <set>

#include "carat/base/error.h"
#include "carat/compiler/codegen/webgpu/kernel_table.h"
#include "carat/compiler/codegen/webgpu/step_emitter.h"
#include "tests/compiler/codegen/webgpu/plan_case.h"

namespace carat::compiler::webgpu {

StageCase::StageCase(std::string name, const model::ModelConfig& config,
                     std::string_view quantization, int64_t num_tokens, int64_t position)
    : name_(std::move(name)),
      config_(config),
      weights_(config, quantization),
      num_tokens_(num_tokens),
      position_(position) {
  program_.max_rows = num_tokens;
}

graph::WeightId StageCase::AddWeight(graph::Weight weight) {
  program_.weights.push_back(std::move(weight));
  return static_cast<graph::WeightId>(program_.weights.size()) - 1;
}

BufferId StageCase::Buffer(std::string name, int64_t width) {
  program_.buffers.push_back({.name = std::move(name),
                              .type = {graph::RowSpace::kTokens, width},
                              .scope = BufferScope::kShared,
                              .row_bytes = width * 4});
  return static_cast<BufferId>(program_.buffers.size()) - 1;
}

BufferId StageCase::Input(std::string name, int64_t width, std::vector<float> values) {
  const BufferId buffer = Buffer(std::move(name), width);
  inputs_[buffer] = std::move(values);
  return buffer;
}

Operand StageCase::Whole(BufferId buffer) const {
  return {buffer, 0, program_.buffers[buffer].type.width};
}

void StageCase::AddStage(std::variant<RowLoop, MatMul, Attend> work) {
  program_.stages.push_back({std::move(work), Barrier::kAlways, 0});
}

void StageCase::SetCache(std::vector<uint16_t> keys, std::vector<uint16_t> values) {
  keys_ = std::move(keys);
  values_ = std::move(values);
}

void StageCase::Expect(BufferId buffer, std::vector<float> values, double atol, double rtol) {
  expected_.push_back({buffer, std::move(values), atol, rtol});
}

void StageCase::ExpectKeys(const std::vector<uint16_t>& halves) {
  for (size_t i = 0; i < halves.size(); i += 2) {
    expected_keys_.push_back(halves[i] | static_cast<int32_t>(uint32_t{halves[i + 1]} << 16));
  }
}

KernelCase StageCase::Take(Step step) && {
  if (features_.subgroups) name_ += ", subgroups";
  WeightBuffers weights(config_, weights_.quantization());
  ModelBuffers buffers(program_, config_);
  KernelTable kernels;
  StepEmitter emitter(program_, buffers, weights, features_, kernels);
  buffers.Begin(step);
  std::map<BufferId, Reference> places;  // before the step
  for (const auto& [buffer, values] : inputs_) places[buffer] = buffers.Current(buffer);
  std::set<BufferId> wanted;
  for (const Expected& expected : expected_) wanted.insert(expected.buffer);

  PlanModel plan;
  PlanFunction run;
  run.name = "run";
  run.arguments = {{ElementType::kI32, {Of(Variable::kTokens)}}};
  run.max_tokens = static_cast<uint32_t>(num_tokens_);
  run.launches = emitter.EmitStep(step, std::move(wanted));
  plan.functions = {std::move(run)};
  plan.kernels = std::move(kernels).Take();
  buffers.AddTo(plan);
  weights.AddTo(plan);

  PlanCase result(std::move(name_), plan);
  std::vector<size_t> parameters;
  for (const BufferBytes& parameter : weights_.parameters()) {
    parameters.push_back(result.AddBuffer(parameter));
  }
  result.BindParameters(parameters);
  for (const auto& [buffer, reference] : places) {
    std::vector<float> values = inputs_.at(buffer);
    // All of the scratch buffer.
    values.resize(plan.scratch.at(reference.index).addend / sizeof(float));
    result.Bind(reference.place, reference.index, result.AddBuffer(values));
  }
  std::map<BufferId, size_t> outputs;
  for (const Expected& expected : expected_) {
    const Reference reference = buffers.Current(expected.buffer);
    if (places.contains(expected.buffer) && places.at(expected.buffer).index == reference.index) {
      throw Error("{}: '{}' is changed in place", name_, program_.buffers[expected.buffer].name);
    }
    outputs[expected.buffer] = result.AddZeros(plan.scratch.at(reference.index).addend);
    result.Bind(reference.place, reference.index, outputs[expected.buffer]);
  }
  const size_t keys = result.AddBuffer(keys_);
  result.Bind(Place::kCache, 0, keys);
  result.Bind(Place::kCache, 1, result.AddBuffer(values_));
  result.SetContext(position_, config_.max_position_embeddings);
  result.Call("run", {result.AddZeros(num_tokens_ * 4)});
  for (Expected& expected : expected_) {
    result.Expect(
        {outputs.at(expected.buffer), std::move(expected.values), expected.atol, expected.rtol});
  }
  if (!expected_keys_.empty()) result.Expect({keys, std::move(expected_keys_), 0, 0});
  return std::move(result).Take();
}

}  // namespace carat::compiler::webgpu
