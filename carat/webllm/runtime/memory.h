// The heap of the module. Nothing here traps: what does not fit is null.

#ifndef CARAT_WEBLLM_RUNTIME_MEMORY_H_
#define CARAT_WEBLLM_RUNTIME_MEMORY_H_

#include <stddef.h>
#include <stdint.h>

namespace carat::webllm {

// 16-byte aligned and not cleared; null where memory is exhausted.
void* Allocate(size_t num_bytes);

// Takes null too, and ignores what Allocate has not given or has taken back.
void Free(void* allocation);

// The `count` elements of `old` (null: none) in a larger allocation; null, and `old` as it was,
// where memory is exhausted.
void* Reallocate(void* old, size_t old_bytes, size_t new_bytes);

// Whether these bytes are in the module's memory, and not at its null pages.
bool InMemory(const void* address, uint64_t num_bytes);

uint32_t AddressOf(const void* pointer);

template <typename T>
T* AtAddress(uint32_t address) {
  return reinterpret_cast<T*>(address);  // NOLINT(performance-no-int-to-ptr): as C calls it
}

}  // namespace carat::webllm

#endif  // CARAT_WEBLLM_RUNTIME_MEMORY_H_
