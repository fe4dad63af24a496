#include "carat/kernels/cpu/simd/plain.h"
#include "tests/kernels/make_kernel_table.h"

namespace carat::cpu {

const KernelTable& PlainNeonKernels() { return TableMaker<Plain<NeonTraits>>::kTable; }

}  // namespace carat::cpu
