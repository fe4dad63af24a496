// How much memory this process has used.

#ifndef CARAT_RUNTIME_MEMORY_USAGE_H_
#define CARAT_RUNTIME_MEMORY_USAGE_H_

#include <cstdint>

namespace carat::runtime {

// The most memory that was resident at once, mapped files included, since the start or the last
// ResetPeakMemory. 0 if the system does not say.
int64_t PeakMemoryBytes();

// Lowers the peak to what is resident now. Does nothing where the system does not allow it.
void ResetPeakMemory();

}  // namespace carat::runtime

#endif  // CARAT_RUNTIME_MEMORY_USAGE_H_
