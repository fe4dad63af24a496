// Makes a KernelCase by calling functions of a plan, as WebLLM's runtime would:
//
//     PlanCase softmax("softmax: two logits", plan);
//     const size_t logits = softmax.AddBuffer(std::vector{0.0F, 1.0F});
//     const size_t temperature = softmax.AddBuffer(std::vector{1.0F});
//     const auto results = softmax.Call("softmax_with_temperature", {logits, temperature});
//     softmax.Expect({results[0], std::vector{0.2689F, 0.7311F}, 0, 1e-4});
//     cases.push_back(std::move(softmax).Take());

#ifndef CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_PLAN_CASE_H_
#define CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_PLAN_CASE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carat/compiler/codegen/webgpu/plan_model.h"
#include "tests/compiler/codegen/webgpu/kernel_case.h"

namespace carat::compiler::webgpu {

class PlanCase {
 public:
  // The plan must outlive it.
  PlanCase(std::string name, const PlanModel& plan);

  template <typename T>
  size_t AddBuffer(const std::vector<T>& values) {
    case_.buffers.push_back(BytesOf(values));
    return case_.buffers.size() - 1;
  }
  size_t AddZeros(int64_t num_bytes);

  // Where the calls that follow find a cache, merged weights or a parameter. Scratch buffers are
  // there by themselves.
  void Bind(Place place, uint32_t index, size_t buffer) { bound_[{place, index}] = buffer; }

  // Binds the plan's parameters to these buffers, in their order, and merged weights to what they
  // are copied from.
  void BindParameters(const std::vector<size_t>& parameters);

  // Binds a cache of zeros with room for as many tokens as SetContext said.
  void BindCaches();

  // What the calls that follow have before them (kPosition), and room for (kContext).
  void SetContext(int64_t position, int64_t context);

  // Calls a function on buffers that hold its arguments, and returns those of its results. Throws
  // Error where the plan and the arguments do not go together.
  std::vector<size_t> Call(std::string_view function, const std::vector<size_t>& arguments);

  // Launches a kernel that the plan does not have.
  void Launch(const WgslKernel& kernel, const std::vector<size_t>& buffers);

  void Expect(Expectation expectation) { case_.expectations.push_back(std::move(expectation)); }

  KernelCase Take() && { return std::move(case_); }

 private:
  void AddLaunch(const PlanLaunch& launch);
  size_t IndexOf(const WgslKernel& kernel);  // in the case, which gets it if it has it not
  size_t BufferOf(const Reference& reference);
  uint32_t Value(const Expression& expression) const;
  int64_t NumBytes(const PlanTensor& tensor) const;

  const PlanModel& plan_;
  KernelCase case_;
  std::map<std::pair<Place, uint32_t>, size_t> bound_;
  std::map<Variable, uint64_t> variables_;
};

}  // namespace carat::compiler::webgpu

#endif  // CARAT_TESTS_COMPILER_CODEGEN_WEBGPU_PLAN_CASE_H_
