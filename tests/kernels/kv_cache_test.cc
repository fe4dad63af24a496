#include "carat/kernels/cpu/kv_cache.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "tests/kernels/sequence_kernel_table.h"

namespace carat::cpu {
namespace {

TEST(KvCacheTest, SizesOfGemma3) {
  // 64 tokens of K and V, 256 dims of f16 each.
  EXPECT_EQ(KvPageBytes(1, 256, 2), 64 * 2 * 256 * 2);
  EXPECT_EQ(RingPages(512), 8);
  // The cache of 32,768 tokens of 270M: 3 global layers and 15 rings, against 18 global layers.
  const double bytes =
      3.0 * 512 * KvPageBytes(1, 256, 2) + 15.0 * RingPages(512) * KvPageBytes(1, 256, 2);
  EXPECT_LE(bytes / (18.0 * 512 * KvPageBytes(1, 256, 2)), 1 - 0.82);
}

TEST(KvCacheTest, ValuesArePaddedToVectors) {
  EXPECT_EQ(KvPageBytes(2, 20, 4), 2 * 64 * (20 + 32) * 4);
}

TEST(KvCacheTest, RingsHoldTheWindowAndWhatSlackBuys) {
  EXPECT_EQ(RingPages(512, 1), 9);
  const auto farthest = [](int64_t ring_pages) {
    int64_t length = 1000;
    while (CanRollBack(ring_pages * kPageTokens, 512, 1000, length - 1)) --length;
    return 1000 - length;
  };
  EXPECT_EQ(farthest(RingPages(512)), 1);
  EXPECT_EQ(farthest(RingPages(512, 40)), 65);
  EXPECT_TRUE(CanRollBack(512, 512, 512, 0));
  EXPECT_FALSE(CanRollBack(512, 512, 513, 0));
  EXPECT_TRUE(FitsRing(8, 512, 1));
  EXPECT_FALSE(FitsRing(8, 512, 2));
  EXPECT_TRUE(FitsRing(9, 512, 65));
}

TEST(KvCacheTest, StagingHoldsTheWorstStep) {
  EXPECT_EQ(StagingPages(16, 512, 512, 1), 0);  // a ring with room for a chunk
  for (int64_t max_batch : {1, 2, 4}) {
    const int64_t pages = StagingPages(8, 512, 256, max_batch);
    // Every way to begin a sequence within a page, the tokens shared out evenly or not.
    for (int64_t start = 0; start < 64; ++start) {
      for (int64_t first = 2; first < 256 - 2 * max_batch; ++first) {
        const int64_t others = max_batch - 1;
        const int64_t each = others > 0 ? (256 - first) / others : 0;
        const auto touched = [&](int64_t count) { return (start + count - 1) / 64 + 1; };
        EXPECT_LE(touched(first) + others * touched(each), pages);
      }
    }
  }
}

TEST(KvCacheTest, FindTokenCountsThroughTheSequences) {
  const std::vector<Sequence> sequences = {{0, 10, 2}, {1, 0, 0}, {2, 500, 1}, {3, 7, 3}};
  const std::vector<std::pair<int64_t, int64_t>> expected = {{0, 10}, {0, 11}, {2, 500},
                                                             {3, 7},  {3, 8},  {3, 9}};
  for (size_t row = 0; row < expected.size(); ++row) {
    const TokenPlace place = FindToken(sequences, static_cast<int64_t>(row));
    EXPECT_EQ(place.sequence, expected[row].first);
    EXPECT_EQ(place.position, expected[row].second);
  }
}

// The cache kernels of 3 query heads, 1 KV head of 20 dims in f32.
const AttentionKernels& Kernels() { return PlainAvx2SequenceKernels().attentions[1]; }
using Page = KvPage<float, 1, 20>;

// One layer's ring for one sequence, with the tokens' own positions as their K and V.
class Ring {
 public:
  explicit Ring(int64_t window)
      : memory_(RingPages(window) * Page::kBytes / 4, -1.0f),
        staging_(20 * Page::kBytes / 4, -1.0f) {
    kv_ = {
        reinterpret_cast<uint8_t*>(memory_.data()), 0, 0, Page::kBytes, RingPages(window), window,
        reinterpret_cast<uint8_t*>(staging_.data())};
  }

  void Store(const Sequence& sequence, int num_threads) {
    for (int32_t i = 0; i < sequence.count; ++i) {
      const float first = static_cast<float>(100 * (sequence.start + i));
      std::vector<float> k(20);
      std::iota(k.begin(), k.end(), first);
      std::vector<float> v(20);
      std::iota(v.begin(), v.end(), first + 50);
      Kernels().store_kv(nullptr, &kv_, {&sequence, 1}, i, k.data(), v.data());
    }
    for (int thread = 0; thread < num_threads; ++thread) {
      CommitKv<float, 1, 20>({thread, num_threads, nullptr}, {&sequence, 1}, kv_);
    }
  }

  // The position whose K and V the slot of `position` holds; -1 if none, -2 if they disagree.
  int64_t Held(int64_t position) const {
    const int64_t slot = position % (kv_.ring_pages * kPageTokens);
    const float* page = memory_.data() + slot / kPageTokens * (Page::kBytes / 4);
    const int64_t token = slot % kPageTokens;
    const float first = page[Page::Keys(0) + token / 16 * Page::kGroupStride + token % 16];
    if (first < 0) return -1;
    for (int64_t d = 0; d < 20; ++d) {
      const float k = page[Page::Keys(0) + token / 16 * Page::kGroupStride + d * 16 + token % 16];
      const float v = page[Page::Values(0) + d / 16 * Page::kPanelStride + token * 16 + d % 16];
      if (k != first + static_cast<float>(d) || v != k + 50) return -2;
    }
    return static_cast<int64_t>(first) / 100;
  }

 private:
  std::vector<float> memory_;
  std::vector<float> staging_;
  RingKv kv_;
};

TEST(KvCacheTest, RingsHoldTheNewestTokensWhateverTheChunks) {
  for (int num_threads : {1, 3}) {
    for (const std::vector<int32_t>& chunks : {std::vector<int32_t>{1},
                                               {128},
                                               {200},
                                               {5, 60, 3},
                                               {300, 1, 1},
                                               {1, 1, 500, 64, 2},
                                               {100, 29, 1, 700}}) {
      Ring ring(100);  // 128 tokens
      int32_t position = 0;
      for (int32_t chunk : chunks) {
        ring.Store({0, position, chunk}, num_threads);
        position += chunk;
      }
      for (int64_t p = std::max(0, position - 128); p < position; ++p) EXPECT_EQ(ring.Held(p), p);
    }
  }
}

TEST(KvCacheTest, StagedTokensDoNotTouchTheRingBeforeCommit) {
  Ring ring(64);
  ring.Store({0, 0, 64}, 1);
  ring.Store({0, 64, 30}, 0);
  for (int64_t p = 0; p < 64; ++p) EXPECT_EQ(ring.Held(p), p);
}

}  // namespace
}  // namespace carat::cpu
