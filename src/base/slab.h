// SPDX-License-Identifier: Apache-2.0
//
// Slab: an array that grows in place. Elements of one size in one range of addresses, handed out by
// number: what the flow table keeps its flows in, a million of them or ten.
//
//   reserved     [ 0 . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . count_max )
//   committed    [ 0 . . . . . . . . . . . . . . . )   charged to the pool, in steps
//   ever used    [ 0 . . . . . . . . . )   end_slot
//   free           ^     ^ ^       ^       linked through their own first bytes, last freed first
//
// Why: a slot is four bytes, stays valid while others come and go, and becomes an address by one
// multiplication; nothing is copied to grow; the pool hears of memory before it is there. Only
// addresses are reserved at first: what was never committed costs nothing, and a stray access to it
// faults.
//
// Steps: 64 KB while it is small, doubling up to 2 MB, all from a 2 MB boundary. So a small table
// stays small, and a large one consists of whole huge pages, if the kernel has some. Without them,
// or without MADV_POPULATE_WRITE (before Linux 5.14), everything works, somewhat slower.
//
// Memory goes back only by reset() and on destruction: a table that was once large will be again.
//
// Limits: count_max, and what the pool gives; an allocation that either refuses is counted and
// returns kNoSlot. After the pool said no, it is asked again by prepare(), and by allocate() once
// in kRefusalsPerAttempt, so that a full pool costs a packet no atomic operation.
// Errors: the constructor throws std::bad_alloc when the system has no such range of addresses;
// later a system that refuses memory is like a pool that refuses it.
// Threads: one thread owns a slab; the pool may be shared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/access_check.h"
#include "base/assert.h"
#include "base/memory_budget.h"

namespace weir {

inline constexpr uint32_t kNoSlot = UINT32_MAX;
inline constexpr uint64_t kSlabStepSizeMin = 64 * 1024;
inline constexpr uint64_t kSlabStepSizeMax = 2 * 1024 * 1024;  // and the alignment: a huge page
inline constexpr uint32_t kRefusalsPerAttempt = 64;            // about a burst

// Huge pages are cheaper to have, an eighth for the same bytes, and to use, for a random access
// costs no walk of the page tables; but the kernel zeroes each as a whole, which takes 90 µs at
// once (one page of 4 KB: 2.4 µs; measured where prepare() does it, see kPopulateSize).
enum class SlabPages : uint8_t { kHuge, kSmall };

// The memory under a slab: a reserved range, committed from its begin, charged to a pool.
class SlabMemory {
 public:
  SlabMemory(uint64_t size_max, MemoryPool& pool, SlabPages pages);
  ~SlabMemory();
  SlabMemory(const SlabMemory&) = delete;
  SlabMemory& operator=(const SlabMemory&) = delete;

  void* begin() const noexcept { return begin_; }
  uint64_t committed_size() const noexcept { return committed_size_; }

  enum class Urgency : uint8_t {
    kNow,   // a refusal counts in the pool
    kWish,  // when the pool has too little, it is not even asked
  };
  // Makes at least the first `size` bytes usable, zero at first; all of it or nothing.
  bool commit(uint64_t size, Urgency urgency) noexcept;
  // Makes the committed bytes [from, to) resident, and some more after them: they will not fault.
  // What lies before `from` is left alone.
  void populate(uint64_t from, uint64_t to) noexcept;
  // Returns all memory to the system and its bytes to the pool.
  void reset() noexcept;

 private:
  const uint64_t page_size_;
  const uint64_t size_max_;       // whole pages
  const uint64_t reserved_size_;  // whole huge pages
  MemoryPool& pool_;
  void* begin_ = nullptr;
  uint64_t committed_size_ = 0;
  uint64_t populated_end_ = 0;
};

// Whether its user also looks at elements that nobody has, to pass over all in order.
enum class SlabUse : uint8_t { kByNumber, kScanned };

template <typename T, SlabUse kUse = SlabUse::kByNumber>
class Slab {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                "elements begin as zeros, and nobody destroys them");
  static_assert(sizeof(T) >= sizeof(uint32_t), "a free element holds the number of the next one");
  static_assert(sizeof(T) <= kSlabStepSizeMin && alignof(T) <= kSlabStepSizeMax);

 public:
  // count_max is at least 1 and less than kNoSlot. Throws std::bad_alloc.
  Slab(uint32_t count_max, MemoryPool& pool, SlabPages pages = SlabPages::kHuge)
      : count_max_(count_max),
        memory_(uint64_t{count_max} * sizeof(T), pool, pages),
        elements_(static_cast<T*>(memory_.begin())) {
    ASSERT(count_max > 0);
    ASSERT(count_max < kNoSlot);
  }

