// The instruction sets whose kernels this machine can run: the plain ones always, native ones if
// the CPU has them.

#ifndef CARAT_TESTS_KERNELS_INSTRUCTION_SETS_H_
#define CARAT_TESTS_KERNELS_INSTRUCTION_SETS_H_

#include <vector>

#include "tests/kernels/kernel_table.h"

namespace carat::cpu {

std::vector<const KernelTable*> RunnableSets();

// A native set that runs here and its twin in plain C++.
struct NativeSet {
  const KernelTable* native;
  const KernelTable* plain;
};

std::vector<NativeSet> RunnableNativeSets();

}  // namespace carat::cpu

#endif  // CARAT_TESTS_KERNELS_INSTRUCTION_SETS_H_
