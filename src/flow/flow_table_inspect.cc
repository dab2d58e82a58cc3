// SPDX-License-Identifier: Apache-2.0
//
// What of a packet dpi/ gets to see: its payload, who sent it, where in the stream it lies.
#include "base/byte_reader.h"
#include "flow/flow_table_state.h"

namespace weir {
namespace {

constexpr size_t kEthernetHeaderSize = 14;
constexpr size_t kIpv4HeaderSize = 20;
constexpr size_t kUdpHeaderSize = 8;
constexpr uint8_t kTcpOffsetAt = 12;
constexpr uint16_t kProtoSctp = 132;

// Of a plain packet: Ethernet, IPv4 without options, TCP or UDP.
std::span<const uint8_t> plain_payload(const Frame& frame, const PacketDigest& digest) noexcept {
  ByteReader reader(frame.data, frame.captured_size);
  reader.skip(kEthernetHeaderSize + kIpv4HeaderSize);
  if ((digest.key.bits & kDigestTcp) != 0) {
    reader.skip(kTcpOffsetAt);
    const size_t header_size = size_t{4} * (reader.u8() >> 4);
    reader.skip(header_size - std::min<size_t>(header_size, kTcpOffsetAt + 1));
  } else {
    reader.skip(kUdpHeaderSize);
  }
  if (!reader.ok()) return {};
  return reader.bytes(std::min<size_t>(digest.payload_size, reader.remaining()));
}

// ICMP is looked into from its header on, which is not payload to a flow.
std::span<const uint8_t> with_header(const Packet& packet, uint32_t& header_size) noexcept {
  ByteReader reader(packet.frame->data, packet.frame->captured_size);
  reader.skip(packet.layer_offsets[packet.path.count - 1u]);
  const std::span<const uint8_t> from_header = reader.bytes(reader.remaining());
  header_size = static_cast<uint32_t>(packet.payload - from_header.data());
  return from_header.first(
      std::min<size_t>(from_header.size(), header_size + packet.payload_captured));
}

}  // namespace

Transport FlowTable::State::transport_of(const HotFlow& hot) noexcept {
  switch (hot.family()) {
    case FlowFamily::kTcp:
      return kOverTcp;
    case FlowFamily::kUdp:
      return kOverUdp;
    case FlowFamily::kIcmp:
      return kOverIcmp;
    case FlowFamily::kOther:
      break;
  }
  if (is_link_address(hot.key.kind())) return kOverEthernet;
  return hot.key.proto_number == kProtoSctp ? kOverSctp : kOverIp;
}

void FlowTable::State::keep_packet_fields(uint32_t slot, const Arrival& arrival) {
  Packet decoded;
  if (arrival.general == nullptr) Decoder(options.decode, hasher).decode(arrival.frame, decoded);
  auto keep = [&](uint16_t number, std::span<const uint8_t> value) {
    inspector->keep(dpis[slot], number, value);
  };
  options.packet_fields.extract(arrival.general == nullptr ? decoded : *arrival.general, {}, keep);
}

void FlowTable::State::inspect(uint32_t slot, const Arrival& arrival) noexcept {
  HotFlow& hot = hots[slot];
  const PacketDigest& digest = arrival.digest;
  const Packet* const general = arrival.general;
  const bool is_icmp = hot.family() == FlowFamily::kIcmp;
  if (digest.payload_size == 0 && !is_icmp) return;
  if (general != nullptr && general->fragment == FragmentKind::kLater) return;
  const bool is_tcp = (digest.key.bits & kDigestTcp) != 0;
  if (is_tcp && (digest.tcp_flags & kTcpRst) != 0) return;
  if (hot.family() == FlowFamily::kTcp && !is_tcp) return;

  Segment segment;
  Payload& payload = segment.payload;
  payload.wire_size = digest.payload_size;
  if (general == nullptr) {
    payload.bytes = plain_payload(arrival.frame, digest);
  } else if (is_icmp && general->path.count > 0) {
    uint32_t header_size = 0;
    payload.bytes = with_header(*general, header_size);
    payload.wire_size += header_size;
  } else {
    const uint32_t size = std::min(general->payload_captured, digest.payload_size);
    payload.bytes = {general->payload, size};
  }
  const size_t sender = (digest.key.bits & kDigestFromB) != 0 ? 1 : 0;
  const FlowKey key = key_of(hot);
  payload.transport = transport_of(hot);
  payload.side = hot.has(kFlowFromB) == (sender == 1) ? Side::kInitiator : Side::kResponder;
  payload.sender = sender == 0 ? key.a : key.b;
  payload.receiver = sender == 0 ? key.b : key.a;
  payload.address_kind = key.kind;
  const bool is_numbered = payload.transport == kOverEthernet || payload.transport == kOverIp;
  payload.sender_port = is_numbered ? key.proto_number : sender == 0 ? key.port_a : key.port_b;
  payload.receiver_port = is_numbered ? key.proto_number : sender == 0 ? key.port_b : key.port_a;
  payload.ts_ns = digest.ts_ns;
  if (is_tcp) {
    const bool has_syn = (digest.tcp_flags & kTcpSyn) != 0;
    segment.seq = digest.tcp_seq + (has_syn ? 1 : 0);
    segment.is_begin_known = (hot.sides[sender].flags & kTcpSyn) != 0;
    segment.begin_seq = hot.sides[sender].isn + 1;
  }
  segment.clock_ns = digest.clock_ns;
  segment.flow_id = colds[slot].id;
  segment.frame_number = arrival.frame.number;
  segment.proto_number = key.proto_number;
  segment.source = arrival.frame.source;
  if (!inspector->inspect(dpis[slot], segment)) hot.set(kFlowInspected, false);
}

}  // namespace weir
