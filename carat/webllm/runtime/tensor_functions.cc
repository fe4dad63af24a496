// The global functions by which JavaScript makes, views and copies tensors.

#include "carat/webllm/runtime/containers.h"
#include "carat/webllm/runtime/dtype.h"
#include "carat/webllm/runtime/functions.h"
#include "carat/webllm/runtime/move.h"
#include "carat/webllm/runtime/strings.h"
#include "carat/webllm/runtime/tensors.h"

namespace carat::webllm {
namespace {

Status GetDataType(const Arguments& arguments, int32_t index, DLDataType* dtype) {
  TextView name;
  CARAT_RETURN_IF_FAILED(arguments.GetText(index, &name));
  if (!ParseDataType(name, dtype)) {
    return Fail(arguments.Function(), ": '", name, "' is no element type that the runtime has");
  }
  return Status::kOk;
}

Status GetCpuTensor(const Arguments& arguments, int32_t index, TensorObject** tensor) {
  CARAT_RETURN_IF_FAILED(arguments.GetObject(index, tensor));
  if (IsOnGpu(*(*tensor)->storage)) {
    return Fail(arguments.Function(), ": the tensor is on the GPU; copy it to one on the cpu");
  }
  return Status::kOk;
}

// runtime.TVMTensorAllocWithScope(shape, dtype, device, scope)
Status NewTensor(Object* /*self*/, const Arguments& arguments, Any* result) {
  ShapeObject* shape = nullptr;
  DLDataType dtype;
  DLDevice device;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &shape));
  CARAT_RETURN_IF_FAILED(GetDataType(arguments, 1, &dtype));
  CARAT_RETURN_IF_FAILED(arguments.GetDevice(2, &device));
  Owned<TensorObject> tensor;
  CARAT_RETURN_IF_FAILED(MakeTensor(device, shape->dimensions, shape->ndim, dtype, &tensor));
  ReturnObject(Move(tensor), result);
  return Status::kOk;
}

// runtime.TVMTensorCreateView(tensor, shape, dtype, relative_byte_offset)
Status NewView(Object* /*self*/, const Arguments& arguments, Any* result) {
  TensorObject* tensor = nullptr;
  ShapeObject* shape = nullptr;
  DLDataType dtype;
  int64_t offset = 0;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &tensor));
  CARAT_RETURN_IF_FAILED(arguments.GetObject(1, &shape));
  CARAT_RETURN_IF_FAILED(GetDataType(arguments, 2, &dtype));
  CARAT_RETURN_IF_FAILED(arguments.GetInt(3, &offset));
  if (offset < 0) return Fail(arguments.Function(), ": the offset is ", offset);
  Owned<TensorObject> view;
  CARAT_RETURN_IF_FAILED(MakeTensor(tensor->storage, shape->dimensions, shape->ndim, dtype,
                                    tensor->tensor.byte_offset + static_cast<uint64_t>(offset),
                                    &view));
  ReturnObject(Move(view), result);
  return Status::kOk;
}

// runtime.TVMTensorCopyFromTo(from, to)
Status CopyFromTo(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  TensorObject* from = nullptr;
  TensorObject* to = nullptr;
  CARAT_RETURN_IF_FAILED(arguments.GetObject(0, &from));
  CARAT_RETURN_IF_FAILED(arguments.GetObject(1, &to));
  const uint64_t num_bytes = BytesOf(*from);
  if (num_bytes != BytesOf(*to)) {
    return Fail("a tensor of ", num_bytes, " bytes is copied to one of ", BytesOf(*to));
  }
  const uint64_t from_offset = from->tensor.byte_offset;
  const uint64_t to_offset = to->tensor.byte_offset;
  const bool from_gpu = IsOnGpu(*from->storage);
  const bool to_gpu = IsOnGpu(*to->storage);
  if (from_gpu && to_gpu) {
    if (num_bytes % 4 != 0) return Fail("the GPU copies 4 bytes at a time, not ", num_bytes);
    return CopyWithinGpu(BufferOf(*from->storage), from_offset, BufferOf(*to->storage), to_offset,
                         num_bytes);
  }
  if (from_gpu) return CopyFromGpu(BufferOf(*from->storage), from_offset, CpuData(*to), num_bytes);
  if (to_gpu) return CopyToGpu(CpuData(*from), BufferOf(*to->storage), to_offset, num_bytes);
  __builtin_memmove(CpuData(*to), CpuData(*from), static_cast<size_t>(num_bytes));
  return Status::kOk;
}

// tvmjs.runtime.TensorCopyFromBytes(tensor, bytes)
Status CopyFromBytes(Object* /*self*/, const Arguments& arguments, Any* /*result*/) {
  TensorObject* tensor = nullptr;
  TextView bytes;
  CARAT_RETURN_IF_FAILED(GetCpuTensor(arguments, 0, &tensor));
  CARAT_RETURN_IF_FAILED(arguments.GetText(1, &bytes));
  if (bytes.size != BytesOf(*tensor)) {
    return Fail(bytes.size, " bytes are copied to a tensor of ", BytesOf(*tensor));
  }
  __builtin_memmove(CpuData(*tensor), bytes.data, bytes.size);
  return Status::kOk;
}

// tvmjs.runtime.TensorCopyToBytes(tensor)
Status CopyToBytes(Object* /*self*/, const Arguments& arguments, Any* result) {
  TensorObject* tensor = nullptr;
  CARAT_RETURN_IF_FAILED(GetCpuTensor(arguments, 0, &tensor));
  auto bytes =
      MakeString(TextView(CpuData(*tensor), static_cast<size_t>(BytesOf(*tensor))), kBytes);
  if (!bytes) return FailForMemory();
  ReturnObject(Move(bytes), result);
  return Status::kOk;
}

constexpr NativeFunction kFunctions[] = {
    {"runtime.TVMTensorAllocWithScope", NewTensor, 3, 4},
    {"runtime.TVMTensorCreateView", NewView, 4, 4},
    {"runtime.TVMTensorCopyFromTo", CopyFromTo, 2, 2},
    {"tvmjs.runtime.TensorCopyFromBytes", CopyFromBytes, 2, 2},
    {"tvmjs.runtime.TensorCopyToBytes", CopyToBytes, 1, 1},
};

}  // namespace

Status RegisterTensors() { return SetGlobals(kFunctions); }

}  // namespace carat::webllm
