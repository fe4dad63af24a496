#include "carat/kernels/cpu/simd/plain.h"
#include "tests/kernels/make_sequence_kernel_table.h"

namespace carat::cpu {

const SequenceKernelTable& PlainAvx2SequenceKernels() {
  return SequenceTableMaker<Plain<Avx2Traits>>::kTable;
}

}  // namespace carat::cpu
