// SPDX-License-Identifier: Apache-2.0
#include "flow/live_flow.h"

#include <algorithm>

namespace weir {
namespace {

constexpr uint16_t kProtoIcmp = 1;
constexpr uint16_t kProtoTcp = 6;
constexpr uint16_t kProtoUdp = 17;
constexpr uint16_t kProtoIcmpv6 = 58;

FlowFamily family_of(const FlowKey& key) noexcept {
  if (is_link_address(key.kind)) return FlowFamily::kOther;
  switch (key.proto_number) {
    case kProtoTcp:
      return FlowFamily::kTcp;
    case kProtoUdp:
      return FlowFamily::kUdp;
    case kProtoIcmp:
    case kProtoIcmpv6:
      return FlowFamily::kIcmp;
    default:
      return FlowFamily::kOther;
  }
}

// Letters given once per side; their bits in LiveFlow::history_once.
enum class Once : uint8_t { kSyn, kSynAck, kAck, kData, kFin, kReset, kMultiFlag, kInconsistent };

// Returns false when the history is full.
bool append_letter(LiveFlow& flow, int sender, char letter) noexcept {
  if (flow.history_size == kHistorySizeMax) return false;
  flow.history[flow.history_size++] = sender == 0 ? static_cast<char>(letter - 'a' + 'A') : letter;
  return true;
}

bool append_once(LiveFlow& flow, int sender, Once once, char letter) noexcept {
  uint8_t& given = flow.history_once[static_cast<size_t>(sender)];
  const uint8_t bit = static_cast<uint8_t>(1u << static_cast<unsigned>(once));
  if ((given & bit) != 0) return true;
  given |= bit;
  return append_letter(flow, sender, letter);
}

// The 1st, 10th, 100th … time, as Zeek does for letters that would otherwise fill the history.
bool is_power_of_ten(uint32_t count) noexcept {
  while (count >= 10 && count % 10 == 0) count /= 10;
  return count == 1;
}

bool follow_tcp_history(LiveFlow& flow, const Packet& packet, const TcpStep& step,
                        int sender) noexcept {
  const uint8_t flags = packet.tcp_flags;
  const bool is_syn = (flags & kTcpSyn) != 0;
  const bool is_fin = (flags & kTcpFin) != 0;
  const bool is_rst = (flags & kTcpRst) != 0;
  const bool is_ack = (flags & kTcpAck) != 0;
  const TcpDetail& side = flow.tcp.details[static_cast<size_t>(sender)];
  const TcpDetail& peer = flow.tcp.details[static_cast<size_t>(1 - sender)];
  bool fits = true;
  if (is_syn && (is_fin || is_rst)) fits &= append_once(flow, sender, Once::kMultiFlag, 'q');
  if (is_fin && is_rst) fits &= append_once(flow, sender, Once::kInconsistent, 'i');
  if (is_syn)
    fits &= is_ack ? append_once(flow, sender, Once::kSynAck, 'h')
                   : append_once(flow, sender, Once::kSyn, 's');
  if (step.payload_retransmit && is_power_of_ten(side.payload_retransmits))
    fits &= append_letter(flow, sender, 't');
  if (step.zero_window && is_power_of_ten(side.zero_windows))
    fits &= append_letter(flow, sender, 'w');
  // The gap is in what the peer sent: its letter.
  if (step.gap && is_power_of_ten(peer.gaps)) fits &= append_letter(flow, 1 - sender, 'g');
  if (!is_syn && !is_fin && !is_rst && is_ack && !step.payload)
    fits &= append_once(flow, sender, Once::kAck, 'a');
  if (step.payload) fits &= append_once(flow, sender, Once::kData, 'd');
  if (is_fin) fits &= append_once(flow, sender, Once::kFin, 'f');
  if (is_rst) fits &= append_once(flow, sender, Once::kReset, 'r');
  return fits;
}

bool update_tcp(LiveFlow& flow, const Packet& packet, int sender) noexcept {
  if (!packet.has_tcp) return true;  // A later fragment: counted, but nothing to follow.
  const TcpStep step = follow_tcp(flow.tcp, packet, sender);
  const auto apply = [&flow](FlowEvent event) {
    flow.state = next_state(flow.family, flow.state, event);
  };
  if (step.midstream) apply(FlowEvent::kMidstream);
  if (step.handshake) apply(FlowEvent::kHandshake);
  if (step.payload) apply(FlowEvent::kPayload);
  if (step.fin) apply(FlowEvent::kFin);
  if (step.fins_acked) apply(FlowEvent::kFinsAcked);
  if (step.reset) apply(FlowEvent::kReset);
  return follow_tcp_history(flow, packet, step, sender);
}

void vote_for_size(LiveFlow& flow, uint32_t ip_size) noexcept {
  const uint16_t size = static_cast<uint16_t>(std::min<uint32_t>(ip_size, UINT16_MAX));
  if (flow.size_votes == 0) {
    flow.size_candidate = size;
    flow.size_votes = 1;
  } else if (flow.size_candidate == size) {
    ++flow.size_votes;
  } else {
    --flow.size_votes;
  }
}

}  // namespace

void begin_flow(LiveFlow& flow, const Packet& packet) noexcept {
  const Frame& frame = *packet.frame;
  flow.is_live = true;
  flow.key = packet.key;
  flow.hash = packet.hash;
  flow.id = static_cast<uint64_t>(frame.source) << 48 | (frame.number & 0xffff'ffff'ffff);
  flow.first_clock_ns = flow.last_clock_ns = frame.clock_ns;
  flow.first_ts_ns = flow.last_ts_ns = frame.ts_ns;
  flow.family = family_of(packet.key);
  flow.has_ports = packet.has_ports;
  flow.interface = frame.interface;
  flow.path = packet.path;
  flow.vlans = packet.vlans;
  flow.has_macs = packet.has_macs;
  if (packet.has_macs)
    flow.macs = packet.from_b ? std::array{packet.dst_mac, packet.src_mac}
                              : std::array{packet.src_mac, packet.dst_mac};
  if (flow.family == FlowFamily::kIcmp) {
    flow.icmp_type = packet.icmp_type;
    flow.icmp_code = packet.icmp_code;
  }
}

bool update_flow(LiveFlow& flow, const Packet& packet) noexcept {
  const Frame& frame = *packet.frame;
  const int sender = packet.from_b ? 1 : 0;
  FlowCounters& counters = flow.counters[static_cast<size_t>(sender)];
  counters.packets += 1;
  counters.bytes += frame.wire_size;
  counters.ip_bytes += packet.ip_size;
  counters.payload_bytes += packet.payload_size;
  flow.first_ts_ns = std::min(flow.first_ts_ns, frame.ts_ns);
  flow.last_ts_ns = std::max(flow.last_ts_ns, frame.ts_ns);

  if (flow.family == FlowFamily::kTcp) return update_tcp(flow, packet, sender);
  if (flow.counters[0].packets > 0 && flow.counters[1].packets > 0) {
    const FlowEvent event = flow.state == FlowState::kNew ? FlowEvent::kReply : FlowEvent::kPacket;
    flow.state = next_state(flow.family, flow.state, event);
  }
  if (flow.family != FlowFamily::kUdp) return true;
  if (packet.ip_size > 0) vote_for_size(flow, packet.ip_size);
  return packet.payload_size == 0 || append_once(flow, sender, Once::kData, 'd');
}

namespace {

ConnState conn_state_of(const LiveFlow& flow, size_t src) noexcept {
  const FlowCounters& sent = flow.counters[src];
  const FlowCounters& answered = flow.counters[1 - src];
  if (flow.family == FlowFamily::kTcp)
    return tcp_conn_state(flow.tcp, static_cast<int>(src), sent, answered);
  if (flow.family != FlowFamily::kUdp) return ConnState::kOth;
  if (sent.packets > 0) return answered.packets > 0 ? ConnState::kSf : ConnState::kS0;
  return ConnState::kShr;
}

FlowCounters difference(const FlowCounters& now, const FlowCounters& before) noexcept {
  return {now.packets - before.packets, now.bytes - before.bytes, now.ip_bytes - before.ip_bytes,
          now.payload_bytes - before.payload_bytes};
}

FlowSide side_record(const LiveFlow& flow, size_t side, bool is_interim) noexcept {
  FlowSide record;
  record.address = side == 0 ? flow.key.a : flow.key.b;
  record.port = side == 0 ? flow.key.port_a : flow.key.port_b;
  record.mac = flow.macs[side];
  record.total = flow.counters[side];
  if (is_interim) record.delta = difference(flow.counters[side], flow.published[side]);
  const TcpSide& tcp = flow.tcp.sides[side];
  const TcpDetail& detail = flow.tcp.details[side];
  record.tcp_isn = detail.isn;
  record.has_tcp_isn = tcp.has_isn;
  record.tcp_flags = tcp.flags;
  record.retransmits = detail.retransmits;
  record.out_of_order = detail.out_of_order;
  return record;
}

// Upper case becomes lower and back; the flip mark has no case.
char swap_case(char letter) noexcept {
  return letter == '^' ? letter : static_cast<char>(letter ^ 0x20);
}

}  // namespace

FlowRecord make_record(const LiveFlow& flow, FlowState shown, EndReason reason) noexcept {
  const size_t src = flow.initiator_is_b ? 1 : 0;
  FlowRecord record;
  record.id = flow.id;
  record.sequence = flow.sequence;
  record.is_final = reason != EndReason::kActive && reason != EndReason::kNone;
  record.address_kind = flow.key.kind;
  record.zone_kind = flow.key.zone_kind;
  record.zone = flow.key.zone;
  record.has_ports = flow.has_ports;
  record.has_macs = flow.has_macs;
  record.state = shown;
  record.end_reason = reason;
  record.origin = flow.origin;
  record.conn_state = conn_state_of(flow, src);
  record.proto_number = flow.key.proto_number;
  record.interface = flow.interface;
  record.first_seen_ns = flow.first_ts_ns;
  record.last_seen_ns = flow.last_ts_ns;
  record.rtt_ns = flow.tcp.rtt_ns;
  if (flow.family == FlowFamily::kUdp) record.udp_typical_size = flow.size_candidate;
  record.icmp_type = flow.icmp_type;
  record.icmp_code = flow.icmp_code;
  record.path = flow.path;
  record.vlans = flow.vlans;
  record.src = side_record(flow, src, reason == EndReason::kActive);
  record.dst = side_record(flow, 1 - src, reason == EndReason::kActive);
  record.history_size = flow.history_size;
  record.history = flow.history;
  if (flow.initiator_is_b)
    std::transform(record.history.begin(), record.history.begin() + record.history_size,
                   record.history.begin(), swap_case);
  return record;
}

}  // namespace weir
