// The arithmetic of attention on one tile: some queries of one sequence, all heads that share one
// KV head, a range of keys. Which tiles there are and which thread takes them is attention.h's
// matter.
//
//   scores[r][t] = scale * q[r] . k[t]         row r: a (query, head) pair; t: a visible key
//   out[r]       = softmax(scores[r]) @ v
//
// by online softmax: page by page (64 keys), each row keeps the maximum m of its scores so far, the
// sum l of exp(score - m), and o = the sum of exp(score - m) v; when m grows, l and o are scaled
// down.
//
// Rows are taken in blocks of 1 to 6, the rows of a register tile, so that an element of K or V is
// converted from f16 once for all of them. Both products run through one loop nest, MultiplyPanels,
// with 16 keys or 16 dims as lanes:
//
//   scores [rows, 16 keys] = q [rows, head_dim] @ K group [head_dim, 16 keys]
//   o      [rows, 16 dims] += p [rows, keys]    @ V panel [keys, 16 dims]
//
// Every sum runs over dims, or over keys, one by one in ascending order, so a row's result does not
// depend on which rows share its tile. Keys outside a row's range get p = 0 exactly; keys that no
// row of the block sees are not read as V at all: such memory may hold anything.

#ifndef CARAT_KERNELS_CPU_ATTENTION_TILE_H_
#define CARAT_KERNELS_CPU_ATTENTION_TILE_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "carat/kernels/cpu/kv_cache.h"
#include "carat/kernels/cpu/rows.h"
#include "carat/kernels/cpu/simd/math.h"

namespace carat::cpu {

// ---- The register tile ----

// fn(0), fn(1), ..., fn(kCount - 1) without a loop: arrays of vectors indexed by them live in
// registers.
template <int kCount, class Fn>
[[gnu::always_inline]] inline void Unroll(Fn fn) {
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) { (fn(kIndex), ...); }
  (std::make_integer_sequence<int, kCount>{});
}

template <class S>
inline typename S::F32 LoadElements(const float* p) {
  return S::Load(p);
}
template <class S>
inline typename S::F32 LoadElements(const uint16_t* p) {
  return S::LoadF16(p);
}

// How many 16-wide panels a register tile of kRows rows spans: 1, 2 or 4. Sums take at most 12 of
// AVX2's 16 registers, 24 of 32 (AVX-512, NEON); what is left holds a row of B and a broadcast of
// A. 12 sums also hide the latency of FMA, which takes 8.
template <class S, int kRows>
constexpr int PanelsAtOnce() {
  constexpr int kSums = S::kLanes == 8 ? 12 : 24;
  constexpr int kPanels = kSums * S::kLanes / (16 * kRows);
  return kPanels >= 4 ? 4 : kPanels >= 2 ? 2 : 1;
}

// c[r][16 p + i] (+)= sum over k < depth of a[r][k] * b[p][k][i], for kPanels panels [.., 16] of b.
// Meanwhile prefetches the same places of `ahead`, where the next product finds its b: pages lie
// anywhere in memory, and decoding, which waits for it, is some 15% faster for that.
template <class S, class T, int kRows, int kPanels, int64_t kAStride, int64_t kPanelStride,
          int64_t kCStride, bool kAccumulate>
inline void MultiplyPanels(const float* a, const T* b, const T* ahead, int64_t depth, float* c) {
  using F32 = typename S::F32;
  static_assert(16 % S::kLanes == 0);
  constexpr int kVectorsPerPanel = 16 / S::kLanes;
  constexpr int kVectors = kPanels * kVectorsPerPanel;
  constexpr int kLevel2 = 2;  // the cache to prefetch into
  F32 sum[kRows][kVectors];
  Unroll<kRows>([&](int r) {
    Unroll<kVectors>([&](int v) {
      sum[r][v] = kAccumulate ? S::Load(c + r * kCStride + v * S::kLanes) : S::Zero();
    });
  });
  for (int64_t k = 0; k < depth; ++k) {
    Unroll<kPanels>(
        [&](int p) { __builtin_prefetch(ahead + p * kPanelStride + k * 16, 0, kLevel2); });
    F32 row[kVectors];
    Unroll<kVectors>([&](int v) {
      const int64_t panel = v / kVectorsPerPanel;
      row[v] =
          LoadElements<S>(b + panel * kPanelStride + k * 16 + v % kVectorsPerPanel * S::kLanes);
    });
    Unroll<kRows>([&](int r) {
      const F32 x = S::Set1(a[r * kAStride + k]);
      Unroll<kVectors>([&](int v) { sum[r][v] = S::Fma(x, row[v], sum[r][v]); });
    });
  }
  Unroll<kRows>([&](int r) {
    Unroll<kVectors>([&](int v) { S::Store(c + r * kCStride + v * S::kLanes, sum[r][v]); });
  });
}

