// SPDX-License-Identifier: Apache-2.0
//
// LiveFlow: one live flow as the table keeps it, in three parts by how often they are touched.
// Sides are the canonical endpoints a (0) and b (1); who is the initiator is one bit, so correcting
// it moves nothing.
//
//   HotFlow   2 cache lines   every packet
//   ColdFlow  48 bytes        beginning, end, timer
//   RareFlow  208 bytes       only if needed: counters beyond 32 bits, what was published, trouble
//
// docs/decisions/002 measured layouts, 003 has the rules. What a CompactKey does not hold of a key
// lies in a WideAddresses beside; path, tags and interface in a shape that flows share
// (flow_shape.h).
//
// This file knows what a packet means for a flow and how a flow becomes a record. It knows nothing
// of when flows begin and end, nor where the parts lie: that is the table's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/saturating.h"
#include "flow/flow_shape.h"
#include "flow/lifecycle.h"
#include "flow/tcp_state.h"
#include "net/packet.h"
#include "net/packet_digest.h"

namespace weir {

inline constexpr uint32_t kNoPart = UINT32_MAX;  // of WideAddresses and RareFlow: there is none

// What one packet adds, or one side sent since the totals were last folded.
struct FlowDeltas {
  uint32_t packets = 0;
  uint32_t bytes = 0;
  uint32_t ip_bytes = 0;
  uint32_t payload_bytes = 0;
};

// Letters of the history: enough for all but odd flows; the rest are rare.
inline constexpr size_t kHotHistorySize = 10;

// HotFlow::key.bits, the byte of the key that is not compared.
inline constexpr uint8_t kFlowInspected = 0x01;    // its payload is looked into: no data is steady
inline constexpr uint8_t kFlowFromB = 0x02;        // endpoint b is the initiator
inline constexpr uint8_t kFlowInInterval = 0x04;   // the running interval had packets
inline constexpr uint8_t kFlowEstablished = 0x08;  // TcpState::is_established
inline constexpr uint8_t kFlowHasRtt = 0x10;
inline constexpr uint8_t kFlowChanged = 0x20;  // since it was last published
inline constexpr int kFlowFamilyShift = 6;     // FlowFamily in the two upper bits

// HotFlow::steady. The next bare ACK (or data in order) of a side changes nothing but counters: see
// note_steady() in live_flow.cc. For side 0; side 1 is one bit to the left.
inline constexpr uint8_t kSteadyAck = 0x01;
inline constexpr uint8_t kSteadyData = 0x04;
inline constexpr uint8_t kSteadyPush = 0x10;     // PSH is among the side's flags
inline constexpr uint8_t kLastTsIsClock = 0x40;  // last_ts_ns() is last_clock_ns
inline constexpr uint8_t kFlowAnnounced = 0x80;  // collect_changes() has told of it

inline constexpr int kIntervalTickShift = 24;  // 16.8 ms

// A bare ACK of a settled connection writes the first line alone: half of the hot memory stays clean,
// which saves a tenth of the look-up at 10,000 flows. (Not to ask for the second line at all costs
// more than it saves: a flow's first packets need it, and would wait.)
struct alignas(64) HotFlow {
  // As in a digest, but that `a` of a key that is not whole is the number of its WideAddresses.
  CompactKey key;
  uint32_t interval_tick = 0;         // of interval_end_ns; before it, no interval has ended
  FlowState state = FlowState::kNew;  // never kIdle: see lifecycle.h
  uint8_t steady = 0;
  uint8_t history_size = 0;
  FlowOrigin origin = FlowOrigin::kFirstPacket;
  int64_t last_clock_ns = 0;
  std::array<FlowDeltas, 2> deltas;  // beyond RareFlow::folded

