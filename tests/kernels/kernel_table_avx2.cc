#include "carat/kernels/cpu/simd/avx2.h"
#include "tests/kernels/make_kernel_table.h"

namespace carat::cpu {

const KernelTable& Avx2Kernels() { return TableMaker<Avx2>::kTable; }

}  // namespace carat::cpu
