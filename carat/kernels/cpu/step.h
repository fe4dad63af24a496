// One call of a compiled library, as its kernels see it: the inputs, the caches, and this thread's
// view of the buffers the compiler planned.

#ifndef CARAT_KERNELS_CPU_STEP_H_
#define CARAT_KERNELS_CPU_STEP_H_

#include <cstdint>
#include <span>

#include "carat/kernels/cpu/kv_cache.h"
#include "carat/kernels/cpu/team.h"

namespace carat::cpu {

// What the caller handed over; checked before the step begins.
struct StepInputs {
  const uint8_t* weights = nullptr;  // weights.bin, mapped
  uint8_t* kv_pages = nullptr;
  uint8_t* kv_rings = nullptr;
  uint8_t* scratch = nullptr;  // the shared arena, then one arena for each thread
  Sequences sequences;
  const int32_t* page_table = nullptr;  // [sequences, max_pages]
  int64_t max_pages = 0;
  std::span<const int32_t> tokens;       // [n]
  std::span<const int32_t> output_rows;  // [r], indices into tokens
  float* logits = nullptr;               // [r, vocab_size]
};

// Rows of a buffer. A stride of 0 makes every row the same memory: a row that lives within one
// loop.
template <class T>
class RowBuffer {
 public:
  RowBuffer(uint8_t* base, int64_t stride_bytes) : base_(base), stride_bytes_(stride_bytes) {}

  T* operator[](int64_t row) const { return reinterpret_cast<T*>(base_ + row * stride_bytes_); }
  T* data() const { return (*this)[0]; }
  // In elements, for kernels that walk the rows themselves.
  int64_t stride() const { return stride_bytes_ / static_cast<int64_t>(sizeof(T)); }

 private:
  uint8_t* base_;
  int64_t stride_bytes_;
};

struct Step {
  const StepInputs& in;
  Team team;
  uint8_t* shared_arena;
  uint8_t* thread_arena;

  int64_t num_tokens() const { return static_cast<int64_t>(in.tokens.size()); }
  int64_t num_outputs() const { return static_cast<int64_t>(in.output_rows.size()); }
  int64_t Position(int64_t row) const { return FindToken(in.sequences, row).position; }

  // Steps so small that every thread makes every row for itself. (There are never more outputs than
  // tokens.)
  bool replicates_rows() const { return num_tokens() <= kReplicatedRows; }

  // The threads meet; SyncRows only if rows were split among them.
  void Sync() const { team.Sync(); }
  void SyncRows() const {
    if (!replicates_rows()) team.Sync();
  }

  // Calls fn(row) for the rows this thread owns, whatever their number.
  template <class Fn>
  void ForOwnedRows(int64_t num_rows, Fn&& fn) const {
    const Range rows = OwnedRows(team, num_rows);
    for (int64_t row = rows.begin; row < rows.end; ++row) fn(row);
  }

  // One thread's part of what is done once a row, replicated or not: the last thread owns a single
  // row.
  bool Owns(int64_t row, int64_t num_rows) const {
    const Range rows = OwnedRows(team, num_rows);
    return rows.begin <= row && row < rows.end;
  }

  const uint8_t* Matrix(int64_t offset) const { return in.weights + offset; }
  const float* Vector(int64_t offset) const {
    return reinterpret_cast<const float*>(in.weights + offset);
  }

  template <class T>
  RowBuffer<T> Shared(int64_t offset, int64_t row_bytes) const {
    return {shared_arena + offset, row_bytes};
  }
  // `num_rows` is num_tokens() or num_outputs(), whichever the buffer's rows are.
  template <class T>
  RowBuffer<T> Replicated(int64_t num_rows, int64_t shared_offset, int64_t thread_offset,
                          int64_t row_bytes) const {
    if (num_rows <= kReplicatedRows) return {thread_arena + thread_offset, row_bytes};
    return {shared_arena + shared_offset, row_bytes};
  }
  template <class T>
  RowBuffer<T> Row(int64_t thread_offset) const {
    return {thread_arena + thread_offset, 0};
  }
  RowBuffer<float> Logits(int64_t vocab_size) const {
    return {reinterpret_cast<uint8_t*>(in.logits), vocab_size * 4};
  }
};

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_STEP_H_
