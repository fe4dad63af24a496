#include "carat/webllm/runtime/weights.h"

namespace carat::webllm {
namespace {

const TensorObject* ParameterAt(const ArrayObject& parameters, uint32_t index) {
  const Any& item = parameters.items[index];
  return item.type_index == kTensor ? static_cast<const TensorObject*>(item.object) : nullptr;
}

bool IsSameSet(const Plan& plan, const ArrayObject& parameters, const Weights& weights) {
  if (!weights.is_ready || parameters.size != plan.Parameters().Size()) return false;
  for (uint32_t i = 0; i < parameters.size; ++i) {
    const TensorObject* tensor = ParameterAt(parameters, i);
    if (tensor == nullptr || tensor->storage->serial != weights.serials[i]) return false;
  }
  return true;
}

Status Check(const Plan& plan, const ArrayObject& parameters) {
  const TableView<Parameter> expected = plan.Parameters();
  if (parameters.size != expected.Size()) {
    return Fail(parameters.size, " parameters were loaded, the library needs ", expected.Size(),
                ": the weights are of another model or quantization");
  }
  for (uint32_t i = 0; i < parameters.size; ++i) {
    const TextView name = plan.TextAt(expected[i].name);
    const TensorObject* tensor = ParameterAt(parameters, i);
    if (tensor == nullptr || !IsOnGpu(*tensor->storage)) {
      return Fail("parameter '", name, "' is no tensor on the GPU");
    }
    const uint64_t num_bytes = tensor->storage->num_bytes;
    if (num_bytes != expected[i].num_bytes || BytesOf(*tensor) != num_bytes) {
      return Fail("parameter '", name, "' has ", BytesOf(*tensor), " bytes, the library needs ",
                  expected[i].num_bytes, ": the weights are of another model or quantization");
    }
  }
  return Status::kOk;
}

Status Merge(const Plan& plan, const ArrayObject& parameters, Weights* weights) {
  const PlanHeader& header = plan.Header();
  Owned<ArrayObject> merged;
  CARAT_RETURN_IF_FAILED(MakeBuffers(plan.Table<BufferSize>(header.merged), {}, &merged));
  for (const Copy& copy : plan.Table<Copy>(header.copies)) {
    CARAT_RETURN_IF_FAILED(CopyWithinGpu(ParameterBuffer(parameters, copy.parameter), 0,
                                         BufferAt(*merged, copy.merged), copy.merged_offset,
                                         copy.num_bytes));
  }
  weights->merged = merged.Detach();
  return Status::kOk;
}

}  // namespace

BufferId ParameterBuffer(const ArrayObject& parameters, uint32_t index) {
  return BufferOf(*ParameterAt(parameters, index)->storage);
}

Status BindWeights(const Plan& plan, const ArrayObject& parameters, Weights* weights) {
  if (IsSameSet(plan, parameters, *weights)) return Status::kOk;
  CARAT_RETURN_IF_FAILED(Check(plan, parameters));
  ReleaseWeights(weights);  // before more is allocated
  weights->serials = static_cast<uint64_t*>(Allocate(parameters.size * sizeof(uint64_t)));
  if (weights->serials == nullptr) return FailForMemory();
  CARAT_RETURN_IF_FAILED(Merge(plan, parameters, weights));
  for (uint32_t i = 0; i < parameters.size; ++i) {
    weights->serials[i] = ParameterAt(parameters, i)->storage->serial;
  }
  weights->is_ready = true;
  return Status::kOk;
}

void ReleaseWeights(Weights* weights) {
  Free(weights->serials);
  Release(weights->merged);
  *weights = {};
}

}  // namespace carat::webllm
