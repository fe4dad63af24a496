// How fast this machine can read memory: the roof over decoding, which reads every weight once a
// token.

#ifndef CARAT_RUNTIME_MEMORY_ROOF_H_
#define CARAT_RUNTIME_MEMORY_ROOF_H_

#include <cstddef>

#include "carat/runtime/thread_pool.h"

namespace carat::runtime {

// Far beyond most caches, so that what is measured is memory.
inline constexpr size_t kMemoryRoofBytes = size_t{512} << 20;

// Bytes a second with which the pool's threads together read a buffer of `num_bytes`, each its own
// part front to back: the best of several rounds. Takes `num_bytes` of memory and up to a second.
// What fits the caches is read from there.
double MeasureReadBandwidth(ThreadPool& pool, size_t num_bytes = kMemoryRoofBytes);

}  // namespace carat::runtime

#endif  // CARAT_RUNTIME_MEMORY_ROOF_H_
