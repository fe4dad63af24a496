// The GPU, by the five functions that JavaScript offers for its memory. Buffers are numbers.
//
// JavaScript collects kernels and copies within the GPU, and submits them together when a buffer is
// freed, written or read. So freed buffers are kept for the next of their size (buffer_pool.cc), of
// which each decoded token needs a few.

#ifndef CARAT_WEBLLM_RUNTIME_DEVICE_H_
#define CARAT_WEBLLM_RUNTIME_DEVICE_H_

#include "carat/webllm/runtime/status.h"

namespace carat::webllm {

using BufferId = uint32_t;

// JavaScript takes the bytes as a signed number of 32 bits.
inline constexpr uint64_t kMaxBufferBytes = INT32_MAX;

// What is in a new buffer is not defined.
Status NewBuffer(uint64_t num_bytes, BufferId* buffer);
void FreeBuffer(BufferId buffer, uint64_t num_bytes);

// Past the pool.
Status NewDeviceBuffer(uint64_t num_bytes, BufferId* buffer);
void FreeDeviceBuffer(BufferId buffer);

Status CopyToGpu(const void* from, BufferId to, uint64_t to_offset, uint64_t num_bytes);
// The bytes arrive at `to` when JavaScript has awaited the device.
Status CopyFromGpu(BufferId from, uint64_t from_offset, void* to, uint64_t num_bytes);
Status CopyWithinGpu(BufferId from, uint64_t from_offset, BufferId to, uint64_t to_offset,
                     uint64_t num_bytes);

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_DEVICE_H_
