#include "carat/kernels/cpu/simd/plain.h"
#include "tests/kernels/make_sequence_kernel_table.h"

namespace carat::cpu {

const SequenceKernelTable& PlainNeonSequenceKernels() {
  return SequenceTableMaker<Plain<NeonTraits>>::kTable;
}

}  // namespace carat::cpu
