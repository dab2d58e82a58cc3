// SPDX-License-Identifier: Apache-2.0
//
// SpscRing: a bounded queue from one thread to one other, without a lock. What a worker hands to
// the publisher goes through one.
//
// A full ring refuses, and the element stays with the producer, who knows what to do with it: merge
// it with the next one, keep it, or drop it and count. An empty one says so. The ring neither waits
// nor wakes anybody; who has nothing to do sleeps as long as its results may be late.
//
// Each side remembers what it last saw of the other's index, and looks again only when that says
// full or empty: the line with an index then moves between the cores once for many elements, not
// for each.
//
// Limits: the capacity; push() returns false at it, which the caller counts.
// Errors: none; the constructor throws std::bad_alloc.
// Threads: one thread pushes, one pops, any may ask for the size. What the producer wrote before a
// push is seen by the consumer after the pop. Construct before and destroy after both use it.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace weir {

inline constexpr size_t kCacheLineSize = 64;
inline constexpr size_t kRingCapacityMax = size_t{1} << 30;

template <typename T>
class SpscRing {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                    std::is_nothrow_destructible_v<T>,
                "an element must not get lost half way");

 public:
  // A power of two is taken as it is, other numbers are rounded up to one; 1 to kRingCapacityMax.
  explicit SpscRing(size_t capacity) : mask_(checked(capacity) - 1) {
    elements_ = std::allocator<T>().allocate(mask_ + 1);
  }
  ~SpscRing() {
    for (uint64_t index = read_index_; index != write_index_; ++index) std::destroy_at(&at(index));
    std::allocator<T>().deallocate(elements_, mask_ + 1);
  }
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  // The producer: moves the element in. False when the ring is full; then nothing is moved.
  [[nodiscard]] bool push(T&& element) noexcept {
    const uint64_t index = write_index_.load(std::memory_order_relaxed);
    if (index - seen_read_index_ > mask_) {
      seen_read_index_ = read_index_.load(std::memory_order_acquire);
      if (index - seen_read_index_ > mask_) return false;
    }
    std::construct_at(&at(index), std::move(element));
    write_index_.store(index + 1, std::memory_order_release);
    return true;
  }

  // The consumer: moves the oldest element out. False when the ring is empty; then nothing is
  // moved.
  [[nodiscard]] bool pop(T& element) noexcept {
    const uint64_t index = read_index_.load(std::memory_order_relaxed);
    if (index == seen_write_index_) {
      seen_write_index_ = write_index_.load(std::memory_order_acquire);
      if (index == seen_write_index_) return false;
    }
    element = std::move(at(index));
    std::destroy_at(&at(index));
    read_index_.store(index + 1, std::memory_order_release);
    return true;
  }

  size_t capacity() const noexcept { return mask_ + 1; }
  // Any thread: true of some moment of the call if nobody pushes or pops meanwhile, else about
  // right; never more than the capacity.
  size_t size() const noexcept {
    const uint64_t read_index = read_index_.load(std::memory_order_acquire);
    const uint64_t write_index = write_index_.load(std::memory_order_acquire);
    return std::min<uint64_t>(write_index - read_index, capacity());
  }

 private:
  static size_t checked(size_t capacity) {
    ASSERT(capacity > 0);
    ASSERT(capacity <= kRingCapacityMax);
    return std::bit_ceil(capacity);
  }
  T& at(uint64_t index) noexcept { return elements_[index & mask_]; }

  // What both read and nobody writes. Indices count up for ever; 2^64 elements take centuries.
  const size_t mask_;
  T* elements_ = nullptr;
  // Written by the producer alone,
  alignas(kCacheLineSize) std::atomic<uint64_t> write_index_ = 0;
  uint64_t seen_read_index_ = 0;  // at most read_index_
  // and by the consumer alone.
  alignas(kCacheLineSize) std::atomic<uint64_t> read_index_ = 0;
  uint64_t seen_write_index_ = 0;  // at most write_index_
};

}  // namespace weir
