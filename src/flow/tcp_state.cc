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
  TcpDetail& detail;
};

// Data below the expected number: fills the hole, repeats, or keeps alive.
void follow_old_data(Sender sender, const Packet& packet, uint32_t end, TcpStep& step) noexcept {
  auto& [side, detail] = sender;
  const bool inside_hole = side.hole_begin != side.hole_end &&
                           distance(packet.tcp_seq, side.hole_begin) >= 0 &&
                           distance(end, side.hole_end) <= 0;
  if (inside_hole) {
    ++detail.out_of_order;
    // What fills the middle leaves two holes; the upper one is remembered.
    if (end == side.hole_end && packet.tcp_seq != side.hole_begin) {
      side.hole_end = packet.tcp_seq;
    } else {
      side.hole_begin = end;
    }
    return;
  }
  const bool is_keep_alive = packet.payload_size <= 1 &&
                             (packet.tcp_flags & (kTcpSyn | kTcpFin)) == 0 &&
                             packet.tcp_seq == side.next_seq - 1;
  if (is_keep_alive) return;
  ++detail.retransmits;
  if (packet.payload_size > 0) {
    ++detail.payload_retransmits;
    step.payload_retransmit = true;
  }
  if (distance(end, side.next_seq) > 0) side.next_seq = end;
}

void follow_sequence(Sender sender, const Packet& packet, TcpStep& step) noexcept {
  TcpSide& side = sender.side;
  const bool is_syn = (packet.tcp_flags & kTcpSyn) != 0;
  const bool is_fin = (packet.tcp_flags & kTcpFin) != 0;
  // A RST's sequence number need not be the sender's next one, and it occupies none.
  if ((packet.tcp_flags & kTcpRst) != 0) return;
  const uint32_t size = packet.payload_size + (is_syn ? 1 : 0) + (is_fin ? 1 : 0);
  const uint32_t end = packet.tcp_seq + size;

  if (!side.has_next) {
    side.next_seq = end;
    side.has_next = true;
    side.hole_begin = side.hole_end = 0;
  } else if (size > 0) {
    const int32_t ahead = distance(packet.tcp_seq, side.next_seq);
    if (ahead < 0) {
      follow_old_data(sender, packet, end, step);
    } else {
      if (ahead > 0) {
        side.hole_begin = side.next_seq;
        side.hole_end = packet.tcp_seq;
      }
      side.next_seq = end;
    }
  }
  // The rest of a fragmented segment has no header to read its size from: start afresh with the
  // next one.
  if (packet.fragment == FragmentKind::kFirst) side.has_next = false;
}

// What an acknowledgement says of the other side.
void follow_ack(Sender sender, const Packet& packet, TcpStep& step) noexcept {
  auto& [peer, detail] = sender;
  const bool is_reset = (packet.tcp_flags & kTcpRst) != 0;
  if (!peer.has_isn && !is_reset) {
    detail.isn = packet.tcp_ack - 1;
    peer.has_isn = true;
  }
  if (peer.has_syn && !peer.is_syn_acked && distance(packet.tcp_ack, detail.isn) > 0) {
    peer.is_syn_acked = true;
  }
  if (peer.has_fin && distance(packet.tcp_ack, detail.fin_end) >= 0) peer.is_fin_acked = true;
  if (peer.hole_begin != peer.hole_end && distance(packet.tcp_ack, peer.hole_end) >= 0) {
    peer.hole_begin = peer.hole_end;
    ++detail.gaps;
    step.gap = true;
  }
}

// Both directions are open: every SYN seen is acknowledged. A side whose SYN was not seen
// (one-sided or late capture) counts as open when it, or its peer, goes on without SYN.
bool is_open(const TcpState& tcp) noexcept {
  for (const TcpSide& side : tcp.sides) {
    if (side.has_syn && !side.is_syn_acked) return false;
  }
  return true;
}

}  // namespace

