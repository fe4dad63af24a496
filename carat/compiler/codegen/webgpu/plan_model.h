// The plan of a model library while it is made: what webllm/plan.h lays out in bytes, as values.

#ifndef CARAT_COMPILER_CODEGEN_WEBGPU_PLAN_MODEL_H_
#define CARAT_COMPILER_CODEGEN_WEBGPU_PLAN_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "carat/compiler/codegen/webgpu/kernel.h"
#include "carat/webllm/plan.h"

namespace carat::compiler::webgpu {

using webllm::ElementType;
using webllm::Expression;
using webllm::Place;
using webllm::Reference;
using webllm::Returns;
using webllm::Variable;

inline constexpr uint32_t kNoMaximum = std::numeric_limits<uint32_t>::max();

// --- Expressions ---

inline Expression Constant(int64_t value) {
  return {Variable::kZero, 0, static_cast<uint32_t>(value), 1, 0, kNoMaximum};
}

inline Expression Of(Variable variable) { return {variable, 1, 0, 1, 0, kNoMaximum}; }

// ceil(variable * multiplier / divisor).
inline Expression Ratio(Variable variable, int64_t multiplier, int64_t divisor) {
  return {variable,  static_cast<uint32_t>(multiplier), 0, static_cast<uint32_t>(divisor), 0,
          kNoMaximum};
}

inline Expression AtMost(Expression expression, int64_t maximum) {
  expression.maximum = static_cast<uint32_t>(maximum);
  return expression;
}

// --- Functions ---

struct PlanTensor {
  ElementType element;
  std::vector<Expression> dimensions;
};

struct PlanLaunch {
  uint32_t kernel = 0;  // index in PlanModel::kernels
  std::vector<Reference> buffers;
  std::vector<Expression> scalars;
  Expression grid_x = Constant(1);
  Expression grid_y = Constant(1);
};

struct PlanFunction {
  std::string name;
  std::vector<PlanTensor> arguments;
  std::vector<PlanTensor> results;
  Returns returns = Returns::kNothing;
  uint32_t tokens_argument = 0;  // whose elements / tokens_divisor are the tokens
  uint32_t tokens_divisor = 1;
  uint32_t max_tokens = 1;
  bool uses_state = false;
  std::vector<PlanLaunch> launches;
};

// --- The whole ---

struct PlanParameter {
  std::string name;
  int64_t num_bytes = 0;
};

struct PlanModel {
  std::string model;     // "gemma3_text, q4f16_1"
  std::string metadata;  // JSON
  std::vector<PlanParameter> parameters;
  std::vector<Expression> scratch;  // sizes of buffers, in bytes
  std::vector<Expression> cache;
  std::vector<Expression> merged;
  std::vector<webllm::Copy> copies;
  std::vector<WgslKernel> kernels;
  std::vector<PlanFunction> functions;
  int64_t max_context = 0;
};

// The bytes of webllm/plan.h. Throws Error for text that is not ASCII.
std::vector<std::byte> WritePlan(const PlanModel& plan);

}  // namespace carat::compiler::webgpu

#endif  // CARAT_COMPILER_CODEGEN_WEBGPU_PLAN_MODEL_H_