  int64_t interval_end_ns = std::numeric_limits<int64_t>::max();  // of the running interim interval
  int64_t own_last_ts_ns = 0;                                     // unless kLastTsIsClock
  // TCP; UDP and ICMP keep what they need in the same place (next four functions).
  std::array<TcpSide, 2> sides;
  int64_t rtt_or_syn_ns = 0;  // TcpState
  // Zeek's history; upper case is side a here, and becomes the initiator in the record.
  std::array<char, kHotHistorySize> history{};
  uint16_t shape = ShapeTable::kBlank;
  uint32_t rare = kNoPart;

  FlowFamily family() const noexcept {
    return static_cast<FlowFamily>(key.bits >> kFlowFamilyShift);
  }
  bool has(uint8_t bit) const noexcept { return (key.bits & bit) != 0; }
  void set(uint8_t bit, bool value) noexcept {
    key.bits = static_cast<uint8_t>(value ? key.bits | bit : key.bits & ~bit);
  }
  void set_steady(uint8_t bit, bool value) noexcept {
    steady = static_cast<uint8_t>(value ? steady | bit : steady & ~bit);
  }

  int64_t last_ts_ns() const noexcept {
    return (steady & kLastTsIsClock) != 0 ? last_clock_ns : own_last_ts_ns;
  }
  // To be called before last_clock_ns moves, and after.
  void take_own_last_ts() noexcept {
    own_last_ts_ns = last_ts_ns();
    set_steady(kLastTsIsClock, false);
  }
  void share_last_ts() noexcept { set_steady(kLastTsIsClock, own_last_ts_ns == last_clock_ns); }

  void set_interval_end(int64_t end_ns) noexcept {
    constexpr int64_t kFarthestNs = int64_t{1} << (kIntervalTickShift + 30);  // 208 days
    interval_end_ns = end_ns;
    const int64_t farthest_ns = saturating_add(last_clock_ns, kFarthestNs);
    interval_tick = static_cast<uint32_t>(std::min(end_ns, farthest_ns) >> kIntervalTickShift);
  }
  // False when it surely has not; true also a tick too early.
  bool may_interval_have_ended(int64_t clock_ns) const noexcept {
    return static_cast<int32_t>(static_cast<uint32_t>(clock_ns >> kIntervalTickShift) -
                                interval_tick) >= 0;
  }

  // UDP: majority vote on the IP packet size (Boyer and Moore).
  uint32_t& size_votes() noexcept { return sides[0].next_seq; }
  uint32_t& size_candidate() noexcept { return sides[1].next_seq; }
  // ICMP: type << 8 | code of the first packet.
  uint32_t& icmp_type_and_code() noexcept { return sides[0].next_seq; }
};
static_assert(sizeof(HotFlow) == 128 && offsetof(HotFlow, interval_end_ns) == 64);

struct ColdFlow {
  uint64_t id = 0;
  int64_t first_ts_ns = 0;
  std::array<uint32_t, 2> fin_end{};  // TcpState
  uint32_t timer_next = 0;            // of the timer's list (timer_wheel.h)
  uint32_t timer_previous = 0;
  std::array<MacBytes, 2> macs{};
  uint32_t sequence = 0;  // interim records published
};
static_assert(sizeof(ColdFlow) == 48);

struct RareFlow {
  std::array<FlowCounters, 2> folded;     // counters that outgrew their 32 bits
  std::array<FlowCounters, 2> published;  // totals at the last interim record
  std::array<TcpTrouble, 2> trouble;
  std::array<char, kHistorySizeMax - kHotHistorySize> history{};
  uint16_t reserved = 0;
};
static_assert(sizeof(RareFlow) == 208);

struct WideAddresses {
  AddressBytes a{};
  AddressBytes b{};
  uint32_t zone = 0;
};

// The parts of one flow. `rare` is the flow's own, or a blank that the table keeps when
// `uses_rare` says so afterwards.
struct FlowParts {
  HotFlow& hot;
  ColdFlow& cold;
  RareFlow& rare;
  bool uses_rare = false;

