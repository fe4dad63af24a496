#include "carat/kernels/cpu/simd/plain.h"
#include "tests/kernels/make_kernel_table.h"

namespace carat::cpu {

const KernelTable& GenericKernels() { return TableMaker<Generic>::kTable; }

}  // namespace carat::cpu
