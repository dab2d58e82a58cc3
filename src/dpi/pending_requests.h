// SPDX-License-Identifier: Apache-2.0
//
// PendingRequests: when the requests of a flow were sent whose response is still awaited. A part of a
// protocol's state: zero is empty, trivial.
//
// Limits: kCount requests; one more takes the place of the oldest, whose response then has no time.
// Threads: a value, no sharing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace weir {

template <size_t kCount>
class PendingRequests {
  static_assert(kCount <= 16);

 public:
  // A request that is sent again keeps the time of the first.
  void add(uint32_t key, int64_t ts_ns) noexcept {
    if (place_of(key) < kCount) return;
    keys_[next_place_] = key;
    sent_ns_[next_place_] = ts_ns;
    taken_bits_ = static_cast<uint16_t>(taken_bits_ | 1u << next_place_);
    next_place_ = static_cast<uint16_t>((next_place_ + 1u) % kCount);
  }

  // False when no such request is awaited, or time went backwards.
  bool take(uint32_t key, int64_t ts_ns, int64_t& elapsed_ns) noexcept {
    const size_t place = place_of(key);
    if (place == kCount) return false;
    taken_bits_ = static_cast<uint16_t>(taken_bits_ & ~(1u << place));
    if (ts_ns < sent_ns_[place]) return false;
    elapsed_ns = ts_ns - sent_ns_[place];
    return true;
  }

  bool has(uint32_t key) const noexcept { return place_of(key) < kCount; }

 private:
  size_t place_of(uint32_t key) const noexcept {
    size_t place = 0;
    while (place < kCount && ((taken_bits_ >> place & 1) == 0 || keys_[place] != key)) ++place;
    return place;
  }

  std::array<int64_t, kCount> sent_ns_;
  std::array<uint32_t, kCount> keys_;
  uint16_t taken_bits_;
  uint16_t next_place_;
};

}  // namespace weir
