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
#pragma once

#include <array>
#include <cstdint>

#include "net/packet.h"

namespace weir {

// What every packet looks at: of both sides together less than a cache line.
struct TcpSide {
  uint32_t next_seq = 0;    // has_next
  uint32_t hole_begin = 0;  // the hole is [begin, end); none when equal
  uint32_t hole_end = 0;
  uint8_t flags = 0;  // union of all flags sent
  bool has_isn = false;
  bool has_next = false;
  bool has_syn = false;      // sent a SYN, with or without ACK
  bool has_syn_ack = false;  // sent a SYN with ACK
  bool is_syn_acked = false;
  bool has_fin = false;
  bool is_fin_acked = false;
  bool has_rst = false;
};

// What is looked at when something out of the ordinary happens.
struct TcpDetail {
  uint32_t isn = 0;      // has_isn
  uint32_t fin_end = 0;  // has_fin: the acknowledgement number that covers the FIN
  uint32_t retransmits = 0;
  uint32_t out_of_order = 0;
  uint32_t payload_retransmits = 0;  // history letter t
  uint32_t zero_windows = 0;         // w
  uint32_t gaps = 0;  // g: holes the peer acknowledged although we never saw them filled
};

struct TcpState {
  std::array<TcpSide, 2> sides;
  bool is_established = false;  // kHandshake or kMidstream has happened
  std::array<TcpDetail, 2> details;
  int64_t syn_ts_ns = 0;  // of the last SYN without ACK
  // Last SYN to the ACK that completes the handshake (Wireshark's initial RTT).
  int64_t rtt_ns = -1;
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
  bool gap = false;  // the peer's hole was acknowledged unseen by this packet
};

// Follows one packet sent by `sender` (0 = a, 1 = b). The packet has a TCP header.
TcpStep follow_tcp(TcpState& tcp, const Packet& packet, int sender) noexcept;

// A SYN that opens another connection between the same ports: no ACK, and not the sequence number
// it started with.
bool is_new_connection(const TcpState& tcp, const Packet& packet, int sender) noexcept;

// Zeek's conn_state. `orig` is the initiator's side; the counts tell whether an endpoint was seen
// at all.
ConnState tcp_conn_state(const TcpState& tcp, int orig, const FlowCounters& orig_counters,
                         const FlowCounters& resp_counters) noexcept;

}  // namespace weir