  FlowCounters total(size_t side) const noexcept {
    const FlowDeltas& deltas = hot.deltas[side];
    const FlowCounters& folded = rare.folded[side];
    return {folded.packets + deltas.packets, folded.bytes + deltas.bytes,
            folded.ip_bytes + deltas.ip_bytes, folded.payload_bytes + deltas.payload_bytes};
  }
  // Moves the deltas into RareFlow.
  void fold() noexcept;
};

// False when a sum does not fit 32 bits. Without a branch for each: none ever overflows.
[[gnu::always_inline]] inline bool add(const FlowDeltas& deltas, const FlowDeltas& adds,
                                       FlowDeltas& sum) noexcept {
  unsigned overflows = __builtin_add_overflow(deltas.packets, adds.packets, &sum.packets);
  overflows |= __builtin_add_overflow(deltas.bytes, adds.bytes, &sum.bytes);
  overflows |= __builtin_add_overflow(deltas.ip_bytes, adds.ip_bytes, &sum.ip_bytes);
  overflows |= __builtin_add_overflow(deltas.payload_bytes, adds.payload_bytes, &sum.payload_bytes);
  return overflows == 0;
}
// What the digest's packet adds.
inline FlowDeltas deltas_of(const PacketDigest& digest) noexcept {
  return {1, digest.wire_size, digest.ip_size, digest.payload_size};
}
void add(FlowCounters& counters, const FlowCounters& adds) noexcept;

FlowFamily flow_family(AddressKind kind, uint16_t proto_number) noexcept;

// Counts the packet and follows the flow's state; the flow has its key, its bits and, if this is
// its first packet, its times. Returns false when a letter found no room in the history.
bool update_flow(FlowParts& parts, const PacketDigest& digest) noexcept;

// The same for a packet that changes nothing but counters, times and what comes next; false, and
// nothing done, when it may not be one. The hot path: see docs/decisions/003.
[[gnu::always_inline]] inline bool count_steady(HotFlow& flow, const PacketDigest& digest) noexcept;

// The record of the flow as it is. `delta` is filled for interim records (reason kActive).
void make_record(const FlowParts& parts, const FlowKey& key, const FlowShape& shape,
                 FlowState shown, EndReason reason, FlowRecord& record) noexcept;

bool count_steady(HotFlow& flow, const PacketDigest& digest) noexcept {
  const size_t sender = digest.key.bits & kDigestFromB;
  TcpSide& side = flow.sides[sender];
  const bool has_payload = digest.payload_size != 0;
  const bool is_tcp = (digest.key.bits & kDigestTcp) != 0;
  if ((flow.steady & (has_payload ? kSteadyData : kSteadyAck) << sender) == 0) return false;
  // In order and on time, as almost all are: then the clock alone tells the last timestamp.
  const bool is_last_ts_clock =
      digest.ts_ns == digest.clock_ns && (flow.steady & kLastTsIsClock) != 0;
  if (!is_last_ts_clock && digest.ts_ns < flow.last_ts_ns()) return false;
  if (is_tcp) {
    // A bare ACK, or data where it is expected; PSH says nothing to us but that it was there.
    if ((digest.tcp_flags & ~kTcpPsh) != kTcpAck) return false;
    if ((digest.key.bits & kDigestZeroWindow) != 0) return false;
    if (has_payload && digest.tcp_seq != side.next_seq) return false;
    if ((digest.tcp_flags & kTcpPsh) != 0 && (flow.steady & kSteadyPush << sender) == 0)
      return false;
  } else if (digest.ip_size != flow.size_candidate()) {
    return false;
  }
  FlowDeltas& deltas = flow.deltas[sender];
  FlowDeltas sum;
  if (!add(deltas, deltas_of(digest), sum)) return false;
  deltas = sum;
  if (!is_last_ts_clock) {
    flow.own_last_ts_ns = digest.ts_ns;
    flow.set_steady(kLastTsIsClock, digest.ts_ns == digest.clock_ns);
  }
  flow.last_clock_ns = digest.clock_ns;
  if (!is_tcp) {
    ++flow.size_votes();
  } else if (has_payload) {
    side.next_seq += digest.payload_size;
  }
  return true;
}

}  // namespace weir
