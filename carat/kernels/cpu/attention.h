// Attention of a step's queries over the KV cache: cuts the work into tiles (attention_tile.h) and
// spreads them over the team.
//
//   out[i] = softmax over the keys j that query i sees of (scale * q[i] . k[j]) @ v;   j <= i, and
//   i - j < window
//
// Two regimes. A sequence with many queries (a prompt) is cut into tiles of queries, each over all
// its keys. A sequence with few queries (decoding) is one tile, whose keys are cut into at most 32
// ranges of whole pages instead; each range leaves a partial result in shared scratch, and after a
// Sync the partials are combined. Ranges of keys depend on positions alone, and a query's result
// does not depend on its tile: results are the same, in every bit, for any number of threads and
// whatever other sequences are in the step.

#ifndef CARAT_KERNELS_CPU_ATTENTION_H_
#define CARAT_KERNELS_CPU_ATTENTION_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "carat/kernels/cpu/attention_tile.h"
#include "carat/kernels/cpu/kv_cache.h"
#include "carat/kernels/cpu/rows.h"
#include "carat/kernels/cpu/simd/math.h"
#include "carat/kernels/cpu/team.h"

namespace carat::cpu {

struct AttentionShape {
  int64_t num_heads;
  int64_t num_kv_heads;
  int64_t head_dim;

  constexpr int64_t group() const { return num_heads / num_kv_heads; }
};

struct AttentionOptions {
  float scale;
  int64_t window = 0;  // key j is visible to query i iff j <= i and i - j < window; 0: no window
  float softcap = 0;   // scores become softcap * tanh(score / softcap); 0: they stay
};

// The partial results of one sequence: for each head, at most kPartials of a query and a range of
// keys.
inline constexpr int64_t kPartials = 32;

// Up to this many queries of a sequence are decoded with split keys, if they fit one tile.
inline constexpr int64_t kSplitQueries = 8;

// A partial: [m, l, 14 unused | o], so that two threads never write the same cache line.
constexpr int64_t PartialFloats(int64_t head_dim) { return 16 + RoundUp(head_dim, kPanelDims); }

// ---- Scratch ----

// Shared by all threads, for steps of at most `max_batch` sequences.
constexpr int64_t AttentionSharedBytes(AttentionShape shape, int64_t max_batch) {
  return max_batch * shape.num_heads * kPartials * PartialFloats(shape.head_dim) *
         static_cast<int64_t>(sizeof(float));
}

// Of each thread.
constexpr int64_t AttentionThreadBytes(AttentionShape shape) {
  const int64_t row_floats = shape.head_dim + RoundUp(shape.head_dim, kPanelDims) + 16 + 1;
  const int64_t floats = MaxTileRows(shape.group()) * row_floats + kRegisterTileRows * kPageTokens;
  return RoundUp(floats * static_cast<int64_t>(sizeof(float)), 64);
}

struct AttentionScratch {
  uint8_t* shared;  // AttentionSharedBytes, aligned to 64 bytes as all scratch is
  uint8_t* thread;  // AttentionThreadBytes
};

// ---- The kernel ----

// The keys of one tile of few queries, cut into `num_ranges` ranges of `range_pages` pages.
struct KeySplit {
  Range keys;
  int64_t range_pages;
  int64_t num_ranges;

  KeySplit(const Sequence& sequence, int64_t window) {
    const int64_t end = sequence.start + sequence.count;
    keys = {window > 0 ? std::max<int64_t>(0, sequence.start - window + 1) : 0, end};
    const int64_t num_pages = (end - 1) / kPageTokens - keys.begin / kPageTokens + 1;
    const int64_t max_ranges = kPartials / sequence.count;
    range_pages = (num_pages + max_ranges - 1) / max_ranges;
    num_ranges = (num_pages + range_pages - 1) / range_pages;
  }

  Range Keys(int64_t range) const {
    const int64_t first_page = keys.begin / kPageTokens + range * range_pages;
    return {std::max(keys.begin, first_page * kPageTokens),
            std::min(keys.end, (first_page + range_pages) * kPageTokens)};
  }
};

template <class S, class T, AttentionShape kShape, class Kv>
class AttentionKernel {
 public:
  AttentionKernel(const Team& team, Sequences sequences, const Kv& kv,
                  const AttentionOptions& options, const AttentionScratch& scratch)
      : team_(team), sequences_(sequences), kv_(kv), options_(options), scratch_(scratch) {}

