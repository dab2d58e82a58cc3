// SPDX-License-Identifier: Apache-2.0
//
// FlowIndex: from the hash of a key to the number of its flow. Buckets of one cache line hold ten
// entries of a 16-bit tag and a slot; what finds no room in its home bucket goes into the next ones.
//
//   tags[10] | overflow | reserved | slots[10]          64 bytes
//
// A bucket counts how many keys whose way led through it live further on; a look-up that finds that
// count 0 ends there. An erased key takes its counts back, and settle() brings keys home, so that
// nothing decays under churn. A look-up never sees more than kProbeMax buckets, whatever an attacker knows of the hash.
//
// Growth doubles the buckets and is incremental: entries move a few buckets at a time (migrate()),
// look-ups ask the new table, then the old one.
//
// The index never decides that two keys are equal: the caller compares keys.
//
// Memory: charged to the pool. Errors: the constructor throws std::bad_alloc when its initial size
// is refused. Threads: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/memory_budget.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir {

class FlowIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kBucketSize = 10;
  static constexpr uint32_t kProbeMax = 32;  // buckets a key may be away from home, and one

  FlowIndex(MemoryPool& pool, uint32_t entry_count_initial);
  ~FlowIndex();
  FlowIndex(const FlowIndex&) = delete;
  FlowIndex& operator=(const FlowIndex&) = delete;

  // Inlined always: GCC takes a function that only prefetches for one without effect, and drops it.
  [[gnu::always_inline]] void prefetch(uint32_t hash) const noexcept {
    __builtin_prefetch(&table_.home(hash));
  }

  // The slot of the first entry with this tag where the key may be: most probably the key's; kNone
  // when there is none. A hint, for prefetching.
  uint32_t candidate(uint32_t hash, uint16_t tag) const noexcept {
    const uint32_t slot = find_in(table_, hash, fixed(tag), [](uint32_t) { return true; });
    if (slot != kNone || !is_growing()) return slot;
    return find_in(old_, hash, fixed(tag), [](uint32_t) { return true; });
  }

  // The slot for which is_key(slot) among those with this hash and tag; kNone when there is none.
  template <typename IsKey>
  uint32_t find(uint32_t hash, uint16_t tag, const IsKey& is_key) const noexcept {
    const uint32_t slot = find_in(table_, hash, fixed(tag), is_key);
    if (slot != kNone || !is_growing()) return slot;
    return find_in(old_, hash, fixed(tag), is_key);
  }

  // False when no bucket within reach has room, or growing is refused and the table is full.
  bool insert(uint32_t hash, uint16_t tag, uint32_t slot);
  // The entry must be there.
  void erase(uint32_t hash, uint32_t slot) noexcept;

  // Moves the entry, which must be there, to its home bucket if that has room by now: keys that were
  // once crowded out come back, so that churn does not spread them. Cheap when nothing is to be done.
  void settle(uint32_t hash, uint32_t slot) noexcept;

  void clear() noexcept;

  // While growing: moves the entries of some buckets; hash_of(slot) is asked for each, and
  // ahead(slot) told some time before. To be called between bursts.
  bool is_growing() const noexcept { return old_.buckets != nullptr; }
  template <typename HashOf, typename Ahead>
  void migrate(uint32_t bucket_count, const HashOf& hash_of, const Ahead& ahead);
  template <typename HashOf>
  void migrate(uint32_t bucket_count, const HashOf& hash_of) {
    migrate(bucket_count, hash_of, [](uint32_t) {});
  }

  uint32_t count() const noexcept { return count_; }
  uint32_t capacity() const noexcept { return bucket_count(table_) * kBucketSize; }
  uint32_t probe_longest() const noexcept { return probe_longest_; }  // buckets, so far

 private:
  struct alignas(64) Bucket {
    std::array<uint16_t, kBucketSize> tags{};  // 0: empty
    uint16_t overflow = 0;
    uint16_t reserved = 0;
    std::array<uint32_t, kBucketSize> slots{};
  };
  static_assert(sizeof(Bucket) == 64);

  struct Table {
    Bucket* buckets = nullptr;
    uint32_t mask = 0;

    Bucket& home(uint32_t hash) const noexcept { return buckets[hash & mask]; }
  };

  static uint32_t bucket_count(const Table& table) noexcept {
    return table.buckets == nullptr ? 0 : table.mask + 1;
  }
  static uint16_t fixed(uint16_t tag) noexcept { return tag == 0 ? uint16_t{1} : tag; }

  // Bit i: tags[i] equals.
  static uint32_t match(const Bucket& bucket, uint16_t tag) noexcept {
#if defined(__SSE2__)
    const __m128i wanted = _mm_set1_epi16(static_cast<int16_t>(tag));
    const auto* words = static_cast<const __m128i*>(static_cast<const void*>(&bucket));
    const __m128i low = _mm_cmpeq_epi16(_mm_load_si128(words), wanted);
    const __m128i high = _mm_cmpeq_epi16(_mm_load_si128(words + 1), wanted);
    const auto all = static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
    return all & ((1u << kBucketSize) - 1);
#else
    return match_one_by_one(bucket, tag);
#endif
  }
  static uint32_t match_one_by_one(const Bucket& bucket, uint16_t tag) noexcept;

  template <typename IsKey>
  static uint32_t find_in(const Table& table, uint32_t hash, uint16_t tag,
                          const IsKey& is_key) noexcept {
    for (uint32_t probe = 0; probe < kProbeMax; ++probe) {
      const Bucket& bucket = table.buckets[(hash + probe) & table.mask];
      for (uint32_t hits = match(bucket, tag); hits != 0; hits &= hits - 1) {
        const uint32_t slot = bucket.slots[static_cast<uint32_t>(__builtin_ctz(hits))];
        if (is_key(slot)) return slot;
      }
      if (bucket.overflow == 0) return kNone;
    }
    return kNone;
  }
  Table allocate(uint32_t bucket_count) noexcept;
  void release(Table& table) noexcept;
  bool grow();
  bool place(uint32_t hash, uint16_t tag, uint32_t slot) noexcept;
  static bool take_out(const Table& table, uint32_t hash, uint32_t slot) noexcept;

  friend struct FlowIndexTest;

  MemoryPool& pool_;
  Table table_;
  Table old_;
  uint32_t migrated_count_ = 0;  // buckets of old_ that are empty
  uint32_t count_ = 0;
  uint32_t probe_longest_ = 0;
};

