// Checks a plan: whatever bytes it is of, it either is refused in words or safe to run.

#include "carat/webllm/runtime/device.h"
#include "carat/webllm/runtime/expression.h"
#include "carat/webllm/runtime/plan_reader.h"
#include "carat/webllm/runtime/tensors.h"

namespace carat::webllm {
namespace {

// Tables may overlap, so that a small plan could name a great many elements; no model has as many.
constexpr uint64_t kMaxElements = 1u << 24;

// What of the step an expression may depend on.
enum class Scope { kNothing, kContext, kTokens, kState };

bool IsKnown(Variable variable, Scope scope) {
  switch (variable) {
    case Variable::kZero:
      return true;
    case Variable::kTokens:
      return scope == Scope::kTokens || scope == Scope::kState;
    case Variable::kContext:
      return scope == Scope::kContext || scope == Scope::kState;
    case Variable::kPosition:
    case Variable::kTotal:
      return scope == Scope::kState;
  }
  return false;
}

bool IsPrintable(char character) {
  return (character >= ' ' && character <= '~') || character == '\n' || character == '\t';
}

bool IsOfNames(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '_' || character == '.';
}

class PlanCheck {
 public:
  PlanCheck(const char* bytes, uint32_t num_bytes) : plan_(bytes), num_bytes_(num_bytes) {}

  Status Header();
  Status Weights();
  Status Buffers();
  Status Kernels();
  Status Functions();

 private:
  Status Damaged(const char* what, uint32_t index = 0) {
    return Fail("model.wasm is damaged: ", what, " ", index,
                " of its plan is invalid; compile the model again");
  }

  bool InPlan(Span span, uint32_t element_bytes) {
    num_elements_ += span.count;
    return num_elements_ <= kMaxElements &&
           uint64_t{span.offset} + uint64_t{span.count} * element_bytes <= num_bytes_;
  }

  template <typename T>
  bool IsTable(Span span) {
    return span.offset % alignof(T) == 0 && InPlan(span, sizeof(T));
  }

  bool IsText(Text text) {
    if (!InPlan(text, 1)) return false;
    const TextView view = plan_.TextAt(text);
    for (size_t i = 0; i < view.size; ++i) {
      if (!IsPrintable(view.data[i])) return false;
    }
    return true;
  }

  // Names stand in JSON as they are.
  bool IsName(Text text) {
    if (text.count == 0 || !IsText(text)) return false;
    const TextView view = plan_.TextAt(text);
    for (size_t i = 0; i < view.size; ++i) {
      if (!IsOfNames(view.data[i])) return false;
    }
    return true;
  }

  static bool IsExpression(const Expression& expression, Scope scope) {
    return IsKnown(expression.variable, scope) && expression.divisor != 0 &&
           expression.minimum <= expression.maximum;
  }

  bool AreExpressions(Span span, Scope scope) {
    if (!IsTable<Expression>(span)) return false;
    for (const Expression& expression : plan_.Table<Expression>(span)) {
      if (!IsExpression(expression, scope)) return false;
    }
    return true;
  }

  bool AreTensorTypes(Span span, Scope scope);
  bool IsReference(const Reference& reference, const Function& function);
  bool AreReferences(Span span, const Function& function);
  bool IsFunction(const Function& function);
  bool IsLaunch(const Launch& launch, const Function& function, Scope scope);
  Status BufferSizes(Span span, const char* what, Scope scope);

