// SPDX-License-Identifier: Apache-2.0
//
// GRE version 0 (RFC 2784, RFC 2890, with the routing of RFC 1701) and version 1, which is PPTP's
// (RFC 2637, section 4.1).
//
//   checksum 1b | routing 1b | key 1b | sequence 1b | … 4b | acknowledgment 1b (version 1) | … 4b |
//   version 3b | protocol 2
//   checksum 2 | offset 2   with checksum or routing
//   key 4                   version 1: payload length 2, call 2; NVGRE (RFC 7637): network 3, flow 1
//   sequence 4
//   acknowledgment 4        version 1
//   routing: address family 2 | offset 1 | size 1 | address, until an entry of family 0 and size 0
//
// The protocol is an EtherType. One without a decoder, a keepalive (protocol 0) and a PPTP
// acknowledgment are a flow of GRE between the tunnel's ends, and with `decapsulate` off everything
// is. A key over transparent Ethernet bridging is taken for NVGRE's virtual network.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 4;
constexpr uint32_t kFieldSize = 4;
constexpr uint32_t kRouteHeaderSize = 4;
constexpr uint8_t kRouteCountMax = 16;
constexpr uint16_t kHasChecksum = 0x8000;
constexpr uint16_t kHasRouting = 0x4000;
constexpr uint16_t kHasKey = 0x2000;
constexpr uint16_t kHasSequence = 0x1000;
constexpr uint16_t kHasAcknowledgment = 0x0080;
constexpr uint16_t kVersion = 0x0007;
constexpr uint16_t kProtocolEthernet = 0x6558;  // transparent Ethernet bridging
constexpr uint16_t kProtocolErspan = 0x88be;    // types I and II
constexpr uint16_t kProtocolErspan3 = 0x22eb;
constexpr uint16_t kProtocolPpp = 0x880b;
constexpr uint16_t kProtocolWccp = 0x883e;  // redirected packets
constexpr uint16_t kProtocolArubaFirst = 0x8200;
constexpr uint16_t kProtocolArubaLast = 0x8370;
constexpr uint32_t kRedirectSize = 4;

bool has(uint16_t flags, uint16_t flag) noexcept {
  return (flags & flag) != 0;
}

uint32_t header_size_of(uint16_t flags, bool is_pptp) noexcept {
  uint32_t size = kHeaderSizeMin;
  if (has(flags, kHasChecksum) || has(flags, kHasRouting)) size += kFieldSize;
  if (has(flags, kHasKey)) size += kFieldSize;
  if (has(flags, kHasSequence)) size += kFieldSize;
  if (is_pptp && has(flags, kHasAcknowledgment)) size += kFieldSize;
  return size;
}

// Goes on when its verdict is kDecoded.
Step skip_routing(LayerContext& context) noexcept {
  for (uint8_t count = 0; count < kRouteCountMax; ++count) {
    if (context.reader.remaining() < kRouteHeaderSize) return Step::end(Verdict::kErrorTruncated);
    ByteReader route = context.reader.prefix(kRouteHeaderSize);
    const uint16_t family = route.be16();
    route.skip(1);
    const uint32_t size = kRouteHeaderSize + route.u8();
    if (size > context.size) return Step::end(Verdict::kErrorBadHeaderLength);
    if (size > context.reader.remaining()) return Step::end(Verdict::kErrorTruncated);
    context.advance(size);
    if (family == 0 && size == kRouteHeaderSize) return Step::end(Verdict::kDecoded);
  }
  return Step::end(Verdict::kErrorBadHeaderLength);
}

// ERSPAN of type I is the bare frame: only its protocol says so.
Step enter_mirrored_frame(LayerContext& context) noexcept {
  if (!context.enter(Layer::kErspan)) return Step::end(Verdict::kErrorTooManyLayers);
  return context.enter_tunnel(Layer::kEthernet);
}

// WCCP version 2 has a header in front of the packet, version 1 has none; no such header begins
// like IPv4 (draft-mclaggan-wccp-v2rev1, section 4.12.2).
Step enter_redirected_packet(LayerContext& context) noexcept {
  if (context.reader.remaining() < kRedirectSize) return Step::end(Verdict::kErrorTruncated);
  if (context.reader.prefix(1).u8() >> 4 != 4) context.advance(kRedirectSize);
  return context.enter_tunnel(Layer::kIpv4);
}

Step next_of_protocol(LayerContext& context, uint16_t protocol, uint16_t flags) noexcept {
  switch (protocol) {
    case kProtocolEthernet:
      return context.enter_tunnel(Layer::kEthernet);
    case kProtocolErspan:
      return has(flags, kHasSequence) ? context.enter_tunnel(Layer::kErspan)
                                      : enter_mirrored_frame(context);
    case kProtocolErspan3:
      return context.enter_tunnel(Layer::kErspan);
    case kProtocolPpp:
      return context.enter_tunnel(Layer::kPpp);
    case kProtocolWccp:
      return enter_redirected_packet(context);
    default:
      break;
  }
  // Aruba's access points send what they heard, a protocol number for each of their queues.
  if (protocol >= kProtocolArubaFirst && protocol <= kProtocolArubaLast)
    return context.enter_tunnel(Layer::kWlan);
  const Layer next = layer_of_ethertype(protocol);
  if (next == Layer::kNone) return context.finish_with_payload();
  context.ethertype = protocol;
  return context.enter_tunnel(next);
}

}  // namespace

Step decode_gre(LayerContext& context) noexcept {
  ByteReader fixed = context.reader;
  const uint16_t flags = fixed.be16();
  const uint16_t protocol = fixed.be16();
  const bool is_pptp = (flags & kVersion) == 1;
  const uint32_t header_size = header_size_of(flags, is_pptp);
  if (context.reader.remaining() < header_size) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(header_size);
  header.skip(kHeaderSizeMin);
  if (has(flags, kHasChecksum) || has(flags, kHasRouting)) header.skip(kFieldSize);
  const uint32_t key = has(flags, kHasKey) ? header.be32() : 0;
  context.advance(header_size);
  if (!context.options.decapsulate || (flags & kVersion) > 1) return context.finish_with_payload();

  if (is_pptp) {
    const uint32_t payload_length = key >> 16;
    if (!has(flags, kHasSequence)) return context.finish_with_payload();
    if (payload_length < context.size) context.limit(payload_length);
    return context.enter_tunnel(Layer::kPpp);
  }
  if (has(flags, kHasRouting)) {
    const Step stop = skip_routing(context);
    if (stop.verdict != Verdict::kDecoded) return stop;
  }
  if (protocol == kProtocolEthernet && has(flags, kHasKey)) context.set_vni(key >> 8);
  return next_of_protocol(context, protocol, flags);
}

}  // namespace weir
