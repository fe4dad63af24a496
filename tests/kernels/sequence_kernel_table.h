// The kernels on rows, positions and sequences of one instruction set behind function pointers, so
// that tests compiled for any CPU can call those compiled for a particular one. (kernel_table.h has
// the matrix kernels.)

#ifndef CARAT_TESTS_KERNELS_SEQUENCE_KERNEL_TABLE_H_
#define CARAT_TESTS_KERNELS_SEQUENCE_KERNEL_TABLE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "carat/kernels/cpu/attention.h"
#include "carat/kernels/cpu/kv_cache.h"

namespace carat::cpu {

// Kernels on a row of `width` floats, or on 3 heads of `width` floats.
struct RowKernels {
  int64_t width;
  void (*rms_norm)(const float* x, const float* weight, float eps, float* out, float offset);
  void (*rms_norm_heads)(const float* x, const float* weight, float eps, float* out, float offset);
  void (*add)(const float* a, const float* b, float* out);
  void (*mul)(const float* a, const float* b, float* out);
  void (*gelu_tanh)(const float* x, float* out);
  void (*softcap)(const float* x, float cap, float* out);
  void (*rope)(float* x, const float* cos_sin);  // null where the width is odd
};

// Kernels on the cache of one shape and element type. Exactly one of the two caches given is used:
// `paged` unless null.
struct AttentionKernels {
  AttentionShape shape;
  int64_t element_bytes;
  void (*store_kv)(const PagedKv* paged, const RingKv* ring, Sequences sequences, int64_t row,
                   const float* k, const float* v);
  void (*attention)(const Team& team, Sequences sequences, const PagedKv* paged, const RingKv* ring,
                    const AttentionOptions& options, const float* q, int64_t q_stride, float* out,
                    int64_t out_stride, const AttentionScratch& scratch);
};

struct SequenceKernelTable {
  const char* name;
  std::span<const RowKernels> rows;
  std::span<const AttentionKernels> attentions;
};

// Of each set; those of native sets may be called only where the CPU has them.
const SequenceKernelTable& PlainAvx2SequenceKernels();
const SequenceKernelTable& PlainAvx512VnniSequenceKernels();
const SequenceKernelTable& PlainNeonSequenceKernels();
const SequenceKernelTable& Avx2SequenceKernels();
const SequenceKernelTable& Avx512VnniSequenceKernels();
const SequenceKernelTable& NeonSequenceKernels();

// The sets in plain C++, which any machine runs.
std::vector<const SequenceKernelTable*> PlainSequenceKernels();

// The native sets that this machine runs, with their twins in plain C++.
struct NativeSequenceKernels {
  const SequenceKernelTable* native;
  const SequenceKernelTable* plain;
};
std::vector<NativeSequenceKernels> RunnableNativeSequenceKernels();

}  // namespace carat::cpu

#endif  // CARAT_TESTS_KERNELS_SEQUENCE_KERNEL_TABLE_H_
