#include "tests/kernels/sequence_kernel_table.h"

namespace carat::cpu {

std::vector<const SequenceKernelTable*> PlainSequenceKernels() {
  return {&PlainAvx2SequenceKernels(), &PlainAvx512VnniSequenceKernels(),
          &PlainNeonSequenceKernels()};
}

std::vector<NativeSequenceKernels> RunnableNativeSequenceKernels() {
  std::vector<NativeSequenceKernels> sets;
#if defined(CARAT_PLAIN_KERNELS_ONLY)  // none
#elif defined(__x86_64__)
  // F16C, which compilers do not ask about, is older than AVX2.
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vnni");
  if (avx2) sets.push_back({&Avx2SequenceKernels(), &PlainAvx2SequenceKernels()});
  if (avx2 && avx512)
    sets.push_back({&Avx512VnniSequenceKernels(), &PlainAvx512VnniSequenceKernels()});
#elif defined(__aarch64__)
  sets.push_back({&NeonSequenceKernels(), &PlainNeonSequenceKernels()});
#endif
  return sets;
}

}  // namespace carat::cpu