// The same for the panels [panels.begin, panels.end), as many at once as registers allow.
template <class S, class T, int kRows, int64_t kAStride, int64_t kPanelStride, int64_t kCStride,
          bool kAccumulate>
inline void MultiplyPanelRange(const float* a, const T* b, const T* ahead, int64_t depth,
                               Range panels, float* c) {
  constexpr int kPanels = PanelsAtOnce<S, kRows>();
  const int64_t whole = panels.end - (panels.end - panels.begin) % kPanels;
  for (int64_t p = panels.begin; p < whole; p += kPanels) {
    MultiplyPanels<S, T, kRows, kPanels, kAStride, kPanelStride, kCStride, kAccumulate>(
        a, b + p * kPanelStride, ahead + p * kPanelStride, depth, c + p * 16);
  }
  for (int64_t p = whole; p < panels.end; ++p) {
    MultiplyPanels<S, T, kRows, 1, kAStride, kPanelStride, kCStride, kAccumulate>(
        a, b + p * kPanelStride, ahead + p * kPanelStride, depth, c + p * 16);
  }
}

// ---- The tile ----

// Rows of a register tile, at most.
inline constexpr int64_t kRegisterTileRows = 6;

// Rows a tile has at most, unless a single query has more (heads of a group). 48 rows of 256 dims
// in f32 are 48 KiB of q and as much of o: with a page's 64 KiB of K and V they stay in a level 2
// cache of 256 KiB, and a page is fetched from memory once for 8 blocks.
inline constexpr int64_t kAttentionTileRows = 48;

// Room for the rows of a tile, the last block padded.
constexpr int64_t MaxTileRows(int64_t group) {
  return std::max(kAttentionTileRows, group) + kRegisterTileRows - 1;
}

// A thread's working memory: the state of the rows of a tile.
template <int64_t kHeadDim, int64_t kGroup>
struct TileState {
  static constexpr int64_t kRows = MaxTileRows(kGroup);
  static constexpr int64_t kValueDims = RoundUp(kHeadDim, kPanelDims);

  float q[kRows][kHeadDim];  // times scale
  float o[kRows][kValueDims];
  float sum[kRows][16];                          // l, one part a lane
  float max[kRows];                              // m
  float scores[kRegisterTileRows][kPageTokens];  // of the current block; then p
};

// What the queries of a tile are, and what they may see.
struct TileQueries {
  int64_t position;  // of the first query; the others follow
  int64_t num_queries;
  int64_t window;  // 0: none
  Range keys;      // the tile's share of the keys

  // The keys that the query at `query_position` sees among those of `within`.
  Range Visible(int64_t query_position, Range within) const {
    const int64_t oldest = window > 0 ? query_position - window + 1 : 0;
    return {std::max({keys.begin, within.begin, oldest}),
            std::min({keys.end, within.end, query_position + 1})};
  }
};

template <class S, class T, int64_t kNumKvHeads, int64_t kHeadDim, int64_t kGroup, int kRows>
class AttentionTile {
 public:
  using State = TileState<kHeadDim, kGroup>;

  AttentionTile(State& state, const TileQueries& queries, float softcap)
      : state_(state), queries_(queries), softcap_(softcap) {}

  // Loads q * scale; q points at the tile's first head of its first query.
  void Load(const float* q, int64_t q_stride, float scale) {
    using F32 = typename S::F32;
    const F32 factor = S::Set1(scale);
    for (int64_t r = 0; r < rows(); ++r) {
      const float* row = q + r / kGroup * q_stride + r % kGroup * kHeadDim;
      MapRow<S, kHeadDim>([=](F32 v) { return S::Mul(v, factor); }, state_.q[r], row);
    }
    for (int64_t r = 0; r < RoundUp(rows(), kRows); ++r) {
      if (r >= rows()) std::fill_n(state_.q[r], kHeadDim, 0.0f);
      std::fill_n(state_.o[r], State::kValueDims, 0.0f);
      std::fill_n(state_.sum[r], 16, 0.0f);
      state_.max[r] = kMinusInfinity;
    }
  }

  // Takes in all keys of the tile.
  void Attend(const KvPages& pages, int64_t kv_head) {
    const int64_t first_page = queries_.keys.begin / kPageTokens;
    const int64_t last_page = (queries_.keys.end - 1) / kPageTokens;
    for (int64_t page = first_page; page <= last_page; ++page) {
      const auto at = [&](int64_t p) { return reinterpret_cast<const T*>(pages[p]); };
      const T* keys = at(page) + Page::Keys(kv_head);
      const T* values = at(page) + Page::Values(kv_head);
      const T* next = at(std::min(page + 1, last_page)) + Page::Keys(kv_head);
      for (int64_t row = 0; row < rows(); row += kRows) {
        AttendBlock(keys, values, next, page * kPageTokens, row);
      }
    }
  }

