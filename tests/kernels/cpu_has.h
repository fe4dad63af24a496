// Which instruction sets the CPU that runs the tests has.

#ifndef CARAT_TESTS_KERNELS_CPU_HAS_H_
#define CARAT_TESTS_KERNELS_CPU_HAS_H_

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace carat::cpu {

#if defined(__x86_64__)
// Every CPU with AVX2 has F16C, which clang 14 cannot ask for.
inline bool CpuHasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

inline bool CpuHasAvx512Vnni() {
  return CpuHasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
#elif defined(__aarch64__) && defined(__linux__)
inline bool CpuHasDotProduct() { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }
#endif

}  // namespace carat::cpu

#endif  // CARAT_TESTS_KERNELS_CPU_HAS_H_
