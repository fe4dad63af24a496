#include "tests/kernels/cpu_has.h"
#include "tests/kernels/instruction_sets.h"

namespace carat::cpu {

std::vector<NativeSet> RunnableNativeSets() {
  std::vector<NativeSet> sets;
#if defined(CARAT_FEW_KERNEL_SETS)  // none
#elif defined(__x86_64__)
  if (CpuHasAvx2()) sets.push_back({&Avx2Kernels(), &PlainAvx2Kernels()});
  if (CpuHasAvx512Vnni()) sets.push_back({&Avx512VnniKernels(), &PlainAvx512VnniKernels()});
#elif defined(__aarch64__) && defined(__linux__)
  if (CpuHasDotProduct()) sets.push_back({&NeonKernels(), &PlainNeonKernels()});
#endif
  return sets;
}

std::vector<const KernelTable*> RunnableSets() {
  std::vector<const KernelTable*> sets = {&PlainAvx2Kernels(), &GenericKernels()};
#if !defined(CARAT_FEW_KERNEL_SETS)
  sets.push_back(&PlainAvx512VnniKernels());
  sets.push_back(&PlainNeonKernels());
#endif
  for (const NativeSet& set : RunnableNativeSets()) sets.push_back(set.native);
  return sets;
}

}  // namespace carat::cpu