TcpStep follow_tcp(TcpState& tcp, const Packet& packet, int sender) noexcept {
  TcpStep step;
  TcpSide& side = tcp.sides[static_cast<size_t>(sender)];
  TcpSide& peer = tcp.sides[static_cast<size_t>(1 - sender)];
  TcpDetail& detail = tcp.details[static_cast<size_t>(sender)];
  TcpDetail& peer_detail = tcp.details[static_cast<size_t>(1 - sender)];
  const uint8_t flags = packet.tcp_flags;
  const bool is_syn = (flags & kTcpSyn) != 0;
  const bool is_ack = (flags & kTcpAck) != 0;
  const bool is_rst = (flags & kTcpRst) != 0;
  const bool is_first =
      tcp.sides[0].flags == 0 && tcp.sides[1].flags == 0 && !side.has_next && !peer.has_next;
  const bool handshake_seen = tcp.sides[0].has_syn || tcp.sides[1].has_syn;

  side.flags |= flags;
  if (is_syn && !is_rst) {
    const bool is_same = side.has_isn && detail.isn == packet.tcp_seq;
    if (!side.is_syn_acked && !is_same) {
      // The real thing beats what an acknowledgement let us conclude, and the latest attempt the
      // earlier ones.
      if (side.has_syn) side.has_next = false;
      detail.isn = packet.tcp_seq;
      side.has_isn = true;
    }
    side.has_syn = true;
    if (is_ack) side.has_syn_ack = true;
    if (!is_ack) tcp.syn_ts_ns = packet.frame->ts_ns;
  }
  follow_sequence({side, detail}, packet, step);
  if (is_ack) follow_ack({peer, peer_detail}, packet, step);
  // Whoever goes on without a SYN has had its own acknowledged, seen or not.
  if (!is_syn && !is_rst && is_ack && side.has_syn) side.is_syn_acked = true;

  if (!tcp.is_established && !is_rst && !is_syn) {
    if (is_first && !handshake_seen) {
      step.midstream = true;
      tcp.is_established = true;
    } else if (is_ack && is_open(tcp)) {
      step.handshake = true;
      tcp.is_established = true;
    }
  } else if (!tcp.is_established && !is_rst && side.has_syn && peer.has_syn && is_open(tcp)) {
    // Simultaneous open: both SYNs are acknowledged by SYN-ACKs.
    step.handshake = true;
    tcp.is_established = true;
  }
  if (tcp.rtt_ns < 0 && !is_syn && is_ack && !is_rst && side.has_syn && !side.has_syn_ack &&
      peer.has_syn_ack && peer.is_syn_acked) {
    const int64_t rtt_ns = packet.frame->ts_ns - tcp.syn_ts_ns;
    if (rtt_ns >= 0) tcp.rtt_ns = rtt_ns;
  }

  step.payload = packet.payload_size > 0;
  if ((flags & kTcpFin) != 0 && !is_rst) {
    step.fin = !side.has_fin && !peer.has_fin;
    if (!side.has_fin) {
      side.has_fin = true;
      detail.fin_end = packet.tcp_seq + packet.payload_size + 1;
    }
  }
  step.fins_acked = side.is_fin_acked && peer.is_fin_acked;
  if (is_rst) side.has_rst = step.reset = true;
  if (packet.tcp_window == 0 && !is_rst) {
    ++detail.zero_windows;
    step.zero_window = true;
  }
  return step;
}

bool is_new_connection(const TcpState& tcp, const Packet& packet, int sender) noexcept {
  if ((packet.tcp_flags & (kTcpSyn | kTcpAck | kTcpRst)) != kTcpSyn) return false;
  const size_t side = static_cast<size_t>(sender);
  return !tcp.sides[side].has_syn || tcp.details[side].isn != packet.tcp_seq;
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

ConnState tcp_conn_state(const TcpState& tcp, int orig, const FlowCounters& orig_counters,
                         const FlowCounters& resp_counters) noexcept {
  const TcpSide& orig_side = tcp.sides[static_cast<size_t>(orig)];
  const TcpSide& resp_side = tcp.sides[static_cast<size_t>(1 - orig)];
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
