// What a compiled library and the program that runs it hand each other besides TVM FFI values.
// C layout: the two may come from different compilers.

#ifndef CARAT_KERNELS_CPU_ABI_H_
#define CARAT_KERNELS_CPU_ABI_H_

#include <cstdint>

extern "C" {

// The threads a forward call may use. `launch` runs task(arg, 0) .. task(arg, num_threads - 1),
// each on a thread of its own, one of them the caller's, and returns when all have returned.
struct CaratThreadPool {
  void* self;
  int32_t num_threads;
  void (*launch)(void* self, void (*task)(void* arg, int32_t thread), void* arg);
};

}  // extern "C"

#endif  // CARAT_KERNELS_CPU_ABI_H_
