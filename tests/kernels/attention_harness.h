// Runs the attention kernels of a table as a model's layer would: stores K and V of a step's
// tokens, attends.

#ifndef CARAT_TESTS_KERNELS_ATTENTION_HARNESS_H_
#define CARAT_TESTS_KERNELS_ATTENTION_HARNESS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "carat/kernels/cpu/simd/half.h"
#include "tests/kernels/sequence_kernel_table.h"

namespace carat::cpu {

// q, k and v of every position of a sequence, random.
struct SequenceData {
  std::vector<float> q;  // [num_tokens, num_heads, head_dim]
  std::vector<float> k;  // [num_tokens, num_kv_heads, head_dim]
  std::vector<float> v;

  SequenceData(const AttentionKernels& kernels, int64_t num_tokens, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const AttentionShape& shape = kernels.shape;
    q.resize(num_tokens * shape.num_heads * shape.head_dim);
    k.resize(num_tokens * shape.num_kv_heads * shape.head_dim);
    v.resize(k.size());
    for (float& x : q) x = normal(random);
    // What the cache can hold exactly, so that a reference need not know the cache's type.
    for (float& x : k) x = F16ToF32(F32ToF16(normal(random)));
    for (float& x : v) x = F16ToF32(F32ToF16(normal(random)));
  }
};

// A run of tokens of one sequence: its part in a step.
struct StepPart {
  const SequenceData* data;
  int32_t slot;
  int32_t start;
  int32_t count;
};

// Runs task(team) on num_threads threads.
inline void RunTeam(int num_threads, const std::function<void(const Team&)>& task) {
  Barrier barrier(num_threads);
  std::vector<std::thread> threads;
  for (int thread = 1; thread < num_threads; ++thread) {
    threads.emplace_back([&, thread] { task({thread, num_threads, &barrier}); });
  }
  task({0, num_threads, &barrier});
  for (std::thread& thread : threads) thread.join();
}

// One layer with the caches of several sequences: rings where there is a window, pages otherwise.
// The layer is the second of two that share the memory, pages are scattered, and all memory begins
// as NaN: reading what was never written shows.
class AttentionLayer {
 public:
  AttentionLayer(const AttentionKernels& kernels, const AttentionOptions& options, int num_threads,
                 int64_t max_tokens, int64_t max_batch = 1, int64_t ring_slack = 0)
      : kernels_(kernels),
        options_(options),
        num_threads_(num_threads),
        max_pages_(max_tokens / kPageTokens + 1),
        page_bytes_(KvPageBytes(kernels.shape.num_kv_heads, kernels.shape.head_dim,
                                kernels.element_bytes)) {
    const int64_t ring_pages = options.window > 0 ? RingPages(options.window, ring_slack) : 0;
    const int64_t pages = options.window > 0 ? ring_pages : max_pages_;
    cache_.assign(max_batch * pages * 2 * page_bytes_, 0xff);
    staging_.assign(
        options.window > 0
            ? StagingPages(ring_pages, options.window, max_tokens, max_batch) * page_bytes_
            : 0,
        0xff);
    shared_.assign(AttentionSharedBytes(kernels.shape, max_batch), 0xff);
    thread_.assign(num_threads * AttentionThreadBytes(kernels.shape), 0xff);
    for (int64_t i = 0; i < max_batch * pages; ++i) free_pages_.push_back(static_cast<int32_t>(i));
    std::shuffle(free_pages_.begin(), free_pages_.end(), std::mt19937(1));
    ring_ = {cache_.data(),
             ring_pages * 2 * page_bytes_,
             ring_pages * page_bytes_,
             page_bytes_,
             ring_pages,
             options.window,
             staging_.data()};
  }

  // The layer's output [tokens of all parts, num_heads, head_dim].
  std::vector<float> Run(const std::vector<StepPart>& parts) {
    return RunStep(parts, /*attend=*/true);
  }

  // Only fills the cache.
  void Store(const std::vector<StepPart>& parts) { RunStep(parts, /*attend=*/false); }

  // The output for the tokens [start, start + sum of counts), in chunks of the given sizes.
  std::vector<float> RunChunks(const SequenceData& data, int32_t start,
                               const std::vector<int32_t>& counts, int32_t slot = 0) {
    std::vector<float> all;
    for (int32_t count : counts) {
      const std::vector<float> out = Run({{&data, slot, start, count}});
      all.insert(all.end(), out.begin(), out.end());
      start += count;
    }
    return all;
  }

 private:
  std::vector<float> RunStep(const std::vector<StepPart>& parts, bool attend) {
    const AttentionShape& shape = kernels_.shape;
    const int64_t q_dims = shape.num_heads * shape.head_dim;
    const int64_t kv_dims = shape.num_kv_heads * shape.head_dim;
    const int64_t qkv_dims = q_dims + 2 * kv_dims;
    // One row holds q, k and v, as one matrix product leaves them.
    std::vector<float> qkv;
    std::vector<Sequence> sequences;
    std::vector<int32_t> page_table;
    for (const StepPart& part : parts) {
      sequences.push_back({part.slot, part.start, part.count});
      for (int64_t i = part.start; i < part.start + part.count; ++i) {
        const auto append = [&](const std::vector<float>& from, int64_t dims) {
          qkv.insert(qkv.end(), from.begin() + i * dims, from.begin() + (i + 1) * dims);
        };
        append(part.data->q, q_dims);
        append(part.data->k, kv_dims);
        append(part.data->v, kv_dims);
      }
      for (int64_t page = 0; page < max_pages_ && options_.window == 0; ++page) {
        page_table.push_back(free_pages_[part.slot * max_pages_ + page]);
      }
    }
    const int64_t n = static_cast<int64_t>(qkv.size()) / qkv_dims;
    std::vector<float> out(n * q_dims, -1e30f);
    const PagedKv paged_kv = {cache_.data(), 2 * page_bytes_, page_bytes_, page_table.data(),
                              max_pages_};
    const PagedKv* paged = options_.window > 0 ? nullptr : &paged_kv;
    RunTeam(num_threads_, [&](const Team& team) {
      const Range rows = OwnedRows(team, n);
      for (int64_t row = rows.begin; row < rows.end; ++row) {
        const float* k = qkv.data() + row * qkv_dims + q_dims;
        kernels_.store_kv(paged, &ring_, sequences, row, k, k + kv_dims);
      }
      team.Sync();
      const AttentionScratch scratch = {shared_.data(),
                                        thread_.data() + team.thread * AttentionThreadBytes(shape)};
      if (attend) {
        kernels_.attention(team, sequences, paged, &ring_, options_, qkv.data(), qkv_dims,
                           out.data(), q_dims, scratch);
      }
    });
    return out;
  }

  const AttentionKernels& kernels_;
  const AttentionOptions options_;
  const int num_threads_;
  const int64_t max_pages_;
  const int64_t page_bytes_;
  std::vector<uint8_t> cache_;
  std::vector<uint8_t> staging_;
  std::vector<uint8_t> shared_;
  std::vector<uint8_t> thread_;
  std::vector<int32_t> free_pages_;
  RingKv ring_;
};

}  // namespace carat::cpu

#endif  // CARAT_TESTS_KERNELS_ATTENTION_HARNESS_H_
