#include "carat/kernels/cpu/simd/plain.h"
#include "tests/kernels/make_kernel_table.h"

namespace carat::cpu {

const KernelTable& PlainAvx512VnniKernels() { return TableMaker<Plain<Avx512VnniTraits>>::kTable; }

}  // namespace carat::cpu
