#include "carat/runtime/kv_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <vector>

#include "carat/base/error.h"

namespace carat::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

library::LibraryMetadata SmallCache() {
  library::LibraryMetadata metadata;
  metadata.context_window_size = 1000;
  metadata.prefill_chunk_size = 128;
  metadata.max_batch_size = 3;
  metadata.sliding_window = 100;
  metadata.page_tokens = 64;
  metadata.page_bytes = 3 * 4096;
  metadata.ring_tokens = 192;
  metadata.ring_bytes = 5 * 4096;
  return metadata;
}

void Grow(KvCache& cache, int32_t slot, int64_t length) {
  cache.Reserve(slot, length);
  cache.Advance(slot, length);
}

int64_t PagesOf(const KvCache& cache, int32_t slot) {
  return std::ranges::count_if(cache.PageTable(slot), [](int32_t page) { return page >= 0; });
}

// System pages of the range that are memory.
int64_t ResidentPages(std::span<std::byte> range) {
  std::vector<unsigned char> resident((range.size() + 4095) / 4096);
  EXPECT_EQ(mincore(range.data(), range.size(), resident.data()), 0);
  return std::ranges::count_if(resident, [](unsigned char r) { return (r & 1) != 0; });
}

TEST(KvCache, GivesASequencePagesAsItGrows) {
  KvCache cache(SmallCache());
  const int32_t slot = cache.AcquireSlot();
  EXPECT_EQ(PagesOf(cache, slot), 0);
  Grow(cache, slot, 1);
  EXPECT_EQ(PagesOf(cache, slot), 1);
  Grow(cache, slot, 64);
  EXPECT_EQ(PagesOf(cache, slot), 1);
  Grow(cache, slot, 65);
  EXPECT_EQ(PagesOf(cache, slot), 2);
  EXPECT_EQ(cache.PageTable(slot).size(), 16);
  EXPECT_EQ(cache.BytesInUse(), 2 * 3 * 4096 + 5 * 4096);
}

TEST(KvCache, SaysWhatMemoryItCannotHaveAndWhatToDo) {
  library::LibraryMetadata metadata = SmallCache();
  metadata.page_bytes = int64_t{1} << 43;  // 48 pages: beyond the address space
  EXPECT_THAT([&] { KvCache cache(metadata); },
              ThrowsMessage<Error>(AllOf(HasSubstr("the KV cache of 3 sequences of 1000 tokens"),
                                         HasSubstr("smaller --context-window-size"))));
  metadata = SmallCache();
  metadata.ring_bytes = int64_t{1} << 46;
  EXPECT_THAT([&] { KvCache cache(metadata); },
              ThrowsMessage<Error>(AllOf(HasSubstr("3 sequences' sliding layers"),
                                         HasSubstr("smaller --max-batch-size"))));
}

TEST(KvCache, NeverGivesAPageTwice) {
  KvCache cache(SmallCache());
  std::set<int32_t> pages;
  for (int i = 0; i < 3; ++i) {
    const int32_t slot = cache.AcquireSlot();
    Grow(cache, slot, 1000);
    for (const int32_t page : cache.PageTable(slot)) EXPECT_TRUE(pages.insert(page).second);
  }
  EXPECT_EQ(*pages.begin(), 0);
  EXPECT_EQ(*pages.rbegin(), 47);
}

TEST(KvCache, RefusesMoreSequencesThanItHasSlots) {
  KvCache cache(SmallCache());
  for (int i = 0; i < 3; ++i) cache.AcquireSlot();
  EXPECT_THAT([&] { cache.AcquireSlot(); },
              ThrowsMessage<Error>(HasSubstr("all 3 sequences of this model are in use")));
  cache.ReleaseSlot(1);
  EXPECT_EQ(cache.AcquireSlot(), 1);
}

TEST(KvCache, RefusesToGrowBeyondTheContext) {
  KvCache cache(SmallCache());
  const int32_t slot = cache.AcquireSlot();
  EXPECT_THAT([&] { cache.Reserve(slot, 1001); },
              ThrowsMessage<Error>(HasSubstr("1001 tokens do not fit the context window of 1000")));
  EXPECT_EQ(PagesOf(cache, slot), 0);
}

