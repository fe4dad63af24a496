// Makes the SequenceKernelTable of an instruction set S.

#ifndef CARAT_TESTS_KERNELS_MAKE_SEQUENCE_KERNEL_TABLE_H_
#define CARAT_TESTS_KERNELS_MAKE_SEQUENCE_KERNEL_TABLE_H_

#include <cstdint>

#include "carat/kernels/cpu/rope.h"
#include "carat/kernels/cpu/rows.h"
#include "tests/kernels/sequence_kernel_table.h"

namespace carat::cpu {

template <class S>
struct SequenceTableMaker {
  template <int64_t kWidth>
  static constexpr RowKernels Rows() {
    RowKernels kernels = {.width = kWidth,
                          .rms_norm = RmsNorm<S, kWidth>,
                          .rms_norm_heads = RmsNormHeads<S, 3, kWidth>,
                          .add = Add<S, kWidth>,
                          .mul = Mul<S, kWidth>,
                          .gelu_tanh = GeluTanhRow<S, kWidth>,
                          .softcap = Softcap<S, kWidth>,
                          .rope = nullptr};
    if constexpr (kWidth % 2 == 0) kernels.rope = Rope<S, 3, kWidth>;
    return kernels;
  }

  // Narrower than a vector, around one, with every kind of tail, and Gemma's.
  static constexpr RowKernels kRows[] = {Rows<1>(),  Rows<6>(),   Rows<8>(),
                                         Rows<15>(), Rows<16>(),  Rows<20>(),
                                         Rows<67>(), Rows<256>(), Rows<640>()};

  template <class T, AttentionShape kShape>
  struct ForShape {
    static void StoreKv(const PagedKv* paged, const RingKv* ring, Sequences sequences, int64_t row,
                        const float* k, const float* v) {
      if (paged != nullptr) {
        cpu::StoreKv<S, T, kShape.num_kv_heads, kShape.head_dim>(*paged, sequences, row, k, v);
      } else {
        cpu::StoreKv<S, T, kShape.num_kv_heads, kShape.head_dim>(*ring, sequences, row, k, v);
      }
    }
    static void Attention(const Team& team, Sequences sequences, const PagedKv* paged,
                          const RingKv* ring, const AttentionOptions& options, const float* q,
                          int64_t q_stride, float* out, int64_t out_stride,
                          const AttentionScratch& scratch) {
      if (paged != nullptr) {
        cpu::Attention<S, T, kShape>(team, sequences, *paged, options, q, q_stride, out, out_stride,
                                     scratch);
      } else {
        cpu::Attention<S, T, kShape>(team, sequences, *ring, options, q, q_stride, out, out_stride,
                                     scratch);
      }
    }
    static constexpr AttentionKernels kKernels = {
        .shape = kShape,
        .element_bytes = sizeof(T),
        .store_kv = StoreKv,
        .attention = Attention,
    };
  };

  // Gemma 3 270M first. Then groups of 1 to 8 heads (blocks of 1 to 6 rows, padded or not), dims
  // with and without tails.
  static constexpr AttentionKernels kAttentions[] = {
      ForShape<uint16_t, AttentionShape{4, 1, 256}>::kKernels,
      ForShape<float, AttentionShape{3, 1, 20}>::kKernels,
      ForShape<uint16_t, AttentionShape{3, 1, 20}>::kKernels,
      ForShape<uint16_t, AttentionShape{4, 2, 64}>::kKernels,
      ForShape<float, AttentionShape{8, 1, 8}>::kKernels,
      ForShape<uint16_t, AttentionShape{2, 2, 16}>::kKernels,
      ForShape<float, AttentionShape{7, 1, 32}>::kKernels,
  };

  static constexpr SequenceKernelTable kTable = {S::kName, kRows, kAttentions};
};

}  // namespace carat::cpu

#endif  // CARAT_TESTS_KERNELS_MAKE_SEQUENCE_KERNEL_TABLE_H_