  // o / l of every row; out points at the tile's first head of its first query.
  void WriteOutput(float* out, int64_t out_stride) const {
    using F32 = typename S::F32;
    for (int64_t r = 0; r < rows(); ++r) {
      const F32 inverse = S::Set1(1.0f / S::ReduceAdd(SumOf(r)));
      MapRow<S, kHeadDim>([=](F32 v) { return S::Mul(v, inverse); },
                          out + r / kGroup * out_stride + r % kGroup * kHeadDim, state_.o[r]);
    }
  }

  // m, l and o of a row, for the other parts of a split range of keys to be added.
  float Max(int64_t row) const { return state_.max[row]; }
  float Sum(int64_t row) const { return S::ReduceAdd(SumOf(row)); }
  const float* Output(int64_t row) const { return state_.o[row]; }

  int64_t rows() const { return queries_.num_queries * kGroup; }

 private:
  using Page = KvPage<T, kNumKvHeads, kHeadDim>;
  static constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

  typename S::F32 SumOf(int64_t row) const { return S::Load(state_.sum[row]); }
  int64_t Position(int64_t row) const { return queries_.position + row / kGroup; }

  // Takes in one page of keys for the rows [row, row + kRows). `next` is what will be read after
  // this page.
  void AttendBlock(const T* keys, const T* values, const T* next, int64_t page_begin, int64_t row) {
    const Range page = {page_begin, page_begin + kPageTokens};
    const int64_t last_row = std::min(row + kRows, rows()) - 1;
    const int64_t begin = queries_.Visible(Position(row), page).begin - page_begin;
    const int64_t end = queries_.Visible(Position(last_row), page).end - page_begin;
    if (begin >= end) return;

    const Range groups = {begin / kGroupTokens, RoundUp(end, kGroupTokens) / kGroupTokens};
    float* scores = state_.scores[0];
    MultiplyPanelRange<S, T, kRows, kHeadDim, Page::kGroupStride, kPageTokens, false>(
        state_.q[row], keys, values, kHeadDim, groups, scores);
    const Range lanes = {groups.begin * kGroupTokens, groups.end * kGroupTokens};
    for (int r = 0; r < kRows; ++r) {
      Range visible = {0, 0};  // of a padding row
      if (row + r <= last_row) visible = queries_.Visible(Position(row + r), page);
      UpdateSoftmax(row + r, {visible.begin - page_begin, visible.end - page_begin}, lanes,
                    state_.scores[r]);
    }
    MultiplyPanelRange<S, T, kRows, kPageTokens, Page::kPanelStride, State::kValueDims, true>(
        scores + begin, values + begin * kPanelDims, next, end - begin, {0, Page::kPanels},
        state_.o[row]);
  }

  // Turns the scores of the lanes that `visible` names into p, of all other lanes into 0, and
  // brings the row's m, l and o up to date (o lacks the new keys still).
  void UpdateSoftmax(int64_t row, Range visible, Range lanes, float* scores) {
    using F32 = typename S::F32;
    if (visible.begin >= visible.end) {
      std::fill(scores + lanes.begin, scores + lanes.end, 0.0f);
      return;
    }
    if (softcap_ > 0) {
      for (int64_t i = lanes.begin; i < lanes.end; i += S::kLanes) {
        S::Store(scores + i, Softcapped<S>(S::Load(scores + i), softcap_));
      }
    }
    std::fill(scores + lanes.begin, scores + visible.begin, kMinusInfinity);
    std::fill(scores + visible.end, scores + lanes.end, kMinusInfinity);

    F32 max = S::Set1(state_.max[row]);
    for (int64_t i = lanes.begin; i < lanes.end; i += S::kLanes)
      max = S::Max(max, S::Load(scores + i));
    const float new_max = S::ReduceMax(max);
    F32 sum = SumOf(row);
    if (new_max > state_.max[row]) {
      const F32 shrink = Exp<S>(S::Set1(state_.max[row] - new_max));
      sum = S::Mul(sum, shrink);
      MapRow<S, State::kValueDims>([=](F32 v) { return S::Mul(v, shrink); }, state_.o[row],
                                   state_.o[row]);
      state_.max[row] = new_max;
    }
    max = S::Set1(new_max);
    for (int64_t i = lanes.begin; i < lanes.end; i += S::kLanes) {
      const F32 p = Exp<S>(S::Sub(S::Load(scores + i), max));
      sum = S::Add(sum, p);
      S::Store(scores + i, p);
    }
    S::Store(state_.sum[row], sum);
  }

  State& state_;
  const TileQueries queries_;
  const float softcap_;
};

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_ATTENTION_TILE_H_
