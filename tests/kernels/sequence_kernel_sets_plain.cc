#include "tests/kernels/cpu_has.h"
#include "tests/kernels/sequence_kernel_table.h"

namespace carat::cpu {

std::vector<const SequenceKernelTable*> PlainSequenceKernels() {
  std::vector<const SequenceKernelTable*> sets = {&PlainAvx2SequenceKernels()};
#if !defined(CARAT_FEW_KERNEL_SETS)
  sets.push_back(&PlainAvx512VnniSequenceKernels());
  sets.push_back(&PlainNeonSequenceKernels());
#endif
  return sets;
}

std::vector<NativeSequenceKernels> RunnableNativeSequenceKernels() {
  std::vector<NativeSequenceKernels> sets;
#if defined(CARAT_FEW_KERNEL_SETS)  // none
#elif defined(__x86_64__)
  if (CpuHasAvx2()) sets.push_back({&Avx2SequenceKernels(), &PlainAvx2SequenceKernels()});
  if (CpuHasAvx512Vnni()) {
    sets.push_back({&Avx512VnniSequenceKernels(), &PlainAvx512VnniSequenceKernels()});
  }
#elif defined(__aarch64__) && defined(__linux__)
  if (CpuHasDotProduct()) sets.push_back({&NeonSequenceKernels(), &PlainNeonSequenceKernels()});
#endif
  return sets;
}

}  // namespace carat::cpu
