#include "carat/kernels/cpu/simd/avx512vnni.h"
#include "tests/kernels/make_kernel_table.h"

namespace carat::cpu {

const KernelTable& Avx512VnniKernels() { return TableMaker<Avx512Vnni>::kTable; }

}  // namespace carat::cpu
