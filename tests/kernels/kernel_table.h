// The kernels of one instruction set behind function pointers, so that tests compiled for any CPU
// can call those compiled for a particular one.

#ifndef CARAT_TESTS_KERNELS_KERNEL_TABLE_H_
#define CARAT_TESTS_KERNELS_KERNEL_TABLE_H_

#include <cstdint>

#include "carat/kernels/cpu/team.h"

namespace carat::cpu {

enum class FormatId { kQ4_0, kQ8_0, kF32, kF16, kBF16 };

// MatMul and EmbedRow of one format and shape. `x` is quantized rows or f32 rows, as the format
// wants.
struct MatrixKernels {
  FormatId format;
  int64_t rows;
  int64_t cols;
  void (*store)(const Team& team, const uint8_t* weights, const void* x, int64_t n, float* out,
                int64_t stride);
  void (*gelu_mul_store)(const Team& team, const uint8_t* weights, const void* x, int64_t n,
                         float* out, int64_t stride);
  void (*embed)(const uint8_t* table, int32_t token, float scale, float* out);
};

struct KernelTable {
  const char* name;
  int lanes;

  // Every primitive on the 16 values of each input; writes results to out, returns how many bytes.
  // See primitives.h.
  int64_t (*float_primitives)(const float* a, const float* b, const float* c, uint8_t* out);
  int64_t (*half_primitives)(const uint16_t* halves, uint8_t* out);
  int64_t (*byte_primitives)(const uint8_t* bytes, uint8_t* out);
  // Integer dot products of one block, for `lanes` rows: w [8 steps][lanes][4].
  void (*dot_q4)(const uint8_t* w, const int8_t* x, float* out);
  void (*dot_q8)(const uint8_t* w, const int8_t* x, float* out);

  void (*exp)(const float* x, int64_t n, float* y);  // n is a multiple of 16
  void (*tanh)(const float* x, int64_t n, float* y);
  void (*gelu_tanh)(const float* x, int64_t n, float* y);

  void (*quantize_row)(const float* x, int64_t cols, uint8_t* row);

  const MatrixKernels* matrices;
  int num_matrices;
};

// Of each set; those of native sets may be called only where the CPU has them (instruction_sets.h).
const KernelTable& PlainAvx2Kernels();
const KernelTable& PlainAvx512VnniKernels();
const KernelTable& PlainNeonKernels();
const KernelTable& GenericKernels();
const KernelTable& Avx2Kernels();
const KernelTable& Avx512VnniKernels();
const KernelTable& NeonKernels();

}  // namespace carat::cpu

#endif  // CARAT_TESTS_KERNELS_KERNEL_TABLE_H_
