#include "carat/kernels/cpu/simd/neon.h"
#include "tests/kernels/make_kernel_table.h"

namespace carat::cpu {

const KernelTable& NeonKernels() { return TableMaker<Neon>::kTable; }

}  // namespace carat::cpu
