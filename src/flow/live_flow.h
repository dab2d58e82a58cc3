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
// docs/decisions/002 measured layouts, 003 has the rules. Addresses that are not IPv4 lie in a
// WideAddresses beside; path, tags and interface in a shape that flows share (flow_shape.h).
//
// This file knows what a packet means for a flow and how a flow becomes a record. It knows nothing
// of when flows begin and end, nor where the parts lie: that is the table's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

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

inline constexpr size_t kHotHistorySize =
    10;  // letters, enough for all but odd flows; the rest are rare

// HotFlow::bits, which is the byte of the key that is not compared.
inline constexpr uint8_t kFlowLive = 0x01;
inline constexpr uint8_t kFlowFromB = 0x02;        // endpoint b is the initiator
inline constexpr uint8_t kFlowInInterval = 0x04;   // the running interval had packets
inline constexpr uint8_t kFlowEstablished = 0x08;  // TcpState::is_established
inline constexpr uint8_t kFlowHasRtt = 0x10;
inline constexpr uint8_t kFlowChanged = 0x20;  // since it was last published
inline constexpr int kFlowFamilyShift = 6;     // FlowFamily in the two upper bits

struct alignas(64) HotFlow {
  // Key: of IPv4 as in a digest; else `a` is the number of its WideAddresses and `b` the upper half
  // of its hash. A zone of any kind is here.
  CompactKey key;
  uint32_t zone = 0;
  FlowState state = FlowState::kNew;  // never kIdle: see lifecycle.h
  FlowOrigin origin = FlowOrigin::kFirstPacket;
  uint8_t history_size = 0;
  bool is_announced = false;  // collect_changes() has told of it
  int64_t last_clock_ns = 0;
  std::array<FlowDeltas, 2> deltas;  // beyond RareFlow::folded

  int64_t interval_end_ns = std::numeric_limits<int64_t>::max();  // of the running interim interval
  int64_t last_ts_ns = 0;
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

// Whether the sums fit 32 bits.
bool fits(const FlowDeltas& deltas, const FlowDeltas& adds) noexcept;
void add(FlowDeltas& deltas, const FlowDeltas& adds) noexcept;  // fits()
void add(FlowCounters& counters, const FlowCounters& adds) noexcept;

// What a flow needs to know of one of its packets.
struct FlowPacket {
  FlowDeltas adds;
  int64_t ts_ns = 0;
  int sender = 0;        // 0 = a, 1 = b
  bool has_tcp = false;  // false also for later pieces of a fragmented segment
  TcpSegment tcp;        // has_tcp
};
FlowPacket flow_packet(const Packet& packet) noexcept;
inline FlowPacket flow_packet(const PacketDigest& digest) noexcept {
  FlowPacket result;
  result.adds = {1, digest.wire_size, digest.ip_size, digest.payload_size};
  result.ts_ns = digest.ts_ns;
  result.sender = (digest.key.bits & kDigestFromB) != 0 ? 1 : 0;
  result.has_tcp = (digest.key.bits & kDigestTcp) != 0;
  if (result.has_tcp) result.tcp = tcp_segment(digest);
  return result;
}

FlowFamily flow_family(AddressKind kind, uint16_t proto_number) noexcept;

// Counts the packet and follows the flow's state; the flow has its key, its bits and, if this is
// its first packet, its times. Returns false when a letter found no room in the history.
bool update_flow(FlowParts& parts, const FlowPacket& packet) noexcept;

// The same for a packet that changes nothing but counters, times and what comes next; false, and
// nothing done, when it may not be one. The hot path: see docs/decisions/003.
inline bool count_steady(HotFlow& flow, const PacketDigest& digest) noexcept;

// The record of the flow as it is. `delta` is filled for interim records (reason kActive).
void make_record(const FlowParts& parts, const FlowKey& key, const FlowShape& shape,
                 FlowState shown, EndReason reason, FlowRecord& record) noexcept;

template <typename T>
constexpr T saturating_add(T x, T y) noexcept {
  T sum;
  return __builtin_add_overflow(x, y, &sum) ? std::numeric_limits<T>::max() : sum;
}

constexpr int64_t saturating_multiply_add(int64_t base, int64_t count, int64_t step) noexcept {
  int64_t product;
  if (__builtin_mul_overflow(count, step, &product)) return std::numeric_limits<int64_t>::max();
  return saturating_add(base, product);
}

bool count_steady(HotFlow& flow, const PacketDigest& digest) noexcept {
  const size_t sender = digest.key.bits & kDigestFromB;
  TcpSide& side = flow.sides[sender];
  const bool has_payload = digest.payload_size != 0;
  if (!(has_payload ? side.is_steady_data : side.is_steady_ack)) return false;
  if (digest.ts_ns < flow.last_ts_ns) return false;
  if ((digest.key.bits & kDigestTcp) != 0) {
    // A bare ACK, or data where it is expected; PSH says nothing to us.
    if ((digest.tcp_flags & ~kTcpPsh) != kTcpAck) return false;
    if ((digest.key.bits & kDigestZeroWindow) != 0) return false;
    if (has_payload && digest.tcp_seq != side.next_seq) return false;
  } else if (digest.ip_size != flow.size_candidate()) {
    return false;
  }
  FlowDeltas& deltas = flow.deltas[sender];
  FlowDeltas sum;
  const bool overflows =
      __builtin_add_overflow(deltas.packets, 1u, &sum.packets) |
      __builtin_add_overflow(deltas.bytes, digest.wire_size, &sum.bytes) |
      __builtin_add_overflow(deltas.ip_bytes, digest.ip_size, &sum.ip_bytes) |
      __builtin_add_overflow(deltas.payload_bytes, digest.payload_size, &sum.payload_bytes);
  if (overflows) return false;
  deltas = sum;
  flow.last_ts_ns = digest.ts_ns;
  if ((digest.key.bits & kDigestTcp) != 0) {
    side.next_seq += digest.payload_size;
    side.flags |= digest.tcp_flags;
  } else {
    ++flow.size_votes();
  }
  return true;
}

}  // namespace weir
