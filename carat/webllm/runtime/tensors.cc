#include "carat/webllm/runtime/tensors.h"

#include "carat/webllm/runtime/dtype.h"
#include "carat/webllm/runtime/move.h"

namespace carat::webllm {
namespace {

uint64_t num_storages_made;

void DestroyStorage(Object* object) {
  auto* storage = static_cast<StorageObject*>(object);
  if (IsOnGpu(*storage)) {
    FreeBuffer(BufferOf(*storage), storage->num_bytes);
  } else {
    Free(storage->data);
  }
  FreeObject(storage);
}

void DestroyTensor(Object* object) {
  Release(static_cast<TensorObject*>(object)->storage);
  FreeObject(object);
}

}  // namespace

Status MakeStorage(DLDevice device, uint64_t num_bytes, Owned<StorageObject>* storage) {
  void* data = nullptr;
  if (device.type == kWebGpu) {
    BufferId buffer = 0;
    CARAT_RETURN_IF_FAILED(NewBuffer(num_bytes, &buffer));
    data = AtAddress<void>(buffer);
  } else if (device.type == kCpu) {
    data = num_bytes > kMaxBufferBytes ? nullptr : Allocate(static_cast<size_t>(num_bytes));
    if (data == nullptr) return FailForMemory();
  } else {
    return Fail("tensors are on the devices cpu and webgpu, not on one of type ", device.type);
  }
  auto made = MakeObject<StorageObject>(kStorage, DestroyStorage);
  if (!made) {
    if (device.type == kWebGpu) {
      FreeBuffer(AddressOf(data), num_bytes);
    } else {
      Free(data);
    }
    return FailForMemory();
  }
  made->data = data;
  made->device = device;
  made->num_bytes = num_bytes;
  made->serial = ++num_storages_made;
  *storage = Move(made);
  return Status::kOk;
}

Status CountBytes(const int64_t* dimensions, uint32_t ndim, DLDataType dtype, uint64_t* num_bytes) {
  if (ndim > kMaxDimensions) {
    return Fail("a tensor of ", ndim, " dimensions: the most is ", kMaxDimensions);
  }
  uint64_t bytes = BytesOf(dtype);
  for (uint32_t i = 0; i < ndim; ++i) {
    if (dimensions[i] < 0) return Fail("a tensor with dimension ", dimensions[i]);
    if (dimensions[i] > static_cast<int64_t>(kMaxBufferBytes)) bytes = kMaxBufferBytes + 1;
    if (bytes <= kMaxBufferBytes) bytes *= static_cast<uint64_t>(dimensions[i]);
  }
  if (bytes > kMaxBufferBytes) {
    return Fail("a tensor of more than ", kMaxBufferBytes, " bytes, which is the most");
  }
  *num_bytes = bytes;
  return Status::kOk;
}

Status MakeTensor(StorageObject* storage, const int64_t* dimensions, uint32_t ndim,
                  DLDataType dtype, uint64_t byte_offset, Owned<TensorObject>* tensor) {
  uint64_t num_bytes = 0;
  CARAT_RETURN_IF_FAILED(CountBytes(dimensions, ndim, dtype, &num_bytes));
  if (num_bytes > storage->num_bytes || byte_offset > storage->num_bytes - num_bytes) {
    return Fail("a view of ", num_bytes, " bytes at ", byte_offset, " of a tensor of ",
                storage->num_bytes);
  }
  auto made = MakeObject<TensorObject>(kTensor, DestroyTensor, 2 * ndim * sizeof(int64_t));
  if (!made) return FailForMemory();
  auto* shape = reinterpret_cast<int64_t*>(made.Get() + 1);
  int64_t* strides = shape + ndim;
  uint64_t stride = 1;  // which may wrap where a dimension is 0
  for (uint32_t i = ndim; i > 0; --i) {
    shape[i - 1] = dimensions[i - 1];
    strides[i - 1] = static_cast<int64_t>(stride);
    stride *= static_cast<uint64_t>(dimensions[i - 1]);
  }
  made->tensor = {storage->data, storage->device, static_cast<int32_t>(ndim), dtype, shape,
                  strides,       byte_offset};
  made->storage = Share(storage).Detach();
  *tensor = Move(made);
  return Status::kOk;
}

Status MakeTensor(DLDevice device, const int64_t* dimensions, uint32_t ndim, DLDataType dtype,
                  Owned<TensorObject>* tensor) {
  uint64_t num_bytes = 0;
  CARAT_RETURN_IF_FAILED(CountBytes(dimensions, ndim, dtype, &num_bytes));
  Owned<StorageObject> storage;
  CARAT_RETURN_IF_FAILED(MakeStorage(device, num_bytes, &storage));
  return MakeTensor(storage.Get(), dimensions, ndim, dtype, 0, tensor);
}

uint64_t BytesOf(const TensorObject& tensor) {
  uint64_t bytes = BytesOf(tensor.tensor.dtype);
  for (int32_t i = 0; i < tensor.tensor.ndim; ++i) {
    bytes *= static_cast<uint64_t>(tensor.tensor.shape[i]);
  }
  return bytes;
}

char* CpuData(const TensorObject& tensor) {
  return static_cast<char*>(tensor.tensor.data) + tensor.tensor.byte_offset;
}

}  // namespace carat::webllm