TEST(KvCache, RollsBackAsFarAsTheRingAllows) {
  KvCache cache(SmallCache());
  const int32_t slot = cache.AcquireSlot();
  Grow(cache, slot, 500);
  // After 500 tokens the ring holds 308..499; a token at 407 sees 308..406 besides itself.
  EXPECT_EQ(cache.Truncate(slot, 407), 407);
  EXPECT_EQ(cache.Length(slot), 407);
  EXPECT_EQ(PagesOf(cache, slot), 7);
}

TEST(KvCache, StartsOverWhereTheRingHasLostTheWindow) {
  KvCache cache(SmallCache());
  const int32_t slot = cache.AcquireSlot();
  Grow(cache, slot, 500);
  EXPECT_EQ(cache.Truncate(slot, 406), 0);
  EXPECT_EQ(cache.Length(slot), 0);
  EXPECT_EQ(PagesOf(cache, slot), 0);
}

TEST(KvCache, RemembersWhatTheRingLostBeforeARollback) {
  KvCache cache(SmallCache());
  const int32_t slot = cache.AcquireSlot();
  Grow(cache, slot, 500);
  ASSERT_EQ(cache.Truncate(slot, 420), 420);
  // The tokens 420..499 are gone, and so is what they had overwritten: 228..307.
  EXPECT_EQ(cache.Truncate(slot, 406), 0);
}

TEST(KvCache, RollsBackAnywhereWhileTheRingHasNotWrapped) {
  KvCache cache(SmallCache());
  const int32_t slot = cache.AcquireSlot();
  Grow(cache, slot, 192);
  EXPECT_EQ(cache.Truncate(slot, 3), 3);
  Grow(cache, slot, 193);
  EXPECT_EQ(cache.Truncate(slot, 101), 101);  // sees 2..100, and 1 is what 193 tokens overwrote
  EXPECT_EQ(cache.Truncate(slot, 100), 100);  // sees 1..99
  EXPECT_EQ(cache.Truncate(slot, 99), 0);     // would see 0
}

TEST(KvCache, RollsBackToAnyLengthWithoutSlidingLayers) {
  library::LibraryMetadata metadata = SmallCache();
  metadata.sliding_window = metadata.ring_tokens = metadata.ring_bytes = 0;
  KvCache cache(metadata);
  const int32_t slot = cache.AcquireSlot();
  Grow(cache, slot, 999);
  EXPECT_EQ(cache.Truncate(slot, 5), 5);
  EXPECT_EQ(cache.Truncate(slot, 70), 5);
}

TEST(KvCache, WorksWithoutFullAttentionLayers) {
  library::LibraryMetadata metadata = SmallCache();
  metadata.page_bytes = 0;
  KvCache cache(metadata);
  const int32_t slot = cache.AcquireSlot();
  Grow(cache, slot, 999);
  EXPECT_TRUE(cache.pages().empty());
  EXPECT_EQ(cache.BytesInUse(), 5 * 4096);
}

TEST(KvCache, ReturnsMemoryThatIsFreed) {
  KvCache cache(SmallCache());
  const int32_t slot = cache.AcquireSlot();
  EXPECT_EQ(ResidentPages(cache.pages()), 0);
  Grow(cache, slot, 150);
  std::ranges::fill(cache.pages().first(3 * cache.pages().size() / 48), std::byte{1});
  std::ranges::fill(cache.rings().first(5 * 4096), std::byte{1});
  ASSERT_EQ(ResidentPages(cache.pages()), 9);
  cache.Truncate(slot, 100);
  EXPECT_EQ(ResidentPages(cache.pages()), 6);
  cache.ReleaseSlot(slot);
  EXPECT_EQ(ResidentPages(cache.pages()), 0);
  EXPECT_EQ(ResidentPages(cache.rings()), 0);
}

}  // namespace
}  // namespace carat::runtime