  // This thread's tiles. Returns whether there are partials to combine, the same for all threads.
  bool ComputeTiles(const float* q, int64_t q_stride, float* out, int64_t out_stride) {
    bool any_split = false;
    for (int64_t i = 0; i < static_cast<int64_t>(sequences_.size()); ++i) {
      if (KeysAreSplit(sequences_[i].count)) {
        any_split = true;
        ComputePartials(i, q, q_stride);
      } else {
        ComputeQueryTiles(i, q, q_stride, out, out_stride);
      }
      q += sequences_[i].count * q_stride;
      out += sequences_[i].count * out_stride;
    }
    return any_split;
  }

  // This thread's rows (query, head) of the sequences whose keys were split.
  void CombinePartials(float* out, int64_t out_stride) const {
    int64_t unit = 0;
    for (int64_t i = 0; i < static_cast<int64_t>(sequences_.size()); ++i) {
      if (KeysAreSplit(sequences_[i].count)) {
        const KeySplit split(sequences_[i], options_.window);
        for (int64_t row = 0; row < sequences_[i].count * kShape.num_heads; ++row) {
          if (unit++ % team_.num_threads != team_.thread) continue;
          float* out_row =
              out + row / kShape.num_heads * out_stride + row % kShape.num_heads * kShape.head_dim;
          Combine(Partial(i, row * split.num_ranges), split.num_ranges, out_row);
        }
      }
      out += sequences_[i].count * out_stride;
    }
  }

 private:
  static constexpr int64_t kGroup = kShape.group();
  static constexpr int64_t kGroupDims = kGroup * kShape.head_dim;
  static constexpr int64_t kPartialFloats = PartialFloats(kShape.head_dim);
  // Rows of a register tile: with few queries the heads of a group, or an even part of them.
  static constexpr int kManyRows = kRegisterTileRows;
  static constexpr int kFewRows =
      static_cast<int>((kGroup + (kGroup + kRegisterTileRows - 1) / kRegisterTileRows - 1) /
                       ((kGroup + kRegisterTileRows - 1) / kRegisterTileRows));

  using State = TileState<kShape.head_dim, kGroup>;
  template <int kRows>
  using Tile = AttentionTile<S, T, kShape.num_kv_heads, kShape.head_dim, kGroup, kRows>;
  static_assert(sizeof(State) <= AttentionThreadBytes(kShape));
  static_assert(kShape.num_heads % kShape.num_kv_heads == 0);

  // Deals out tiles 0 1 2 2 1 0 0 1 2 ...: tiles grow with their position, and so the sums stay
  // even.
  bool IsMine() {
    const int64_t turn = next_tile_++ % (2 * team_.num_threads);
    return team_.thread == std::min(turn, 2 * team_.num_threads - 1 - turn);
  }

  static bool KeysAreSplit(int64_t num_queries) {
    return num_queries <= std::clamp<int64_t>(kAttentionTileRows / kGroup, 1, kSplitQueries);
  }

  State& state() const { return *reinterpret_cast<State*>(scratch_.thread); }

  float* Partial(int64_t sequence, int64_t index) const {
    return reinterpret_cast<float*>(scratch_.shared) +
           (sequence * kShape.num_heads * kPartials + index) * kPartialFloats;
  }

  void ComputeQueryTiles(int64_t index, const float* q, int64_t q_stride, float* out,
                         int64_t out_stride) {
    const Sequence& sequence = sequences_[index];
    const KvPages pages = kv_.Of(sequences_, index);
    const int64_t tile_queries = TileQueryCount(sequence.count);
    for (int64_t first = 0; first < sequence.count; first += tile_queries) {
      for (int64_t kv_head = 0; kv_head < kShape.num_kv_heads; ++kv_head) {
        if (!IsMine()) continue;
        const int64_t num_queries = std::min(tile_queries, sequence.count - first);
        const int64_t position = sequence.start + first;
        const int64_t oldest =
            options_.window > 0 ? std::max<int64_t>(0, position - options_.window + 1) : 0;
        Tile<kManyRows> tile(
            state(), {position, num_queries, options_.window, {oldest, position + num_queries}},
            options_.softcap);
        tile.Load(q + first * q_stride + kv_head * kGroupDims, q_stride, options_.scale);
        tile.Attend(pages, kv_head);
        tile.WriteOutput(out + first * out_stride + kv_head * kGroupDims, out_stride);
      }
    }
  }

  // Full tiles where there is work enough to give every thread a few; rows in whole register tiles
  // where the group allows.
  int64_t TileQueryCount(int64_t count) const {
    const int64_t most = std::max<int64_t>(1, kAttentionTileRows / kGroup);
    const int64_t least = std::max<int64_t>(1, 2 * kRegisterTileRows / kGroup);
    const int64_t even = count * kShape.num_kv_heads / (4 * team_.num_threads);
    return std::clamp(RoundUp(even, least), least, most);
  }

