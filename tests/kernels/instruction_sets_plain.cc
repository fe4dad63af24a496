#include "tests/kernels/instruction_sets.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace carat::cpu {

std::vector<NativeSet> RunnableNativeSets() {
  std::vector<NativeSet> sets;
#if defined(CARAT_PLAIN_KERNELS_ONLY)  // none
#elif defined(__x86_64__)
  // Every CPU with AVX2 has F16C, which clang 14 cannot ask for.
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vnni");
  if (avx2) sets.push_back({&Avx2Kernels(), &PlainAvx2Kernels()});
  if (avx2 && avx512) sets.push_back({&Avx512VnniKernels(), &PlainAvx512VnniKernels()});
#elif defined(__aarch64__) && defined(__linux__)
  const bool dotprod = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
  if (dotprod) sets.push_back({&NeonKernels(), &PlainNeonKernels()});
#endif
  return sets;
}

std::vector<const KernelTable*> RunnableSets() {
  std::vector<const KernelTable*> sets = {&PlainAvx2Kernels(), &PlainAvx512VnniKernels(),
                                          &PlainNeonKernels(), &GenericKernels()};
  for (const NativeSet& set : RunnableNativeSets()) sets.push_back(set.native);
  return sets;
}

}  // namespace carat::cpu
