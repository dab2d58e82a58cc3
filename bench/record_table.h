// SPDX-License-Identifier: Apache-2.0
//
// Table: finds or creates the flow of every packet and counts it, for any layout of the record.
//
// The index is made of buckets of one line with ten 16-bit tags and slots, compared by one SSE2
// instruction each eight. It is made for its number of flows and does not grow: with a million it is
// 76 % full, and 5 % of the flows stand outside their home bucket, where no prefetch finds them.
// Nothing is ever erased.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <unordered_map>

#include "record_layouts.h"
#include "record_stream.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace record_layout {

inline constexpr uint32_t kNoSlot = UINT32_MAX;

struct alignas(kLineSize) Bucket {
  static constexpr uint32_t kLanes = 10;
  std::array<uint16_t, kLanes> tags;  // 0: free
  std::array<uint32_t, kLanes> slots;
  uint32_t overflow;  // keys that belong here and stand further on
};
static_assert(sizeof(Bucket) == kLineSize);

// A bit for each lane with that tag.
inline uint32_t lanes_with(const Bucket& bucket, uint16_t tag) {
  constexpr uint32_t kAllLanes = (1u << Bucket::kLanes) - 1;
#ifdef __SSE2__
  __m128i low;
  __m128i high;  // tags 8 and 9, then slots, which the mask leaves out
  std::memcpy(&low, &bucket, sizeof low);
  std::memcpy(&high, &bucket.tags[8], 2 * sizeof(uint16_t) + 3 * sizeof(uint32_t));
  const __m128i wanted = _mm_set1_epi16(static_cast<int16_t>(tag));
  const __m128i equal =
      _mm_packs_epi16(_mm_cmpeq_epi16(low, wanted), _mm_cmpeq_epi16(high, wanted));
  return static_cast<uint32_t>(_mm_movemask_epi8(equal)) & kAllLanes;
#else
  uint32_t lanes = 0;
  for (uint32_t lane = 0; lane < Bucket::kLanes; ++lane)
    lanes |= static_cast<uint32_t>(bucket.tags[lane] == tag) << lane;
  return lanes & kAllLanes;
#endif
}

// How many packets ahead buckets and records are asked for; 0: not at all.
struct Ahead {
  size_t bucket;
  size_t record;
};
inline constexpr Ahead kNoPrefetch{0, 0};
inline constexpr Ahead kUsual{16, 8};

template <typename Layout>
class Table {
 public:
  using Hot = typename Layout::Hot;
  using Cold = typename Layout::Cold;

  // spacious: twice the buckets, so that hardly any flow stands outside its home bucket.
  Table(uint32_t flow_count, bool has_huge_pages, bool is_spacious = false)
      : bucket_count_(std::bit_ceil(flow_count * 5 / 4 / Bucket::kLanes) << (is_spacious ? 1 : 0)),
        buckets_(bucket_count_ * sizeof(Bucket), has_huge_pages),
        hot_(flow_count * sizeof(Hot), has_huge_pages),
        cold_(flow_count * Layout::kColdSize, has_huge_pages) {}

  template <Ahead kAhead>
  void update(std::span<const Digest> burst) {
    const size_t count = burst.size();
    std::array<uint32_t, kBurstSize> candidates{};
    if constexpr (kAhead.record > 0) {
      for (size_t at = 0; at < std::min(count, kAhead.bucket); ++at) prefetch_bucket(burst[at]);
      for (size_t at = 0; at < std::min(count, kAhead.record); ++at)
        candidates[at] = prefetch_record(burst[at]);
    }
    for (size_t at = 0; at < count; ++at) {
      const Digest& digest = burst[at];
      uint32_t slot = kNoSlot;
      if constexpr (kAhead.record > 0) {
        if (at + kAhead.bucket < count) prefetch_bucket(burst[at + kAhead.bucket]);
        if (at + kAhead.record < count)
          candidates[at + kAhead.record] = prefetch_record(burst[at + kAhead.record]);
        slot = candidates[at];
      }
      if (slot == kNoSlot || !hot(slot).key.is(digest.key)) [[unlikely]]
        slot = find(digest);
      if (slot == kNoSlot) slot = create(digest);
      account(slot, digest);
    }
  }

  uint32_t flow_count() const { return flow_count_; }
  uint64_t extraordinary_count() const { return extraordinary_count_; }
  uint64_t spill_count() const { return spill_count_; }
  Hot& hot(uint32_t slot) const { return hot_.template as<Hot>()[slot]; }
  Cold& cold(uint32_t slot) const {
    if constexpr (Layout::kColdSize == 0) {
      return hot(slot).cold;
    } else {
      return cold_.template as<Cold>()[slot];
    }
  }
  Totals totals(uint32_t slot) const {
    const auto found = spilled_.find(slot);
    Totals totals = found == spilled_.end() ? Totals{} : found->second;
    Hot copy = hot(slot);
    Layout::credit_to(totals, copy);
    return totals;
  }

 private:
  Bucket& bucket(uint32_t position) const {
    return buckets_.template as<Bucket>()[position & (bucket_count_ - 1)];
  }
  void prefetch_bucket(const Digest& digest) const { __builtin_prefetch(&bucket(digest.hash)); }

  // The flow it might be, by its tag alone, in its home bucket alone.
  uint32_t prefetch_record(const Digest& digest) const {
    const Bucket& home = bucket(digest.hash);
    const uint32_t lanes = lanes_with(home, digest.tag);
    if (lanes == 0) return kNoSlot;
    const uint32_t slot = home.slots[static_cast<size_t>(std::countr_zero(lanes))];
    const char* const record = static_cast<const char*>(static_cast<const void*>(&hot(slot)));
    for (size_t offset = 0; offset < Layout::kTouched; offset += kLineSize)
      __builtin_prefetch(record + offset, 1);
    return slot;
  }

