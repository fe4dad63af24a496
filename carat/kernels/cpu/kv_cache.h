// Where K and V of a layer lie in memory, and how a token's K and V get there.
//
// A page holds 64 tokens of one layer. Inside it, for each KV head:
//
//   K  [4 groups][head_dim][16 tokens]      lanes are tokens: q . k needs no horizontal sum
//   V  [head_dim / 16 panels][64 tokens][16 dims]   lanes are dims; the last panel is padded
//
// so that both q k^T and p v read 16-wide rows one after the other. Elements are f16 (uint16_t) or
// float.
//
// Global layers share one pool of pages: a pool page is [global layers] of the page above, and a
// sequence finds its logical page i (tokens 64 i .. 64 i + 63) in its page table. Sliding layers
// keep a ring for each sequence: [sliding layers][ring_pages] pages; token p lies at p mod
// ring_tokens, logical page i at ring page i mod ring_pages.
//
// What a ring can do: after token e - 1 was written it holds the tokens [e - ring_tokens, e). A
// query at position p needs [p - window + 1, p]. Therefore
//  - a step may write `count` tokens straight into the ring iff window - 1 + count <= ring_tokens
//    (FitsRing). Longer chunks are staged: they go to pages in scratch memory that all layers
//    share, attention reads them there, and copies the newest ones to the ring when it is done. So
//    a ring needs no room for a chunk, which would double it: it has ceil((window + slack) / 64)
//    pages.
//  - a sequence may be rolled back from e to r tokens iff CanRollBack: the window before r must
//    not have been overwritten. `slack` buys more of that: 0 suffices for plain generation;
//    speculation needs the number of tokens it may reject. Tokens beyond r stay in the ring as
//    garbage that the causal mask hides until they are overwritten.
// Pages of global layers can be rolled back to any length.

#ifndef CARAT_KERNELS_CPU_KV_CACHE_H_
#define CARAT_KERNELS_CPU_KV_CACHE_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "carat/kernels/cpu/team.h"
#include "carat/kernels/cpu/tile_layout.h"

namespace carat::cpu {

inline constexpr int64_t kPageTokens = 64;
inline constexpr int64_t kGroupTokens = 16;
inline constexpr int64_t kPanelDims = 16;

// ---- The tokens of a step ----

// The tokens of a step are the concatenation of its sequences' tokens: `count` tokens at positions
// start, start + 1, ... of the sequence whose ring is number `slot`. The layout is that of a row of
// the int32 tensor [b, 3].
struct Sequence {
  int32_t slot;
  int32_t start;
  int32_t count;
};

using Sequences = std::span<const Sequence>;

struct TokenPlace {
  int64_t sequence;  // index into the step's sequences
  int64_t position;
};

// Which token is row `row` of the step? A scan over the sequences: a few compares, far less than
// any use of the answer.
inline TokenPlace FindToken(Sequences sequences, int64_t row) {
  int64_t sequence = 0;
  while (row >= sequences[sequence].count) row -= sequences[sequence++].count;
  return {sequence, sequences[sequence].start + row};
}

// ---- Sizes ----

// Bytes of one layer's page.
constexpr int64_t KvPageBytes(int64_t num_kv_heads, int64_t head_dim, int64_t element_bytes) {
  return num_kv_heads * kPageTokens * (head_dim + RoundUp(head_dim, kPanelDims)) * element_bytes;
}

// Pages of one sliding layer's ring, which can be rolled back by `slack` + 1 tokens.
constexpr int64_t RingPages(int64_t window, int64_t slack = 0) {
  return RoundUp(window + slack, kPageTokens) / kPageTokens;
}

// Does a ring that `written` tokens went through still hold what a query at `length` sees?
constexpr bool CanRollBack(int64_t ring_tokens, int64_t window, int64_t written, int64_t length) {
  return std::max<int64_t>(0, length - window + 1) >= written - ring_tokens;
}

// May a step write `count` tokens straight into the ring before its queries read it?
constexpr bool FitsRing(int64_t ring_pages, int64_t window, int64_t count) {
  return window - 1 + count <= ring_pages * kPageTokens;
}

// Staging pages of a step of at most `max_tokens` tokens in at most `max_batch` sequences: each
// sequence may begin and end amid a page.
constexpr int64_t StagingPages(int64_t ring_pages, int64_t window, int64_t max_tokens,
                               int64_t max_batch) {
  if (FitsRing(ring_pages, window, max_tokens)) return 0;
  const int64_t sequences = std::min(max_batch, max_tokens);
  return (max_tokens + sequences * (kPageTokens - 2)) / kPageTokens + sequences;
}

// ---- A page ----

// The page of one layer: offsets of its parts, in elements.
template <class T, int64_t kNumKvHeads, int64_t kHeadDim>
struct KvPage {
  static constexpr int64_t kPanels = RoundUp(kHeadDim, kPanelDims) / kPanelDims;
  static constexpr int64_t kKeys = kPageTokens * kHeadDim;
  static constexpr int64_t kHead = kKeys + kPageTokens * kPanels * kPanelDims;
  static constexpr int64_t kGroupStride = kHeadDim * kGroupTokens;
  static constexpr int64_t kPanelStride = kPageTokens * kPanelDims;
  static constexpr int64_t kBytes = kNumKvHeads * kHead * static_cast<int64_t>(sizeof(T));
  static_assert(kBytes == KvPageBytes(kNumKvHeads, kHeadDim, sizeof(T)));