  Plan plan_;
  uint32_t num_bytes_;
  uint64_t num_elements_ = 0;
};

Status PlanCheck::Header() {
  if (num_bytes_ < 2 * sizeof(uint32_t) || plan_.Header().magic != kPlanMagic) {
    return Fail(
        "model.wasm is damaged: what is appended to it is no plan; compile the model again");
  }
  const uint32_t version = plan_.Header().version;
  if (version != kPlanVersion) {
    return Fail("model.wasm was made for plan version ", version, ", this runtime reads ",
                kPlanVersion, ": compile the model again");
  }
  if (num_bytes_ < sizeof(PlanHeader) || plan_.Header().num_bytes != num_bytes_) {
    return Fail("model.wasm is damaged: its plan is cut off; compile the model again");
  }
  const PlanHeader& header = plan_.Header();
  if (!IsText(header.carat_version) || !IsText(header.model) || !IsText(header.metadata) ||
      header.max_context == 0 || header.max_context > INT32_MAX) {
    return Damaged("header");
  }
  return Status::kOk;
}

Status PlanCheck::BufferSizes(Span span, const char* what, Scope scope) {
  if (!IsTable<BufferSize>(span)) return Damaged(what);
  const Step largest = {.context = plan_.Header().max_context};
  uint32_t index = 0;
  for (const BufferSize& size : plan_.Table<BufferSize>(span)) {
    if (!IsExpression(size, scope) || Evaluate(size, largest) > kMaxBufferBytes) {
      return Damaged(what, index);
    }
    ++index;
  }
  return Status::kOk;
}

Status PlanCheck::Buffers() {
  const PlanHeader& header = plan_.Header();
  CARAT_RETURN_IF_FAILED(BufferSizes(header.scratch, "scratch buffer", Scope::kNothing));
  CARAT_RETURN_IF_FAILED(BufferSizes(header.cache, "cache buffer", Scope::kContext));
  return BufferSizes(header.merged, "merged weight", Scope::kNothing);
}

Status PlanCheck::Weights() {
  const PlanHeader& header = plan_.Header();
  if (!IsTable<Parameter>(header.parameters)) return Damaged("parameter");
  uint32_t index = 0;
  for (const Parameter& parameter : plan_.Parameters()) {
    if (parameter.name.count == 0 || !IsText(parameter.name) ||
        parameter.num_bytes > kMaxBufferBytes) {
      return Damaged("parameter", index);
    }
    ++index;
  }
  if (!IsTable<Copy>(header.copies)) return Damaged("copy");
  index = 0;
  for (const Copy& copy : plan_.Table<Copy>(header.copies)) {
    if (copy.parameter >= header.parameters.count || copy.merged >= header.merged.count ||
        copy.merged_offset % 4 != 0 || copy.num_bytes % 4 != 0 ||
        copy.num_bytes != plan_.Parameters()[copy.parameter].num_bytes ||
        uint64_t{copy.merged_offset} + copy.num_bytes >
            Evaluate(plan_.Table<BufferSize>(header.merged)[copy.merged], {})) {
      return Damaged("copy", index);
    }
    ++index;
  }
  return Status::kOk;
}

Status PlanCheck::Kernels() {
  if (!IsTable<Kernel>(plan_.Header().kernels)) return Damaged("kernel");
  uint32_t index = 0;
  for (const Kernel& kernel : plan_.Kernels()) {
    if (!IsName(kernel.name) || !IsText(kernel.info) || !IsText(kernel.wgsl)) {
      return Damaged("kernel", index);
    }
    ++index;
  }
  return Status::kOk;
}

bool PlanCheck::AreTensorTypes(Span span, Scope scope) {
  if (!IsTable<TensorType>(span)) return false;
  for (const TensorType& type : plan_.Table<TensorType>(span)) {
    if (type.element > ElementType::kF32 || type.dimensions.count > kMaxDimensions ||
        !AreExpressions(type.dimensions, scope)) {
      return false;
    }
  }
  return true;
}

bool PlanCheck::IsReference(const Reference& reference, const Function& function) {
  const PlanHeader& header = plan_.Header();
  switch (reference.place) {
    case Place::kScratch:
      return reference.index < header.scratch.count;
    case Place::kCache:
      return reference.index < header.cache.count && function.uses_state == 1;
    case Place::kMerged:
      return reference.index < header.merged.count;
    case Place::kParameter:
      return reference.index < header.parameters.count;
    case Place::kArgument:
      return reference.index < function.arguments.count;
    case Place::kResult:
      return reference.index < function.results.count;
  }
  return false;
}

bool PlanCheck::AreReferences(Span span, const Function& function) {
  if (!IsTable<Reference>(span)) return false;
  for (const Reference& reference : plan_.Table<Reference>(span)) {
    if (!IsReference(reference, function)) return false;
  }
  return true;
}

bool PlanCheck::IsLaunch(const Launch& launch, const Function& function, Scope scope) {
  return launch.kernel < plan_.Header().kernels.count && AreReferences(launch.buffers, function) &&
         AreExpressions(launch.scalars, scope) && IsExpression(launch.grid_x, scope) &&
         IsExpression(launch.grid_y, scope) &&
         uint64_t{launch.buffers.count} + launch.scalars.count + 2 <= kMaxLaunchArguments;
}

bool PlanCheck::IsFunction(const Function& function) {
  const Scope scope = function.uses_state == 1 ? Scope::kState : Scope::kTokens;
  if (!IsName(function.name) || function.arguments.count > kMaxTensors ||
      function.results.count > kMaxTensors || !AreTensorTypes(function.arguments, scope) ||
      !AreTensorTypes(function.results, scope) || function.returns > Returns::kArrayWithState ||
      (function.returns == Returns::kTensor && function.results.count != 1) ||
      (function.returns == Returns::kArrayWithState && function.uses_state != 1) ||
      function.tokens_argument >= function.arguments.count || function.tokens_divisor == 0 ||
      function.max_tokens == 0 || function.max_tokens > INT32_MAX || function.uses_state > 1 ||
      !IsTable<Launch>(function.launches)) {
    return false;
  }
  for (const Launch& launch : plan_.Table<Launch>(function.launches)) {
    if (!IsLaunch(launch, function, scope)) return false;
  }
  return true;
}

Status PlanCheck::Functions() {
  if (!IsTable<Function>(plan_.Header().functions)) return Damaged("function");
  uint32_t index = 0;
  for (const Function& function : plan_.Functions()) {
    if (!IsFunction(function)) return Damaged("function", index);
    ++index;
  }
  return Status::kOk;
}

}  // namespace

Status CheckPlan(const char* bytes, uint32_t num_bytes) {
  PlanCheck check(bytes, num_bytes);
  CARAT_RETURN_IF_FAILED(check.Header());
  CARAT_RETURN_IF_FAILED(check.Buffers());
  CARAT_RETURN_IF_FAILED(check.Weights());
  CARAT_RETURN_IF_FAILED(check.Kernels());
  return check.Functions();
}

}  // namespace carat::webllm
