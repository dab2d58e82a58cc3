// SPDX-License-Identifier: Apache-2.0
//
// MemoryBudget: memory.limit, cut into named pools. Whoever makes something that grows with traffic
// reserves its bytes in a pool first, and does without when the pool refuses: it evicts, drops and
// counts, or asks its user to wait.
//
// Nothing borrows: a pool that is full refuses although another is empty. So a flood of flows
// cannot starve the store, and what a part of the program may hold does not depend on what the
// others do.
//
// A pool counts bytes; it does not allocate them, and it does not see memory that nobody reserved:
// code, stacks, page tables, what does not grow with traffic.
//
// Limits: those of the pools; a refusal is counted. Errors: a refusal is an answer, not an error.
// Releasing more than was reserved is a bug, and so is to destroy a pool that still holds
// something.
// Threads: any thread may call anything at any time; nothing locks or waits. The sum of what is
// reserved never exceeds the limit, also while threads race. A reservation is an atomic
// read-modify-write or two: for steps of many kilobytes, not for every packet.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace weir {

enum class Pool : uint8_t {
#define MEMORY_POOL(enumerator, name, share_percent, reading_share_percent, help) enumerator,
#include "base/memory_pools.inc"
#undef MEMORY_POOL
};
inline constexpr size_t kPoolCount = 0
#define MEMORY_POOL(enumerator, name, share_percent, reading_share_percent, help) +1
#include "base/memory_pools.inc"
#undef MEMORY_POOL
    ;

// "flows", "dpi", "store", "buffers": the words in --stats, metrics and docs.
const char* pool_name(Pool pool) noexcept;
const char* pool_help(Pool pool) noexcept;

// Percent of the limit, indexed by Pool; at most 100 in all.
using PoolShares = std::array<uint32_t, kPoolCount>;

inline constexpr PoolShares kPoolShares = {
#define MEMORY_POOL(enumerator, name, share_percent, reading_share_percent, help) share_percent,
#include "base/memory_pools.inc"
#undef MEMORY_POOL
};
// Reading files keeps nothing for queries: the flows have the store's share too.
inline constexpr PoolShares kReadingPoolShares = {
#define MEMORY_POOL(enumerator, name, share_percent, reading_share_percent, help) \
  reading_share_percent,
#include "base/memory_pools.inc"
#undef MEMORY_POOL
};

// What a pool says of itself; sizes in bytes. Each number is true of some moment of the call, not
// all of the same one; used <= peak <= limit always holds.
struct PoolStatistics {
  uint64_t limit_size = 0;
  uint64_t used_size = 0;
  uint64_t peak_size = 0;      // the most that was ever used
  uint64_t refused_count = 0;  // reservations, also those of pools split from this one
};

// A number of bytes, and how many of them are taken.
class MemoryPool {
 public:
  // With a parent: a part of it, such as the share of one shard. What is reserved here is reserved
  // in the parent too, and refused when either is full. The parent must outlive it; its parts may
  // add up to more than it has, for it refuses in its own right.
  explicit MemoryPool(uint64_t limit_size, MemoryPool* parent = nullptr) noexcept;
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  // Takes all of it and returns true, or takes nothing, counts one refusal here and in every
  // parent, and returns false. Threads that share one pool of a parent: while one is being refused
  // by the parent, another may be refused here by what the first holds for that moment.
  [[nodiscard]] bool reserve(uint64_t size) noexcept;
  // Gives back what was reserved, in any portions.
  void release(uint64_t size) noexcept;

  uint64_t limit_size() const noexcept { return limit_size_; }
  uint64_t used_size() const noexcept { return used_size_.load(std::memory_order_relaxed); }
  uint64_t peak_size() const noexcept { return peak_size_.load(std::memory_order_relaxed); }
  uint64_t refused_count() const noexcept { return refused_count_.load(std::memory_order_relaxed); }
  // What a reservation could have now, here and in the parents: a hint, unless nobody else
  // reserves.
  uint64_t available_size() const noexcept;
  PoolStatistics statistics() const noexcept;

 private:
  bool take(uint64_t size) noexcept;

  const uint64_t limit_size_;
  MemoryPool* const parent_;
  // Counts and nothing else: no other memory is published through them, so relaxed order is enough.
  std::atomic<uint64_t> used_size_ = 0;
  std::atomic<uint64_t> peak_size_ = 0;
  std::atomic<uint64_t> refused_count_ = 0;
};

struct MemoryStatistics {
  uint64_t limit_size = 0;
  std::array<PoolStatistics, kPoolCount> pools;  // indexed by Pool

  const PoolStatistics& operator[](Pool pool) const noexcept {
    return pools[static_cast<size_t>(pool)];
  }
};

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit_size, const PoolShares& shares = kPoolShares) noexcept;
  static MemoryBudget for_reading(uint64_t limit_size) noexcept;

  MemoryPool& pool(Pool pool) noexcept { return pools_[static_cast<size_t>(pool)]; }
  const MemoryPool& pool(Pool pool) const noexcept { return pools_[static_cast<size_t>(pool)]; }
  uint64_t limit_size() const noexcept { return limit_size_; }
  MemoryStatistics statistics() const noexcept;

 private:
  const uint64_t limit_size_;
  std::array<MemoryPool, kPoolCount> pools_;
};

}  // namespace weir
