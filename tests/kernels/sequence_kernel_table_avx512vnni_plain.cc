#include "carat/kernels/cpu/simd/plain.h"
#include "tests/kernels/make_sequence_kernel_table.h"

namespace carat::cpu {

const SequenceKernelTable& PlainAvx512VnniSequenceKernels() {
  return SequenceTableMaker<Plain<Avx512VnniTraits>>::kTable;
}

}  // namespace carat::cpu