  uint32_t find(const Digest& digest) const {
    for (uint32_t position = digest.hash;; ++position) {
      const Bucket& here = bucket(position);
      for (uint32_t lanes = lanes_with(here, digest.tag); lanes != 0; lanes &= lanes - 1) {
        const uint32_t slot = here.slots[static_cast<size_t>(std::countr_zero(lanes))];
        if (hot(slot).key.is(digest.key)) return slot;
      }
      if (here.overflow == 0) return kNoSlot;
    }
  }

  uint32_t create(const Digest& digest) {
    const uint32_t slot = flow_count_++;
    for (uint32_t position = digest.hash;; ++position) {
      Bucket& here = bucket(position);
      const uint32_t free = lanes_with(here, 0);
      if (free != 0) {
        const size_t lane = static_cast<size_t>(std::countr_zero(free));
        here.tags[lane] = digest.tag;
        here.slots[lane] = slot;
        break;
      }
      ++here.overflow;
    }
    Hot& flow = hot(slot);
    flow.key = digest.key;
    Layout::begin(flow, cold(slot), digest);
    return slot;
  }

  void account(uint32_t slot, const Digest& digest) {
    Hot& flow = hot(slot);
    const size_t side = digest.side;
    if (!Layout::touch(flow, digest)) [[unlikely]]
      ++extraordinary_count_;
    Layout::add(flow, side, digest);
    if (digest.key.proto == kProtoTcp) {
      follow_tcp(slot, side, digest);
    } else {
      follow_udp(slot, side, digest);
    }
    if (Layout::must_spill(flow, side)) [[unlikely]]
      spill(slot);
  }

  [[gnu::noinline]] void spill(uint32_t slot) {
    Layout::credit_to(spilled_[slot], hot(slot));
    ++spill_count_;
  }

  void append_once(uint32_t slot, size_t side, unsigned bit, char letter) {
    uint8_t& given = hot(slot).small.history_once[side];
    if ((given >> bit & 1) != 0) return;
    given = static_cast<uint8_t>(given | 1u << bit);
    Opening& opening = Layout::opening(hot(slot), cold(slot));
    if (opening.history_size == opening.history.size()) return;
    opening.history[opening.history_size++] =
        side == 0 ? static_cast<char>(letter - 'a' + 'A') : letter;
  }

  void follow_udp(uint32_t slot, size_t side, const Digest& digest) {
    Small& small = hot(slot).small;
    small.bits = static_cast<uint8_t>(small.bits | 1u << side);
    if (small.bits == 3)
      small.state = small.state == State::kNew ? State::kEstablished : State::kActive;
    if (digest.payload_size > 0) append_once(slot, side, 3, 'd');
  }

  // The ordinary path of following a connection; what the stream never has is only counted.
  void follow_tcp(uint32_t slot, size_t side, const Digest& digest) {
    Hot& flow = hot(slot);
    Small& small = flow.small;
    const size_t peer = 1 - side;
    const uint8_t flags = digest.tcp_flags;
    const bool is_syn = (flags & kSyn) != 0;
    const bool is_ack = (flags & kAck) != 0;
    small.tcp_flags[side] |= flags;
    if ((flags & (kRst | kFin)) != 0) [[unlikely]]
      ++extraordinary_count_;
    const uint32_t size = digest.payload_size + (is_syn ? 1 : 0);
    if (is_syn) {
      Layout::opening(flow, cold(slot)).isn[side] = digest.tcp_seq;
      small.tcp_bits[side] |= kHasSyn;
    }
    if ((small.tcp_bits[side] & kHasNext) == 0) {
      small.tcp_bits[side] |= kHasNext;
      flow.next_seq[side] = digest.tcp_seq + size;
    } else if (size > 0) {
      if (digest.tcp_seq != flow.next_seq[side]) [[unlikely]]
        ++extraordinary_count_;
      flow.next_seq[side] = digest.tcp_seq + size;
    }
    if (is_ack) {
      const uint8_t bits = small.tcp_bits[peer];
      if ((bits & (kHasSyn | kIsSynAcked)) == kHasSyn &&
          digest.tcp_ack - Layout::opening(flow, cold(slot)).isn[peer] == 1)
        small.tcp_bits[peer] |= kIsSynAcked;
      if ((bits & kHasHole) != 0) [[unlikely]]
        ++extraordinary_count_;
    }
    if (small.state == State::kNew && is_ack && !is_syn &&
        (small.tcp_bits[0] & small.tcp_bits[1] & kIsSynAcked) != 0) {
      small.state = State::kEstablished;
      const int64_t rtt_ns = digest.ts_ns - Layout::first_ts_ns(flow, cold(slot));
      Layout::opening(flow, cold(slot)).rtt_us = static_cast<uint32_t>(rtt_ns / 1000);
    }
    if (digest.payload_size > 0) small.state = State::kActive;
    if (is_syn) append_once(slot, side, is_ack ? 1 : 0, is_ack ? 'h' : 's');
    if (!is_syn && is_ack && digest.payload_size == 0) append_once(slot, side, 2, 'a');
    if (digest.payload_size > 0) append_once(slot, side, 3, 'd');
  }

  uint32_t bucket_count_;
  Pages buckets_;
  Pages hot_;
  Pages cold_;
  uint32_t flow_count_ = 0;
  uint64_t extraordinary_count_ = 0;
  uint64_t spill_count_ = 0;
  std::unordered_map<uint32_t, Totals> spilled_;
};

}  // namespace record_layout