template <typename HashOf, typename Ahead>
void FlowIndex::migrate(uint32_t bucket_count_max, const HashOf& hash_of, const Ahead& ahead) {
  for (uint32_t step = 0; is_growing() && step < bucket_count_max; ++step) {
    // Keys lie anywhere: the next bucket's are asked for while this one's are moved.
    if (migrated_count_ + 1 < bucket_count(old_)) {
      const Bucket& next = old_.buckets[migrated_count_ + 1];
      for (uint32_t at = 0; at < kBucketSize; ++at) {
        if (next.tags[at] != 0) ahead(next.slots[at]);
      }
    }
    Bucket& bucket = old_.buckets[migrated_count_];
    std::array<uint32_t, kBucketSize> hashes{};
    for (uint32_t at = 0; at < kBucketSize; ++at) {
      if (bucket.tags[at] == 0) continue;
      hashes[at] = hash_of(bucket.slots[at]);
      prefetch(hashes[at]);
    }
    for (uint32_t at = 0; at < kBucketSize; ++at) {
      if (bucket.tags[at] == 0) continue;
      // The new table is half full at most: there is room, but for keys that all hash alike. Those
      // stay where they are; insert() then finds no room either and refuses.
      if (!place(hashes[at], bucket.tags[at], bucket.slots[at])) return;
      bucket.tags[at] = 0;
    }
    if (++migrated_count_ == bucket_count(old_)) release(old_);
  }
}

}  // namespace weir
