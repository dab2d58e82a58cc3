// SPDX-License-Identifier: Apache-2.0
//
// L2TP version 2 (RFC 2661, section 3.1) in UDP, and version 3 (RFC 3931, section 4.1) over IP.
//
//   2  control 1b | has length 1b | 2b | has sequence 1b | 1b | has offset 1b | priority 1b | 4b |
//      version 4b | length 2 | tunnel 2 | session 2 | sequence 2, expected 2 | offset 2, padding
//   3  session 4 | cookie 0, 4 or 8 | sublayer of the pseudo-wire 0 or 4
//
// A version 2 data message that carries IP in PPP is a tunnel's; control messages, PPP's own
// protocols and version 3 in UDP stay UDP. Version 3 leaves the size of its header and the kind of
// its content to the control connection: it is a flow without ports, unless an Ethernet frame with
// IP or ARP stands clearly at one of the places where it may begin.
#include "net/plausible.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 6;
constexpr uint16_t kIsControl = 0x8000;
constexpr uint16_t kHasLength = 0x4000;
constexpr uint16_t kHasSequence = 0x0800;
constexpr uint16_t kHasOffset = 0x0200;
constexpr uint16_t kReservedAndVersion = 0x34ff;
constexpr uint16_t kVersionTwo = 2;
constexpr uint32_t kPppSizeMin = 2;  // a compressed protocol and something
constexpr uint8_t kPppAddress = 0xff;
constexpr uint8_t kPppControl = 0x03;
constexpr uint16_t kPppIpv4 = 0x0021;
constexpr uint16_t kPppIpv6 = 0x0057;
constexpr uint32_t kSessionSize = 4;
constexpr uint32_t kCookieAndSublayerUnit = 4;
constexpr uint32_t kCookieAndSublayerSizeMax = 12;

struct L2tpHeader {
  bool is_possible = false;  // nothing captured speaks against it
  bool is_whole = false;
  uint32_t size = 0;
};

L2tpHeader read_header(const LayerContext& context) noexcept {
  if (context.size < kHeaderSizeMin) return {};
  ByteReader header = context.reader;
  const uint16_t flags = header.be16();
  if (!header.ok()) return {.is_possible = true};
  if ((flags & (kIsControl | kReservedAndVersion)) != kVersionTwo) return {};
  uint32_t size = kHeaderSizeMin;
  if ((flags & kHasLength) != 0) {
    const uint16_t length = header.be16();
    const bool is_piece = context.packet.fragment == FragmentKind::kFirst;
    if (header.ok() && length > context.size && !is_piece) return {};
    size += 2;
  }
  header.skip(4);
  if ((flags & kHasSequence) != 0) {
    header.skip(4);
    size += 4;
  }
  if ((flags & kHasOffset) != 0) {
    const uint32_t padding = header.be16();
    size += 2 + padding;
    header.skip(padding);
  }
  if (size > context.size) return {};
  return {true, header.ok(), size};
}

// The protocol field may be compressed to one byte (RFC 1661, section 6.5).
bool looks_like_ip_in_ppp(Glimpse inner) noexcept {
  if (inner.size < kPppSizeMin) return false;
  ByteReader framing = inner.reader;
  const bool has_address = framing.u8() == kPppAddress && framing.u8() == kPppControl;
  if (!framing.ok()) return true;
  if (has_address && !inner.skip(2)) return false;
  ByteReader protocol_field = inner.reader;
  const uint8_t first = protocol_field.u8();
  const bool is_compressed = (first & 1) != 0;
  const uint16_t protocol =
      is_compressed ? first : static_cast<uint16_t>(first << 8 | protocol_field.u8());
  if (!inner.skip(is_compressed ? 1 : 2)) return false;
  if (!protocol_field.ok()) return true;
  if (protocol == kPppIpv4) return looks_like_ipv4(inner);
  return protocol == kPppIpv6 && looks_like_ipv6(inner);
}

bool is_clearly_ethernet(const Glimpse& inner) noexcept {
  ByteReader header = inner.reader;
  header.skip(12);
  const Layer next = layer_of_ethertype(header.be16());
  const bool is_arp = header.ok() && next == Layer::kArp && looks_like_ethernet(inner);
  return is_arp || looks_like_ip_in_ethernet(inner);
}

}  // namespace

bool looks_like_l2tp(const LayerContext& context) noexcept {
  const L2tpHeader header = read_header(context);
  if (!header.is_possible || !header.is_whole) return header.is_possible;
  Glimpse inner(context);
  return inner.skip(header.size) && looks_like_ip_in_ppp(inner);
}

Step decode_l2tp(LayerContext& context) noexcept {
  const L2tpHeader header = read_header(context);
  if (!header.is_whole) return Step::end(Verdict::kErrorTruncated);
  context.advance(header.size);
  return Step::to(Layer::kPpp);
}

Step decode_l2tpv3(LayerContext& context) noexcept {
  if (context.reader.remaining() < kSessionSize) return Step::end(Verdict::kErrorTruncated);
  const uint32_t session = context.reader.prefix(kSessionSize).be32();
  context.advance(kSessionSize);
  const bool is_control = session == 0;
  if (is_control || !context.options.decapsulate) return context.finish_with_payload();
  Glimpse inner(context);
  for (uint32_t size = 0; size <= kCookieAndSublayerSizeMax; size += kCookieAndSublayerUnit) {
    if (is_clearly_ethernet(inner)) {
      context.advance(size);
      return context.enter_tunnel(Layer::kEthernet);
    }
    if (!inner.skip(kCookieAndSublayerUnit)) break;
  }
  return context.finish_with_payload();
}

}  // namespace weir
