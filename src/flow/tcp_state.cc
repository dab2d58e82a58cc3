// SPDX-License-Identifier: Apache-2.0
#include "flow/tcp_state.h"

namespace weir {
namespace {

// a − b on the circle of sequence numbers: negative when a is before b.
int32_t distance(uint32_t a, uint32_t b) noexcept {
  return static_cast<int32_t>(a - b);
}

// One direction of a connection.
struct Sender {
  TcpSide& side;
  TcpTrouble& trouble;
};

// Data below the expected number: fills the hole, repeats, or keeps alive.
void follow_old_data(Sender sender, const PacketDigest& segment, uint32_t end,
                     TcpStep& step) noexcept {
  auto& [side, trouble] = sender;
  const bool inside_hole = side.has_hole && distance(segment.tcp_seq, trouble.hole_begin) >= 0 &&
                           distance(end, trouble.hole_end) <= 0;
  if (inside_hole) {
    ++trouble.out_of_order;
    step.trouble = true;
    // What fills the middle leaves two holes; the upper one is remembered.
    if (end == trouble.hole_end && segment.tcp_seq != trouble.hole_begin) {
      trouble.hole_end = segment.tcp_seq;
    } else {
      trouble.hole_begin = end;
    }
    side.has_hole = trouble.hole_begin != trouble.hole_end;
    return;
  }
  const bool is_keep_alive = segment.payload_size <= 1 &&
                             (segment.tcp_flags & (kTcpSyn | kTcpFin)) == 0 &&
                             segment.tcp_seq == side.next_seq - 1;
  if (is_keep_alive) return;
  ++trouble.retransmits;
  step.trouble = true;
  if (segment.payload_size > 0) {
    ++trouble.payload_retransmits;
    step.payload_retransmit = true;
  }
  if (distance(end, side.next_seq) > 0) side.next_seq = end;
}

void follow_sequence(Sender sender, const PacketDigest& segment, TcpStep& step) noexcept {
  auto& [side, trouble] = sender;
  const bool is_syn = (segment.tcp_flags & kTcpSyn) != 0;
  const bool is_fin = (segment.tcp_flags & kTcpFin) != 0;
  // A RST's sequence number need not be the sender's next one, and it occupies none.
  if ((segment.tcp_flags & kTcpRst) != 0) return;
  const uint32_t size = segment.payload_size + (is_syn ? 1 : 0) + (is_fin ? 1 : 0);
  const uint32_t end = segment.tcp_seq + size;

  if (!side.has_next) {
    side.next_seq = end;
    side.has_next = true;
    side.has_hole = false;
  } else if (size > 0) {
    const int32_t ahead = distance(segment.tcp_seq, side.next_seq);
    if (ahead < 0) {
      follow_old_data(sender, segment, end, step);
    } else {
      if (ahead > 0) {
        trouble.hole_begin = side.next_seq;
        trouble.hole_end = segment.tcp_seq;
        side.has_hole = true;
        step.trouble = true;
      }
      side.next_seq = end;
    }
  }
  // The rest of a fragmented segment has no header to read its size from: start afresh with the
  // next one.
  if ((segment.key.bits & kDigestFirstPiece) != 0) side.has_next = false;
}

// What an acknowledgement says of the other side.
void follow_ack(Sender sender, const uint32_t& fin_end, const PacketDigest& segment,
                TcpStep& step) noexcept {
  auto& [peer, trouble] = sender;
  const bool is_reset = (segment.tcp_flags & kTcpRst) != 0;
  if (!peer.has_isn && !is_reset) {
    peer.isn = segment.tcp_ack - 1;
    peer.has_isn = true;
  }
  if (peer.has_syn && !peer.is_syn_acked && distance(segment.tcp_ack, peer.isn) > 0) {
    peer.is_syn_acked = true;
  }
  if (peer.has_fin && distance(segment.tcp_ack, fin_end) >= 0) peer.is_fin_acked = true;
  if (peer.has_hole && distance(segment.tcp_ack, trouble.hole_end) >= 0) {
    peer.has_hole = false;
    ++trouble.gaps;
    step.gap = step.trouble = true;
  }
}

// Both directions are open: every SYN seen is acknowledged. A side whose SYN was not seen
// (one-sided or late capture) counts as open when it, or its peer, goes on without SYN.
bool is_open(const std::array<TcpSide, 2>& sides) noexcept {
  for (const TcpSide& side : sides) {
    if (side.has_syn && !side.is_syn_acked) return false;
  }
  return true;
}

}  // namespace

TcpStep follow_tcp(TcpState tcp, const PacketDigest& segment) noexcept {
  TcpStep step;
  const size_t own = segment.key.bits & kDigestFromB;
  TcpSide& side = tcp.sides[own];
  TcpSide& peer = tcp.sides[1 - own];
  const uint8_t flags = segment.tcp_flags;
  const bool is_syn = (flags & kTcpSyn) != 0;
  const bool is_ack = (flags & kTcpAck) != 0;
  const bool is_rst = (flags & kTcpRst) != 0;
  const bool is_first = side.flags == 0 && peer.flags == 0 && !side.has_next && !peer.has_next;
  const bool handshake_seen = side.has_syn || peer.has_syn;

  side.flags |= flags;
  if (is_syn && !is_rst) {
    const bool is_same = side.has_isn && side.isn == segment.tcp_seq;
    if (!side.is_syn_acked && !is_same) {
      // The real thing beats what an acknowledgement let us conclude, and the latest attempt the
      // earlier ones.
      if (side.has_syn) side.has_next = false;
      side.isn = segment.tcp_seq;
      side.has_isn = true;
    }
    side.has_syn = true;
    if (is_ack) side.has_syn_ack = true;
    if (!is_ack && !tcp.has_rtt) tcp.rtt_or_syn_ns = segment.ts_ns;
  }
  follow_sequence({side, tcp.trouble[own]}, segment, step);
  if (is_ack) follow_ack({peer, tcp.trouble[1 - own]}, tcp.fin_end[1 - own], segment, step);
  // Whoever goes on without a SYN has had its own acknowledged, seen or not.
  if (!is_syn && !is_rst && is_ack && side.has_syn) side.is_syn_acked = true;

  if (!tcp.is_established && !is_rst && !is_syn) {
    if (is_first && !handshake_seen) {
      step.midstream = true;
      tcp.is_established = true;
    } else if (is_ack && is_open(tcp.sides)) {
      step.handshake = true;
      tcp.is_established = true;
    }
  } else if (!tcp.is_established && !is_rst && side.has_syn && peer.has_syn && is_open(tcp.sides)) {
    // Simultaneous open: both SYNs are acknowledged by SYN-ACKs.
    step.handshake = true;
    tcp.is_established = true;
  }
  if (!tcp.has_rtt && !is_syn && is_ack && !is_rst && side.has_syn && !side.has_syn_ack &&
      peer.has_syn_ack && peer.is_syn_acked) {
    const int64_t rtt_ns = segment.ts_ns - tcp.rtt_or_syn_ns;
    tcp.has_rtt = rtt_ns >= 0;
    if (tcp.has_rtt) tcp.rtt_or_syn_ns = rtt_ns;
  }

  step.payload = segment.payload_size > 0;
  if ((flags & kTcpFin) != 0 && !is_rst) {
    step.fin = !side.has_fin && !peer.has_fin;
    if (!side.has_fin) {
      side.has_fin = true;
      tcp.fin_end[own] = segment.tcp_seq + segment.payload_size + 1;
    }
  }
  step.fins_acked = side.is_fin_acked && peer.is_fin_acked;
  if (is_rst) side.has_rst = step.reset = true;
  if ((segment.key.bits & kDigestZeroWindow) != 0 && !is_rst) {
    ++tcp.trouble[own].zero_windows;
    step.zero_window = step.trouble = true;
  }
  return step;
}

bool is_new_connection(const std::array<TcpSide, 2>& sides, uint8_t flags, uint32_t seq,
                       int sender) noexcept {
  if ((flags & (kTcpSyn | kTcpAck | kTcpRst)) != kTcpSyn) return false;
  const TcpSide& side = sides[static_cast<size_t>(sender)];
  return !side.has_syn || side.isn != seq;
}

namespace {

// An endpoint's state in Zeek's terms.
enum class Endpoint : uint8_t {
  kInactive,
  kSynSent,
  kSynAckSent,
  kPartial,
  kEstablished,
  kClosed,
  kReset
};

Endpoint endpoint_state(const TcpSide& side, const TcpSide& peer,
                        const FlowCounters& counters) noexcept {
  if (counters.packets == 0) return Endpoint::kInactive;
  if (side.has_rst) return Endpoint::kReset;
  if (side.has_fin) return Endpoint::kClosed;
  if (side.has_syn_ack) return peer.has_syn ? Endpoint::kEstablished : Endpoint::kSynAckSent;
  if (side.has_syn) return peer.has_syn_ack ? Endpoint::kEstablished : Endpoint::kSynSent;
  return Endpoint::kPartial;
}

bool is_inactive(Endpoint endpoint) noexcept {
  return endpoint == Endpoint::kInactive || endpoint == Endpoint::kPartial;
}

}  // namespace

ConnState tcp_conn_state(const std::array<TcpSide, 2>& sides, int orig,
                         const FlowCounters& orig_counters,
                         const FlowCounters& resp_counters) noexcept {
  const TcpSide& orig_side = sides[static_cast<size_t>(orig)];
  const TcpSide& resp_side = sides[static_cast<size_t>(1 - orig)];
  const Endpoint originator = endpoint_state(orig_side, resp_side, orig_counters);
  const Endpoint responder = endpoint_state(resp_side, orig_side, resp_counters);

  if (responder == Endpoint::kReset) {
    const bool never_opened = originator == Endpoint::kSynSent ||
                              originator == Endpoint::kSynAckSent ||
                              (originator == Endpoint::kReset && orig_counters.payload_bytes == 0 &&
                               resp_counters.payload_bytes == 0);
    if (never_opened) return ConnState::kRej;
    return is_inactive(originator) ? ConnState::kRstrh : ConnState::kRstr;
  }
  if (originator == Endpoint::kReset)
    return is_inactive(responder) ? ConnState::kRstos0 : ConnState::kRsto;
  if (originator == Endpoint::kClosed && responder == Endpoint::kClosed) return ConnState::kSf;
  if (originator == Endpoint::kClosed)
    return is_inactive(responder) ? ConnState::kSh : ConnState::kS2;
  if (responder == Endpoint::kClosed)
    return is_inactive(originator) ? ConnState::kShr : ConnState::kS3;
  if (originator == Endpoint::kSynSent && responder == Endpoint::kInactive) return ConnState::kS0;
  if (originator == Endpoint::kEstablished && responder == Endpoint::kEstablished)
    return ConnState::kS1;
  return ConnState::kOth;
}

}  // namespace weir
