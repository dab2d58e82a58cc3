// SPDX-License-Identifier: Apache-2.0
//
// Logical Link Control (IEEE 802.2): destination and source service access points (SAP), and a
// control field of one byte (unnumbered frames) or two. SNAP (IEEE 802, clause 10) is the SAP 0xaa
// with an organisation and one of its protocol numbers behind the header.
//
//   DSAP 1 | SSAP 1 | control 1 or 2 | SNAP: organisation 3 | protocol 2
//
// The proto_number of a flow is the EtherType where the frame has one. What has none gets a number
// below every EtherType: the SAP without its group bit (0x42 is spanning tree); 0x81 and 0x83 for
// CLNP and IS-IS, which share the SAP 0xfe and are odd, as no SAP is; or the protocol of a SNAP
// header of Cisco, Nortel, Extreme or Foundry. The numbers of most organisations mean nothing
// without the organisation: their flows are those of SNAP itself.
#include <algorithm>

#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 3;
constexpr uint32_t kSnapSize = 5;
constexpr uint16_t kLengthMax = 1500;  // of an IEEE 802.3 frame

constexpr uint8_t kSapIp = 0x06;
constexpr uint8_t kSapStp = 0x42;
constexpr uint8_t kSapArp = 0x98;
constexpr uint8_t kSapSnap = 0xaa;
constexpr uint8_t kSapOsi = 0xfe;
constexpr uint8_t kSapGlobal = 0xff;

constexpr uint8_t kClnp = 0x81;  // network layer protocol identifiers of OSI (ISO 9577)
constexpr uint8_t kIsis = 0x83;

constexpr uint16_t kMstp = 0x0001;  // BACnet MS/TP frames, a protocol of Cimetrics
constexpr uint16_t kExtremeDiscovery = 0x00bb;

constexpr uint16_t kEthertypeIpx = 0x8137;
constexpr uint16_t kEthertypeArp = 0x0806;

// Numbers under which service access points stand already; Extreme's discovery is odd, as no SAP
// is.
bool is_number_of_saps(uint16_t protocol) noexcept {
  return protocol < 0x100 && protocol != kExtremeDiscovery;
}

Step finish_as(LayerContext& context, uint16_t number) noexcept {
  context.ethertype = number;
  return finish_layer2(context);
}

// SNAP's protocols of IEEE 802.1 (RFC 2427, section 4.1): 1 and 7 are Ethernet frames with and
// without their FCS, 0x0e is spanning tree.
Step next_of_bridged(LayerContext& context, uint16_t protocol) noexcept {
  if (protocol == 0x0001 || protocol == 0x0007) return Step::to(Layer::kEthernet);
  return finish_as(context, protocol == 0x000e ? kSapStp : kSapSnap);
}

}  // namespace

Step next_of_length(LayerContext& context, uint16_t length) noexcept {
  if (length > kLengthMax) return Step::end(Verdict::kErrorBadLength);
  context.limit(std::min<uint32_t>(length, context.size));  // never more than was on the wire
  // Novell put IPX right behind the length; it begins with a checksum that is never used.
  ByteReader content = context.reader;
  if (content.be16() == 0xffff) return finish_as(context, kEthertypeIpx);
  return Step::to(Layer::kLlc);
}

Step next_of_snap(LayerContext& context) noexcept {
  if (context.reader.remaining() < kSnapSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kSnapSize);
  const uint32_t organisation = static_cast<uint32_t>(header.u8()) << 16 | header.be16();
  const uint16_t protocol = header.be16();
  context.advance(kSnapSize);
  switch (organisation) {
    case 0x000000:  // RFC 1042
    case 0x0000f8:  // bridge tunnels (IEEE 802.1H)
    case 0x080007:  // AppleTalk
      return protocol >= kEthertypeMin ? next_of_ethertype(context, protocol)
                                       : finish_as(context, kSapSnap);
    case 0x0080c2:  // IEEE 802.1
      return next_of_bridged(context, protocol);
    case 0x00000c:  // Cisco
    case 0x000081:  // Nortel
    case 0x00e02b:  // Extreme
    case 0x00e052:  // Foundry
      return finish_as(context, is_number_of_saps(protocol) ? kSapSnap : protocol);
    case 0x001090:  // Cimetrics
      return finish_as(context, kMstp);
    default:
      return finish_as(context, kSapSnap);
  }
}

Step decode_llc(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSizeMin) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader;
  const uint8_t dsap = header.u8();
  const uint8_t ssap = header.u8();
  const bool is_unnumbered = (header.u8() & 3) == 3;
  const uint32_t header_size = is_unnumbered ? kHeaderSizeMin : kHeaderSizeMin + 1;
  if (context.reader.remaining() < header_size) return Step::end(Verdict::kErrorTruncated);
  context.advance(header_size);
  if (dsap == kSapSnap && ssap == kSapSnap) return next_of_snap(context);

  const uint8_t sap = dsap == kSapGlobal ? dsap : dsap & 0xfe;
  if (sap == kSapIp && is_unnumbered) return Step::to(Layer::kIpv4);
  if (sap == kSapArp && is_unnumbered) return next_of_ethertype(context, kEthertypeArp);
  if (sap == kSapOsi) {
    ByteReader content = context.reader;
    const uint8_t identifier = content.u8();
    if (identifier == kClnp || identifier == kIsis) return finish_as(context, identifier);
  }
  return finish_as(context, sap);
}

}  // namespace weir