  void ComputePartials(int64_t index, const float* q, int64_t q_stride) {
    const Sequence& sequence = sequences_[index];
    const KvPages pages = kv_.Of(sequences_, index);
    const KeySplit split(sequence, options_.window);
    for (int64_t range = 0; range < split.num_ranges; ++range) {
      for (int64_t kv_head = 0; kv_head < kShape.num_kv_heads; ++kv_head) {
        if (!IsMine()) continue;
        Tile<kFewRows> tile(state(),
                            {sequence.start, sequence.count, options_.window, split.Keys(range)},
                            options_.softcap);
        tile.Load(q + kv_head * kGroupDims, q_stride, options_.scale);
        tile.Attend(pages, kv_head);
        for (int64_t r = 0; r < tile.rows(); ++r) {
          const int64_t row = r / kGroup * kShape.num_heads + kv_head * kGroup + r % kGroup;
          float* partial = Partial(index, row * split.num_ranges + range);
          partial[0] = tile.Max(r);
          partial[1] = tile.Sum(r);
          Copy<State::kValueDims>(tile.Output(r), partial + 16);
        }
      }
    }
  }

  // out = sum of e^(m_i - m) o_i / sum of e^(m_i - m) l_i, m the largest m_i.
  static void Combine(const float* partials, int64_t count, float* out) {
    using F32 = typename S::F32;
    float max[kPartials];
    float sum[kPartials] = {};
    std::fill_n(max, kPartials, -std::numeric_limits<float>::infinity());
    for (int64_t i = 0; i < count; ++i) {
      max[i] = partials[i * kPartialFloats];
      sum[i] = partials[i * kPartialFloats + 1];
    }
    const F32 overall = S::Set1(*std::max_element(max, max + count));
    float weight[kPartials];
    F32 total = S::Zero();
    for (int64_t i = 0; i < kPartials; i += S::kLanes) {
      const F32 w = Exp<S>(S::Sub(S::Load(max + i), overall));
      S::Store(weight + i, w);
      total = S::Fma(w, S::Load(sum + i), total);
    }
    const float inverse = 1.0f / S::ReduceAdd(total);

    constexpr int64_t kDims = State::kValueDims;
    F32 o[kDims / S::kLanes];
    for (F32& v : o) v = S::Zero();
    for (int64_t i = 0; i < count; ++i) {
      const F32 w = S::Set1(weight[i] * inverse);
      const float* row = partials + i * kPartialFloats + 16;
      for (int64_t d = 0; d < kDims / S::kLanes; ++d) {
        o[d] = S::Fma(w, S::Load(row + d * S::kLanes), o[d]);
      }
    }
    float result[kDims];
    for (int64_t d = 0; d < kDims / S::kLanes; ++d) S::Store(result + d * S::kLanes, o[d]);
    Copy<kShape.head_dim>(result, out);
  }

  const Team& team_;
  const Sequences sequences_;
  const Kv& kv_;
  const AttentionOptions& options_;
  const AttentionScratch& scratch_;
  int64_t next_tile_ = 0;
};

// q and out are [n, num_heads * head_dim], n the tokens of all sequences, with rows q_stride and
// out_stride floats apart. T is the element of the cache, Kv is PagedKv or RingKv. All threads call
// this.
//
// Before: the K and V of the step's tokens were stored (StoreKv) and the threads have met since.
// After: the threads must meet before `out` is read, before scratch.shared is used again, and
// before this cache's staging memory is. Inside they meet once if a sequence has few queries or was
// staged, whose newest tokens go to its ring then.
template <class S, class T, AttentionShape kShape, class Kv>
void Attention(const Team& team, Sequences sequences, const Kv& kv, const AttentionOptions& options,
               const float* q, int64_t q_stride, float* out, int64_t out_stride,
               const AttentionScratch& scratch) {
  AttentionKernel<S, T, kShape, Kv> kernel(team, sequences, kv, options, scratch);
  const bool split = kernel.ComputeTiles(q, q_stride, out, out_stride);
  const bool staged = AnyStaged(kv, sequences);
  if (!split && !staged) return;
  team.Sync();
  if (split) kernel.CombinePartials(out, out_stride);
  if (staged) CommitKv<T, kShape.num_kv_heads, kShape.head_dim>(team, sequences, kv);
}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_ATTENTION_H_