  // A slot that nobody has, or kNoSlot. The bytes of an element are zero the first time; later they
  // are as it was freed, save the first four. Commits a step when the committed memory is used up,
  // a system call or two: prepare() does that beforehand.
  uint32_t allocate() noexcept {
    uint32_t slot = free_slot_;
    if (slot != kNoSlot) {
      allow_access(&elements_[slot], sizeof(T));
      std::memcpy(&free_slot_, static_cast<const void*>(&elements_[slot]), sizeof free_slot_);
    } else if (end_slot_ < ready_count_ || grow()) {
      slot = end_slot_++;
      allow_access(&elements_[slot], sizeof(T));
    } else {
      ++refused_count_;
      return kNoSlot;
    }
    ++used_count_;
    return slot;
  }

  // The slot must be in use. It will be the first to be handed out again.
  void free(uint32_t slot) noexcept {
    DASSERT(slot < end_slot_);
    DASSERT(used_count_ > 0);
    std::memcpy(static_cast<void*>(&elements_[slot]), &free_slot_, sizeof free_slot_);
    if constexpr (kUse == SlabUse::kByNumber) forbid_access(&elements_[slot], sizeof(T));
    free_slot_ = slot;
    --used_count_;
  }

  T& operator[](uint32_t slot) noexcept {
    DASSERT(slot < end_slot_);
    return elements_[slot];
  }
  const T& operator[](uint32_t slot) const noexcept {
    DASSERT(slot < end_slot_);
    return elements_[slot];
  }

  // Sees to it that the next `count` allocations neither fault nor commit; between bursts. False
  // when there is no room for all of them; that is not counted, for nobody was refused anything
  // yet.
  bool prepare(uint32_t count) noexcept {
    const uint32_t free_count = end_slot_ - used_count_;
    return count <= free_count || prepare_fresh(count - free_count);
  }

  // Forgets all elements and returns their memory.
  void reset() noexcept {
    memory_.reset();
    free_slot_ = kNoSlot;
    end_slot_ = 0;
    used_count_ = 0;
    refusals_until_attempt_ = 0;
    note_committed();
  }

  uint32_t used_count() const noexcept { return used_count_; }
  uint32_t end_slot() const noexcept { return end_slot_; }  // all slots ever used lie before it
  uint32_t count_max() const noexcept { return count_max_; }
  uint64_t refused_count() const noexcept { return refused_count_; }  // also before a reset()
  uint64_t committed_size() const noexcept { return memory_.committed_size(); }

 private:
  // Another element at the end, or false.
  [[gnu::noinline]] bool grow() noexcept {
    if (end_slot_ == count_max_) return false;
    if (refusals_until_attempt_ > 0) {
      --refusals_until_attempt_;
      return false;
    }
    if (commit(uint64_t{end_slot_} + 1, SlabMemory::Urgency::kNow)) return true;
    refusals_until_attempt_ = kRefusalsPerAttempt - 1;
    return false;
  }

  bool prepare_fresh(uint32_t count) noexcept {
    const uint64_t wanted_end = uint64_t{end_slot_} + count;
    const uint64_t end = std::min<uint64_t>(wanted_end, count_max_);
    const bool is_ready = end <= ready_count_ || commit(end, SlabMemory::Urgency::kWish);
    memory_.populate(end_slot_ * sizeof(T), std::min<uint64_t>(end, ready_count_) * sizeof(T));
    return is_ready && end == wanted_end;
  }

  bool commit(uint64_t count, SlabMemory::Urgency urgency) noexcept {
    if (!memory_.commit(count * sizeof(T), urgency)) return false;
    refusals_until_attempt_ = 0;
    note_committed();
    return true;
  }

  void note_committed() noexcept {
    const uint64_t count = memory_.committed_size() / sizeof(T);
    ready_count_ = static_cast<uint32_t>(std::min<uint64_t>(count, count_max_));
  }

  const uint32_t count_max_;
  uint32_t free_slot_ = kNoSlot;
  uint32_t end_slot_ = 0;
  uint32_t ready_count_ = 0;  // elements that are committed
  uint32_t used_count_ = 0;
  uint32_t refusals_until_attempt_ = 0;
  uint64_t refused_count_ = 0;
  SlabMemory memory_;
  T* const elements_;
};

}  // namespace weir
