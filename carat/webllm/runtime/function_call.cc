#include "carat/webllm/runtime/function_call.h"

#include "carat/webllm/runtime/dtype.h"

namespace carat::webllm {
namespace {

Status SortArguments(const Function& function, const Arguments& arguments, FunctionCall* call) {
  uint32_t num_tensors = 0;
  for (int32_t i = 0; i < arguments.Count(); ++i) {
    const Any& value = arguments[i];
    if (value.type_index < kFirstObject || !IsLive(value.object, value.type_index)) {
      return Fail(call->name, ": argument ", i + 1, " is no object of the runtime");
    }
    if (value.type_index == kTensor) {
      if (num_tensors < kMaxTensors) {
        call->tensors[num_tensors] = static_cast<TensorObject*>(value.object);
      }
      ++num_tensors;
    } else if (value.type_index == kKvState) {
      call->state = static_cast<KvState*>(value.object);
    } else if (value.type_index == kArray) {
      call->parameters = static_cast<ArrayObject*>(value.object);
    } else {
      return Fail(call->name, ": argument ", i + 1,
                  " is neither a tensor nor a KV state nor an array of parameters");
    }
  }
  if (num_tensors != function.arguments.count) {
    return Fail(call->name, " takes ", function.arguments.count, " tensors, not ", num_tensors);
  }
  return Status::kOk;
}

// Kernels read a whole buffer from its start.
Status CheckPlacement(const FunctionCall& call, const TensorType& type, uint32_t index) {
  const TensorObject& tensor = *call.tensors[index];
  if (!IsOnGpu(*tensor.storage) || tensor.tensor.byte_offset != 0) {
    return Fail(call.name, ": tensor ", index + 1,
                " must be on the GPU, at the start of its buffer");
  }
  if (!(tensor.tensor.dtype == DataTypeOf(type.element))) {
    return Fail(call.name, ": tensor ", index + 1, " has elements of ", NameOf(tensor.tensor.dtype),
                ", the model needs ", NameOf(DataTypeOf(type.element)));
  }
  return Status::kOk;
}

Status ReadStep(const Function& function, FunctionCall* call) {
  const TensorObject& counted = *call->tensors[function.tokens_argument];
  const uint64_t elements = BytesOf(counted) / BytesOf(counted.tensor.dtype);
  const uint64_t tokens = elements / function.tokens_divisor;
  // Functions that change logits in place may have no entries to do it by: logit_bias {}.
  if (tokens == 0 && function.results.count > 0) {
    return Fail(call->name, " was given no tokens");
  }
  if (elements % function.tokens_divisor != 0) {
    return Fail(call->name, ": tensor ", function.tokens_argument + 1, " has ", elements,
                " elements, which is no multiple of ", function.tokens_divisor);
  }
  if (tokens > function.max_tokens) {
    return Fail(call->name, " was given ", tokens, " tokens at once, and was compiled for ",
                function.max_tokens, " (prefill_chunk_size)");
  }
  call->step.tokens = static_cast<uint32_t>(tokens);
  if (function.uses_state == 0) return Status::kOk;
  if (call->state == nullptr) return Fail(call->name, " needs a KV state");
  if (call->state->pending != tokens) {
    return Fail(call->name, " was given ", tokens, " tokens, and kv_state_begin_forward ",
                call->state->pending);
  }
  call->step.position = call->state->length;
  call->step.context = call->state->context;
  return Status::kOk;
}

template <typename Dimension>
void AppendShapeToError(const Dimension* dimensions, uint32_t ndim) {
  AppendToError("[");
  for (uint32_t i = 0; i < ndim; ++i) {
    if (i > 0) AppendToError(", ");
    AppendToError(dimensions[i]);
  }
  AppendToError("]");
}

Status CheckShape(const Plan& plan, const FunctionCall& call, const TensorType& type,
                  uint32_t index) {
  int64_t expected[kMaxDimensions];
  EvaluateDimensions(plan, type, call.step, expected);
  const DLTensor& tensor = call.tensors[index]->tensor;
  const int64_t* expected_dimension = expected + type.dimensions.count;
  const int64_t* dimension = tensor.shape + tensor.ndim;
  while (expected_dimension > expected || dimension > tensor.shape) {
    const int64_t needed = expected_dimension > expected ? *--expected_dimension : 1;
    const int64_t given = dimension > tensor.shape ? *--dimension : 1;
    if (given == needed) continue;
    (void)Fail(call.name, ": tensor ", index + 1, " has shape ");
    AppendShapeToError(tensor.shape, static_cast<uint32_t>(tensor.ndim));
    AppendToError(", the model needs ");
    AppendShapeToError(expected, type.dimensions.count);
    return Status::kFailed;
  }
  return Status::kOk;
}

}  // namespace

void EvaluateDimensions(const Plan& plan, const TensorType& type, const Step& step,
                        int64_t* dimensions) {
  for (const Expression& dimension : plan.Table<Expression>(type.dimensions)) {
    *dimensions++ = Evaluate(dimension, step);
  }
}

Status ReadCall(const Plan& plan, const Function& function, const Arguments& arguments,
                FunctionCall* call) {
  call->name = plan.TextAt(function.name);
  CARAT_RETURN_IF_FAILED(SortArguments(function, arguments, call));
  const TableView<TensorType> types = plan.Table<TensorType>(function.arguments);
  for (uint32_t i = 0; i < types.Size(); ++i) {
    CARAT_RETURN_IF_FAILED(CheckPlacement(*call, types[i], i));
  }
  CARAT_RETURN_IF_FAILED(ReadStep(function, call));
  for (uint32_t i = 0; i < types.Size(); ++i) {
    CARAT_RETURN_IF_FAILED(CheckShape(plan, *call, types[i], i));
  }
  return Status::kOk;
}

}  // namespace carat::webllm
