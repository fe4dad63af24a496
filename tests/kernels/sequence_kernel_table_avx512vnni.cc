#include "carat/kernels/cpu/simd/avx512vnni.h"
#include "tests/kernels/make_sequence_kernel_table.h"

namespace carat::cpu {

const SequenceKernelTable& Avx512VnniSequenceKernels() {
  return SequenceTableMaker<Avx512Vnni>::kTable;
}

}  // namespace carat::cpu
