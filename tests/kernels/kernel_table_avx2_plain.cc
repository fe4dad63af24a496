#include "carat/kernels/cpu/simd/plain.h"
#include "tests/kernels/make_kernel_table.h"

namespace carat::cpu {

const KernelTable& PlainAvx2Kernels() { return TableMaker<Plain<Avx2Traits>>::kTable; }

}  // namespace carat::cpu
