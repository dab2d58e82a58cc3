// SPDX-License-Identifier: Apache-2.0
//
// TcpState: what is remembered of one TCP connection to follow it (RFC 9293): who opened it, what
// is acknowledged, which sequence number comes next, what was sent again. No reassembly: per
// direction the next expected sequence number and one hole.
//
//   data at the expected number          → in order
//   data above it                        → the gap is remembered as the hole; a newer one replaces it
//   data inside the hole                 → out of order; the hole shrinks
//   0 or 1 byte just below the expected  → a keep-alive, neither
//   other data below                     → a retransmit
//
// Sequence arithmetic is modulo 2^32. Sides are the canonical endpoints a (0) and b (1), not
// initiator and responder.
//
// It lies in three places by how often it is touched (live_flow.h): with every packet, at the end,
// and, TcpTrouble, only when something out of the ordinary happens.
#pragma once

#include <array>
#include <cstdint>

#include "net/packet_digest.h"

namespace weir {

// One direction. 12 bytes.
struct TcpSide {
  uint32_t next_seq = 0;     // has_next
  uint32_t isn = 0;          // has_isn
  uint8_t flags = 0;         // union of all flags sent
  uint8_t history_once = 0;  // history letters already given (live_flow.cc)
  bool has_isn : 1 = false;
  bool has_next : 1 = false;
  bool has_syn : 1 = false;      // sent a SYN, with or without ACK
  bool has_syn_ack : 1 = false;  // sent a SYN with ACK
  bool is_syn_acked : 1 = false;
  bool has_fin : 1 = false;
  bool is_fin_acked : 1 = false;
  bool has_rst : 1 = false;
  bool has_hole : 1 = false;  // TcpTrouble has it
};
static_assert(sizeof(TcpSide) == 12);

struct TcpTrouble {
  uint32_t hole_begin = 0;  // has_hole: [begin, end)
  uint32_t hole_end = 0;
  uint32_t retransmits = 0;
  uint32_t out_of_order = 0;
  uint32_t payload_retransmits = 0;  // history letter t
  uint32_t zero_windows = 0;         // w
  uint32_t gaps = 0;  // g: holes the peer acknowledged although we never saw them filled
};

struct TcpState {
  std::array<TcpSide, 2>& sides;
  int64_t& rtt_or_syn_ns;            // the ts of the last SYN without ACK, until the rtt is known
  std::array<uint32_t, 2>& fin_end;  // has_fin: the acknowledgement number that covers the FIN
  std::array<TcpTrouble, 2>& trouble;
  bool& is_established;  // kHandshake or kMidstream has happened
  bool& has_rtt;  // Last SYN to the ACK that completes the handshake (Wireshark's initial RTT)
};

// What one packet means for the flow's state and for its history.
struct TcpStep {
  bool midstream = false;
  bool handshake = false;
  bool payload = false;
  bool fin = false;
  bool fins_acked = false;
  bool reset = false;
  bool payload_retransmit = false;
  bool zero_window = false;
  bool gap = false;      // the peer's hole was acknowledged unseen by this packet
  bool trouble = false;  // TcpTrouble has changed
};

// Follows one segment (kDigestTcp).
TcpStep follow_tcp(TcpState tcp, const PacketDigest& segment) noexcept;

// A SYN that opens another connection between the same ports: no ACK, and not the sequence number
// it started with.
bool is_new_connection(const std::array<TcpSide, 2>& sides, uint8_t flags, uint32_t seq,
                       int sender) noexcept;

// Zeek's conn_state. `orig` is the initiator's side; the counts tell whether an endpoint was seen
// at all.
ConnState tcp_conn_state(const std::array<TcpSide, 2>& sides, int orig,
                         const FlowCounters& orig_counters,
                         const FlowCounters& resp_counters) noexcept;

}  // namespace weir
