#include "carat/kernels/cpu/simd/avx2.h"
#include "tests/kernels/make_sequence_kernel_table.h"

namespace carat::cpu {

const SequenceKernelTable& Avx2SequenceKernels() { return SequenceTableMaker<Avx2>::kTable; }

}  // namespace carat::cpu
