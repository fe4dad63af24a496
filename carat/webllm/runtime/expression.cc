#include "carat/webllm/runtime/expression.h"

namespace carat::webllm {
namespace {

uint64_t ValueOf(Variable variable, const Step& step) {
  switch (variable) {
    case Variable::kZero:
      return 0;
    case Variable::kTokens:
      return step.tokens;
    case Variable::kPosition:
      return step.position;
    case Variable::kTotal:
      return uint64_t{step.position} + step.tokens;
    case Variable::kContext:
      return step.context;
  }
  return 0;
}

}  // namespace

// Within 64 bits: variables are below 2^32, the total too, since a KV cache has room for no more.
uint32_t Evaluate(const Expression& expression, const Step& step) {
  const uint64_t sum =
      ValueOf(expression.variable, step) * expression.multiplier + expression.addend;
  const uint64_t quotient = sum / expression.divisor + (sum % expression.divisor == 0 ? 0 : 1);
  if (quotient < expression.minimum) return expression.minimum;
  if (quotient > expression.maximum) return expression.maximum;
  return static_cast<uint32_t>(quotient);
}

}  // namespace carat::webllm
