// SPDX-License-Identifier: Apache-2.0
#include "flow/live_flow.h"

#include <algorithm>

#include "base/assert.h"

namespace weir {
namespace {

constexpr uint16_t kProtoIcmp = 1;
constexpr uint16_t kProtoTcp = 6;
constexpr uint16_t kProtoUdp = 17;
constexpr uint16_t kProtoIcmpv6 = 58;

int sender_of(const PacketDigest& digest) noexcept {
  return digest.key.bits & kDigestFromB;
}

// Letters given once per side; their bits in TcpSide::history_once.
enum class Once : uint8_t { kSyn, kSynAck, kAck, kData, kFin, kReset, kMultiFlag, kInconsistent };

constexpr uint8_t once_bit(Once once) noexcept {
  return static_cast<uint8_t>(1u << static_cast<unsigned>(once));
}

// Returns false when the history is full.
bool append_letter(FlowParts& parts, int sender, char letter) noexcept {
  HotFlow& hot = parts.hot;
  if (hot.history_size == kHistorySizeMax) return false;
  const char shown = sender == 0 ? static_cast<char>(letter - 'a' + 'A') : letter;
  if (hot.history_size < kHotHistorySize) {
    hot.history[hot.history_size] = shown;
  } else {
    parts.rare.history[hot.history_size - kHotHistorySize] = shown;
    parts.uses_rare = true;
  }
  ++hot.history_size;
  return true;
}

bool append_once(FlowParts& parts, int sender, Once once, char letter) noexcept {
  uint8_t& given = parts.hot.sides[static_cast<size_t>(sender)].history_once;
  if ((given & once_bit(once)) != 0) return true;
  given |= once_bit(once);
  return append_letter(parts, sender, letter);
}

// The 1st, 10th, 100th … time, as Zeek does for letters that would otherwise fill the history.
bool is_power_of_ten(uint32_t count) noexcept {
  while (count >= 10 && count % 10 == 0) count /= 10;
  return count == 1;
}

bool follow_tcp_history(FlowParts& parts, const PacketDigest& segment, const TcpStep& step,
                        int sender) noexcept {
  const uint8_t flags = segment.tcp_flags;
  const bool is_syn = (flags & kTcpSyn) != 0;
  const bool is_fin = (flags & kTcpFin) != 0;
  const bool is_rst = (flags & kTcpRst) != 0;
  const bool is_ack = (flags & kTcpAck) != 0;
  const TcpTrouble& own = parts.rare.trouble[static_cast<size_t>(sender)];
  const TcpTrouble& peer = parts.rare.trouble[static_cast<size_t>(1 - sender)];
  bool fits = true;
  if (is_syn && (is_fin || is_rst)) fits &= append_once(parts, sender, Once::kMultiFlag, 'q');
  if (is_fin && is_rst) fits &= append_once(parts, sender, Once::kInconsistent, 'i');
  if (is_syn)
    fits &= is_ack ? append_once(parts, sender, Once::kSynAck, 'h')
                   : append_once(parts, sender, Once::kSyn, 's');
  if (step.payload_retransmit && is_power_of_ten(own.payload_retransmits))
    fits &= append_letter(parts, sender, 't');
  if (step.zero_window && is_power_of_ten(own.zero_windows))
    fits &= append_letter(parts, sender, 'w');
  // The gap is in what the peer sent: its letter.
  if (step.gap && is_power_of_ten(peer.gaps)) fits &= append_letter(parts, 1 - sender, 'g');
  if (!is_syn && !is_fin && !is_rst && is_ack && !step.payload)
    fits &= append_once(parts, sender, Once::kAck, 'a');
  if (step.payload) fits &= append_once(parts, sender, Once::kData, 'd');
  if (is_fin) fits &= append_once(parts, sender, Once::kFin, 'f');
  if (is_rst) fits &= append_once(parts, sender, Once::kReset, 'r');
  return fits;
}

// Which packets of `side` follow_tcp() and the history would make nothing of: both ends are known,
// nothing waits for an acknowledgement, no round-trip time is to be measured, the letters are given.
void note_steady(HotFlow& hot, size_t sender) noexcept {
  TcpSide& side = hot.sides[sender];
  const TcpSide& peer = hot.sides[1 - sender];
  const bool is_settled = side.has_next && hot.has(kFlowEstablished) &&
                          (!side.has_syn || side.is_syn_acked) && peer.has_isn &&
                          (!peer.has_syn || peer.is_syn_acked) && !peer.has_fin && !peer.has_hole;
  const bool awaits_rtt = !hot.has(kFlowHasRtt) && side.has_syn && !side.has_syn_ack &&
                          peer.has_syn_ack && peer.is_syn_acked;
  const bool is_steady = is_settled && !awaits_rtt && (side.flags & kTcpAck) != 0;
  const auto note = [&](uint8_t bit, bool value) {
    hot.set_steady(static_cast<uint8_t>(bit << sender), value);
  };
  note(kSteadyAck, is_steady && (side.history_once & once_bit(Once::kAck)) != 0);
  note(kSteadyData, is_steady && (side.history_once & once_bit(Once::kData)) != 0 &&
                        hot.state == FlowState::kActive && !hot.has(kFlowInspected));
  note(kSteadyPush, (side.flags & kTcpPsh) != 0);
}

bool update_tcp(FlowParts& parts, const PacketDigest& digest) noexcept {
  if ((digest.key.bits & kDigestTcp) == 0)
    return true;  // A later fragment: counted, but nothing to follow.
  HotFlow& hot = parts.hot;
  bool is_established = hot.has(kFlowEstablished);
  bool has_rtt = hot.has(kFlowHasRtt);
  const TcpStep step = follow_tcp({hot.sides, hot.rtt_or_syn_ns, parts.cold.fin_end,
                                   parts.rare.trouble, is_established, has_rtt},
                                  digest);
  hot.set(kFlowEstablished, is_established);
  hot.set(kFlowHasRtt, has_rtt);
  parts.uses_rare |= step.trouble;
  const auto apply = [&hot](FlowEvent event) {
    hot.state = next_state(FlowFamily::kTcp, hot.state, event);
  };
  if (step.midstream) apply(FlowEvent::kMidstream);
  if (step.handshake) apply(FlowEvent::kHandshake);
  if (step.payload) apply(FlowEvent::kPayload);
  if (step.fin) apply(FlowEvent::kFin);
  if (step.fins_acked) apply(FlowEvent::kFinsAcked);
  if (step.reset) apply(FlowEvent::kReset);
  const bool fits = follow_tcp_history(parts, digest, step, sender_of(digest));
  note_steady(hot, 0);
  note_steady(hot, 1);
  return fits;
}

void vote_for_size(HotFlow& hot, uint32_t ip_size) noexcept {
  const uint32_t size = std::min<uint32_t>(ip_size, UINT16_MAX);
  if (hot.size_votes() == 0) {
    hot.size_candidate() = size;
    hot.size_votes() = 1;
  } else if (hot.size_candidate() == size) {
    ++hot.size_votes();
  } else {
    --hot.size_votes();
  }
}

bool update_udp(FlowParts& parts, const PacketDigest& digest, bool is_two_way) noexcept {
  HotFlow& hot = parts.hot;
  const int own = sender_of(digest);
  if (digest.ip_size > 0) vote_for_size(hot, digest.ip_size);
  const bool fits = digest.payload_size == 0 || append_once(parts, own, Once::kData, 'd');
  // A reply makes the flow established and the packet after it active; then nothing changes, nor
  // does it while one end alone sends.
  for (size_t sender = 0; sender < 2; ++sender) {
    const bool is_alone = !is_two_way && sender == static_cast<size_t>(own);
    const bool is_steady = hot.state == FlowState::kActive || is_alone;
    const bool has_data = (hot.sides[sender].history_once & once_bit(Once::kData)) != 0;
    hot.set_steady(static_cast<uint8_t>(kSteadyAck << sender), is_steady);
    hot.set_steady(static_cast<uint8_t>(kSteadyData << sender),
                   is_steady && has_data && !hot.has(kFlowInspected));
  }
  return fits;
}

}  // namespace

void add(FlowCounters& counters, const FlowCounters& adds) noexcept {
  counters.packets += adds.packets;
  counters.bytes += adds.bytes;
  counters.ip_bytes += adds.ip_bytes;
  counters.payload_bytes += adds.payload_bytes;
}

FlowFamily flow_family(AddressKind kind, uint16_t proto_number) noexcept {
  if (is_link_address(kind)) return FlowFamily::kOther;
  switch (proto_number) {
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

void FlowParts::fold() noexcept {
  for (size_t side = 0; side < 2; ++side) {
    const FlowDeltas& deltas = hot.deltas[side];
    add(rare.folded[side],
        FlowCounters{deltas.packets, deltas.bytes, deltas.ip_bytes, deltas.payload_bytes});
    hot.deltas[side] = {};
  }
  uses_rare = true;
}

bool update_flow(FlowParts& parts, const PacketDigest& digest) noexcept {
  HotFlow& hot = parts.hot;
  FlowDeltas& deltas = hot.deltas[static_cast<size_t>(sender_of(digest))];
  FlowDeltas sum;
  if (!add(deltas, deltas_of(digest), sum)) {
    parts.fold();
    sum = deltas_of(digest);
  }
  deltas = sum;
  // What is not before the last one is not before the first one: no need to fetch that.
  DASSERT((hot.steady & kLastTsIsClock) == 0);
  if (digest.ts_ns >= hot.own_last_ts_ns) {
    hot.own_last_ts_ns = digest.ts_ns;
  } else {
    parts.cold.first_ts_ns = std::min(parts.cold.first_ts_ns, digest.ts_ns);
  }

  const FlowFamily family = hot.family();
  if (family == FlowFamily::kTcp) return update_tcp(parts, digest);
  const bool is_two_way = parts.total(0).packets > 0 && parts.total(1).packets > 0;
  if (is_two_way) {
    const FlowEvent event = hot.state == FlowState::kNew ? FlowEvent::kReply : FlowEvent::kPacket;
    hot.state = next_state(family, hot.state, event);
  }
  return family != FlowFamily::kUdp || update_udp(parts, digest, is_two_way);
}

namespace {

ConnState conn_state_of(const FlowParts& parts, size_t src) noexcept {
  const FlowCounters sent = parts.total(src);
  const FlowCounters answered = parts.total(1 - src);
  const FlowFamily family = parts.hot.family();
  if (family == FlowFamily::kTcp)
    return tcp_conn_state(parts.hot.sides, static_cast<int>(src), sent, answered);
  if (family != FlowFamily::kUdp) return ConnState::kOth;
  if (sent.packets > 0) return answered.packets > 0 ? ConnState::kSf : ConnState::kS0;
  return ConnState::kShr;
}

FlowCounters difference(const FlowCounters& now, const FlowCounters& before) noexcept {
  return {now.packets - before.packets, now.bytes - before.bytes, now.ip_bytes - before.ip_bytes,
          now.payload_bytes - before.payload_bytes};
}

void fill_side(const FlowParts& parts, const FlowKey& key, size_t side, FlowSide& record) noexcept {
  record.address = side == 0 ? key.a : key.b;
  record.port = side == 0 ? key.port_a : key.port_b;
  record.mac = parts.cold.macs[side];
  record.total = parts.total(side);
  if (parts.hot.family() != FlowFamily::kTcp) return;
  const TcpSide& tcp = parts.hot.sides[side];
  const TcpTrouble& trouble = parts.rare.trouble[side];
  record.tcp_isn = tcp.isn;
  record.has_tcp_isn = tcp.has_isn;
  record.tcp_flags = tcp.flags;
  record.retransmits = trouble.retransmits;
  record.out_of_order = trouble.out_of_order;
}

// Upper case becomes lower and back; the flip mark has no case.
char swap_case(char letter) noexcept {
  return letter == '^' ? letter : static_cast<char>(letter ^ 0x20);
}

void fill_history(const FlowParts& parts, FlowRecord& record) noexcept {
  const HotFlow& hot = parts.hot;
  record.history_size = hot.history_size;
  const auto rest = std::copy(hot.history.begin(), hot.history.end(), record.history.begin());
  if (hot.history_size > kHotHistorySize)
    std::copy(parts.rare.history.begin(), parts.rare.history.end(), rest);
  std::fill(record.history.begin() + record.history_size, record.history.end(), '\0');
  if (!hot.has(kFlowFromB)) return;
  std::transform(record.history.begin(), record.history.begin() + record.history_size,
                 record.history.begin(), swap_case);
}

}  // namespace

void make_record(const FlowParts& parts, const FlowKey& key, const FlowShape& shape,
                 FlowState shown, EndReason reason, FlowRecord& record) noexcept {
  HotFlow& hot = parts.hot;
  const ColdFlow& cold = parts.cold;
  const FlowFamily family = hot.family();
  const size_t src = hot.has(kFlowFromB) ? 1 : 0;
  record.id = cold.id;
  record.sequence = cold.sequence;
  record.is_final = reason != EndReason::kActive && reason != EndReason::kNone;
  record.address_kind = key.kind;
  record.zone_kind = key.zone_kind;
  record.zone = key.zone;
  record.has_ports = shape.has_ports;
  record.has_macs = shape.has_macs;
  record.state = shown;
  record.end_reason = reason;
  record.origin = hot.origin;
  record.conn_state = conn_state_of(parts, src);
  record.proto_number = key.proto_number;
  record.interface = shape.interface;
  record.first_seen_ns = cold.first_ts_ns;
  record.last_seen_ns = hot.last_ts_ns();
  if (hot.has(kFlowHasRtt)) record.rtt_ns = hot.rtt_or_syn_ns;
  if (family == FlowFamily::kUdp)
    record.udp_typical_size = static_cast<uint16_t>(hot.size_candidate());
  if (family == FlowFamily::kIcmp) {
    record.icmp_type = static_cast<uint8_t>(hot.icmp_type_and_code() >> 8);
    record.icmp_code = static_cast<uint8_t>(hot.icmp_type_and_code());
  }
  record.path = shape.path;
  record.vlans = shape.vlans;
  fill_side(parts, key, src, record.src);
  fill_side(parts, key, 1 - src, record.dst);
  if (reason == EndReason::kActive) {
    record.src.delta = difference(record.src.total, parts.rare.published[src]);
    record.dst.delta = difference(record.dst.total, parts.rare.published[1 - src]);
  }
  fill_history(parts, record);
}

}  // namespace weir
