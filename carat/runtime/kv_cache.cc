#include "carat/runtime/kv_cache.h"

#include <algorithm>
#include <utility>

#include "carat/base/error.h"
#include "carat/kernels/cpu/kv_cache.h"

namespace carat::runtime {

KvCache::KvCache(const library::LibraryMetadata& metadata)
    : page_tokens_(metadata.page_tokens),
      page_bytes_(metadata.page_bytes),
      ring_tokens_(metadata.ring_tokens),
      ring_bytes_(metadata.ring_bytes),
      sliding_window_(metadata.sliding_window),
      context_window_size_(metadata.context_window_size),
      pages_(metadata.max_batch_size * metadata.max_pages_per_sequence() * metadata.page_bytes,
             fmt::format("the KV cache of {} sequences of {} tokens", metadata.max_batch_size,
                         metadata.context_window_size),
             "compile with a smaller --context-window-size or --max-batch-size"),
      rings_(metadata.max_batch_size * metadata.ring_bytes,
             fmt::format("the KV cache of {} sequences' sliding layers", metadata.max_batch_size),
             "compile with a smaller --max-batch-size"),
      slots_(metadata.max_batch_size) {
  for (Slot& slot : slots_) slot.page_table.assign(metadata.max_pages_per_sequence(), kNoPage);
  const auto num_pages =
      static_cast<int32_t>(metadata.max_batch_size * metadata.max_pages_per_sequence());
  free_pages_.reserve(num_pages);
  for (int32_t page = num_pages - 1; page >= 0; --page) free_pages_.push_back(page);
}

int32_t KvCache::AcquireSlot() {
  const auto free = std::ranges::find(slots_, false, &Slot::taken);
  if (free == slots_.end()) {
    throw Error(
        "all {} sequences of this model are in use; end one, or compile with a larger "
        "--max-batch-size",
        slots_.size());
  }
  free->taken = true;
  return static_cast<int32_t>(free - slots_.begin());
}

void KvCache::ReleaseSlot(int32_t slot) {
  Truncate(slot, 0);
  slots_.at(slot).taken = false;
}

void KvCache::Reserve(int32_t slot, int64_t length) {
  if (length > context_window_size_) {
    throw Error(
        "{} tokens do not fit the context window of {}; shorten the prompt, or compile with a "
        "larger --context-window-size",
        length, context_window_size_);
  }
  Slot& grown = slots_.at(slot);
  for (; grown.num_pages < NumPages(length); ++grown.num_pages) {
    grown.page_table[grown.num_pages] = free_pages_.back();  // there are enough for every slot
    free_pages_.pop_back();
  }
}

void KvCache::Advance(int32_t slot, int64_t length) {
  Slot& grown = slots_.at(slot);
  grown.length = length;
  grown.written = std::max(grown.written, length);
}

int64_t KvCache::Truncate(int32_t slot, int64_t length) {
  Slot& cut = slots_.at(slot);
  length = std::min(length, cut.length);
  if (!RingHoldsWindowBefore(cut, length)) length = 0;
  FreePages(cut, NumPages(length));
  cut.length = length;
  if (length == 0) {
    cut.written = 0;
    rings_.GiveBack(slot * ring_bytes_, ring_bytes_);
  }
  return length;
}

int64_t KvCache::BytesInUse() const {
  int64_t bytes = 0;
  for (const Slot& slot : slots_) {
    bytes += slot.num_pages * page_bytes_ + (slot.length > 0 ? ring_bytes_ : 0);
  }
  return bytes;
}

// A token at `length` sees the sliding_window - 1 positions before it. Position p is intact until p
// + ring_tokens is written.
bool KvCache::RingHoldsWindowBefore(const Slot& slot, int64_t length) const {
  return sliding_window_ == 0 ||
         cpu::CanRollBack(ring_tokens_, sliding_window_, slot.written, length);
}

void KvCache::FreePages(Slot& slot, int64_t num_kept) {
  for (; slot.num_pages > num_kept; --slot.num_pages) {
    const int32_t freed = std::exchange(slot.page_table[slot.num_pages - 1], kNoPage);
    pages_.GiveBack(freed * page_bytes_, page_bytes_);
    free_pages_.push_back(freed);
  }
}

}  // namespace carat::runtime
