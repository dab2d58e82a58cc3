// SPDX-License-Identifier: Apache-2.0
#include "base/memory_budget.h"

#include <algorithm>
#include <numeric>

#include "base/assert.h"

namespace weir {
namespace {

struct PoolWords {
  const char* name;
  const char* help;
};
constexpr std::array<PoolWords, kPoolCount> kPoolWords = {{
#define MEMORY_POOL(enumerator, name, share_percent, reading_share_percent, help) {name, help},
#include "base/memory_pools.inc"
#undef MEMORY_POOL
}};

constexpr uint32_t sum(const PoolShares& shares) {
  return std::accumulate(shares.begin(), shares.end(), uint32_t{0});
}
static_assert(sum(kPoolShares) == 100);
static_assert(sum(kReadingPoolShares) == 100);

// Rounded down, and without a product that could overflow.
uint64_t share_size(uint64_t limit_size, const PoolShares& shares, Pool pool) noexcept {
  const uint32_t percent = shares[static_cast<size_t>(pool)];
  return limit_size / 100 * percent + limit_size % 100 * percent / 100;
}

}  // namespace

const char* pool_name(Pool pool) noexcept {
  return kPoolWords[static_cast<size_t>(pool)].name;
}
const char* pool_help(Pool pool) noexcept {
  return kPoolWords[static_cast<size_t>(pool)].help;
}

MemoryPool::MemoryPool(uint64_t limit_size, MemoryPool* parent) noexcept
    : limit_size_(limit_size), parent_(parent) {}

MemoryPool::~MemoryPool() {
  DASSERT(used_size() == 0);
}

bool MemoryPool::reserve(uint64_t size) noexcept {
  if (take(size)) return true;
  for (MemoryPool* pool = this; pool != nullptr; pool = pool->parent_) {
    pool->refused_count_.fetch_add(1, std::memory_order_relaxed);
  }
  return false;
}

// Here first, then in the parents: a part that is full never disturbs what all parts share.
bool MemoryPool::take(uint64_t size) noexcept {
  // Compares before it adds, so that used_size never passes the limit, not even for a moment.
  uint64_t used = used_size();
  do {
    if (size > limit_size_ - used) return false;
  } while (!used_size_.compare_exchange_weak(used, used + size, std::memory_order_relaxed));
  if (parent_ != nullptr && !parent_->take(size)) {
    used_size_.fetch_sub(size, std::memory_order_relaxed);
    return false;
  }
  uint64_t peak = peak_size();
  while (peak < used + size &&
         !peak_size_.compare_exchange_weak(peak, used + size, std::memory_order_relaxed)) {
  }
  return true;
}

void MemoryPool::release(uint64_t size) noexcept {
  // The parents first, so that they never hold more than their parts say.
  if (parent_ != nullptr) parent_->release(size);
  const uint64_t used = used_size_.fetch_sub(size, std::memory_order_relaxed);
  ASSERT(size <= used);
}

uint64_t MemoryPool::available_size() const noexcept {
  uint64_t size = limit_size_ - used_size();
  if (parent_ != nullptr) size = std::min(size, parent_->available_size());
  return size;
}

PoolStatistics MemoryPool::statistics() const noexcept {
  PoolStatistics statistics;
  statistics.limit_size = limit_size_;
  statistics.used_size = used_size();
  // A thread that has reserved may not have noted the peak yet.
  statistics.peak_size = std::max(peak_size(), statistics.used_size);
  statistics.refused_count = refused_count();
  return statistics;
}

MemoryBudget::MemoryBudget(uint64_t limit_size, const PoolShares& shares) noexcept
    : limit_size_(limit_size),
      pools_{{
#define MEMORY_POOL(enumerator, name, share_percent, reading_share_percent, help) \
  MemoryPool(share_size(limit_size, shares, Pool::enumerator)),
#include "base/memory_pools.inc"
#undef MEMORY_POOL
      }} {
  ASSERT(sum(shares) <= 100);
}

MemoryBudget MemoryBudget::for_reading(uint64_t limit_size) noexcept {
  return MemoryBudget(limit_size, kReadingPoolShares);
}

MemoryStatistics MemoryBudget::statistics() const noexcept {
  MemoryStatistics statistics;
  statistics.limit_size = limit_size_;
  for (size_t index = 0; index < kPoolCount; ++index) {
    statistics.pools[index] = pools_[index].statistics();
  }
  return statistics;
}

}  // namespace weir
