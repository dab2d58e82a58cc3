// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_index.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

#include "base/assert.h"

namespace weir {
namespace {

constexpr uint32_t kBucketCountMax = 1u << 26;  // 671 M entries: the hash has 32 bits
constexpr uint16_t kOverflowSticks = UINT16_MAX;

// Two entries in three: at that load one key in fifty lies beside its home bucket, whose flow comes
// late; at four in five it was one in twenty, and a packet took 7 ns more (docs/decisions/002).
constexpr uint64_t kLoadNumerator = 2;
constexpr uint64_t kLoadDenominator = 3;

uint32_t bucket_count_for(uint32_t entry_count) noexcept {
  const uint64_t wanted = uint64_t{entry_count} * kLoadDenominator / kLoadNumerator;
  const uint64_t buckets = wanted / FlowIndex::kBucketSize + 1;
  return std::bit_ceil(static_cast<uint32_t>(std::min<uint64_t>(buckets, kBucketCountMax)));
}

}  // namespace

FlowIndex::FlowIndex(MemoryPool& pool, uint32_t entry_count_initial) : pool_(pool) {
  table_ = allocate(bucket_count_for(entry_count_initial));
  if (table_.buckets == nullptr) throw std::bad_alloc();
}

FlowIndex::~FlowIndex() {
  release(table_);
  release(old_);
}

uint32_t FlowIndex::match_one_by_one(const Bucket& bucket, uint16_t tag) noexcept {
  uint32_t hits = 0;
  for (uint32_t at = 0; at < kBucketSize; ++at) {
    hits |= static_cast<uint32_t>(bucket.tags[at] == tag) << at;
  }
  return hits;
}

// Zeroed memory straight from the kernel, which fills it as it is touched. Null when refused.
FlowIndex::Table FlowIndex::allocate(uint32_t bucket_count) noexcept {
  const uint64_t size = uint64_t{bucket_count} * sizeof(Bucket);
  if (!pool_.reserve(size)) return {};
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    pool_.release(size);
    return {};
  }
  madvise(memory, size, MADV_HUGEPAGE);  // A wish: everything works without.
  return {static_cast<Bucket*>(memory), bucket_count - 1};
}

void FlowIndex::release(Table& table) noexcept {
  if (table.buckets == nullptr) return;
  const uint64_t size = uint64_t{bucket_count(table)} * sizeof(Bucket);
  munmap(table.buckets, size);
  pool_.release(size);
  table = {};
}

bool FlowIndex::grow() {
  const uint32_t buckets = bucket_count(table_);
  if (is_growing() || buckets >= kBucketCountMax) return false;
  const Table larger = allocate(buckets * 2);
  if (larger.buckets == nullptr) return false;
  old_ = table_;
  table_ = larger;
  migrated_count_ = 0;
  return true;
}

bool FlowIndex::place(uint32_t hash, uint16_t tag, uint32_t slot) noexcept {
  for (uint32_t probe = 0; probe < kProbeMax; ++probe) {
    Bucket& bucket = table_.buckets[(hash + probe) & table_.mask];
    const uint32_t empty = match(bucket, 0);
    if (empty == 0) continue;
    const auto at = static_cast<uint32_t>(std::countr_zero(empty));
    bucket.tags[at] = tag;
    bucket.slots[at] = slot;
    for (uint32_t passed = 0; passed < probe; ++passed) {
      uint16_t& overflow = table_.buckets[(hash + passed) & table_.mask].overflow;
      if (overflow != kOverflowSticks) ++overflow;
    }
    probe_longest_ = std::max(probe_longest_, probe + 1);
    return true;
  }
  return false;
}

bool FlowIndex::insert(uint32_t hash, uint16_t tag, uint32_t slot) {
  const uint64_t limit = uint64_t{capacity()} * kLoadNumerator / kLoadDenominator;
  if (count_ >= limit && !is_growing()) grow();
  if (!place(hash, fixed(tag), slot)) {
    // A crowd at one place. Doubling parts keys that are not all alike; it is not done for a few.
    const bool is_worth_it = count_ >= capacity() / 4;
    if (!is_worth_it || !grow() || !place(hash, fixed(tag), slot)) return false;
  }
  ++count_;
  return true;
}

bool FlowIndex::take_out(const Table& table, uint32_t hash, uint32_t slot) noexcept {
  for (uint32_t probe = 0; probe < kProbeMax; ++probe) {
    Bucket& bucket = table.buckets[(hash + probe) & table.mask];
    for (uint32_t at = 0; at < kBucketSize; ++at) {
      if (bucket.tags[at] == 0 || bucket.slots[at] != slot) continue;
      bucket.tags[at] = 0;
      for (uint32_t passed = 0; passed < probe; ++passed) {
        uint16_t& overflow = table.buckets[(hash + passed) & table.mask].overflow;
        if (overflow != kOverflowSticks && overflow > 0) --overflow;
      }
      return true;
    }
    if (bucket.overflow == 0) return false;
  }
  return false;
}

void FlowIndex::erase(uint32_t hash, uint32_t slot) noexcept {
  const bool was_there =
      take_out(table_, hash, slot) || (is_growing() && take_out(old_, hash, slot));
  ASSERT(was_there);
  --count_;
}

void FlowIndex::settle(uint32_t hash, uint32_t slot) noexcept {
  Bucket& home = table_.home(hash);
  if (home.overflow == 0 || is_growing()) return;
  const uint32_t empty = match(home, 0);
  if (empty == 0) return;
  for (uint32_t probe = 0; probe < kProbeMax; ++probe) {
    Bucket& bucket = table_.buckets[(hash + probe) & table_.mask];
    for (uint32_t at = 0; at < kBucketSize; ++at) {
      if (bucket.tags[at] == 0 || bucket.slots[at] != slot) continue;
      if (probe == 0) return;
      const auto room = static_cast<uint32_t>(std::countr_zero(empty));
      home.tags[room] = bucket.tags[at];
      home.slots[room] = slot;
      bucket.tags[at] = 0;
      for (uint32_t passed = 0; passed < probe; ++passed) {
        uint16_t& overflow = table_.buckets[(hash + passed) & table_.mask].overflow;
        if (overflow != kOverflowSticks && overflow > 0) --overflow;
      }
      return;
    }
    if (bucket.overflow == 0) return;
  }
}

void FlowIndex::clear() noexcept {
  release(old_);
  // Gives the pages back: the kernel has zeros.
  const uint64_t size = uint64_t{bucket_count(table_)} * sizeof(Bucket);
  if (madvise(table_.buckets, size, MADV_DONTNEED) != 0)
    std::fill_n(table_.buckets, bucket_count(table_), Bucket{});
  count_ = 0;
}

}  // namespace weir
