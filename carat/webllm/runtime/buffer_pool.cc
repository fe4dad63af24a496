// Freed GPU buffers, oldest first, of which a new one of the same size is taken. What decoding one
// token needs fits in; weights and KV caches do not, and are really freed.

#include "carat/webllm/runtime/device.h"

namespace carat::webllm {
namespace {

constexpr uint32_t kMaxBuffers = 32;
constexpr uint64_t kMaxPooledBytes = 64u << 20;

struct PooledBuffer {
  BufferId id;
  uint64_t num_bytes;
};

struct BufferPool {
  PooledBuffer buffers[kMaxBuffers];
  uint32_t count;
  uint64_t num_bytes;
};
BufferPool pool;

uint64_t RoundedUp(uint64_t num_bytes) { return (num_bytes + 3) / 4 * 4; }  // as JavaScript does

PooledBuffer TakeOut(uint32_t index) {
  const PooledBuffer taken = pool.buffers[index];
  --pool.count;
  for (uint32_t i = index; i < pool.count; ++i) pool.buffers[i] = pool.buffers[i + 1];
  pool.num_bytes -= taken.num_bytes;
  return taken;
}

}  // namespace

Status NewBuffer(uint64_t num_bytes, BufferId* buffer) {
  const uint64_t rounded = RoundedUp(num_bytes);
  for (uint32_t i = pool.count; i > 0; --i) {
    if (pool.buffers[i - 1].num_bytes == rounded) {
      *buffer = TakeOut(i - 1).id;
      return Status::kOk;
    }
  }
  return NewDeviceBuffer(num_bytes, buffer);
}

void FreeBuffer(BufferId buffer, uint64_t num_bytes) {
  const uint64_t rounded = RoundedUp(num_bytes);
  if (rounded > kMaxPooledBytes / 2) {
    FreeDeviceBuffer(buffer);
    return;
  }
  while (pool.count == kMaxBuffers || pool.num_bytes + rounded > kMaxPooledBytes) {
    FreeDeviceBuffer(TakeOut(0).id);
  }
  pool.buffers[pool.count++] = {buffer, rounded};
  pool.num_bytes += rounded;
}

}  // namespace carat::webllm
