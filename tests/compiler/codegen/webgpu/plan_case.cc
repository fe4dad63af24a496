#include "tests/compiler/codegen/webgpu/plan_case.h"

#include <algorithm>

#include "carat/base/error.h"

namespace carat::compiler::webgpu {

PlanCase::PlanCase(std::string name, const PlanModel& plan) : plan_(plan) {
  case_.name = std::move(name);
}

size_t PlanCase::AddZeros(int64_t num_bytes) {
  case_.buffers.emplace_back(static_cast<size_t>(num_bytes));
  return case_.buffers.size() - 1;
}

void PlanCase::BindParameters(const std::vector<size_t>& parameters) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    Bind(Place::kParameter, static_cast<uint32_t>(i), parameters[i]);
  }
  std::vector<BufferBytes> merged;
  for (const Expression& size : plan_.merged) merged.emplace_back(Value(size));
  for (const webllm::Copy& copy : plan_.copies) {
    const BufferBytes& source = case_.buffers.at(parameters.at(copy.parameter));
    std::ranges::copy(std::span(source).first(copy.num_bytes),
                      merged.at(copy.merged).begin() + copy.merged_offset);
  }
  for (size_t i = 0; i < merged.size(); ++i) {
    Bind(Place::kMerged, static_cast<uint32_t>(i), AddBuffer(merged[i]));
  }
}

void PlanCase::BindCaches() {
  for (size_t i = 0; i < plan_.cache.size(); ++i) {
    Bind(Place::kCache, static_cast<uint32_t>(i), AddZeros(Value(plan_.cache[i])));
  }
}

void PlanCase::SetContext(int64_t position, int64_t context) {
  variables_[Variable::kPosition] = static_cast<uint64_t>(position);
  variables_[Variable::kContext] = static_cast<uint64_t>(context);
}

std::vector<size_t> PlanCase::Call(std::string_view name, const std::vector<size_t>& arguments) {
  const auto function = std::ranges::find(plan_.functions, name, &PlanFunction::name);
  if (function == plan_.functions.end()) throw Error("the plan has no function '{}'", name);
  if (arguments.size() != function->arguments.size()) {
    throw Error("{}: {} arguments, expected {}", name, arguments.size(),
                function->arguments.size());
  }
  const uint64_t elements =
      case_.buffers[arguments[function->tokens_argument]].size() / sizeof(float);
  const uint64_t tokens = elements / function->tokens_divisor;
  if (elements % function->tokens_divisor != 0 || tokens > function->max_tokens) {
    throw Error("{}: {} elements are not 1 to {} times {}", name, elements, function->max_tokens,
                function->tokens_divisor);
  }
  variables_[Variable::kTokens] = tokens;
  variables_[Variable::kTotal] = variables_[Variable::kPosition] + tokens;

  std::vector<size_t> results;
  for (const PlanTensor& result : function->results) results.push_back(AddZeros(NumBytes(result)));
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (std::cmp_not_equal(case_.buffers[arguments[i]].size(), NumBytes(function->arguments[i]))) {
      throw Error("{}: argument {} has {} bytes, expected {}", name, i,
                  case_.buffers[arguments[i]].size(), NumBytes(function->arguments[i]));
    }
    Bind(Place::kArgument, static_cast<uint32_t>(i), arguments[i]);
  }
  for (size_t i = 0; i < results.size(); ++i) {
    Bind(Place::kResult, static_cast<uint32_t>(i), results[i]);
  }
  for (const PlanLaunch& launch : function->launches) AddLaunch(launch);
  return results;
}

void PlanCase::Launch(const WgslKernel& kernel, const std::vector<size_t>& buffers) {
  case_.launches.push_back({.kernel = IndexOf(kernel), .buffers = buffers});
}

void PlanCase::AddLaunch(const PlanLaunch& launch) {
  CaseLaunch added = {.kernel = IndexOf(plan_.kernels.at(launch.kernel)),
                      .grid = {Value(launch.grid_x), Value(launch.grid_y)}};
  for (const Reference& reference : launch.buffers) added.buffers.push_back(BufferOf(reference));
  for (const Expression& scalar : launch.scalars) added.scalars.push_back(Value(scalar));
  case_.launches.push_back(std::move(added));
}

size_t PlanCase::IndexOf(const WgslKernel& kernel) {
  auto known = std::ranges::find(case_.kernels, kernel.name, &WgslKernel::name);
  if (known == case_.kernels.end()) known = case_.kernels.insert(known, kernel);
  return static_cast<size_t>(known - case_.kernels.begin());
}

size_t PlanCase::BufferOf(const Reference& reference) {
  const std::pair key(reference.place, reference.index);
  const auto found = bound_.find(key);
  if (found != bound_.end()) return found->second;
  if (reference.place != Place::kScratch) {
    throw Error("{}: buffer {} of place {} is not bound", case_.name, reference.index,
                static_cast<uint32_t>(reference.place));
  }
  return bound_[key] = AddZeros(Value(plan_.scratch.at(reference.index)));
}

uint32_t PlanCase::Value(const Expression& expression) const {
  const auto variable = variables_.find(expression.variable);
  const uint64_t value = variable == variables_.end() ? 0 : variable->second;
  const uint64_t quotient =
      (value * expression.multiplier + expression.addend + expression.divisor - 1) /
      expression.divisor;
  return static_cast<uint32_t>(
      std::clamp<uint64_t>(quotient, expression.minimum, expression.maximum));
}

int64_t PlanCase::NumBytes(const PlanTensor& tensor) const {
  int64_t count = tensor.element == ElementType::kF16 ? 2 : 4;
  for (const Expression& dimension : tensor.dimensions) count *= Value(dimension);
  return count;
}

}  // namespace carat::compiler::webgpu
