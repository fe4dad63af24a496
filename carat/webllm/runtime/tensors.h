// Tensors: in this module's memory ("cpu"), where JavaScript writes and reads them, or on the GPU.

#ifndef CARAT_WEBLLM_RUNTIME_TENSORS_H_
#define CARAT_WEBLLM_RUNTIME_TENSORS_H_

#include "carat/webllm/runtime/device.h"
#include "carat/webllm/runtime/objects.h"
#include "carat/webllm/runtime/status.h"

namespace carat::webllm {

// Memory that views of a tensor share.
struct StorageObject : Object {
  void* data;  // an address, or the number of a GPU buffer
  DLDevice device;
  uint64_t num_bytes;
  uint64_t serial;  // of no other storage, even where this one's memory is used again
};

struct TensorObject : Object {
  static constexpr TypeIndex kType = kTensor;
  static constexpr const char* kTypeName = "a tensor";

  DLTensor tensor;  // its shape and strides lie behind the object
  StorageObject* storage;
};

inline constexpr uint32_t kMaxDimensions = 8;

inline bool IsOnGpu(const StorageObject& storage) { return storage.device.type == kWebGpu; }
inline BufferId BufferOf(const StorageObject& storage) { return AddressOf(storage.data); }

Status MakeStorage(DLDevice device, uint64_t num_bytes, Owned<StorageObject>* storage);

// At `byte_offset` of the storage, in row-major order; an error where it does not fit in.
Status MakeTensor(StorageObject* storage, const int64_t* dimensions, uint32_t ndim,
                  DLDataType dtype, uint64_t byte_offset, Owned<TensorObject>* tensor);

// With a storage of its own.
Status MakeTensor(DLDevice device, const int64_t* dimensions, uint32_t ndim, DLDataType dtype,
                  Owned<TensorObject>* tensor);

// Of dimensions that a tensor may have: an error for others.
Status CountBytes(const int64_t* dimensions, uint32_t ndim, DLDataType dtype, uint64_t* num_bytes);

uint64_t BytesOf(const TensorObject& tensor);

// The address of a tensor in this module's memory.
char* CpuData(const TensorObject& tensor);

Status RegisterTensors();
Status RegisterTensorDecoding();

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_TENSORS_H_
