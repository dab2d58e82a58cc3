// SPDX-License-Identifier: Apache-2.0
//
// LiveFlow: one live flow as the table keeps it. Sides are the canonical endpoints a (0) and b (1);
// who is the initiator is one bit, so correcting it moves nothing.
//
// This file knows what a packet means for a flow and how a flow becomes a record. It knows nothing
// of when flows begin and end: that is the table's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "flow/lifecycle.h"
#include "flow/tcp_state.h"
#include "net/packet.h"

namespace weir {

// The first four cache lines are what a packet touches; the rest is for first packets, records and what is rare.
struct alignas(64) LiveFlow {
  FlowKey key;
  uint64_t id = 0;
  int64_t last_clock_ns = 0;

  int64_t interval_end_ns = std::numeric_limits<int64_t>::max();  // of the running interim interval
  int64_t first_ts_ns = 0;
  int64_t last_ts_ns = 0;
  FlowFamily family = FlowFamily::kOther;
  FlowState state = FlowState::kNew;  // never kIdle: see lifecycle.h
  FlowOrigin origin = FlowOrigin::kFirstPacket;
  bool is_live = false;
  bool initiator_is_b = false;
  bool interval_has_packets = false;
  bool has_ports = false;
  bool has_macs = false;
  // Zeek's history; upper case is side a here, and becomes the initiator in the record.
  std::array<uint8_t, 2> history_once{};  // letters already given, per side
  uint8_t history_size = 0;
  uint16_t size_candidate = 0;  // UDP: majority vote on the IP packet size (Boyer and Moore)
  uint32_t size_votes = 0;
  uint64_t hash = 0;

  alignas(64) std::array<FlowCounters, 2> counters;

  TcpState tcp;

  int64_t first_clock_ns = 0;
  uint32_t sequence = 0;  // interim records published
  std::array<char, kHistorySizeMax> history{};
  // What is told of the first packet.
  uint32_t interface = 0;
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  std::array<MacBytes, 2> macs{};
  LayerPath path;
  VlanTags vlans;
  std::array<FlowCounters, 2> published;  // totals at the last interim record
};
static_assert(offsetof(LiveFlow, interval_end_ns) == 64 && offsetof(LiveFlow, counters) == 128 &&
              offsetof(LiveFlow, tcp) == 192);

// Fills what the first packet tells. Counts nothing yet.
void begin_flow(LiveFlow& flow, const Packet& packet) noexcept;

// Counts the packet and follows the flow's state. Returns false when a letter found no room in the
// history.
bool update_flow(LiveFlow& flow, const Packet& packet) noexcept;

// The record of the flow as it is. `delta` is filled for interim records (reason kActive).
FlowRecord make_record(const LiveFlow& flow, FlowState shown, EndReason reason) noexcept;

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

}  // namespace weir