  // K of the head: group g begins at g * kGroupStride, dim d of token t at d * 16 + t mod 16 of its
  // group.
  static constexpr int64_t Keys(int64_t head) { return head * kHead; }
  // V of the head: panel p begins at p * kPanelStride, token t at t * 16 in it.
  static constexpr int64_t Values(int64_t head) { return head * kHead + kKeys; }
};

// ---- The pages of a sequence ----

// One layer's pages of one sequence of the step.
class KvPages {
 public:
  static KvPages Paged(uint8_t* layer, int64_t page_stride, const int32_t* page_table) {
    return KvPages(layer, page_stride, page_table, 0);
  }
  static KvPages Ring(uint8_t* ring, int64_t page_bytes, int64_t ring_pages) {
    return KvPages(ring, page_bytes, nullptr, ring_pages);
  }
  // The same ring, with the pages from `first_page` on in staging memory.
  KvPages WithStaging(uint8_t* staging, int64_t first_page) const {
    KvPages staged = *this;
    staged.staging_ = staging;
    staged.first_staged_page_ = first_page;
    return staged;
  }

  uint8_t* operator[](int64_t logical_page) const {
    if (page_table_ != nullptr) return base_ + page_table_[logical_page] * stride_;
    if (staging_ != nullptr && logical_page >= first_staged_page_) {
      return staging_ + (logical_page - first_staged_page_) * stride_;
    }
    return InRing(logical_page);
  }
  uint8_t* InRing(int64_t logical_page) const {
    return base_ + logical_page % ring_pages_ * stride_;
  }
  bool staged() const { return staging_ != nullptr; }

 private:
  KvPages(uint8_t* base, int64_t stride, const int32_t* page_table, int64_t ring_pages)
      : base_(base), stride_(stride), page_table_(page_table), ring_pages_(ring_pages) {}

  uint8_t* base_;
  int64_t stride_;
  const int32_t* page_table_;  // null: a ring
  int64_t ring_pages_;
  uint8_t* staging_ = nullptr;
  int64_t first_staged_page_ = 0;
};

// One global layer: its place in the pool of pages.
struct PagedKv {
  uint8_t* pages;             // [pages, page_stride bytes]
  int64_t page_stride;        // bytes of a pool page: all global layers
  int64_t layer_offset;       // bytes from the start of a pool page to this layer's page
  const int32_t* page_table;  // [sequences of the step, max_pages]
  int64_t max_pages;

