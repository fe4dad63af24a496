// The memory of keys and values, and who holds which part of it.
//
// Full-attention layers keep every token: in pages of `page_tokens` tokens, which a sequence takes
// one by one as it grows. Sliding layers keep the last `ring_tokens` tokens of a sequence in a ring
// that belongs to its slot; position p lies at p % ring_tokens. Both are address space reserved for
// the worst case; only what tokens have touched is memory, and what is freed goes back to the
// system.

#ifndef CARAT_RUNTIME_KV_CACHE_H_
#define CARAT_RUNTIME_KV_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carat/library/metadata.h"
#include "carat/runtime/reservation.h"

namespace carat::runtime {

class KvCache {
 public:
  explicit KvCache(const library::LibraryMetadata& metadata);

  // A slot for a new, empty sequence. Throws Error if all max_batch_size slots are taken.
  int32_t AcquireSlot();
  void ReleaseSlot(int32_t slot);

  int64_t Length(int32_t slot) const { return slots_.at(slot).length; }

  // Gives the slot pages for the positions below `length`, which a step is about to write. Throws
  // Error if the context window is smaller.
  void Reserve(int32_t slot, int64_t length);

  // A step has written the positions below `length`, for which there are pages.
  void Advance(int32_t slot, int64_t length);

  // Forgets the positions from `length` on, so that others can follow there. Returns the length the
  // sequence has then: `length`, or 0 if the ring no longer holds the window before it, in which
  // case the caller has to run the sequence from its beginning.
  int64_t Truncate(int32_t slot, int64_t length);

  // max_pages_per_sequence entries, -1 where the sequence has no page.
  std::span<const int32_t> PageTable(int32_t slot) const { return slots_.at(slot).page_table; }

  std::span<std::byte> pages() const { return pages_.bytes(); }
  std::span<std::byte> rings() const { return rings_.bytes(); }

  // Memory that sequences hold now, in whole pages and rings.
  int64_t BytesInUse() const;

 private:
  struct Slot {
    bool taken = false;
    int64_t length = 0;
    int64_t written = 0;    // positions ever written below this: what the ring's contents depend on
    int64_t num_pages = 0;  // those of page_table that it holds
    std::vector<int32_t> page_table;
  };

  // Whether the ring still holds every position that a token at position `length` may look at.
  bool RingHoldsWindowBefore(const Slot& slot, int64_t length) const;
  void FreePages(Slot& slot, int64_t num_kept);

  int64_t NumPages(int64_t length) const { return (length + page_tokens_ - 1) / page_tokens_; }

  static constexpr int32_t kNoPage = -1;

  const int64_t page_tokens_;
  const int64_t page_bytes_;
  const int64_t ring_tokens_;
  const int64_t ring_bytes_;
  const int64_t sliding_window_;
  const int64_t context_window_size_;
  Reservation pages_;
  Reservation rings_;
  std::vector<Slot> slots_;
  std::vector<int32_t> free_pages_;  // the next one to give out last
};

}  // namespace carat::runtime

#endif  // CARAT_RUNTIME_KV_CACHE_H_