  bool Staged(const Sequence& /*sequence*/) const { return false; }

  KvPages Of(Sequences /*sequences*/, int64_t sequence) const {
    return KvPages::Paged(pages + layer_offset, page_stride, page_table + sequence * max_pages);
  }
};

// One sliding layer: its rings, and the staging pages that it shares with the other sliding layers.
struct RingKv {
  uint8_t* rings;        // [slots, ring_stride bytes]
  int64_t ring_stride;   // bytes of a sequence's rings: all sliding layers
  int64_t layer_offset;  // bytes from the start of a sequence's rings to this layer's ring
  int64_t page_bytes;
  int64_t ring_pages;
  int64_t window;
  uint8_t* staging;  // [StagingPages, page_bytes]

  bool Staged(const Sequence& sequence) const {
    return !FitsRing(ring_pages, window, sequence.count);
  }

  KvPages Of(Sequences sequences, int64_t index) const {
    const Sequence& sequence = sequences[index];
    const KvPages ring =
        KvPages::Ring(rings + sequence.slot * ring_stride + layer_offset, page_bytes, ring_pages);
    if (!Staged(sequence)) return ring;
    int64_t pages_before = 0;
    for (const Sequence& before : sequences.first(index)) {
      if (Staged(before)) pages_before += LastPage(before) - FirstPage(before) + 1;
    }
    return ring.WithStaging(staging + pages_before * page_bytes, FirstPage(sequence));
  }

  static int64_t FirstPage(const Sequence& sequence) { return sequence.start / kPageTokens; }
  static int64_t LastPage(const Sequence& sequence) {
    return (sequence.start + sequence.count - 1) / kPageTokens;
  }
};

// ---- Writing ----

// Rounds x to T with S's conversion.
template <class S, class T, int64_t kCount>
void ConvertRow(const float* x, T* out) {
  int64_t i = 0;
  if constexpr (sizeof(T) == sizeof(float)) {
    std::memcpy(out, x, kCount * sizeof(float));
  } else {
    for (; i + S::kLanes <= kCount; i += S::kLanes) S::StoreF16(out + i, S::Load(x + i));
    if (i < kCount) {
      uint16_t tail[S::kLanes];
      S::StoreF16(tail, S::LoadPartial(x + i, kCount - i));
      std::memcpy(out + i, tail, (kCount - i) * sizeof(uint16_t));
    }
  }
}

// Copies the tokens [tokens.begin, tokens.end) of a page, and no other byte, to the same places of
// another page.
template <class Page, class T, int64_t kNumKvHeads, int64_t kHeadDim>
void CopyTokens(const T* from, Range tokens, T* to) {
  for (int64_t head = 0; head < kNumKvHeads; ++head) {
    for (int64_t begin = tokens.begin; begin < tokens.end;) {
      const int64_t group = begin / kGroupTokens;
      const int64_t end = std::min(tokens.end, (group + 1) * kGroupTokens);
      const int64_t lane = begin % kGroupTokens;
      const int64_t base = Page::Keys(head) + group * Page::kGroupStride + lane;
      if (end - begin == kGroupTokens) {
        std::memcpy(to + base, from + base, Page::kGroupStride * sizeof(T));
      } else {
        for (int64_t d = 0; d < kHeadDim; ++d) {
          const int64_t at = base + d * kGroupTokens;
          std::memcpy(to + at, from + at, (end - begin) * sizeof(T));
        }
      }
      begin = end;
    }
    for (int64_t panel = 0; panel < Page::kPanels; ++panel) {
      const int64_t base =
          Page::Values(head) + panel * Page::kPanelStride + tokens.begin * kPanelDims;
      std::memcpy(to + base, from + base, (tokens.end - tokens.begin) * kPanelDims * sizeof(T));
    }
  }
}

template <class Kv>
bool AnyStaged(const Kv& kv, Sequences sequences) {
  return std::any_of(sequences.begin(), sequences.end(),
                     [&](const Sequence& sequence) { return kv.Staged(sequence); });
}

// Stores k and v [num_kv_heads, head_dim] of row `row` of the step. Called once a row, by any
// thread; the caller synchronizes before the row is read. For the first row of a staged sequence it
// also brings the older tokens of the row's page into staging, so that every page of the chunk is
// whole.
template <class S, class T, int64_t kNumKvHeads, int64_t kHeadDim, class Kv>
void StoreKv(const Kv& kv, Sequences sequences, int64_t row, const float* k, const float* v) {
  using Page = KvPage<T, kNumKvHeads, kHeadDim>;
  const TokenPlace place = FindToken(sequences, row);
  const KvPages pages = kv.Of(sequences, place.sequence);
  const int64_t logical_page = place.position / kPageTokens;
  const int64_t token = place.position % kPageTokens;
  T* page = reinterpret_cast<T*>(pages[logical_page]);
  for (int64_t head = 0; head < kNumKvHeads; ++head) {
    T converted[RoundUp(kHeadDim, kPanelDims)] = {};
    ConvertRow<S, T, kHeadDim>(k + head * kHeadDim, converted);
    T* keys =
        page + Page::Keys(head) + token / kGroupTokens * Page::kGroupStride + token % kGroupTokens;
    for (int64_t d = 0; d < kHeadDim; ++d) keys[d * kGroupTokens] = converted[d];
    ConvertRow<S, T, kHeadDim>(v + head * kHeadDim, converted);
    T* values = page + Page::Values(head) + token * kPanelDims;
    for (int64_t panel = 0; panel < Page::kPanels; ++panel) {
      std::memcpy(values + panel * Page::kPanelStride, converted + panel * kPanelDims,
                  kPanelDims * sizeof(T));
    }
  }
  if (pages.staged() && place.position == sequences[place.sequence].start && token > 0) {
    CopyTokens<Page, T, kNumKvHeads, kHeadDim>(
        reinterpret_cast<const T*>(pages.InRing(logical_page)), {0, token}, page);
  }
}

// Copies the newest staged tokens of every sequence to its ring; all threads call it once nobody
// reads the ring. Attention does.
template <class T, int64_t kNumKvHeads, int64_t kHeadDim>
void CommitKv(const Team& team, Sequences sequences, const RingKv& kv) {
  using Page = KvPage<T, kNumKvHeads, kHeadDim>;
  for (int64_t i = 0; i < static_cast<int64_t>(sequences.size()); ++i) {
    const Sequence& sequence = sequences[i];
    if (!kv.Staged(sequence)) continue;
    const KvPages pages = kv.Of(sequences, i);
    const int64_t end = sequence.start + sequence.count;
    const int64_t begin = std::max<int64_t>(sequence.start, end - kv.ring_pages * kPageTokens);
    const int64_t first_page = begin / kPageTokens;
    const int64_t num_pages = (end - 1) / kPageTokens - first_page + 1;
    const Range mine = OwnedRows(team, num_pages);
    for (int64_t page = first_page + mine.begin; page < first_page + mine.end; ++page) {
      const Range tokens = {std::max(begin - page * kPageTokens, int64_t{0}),
                            std::min(end - page * kPageTokens, kPageTokens)};
      CopyTokens<Page, T, kNumKvHeads, kHeadDim>(reinterpret_cast<const T*>(pages[page]), tokens,
                                                 reinterpret_cast<T*>(pages.InRing(page)));
    }
  }
}

template <class T, int64_t kNumKvHeads, int64_t kHeadDim>
void CommitKv(const Team& /*team*/, Sequences /*sequences*/, const PagedKv& /*kv*/) {}

}  // namespace carat::cpu

#endif  // CARAT_KERNELS_CPU_KV_CACHE_H_
