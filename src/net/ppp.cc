// SPDX-License-Identifier: Apache-2.0
//
// Links between two points, which have no addresses worth the name.
//
//   PPP (RFC 1661)          [direction 1] | [0xff 0x03] | protocol 1 or 2
//   Cisco HDLC              [direction 1] | address 1 | 0x00 | EtherType 2
//
// PPP's address and control bytes (RFC 1662) may be absent, as in PPPoE, and its protocol field may
// be compressed to one byte, which then is odd: no protocol begins with 0xff or with an odd byte,
// so what is there shows. The direction byte belongs to some link types of capture files; that of
// LINKTYPE_PPP_PPPD stands in the place of 0xff. Frames of LINKTYPE_PPP_HDLC may be Cisco's; their
// first byte says so.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint16_t kLinkTypePppd = 166;
constexpr uint16_t kLinkTypePppWithDirection = 204;
constexpr uint16_t kLinkTypeChdlcWithDirection = 205;

constexpr uint8_t kControl = 0x03;  // unnumbered information
constexpr uint32_t kChdlcSize = 4;
constexpr uint16_t kSlarp = 0x8035;  // Cisco's keep-alives, under the number of RARP

bool begins_with_direction(const LayerContext& context) noexcept {
  if (context.packet.path.count != 1) return false;
  const uint16_t link_type = context.frame.link_type;
  return link_type == kLinkTypePppd || link_type == kLinkTypePppWithDirection ||
         link_type == kLinkTypeChdlcWithDirection;
}

}  // namespace

Step decode_ppp(LayerContext& context) noexcept {
  const bool has_direction = begins_with_direction(context);
  if (has_direction) {
    if (context.reader.remaining() == 0) return Step::end(Verdict::kErrorTruncated);
    context.advance(1);
  }
  ByteReader header = context.reader;
  uint8_t first = header.u8();
  const bool is_outermost = context.packet.path.count == 1;
  if (is_outermost && (first == 0x0f || first == 0x8f)) return Step::to(Layer::kChdlc);
  const bool has_address = first == 0xff;
  if (has_address) first = header.u8();
  if (first == kControl && (has_address || has_direction)) first = header.u8();
  const bool is_compressed = (first & 1) != 0;
  const uint16_t protocol = is_compressed ? first : static_cast<uint16_t>(first << 8 | header.u8());
  if (!header.ok()) return Step::end(Verdict::kErrorTruncated);
  context.advance(static_cast<uint32_t>(context.reader.remaining() - header.remaining()));
  switch (protocol) {
    case 0x0021:
      return Step::to(Layer::kIpv4);
    case 0x0057:
      return Step::to(Layer::kIpv6);
    case 0x0281:
      return next_of_ethertype(context, 0x8847);  // MPLS unicast
    case 0x0283:
      return next_of_ethertype(context, 0x8848);  // MPLS multicast
    default:
      return finish_layer2(context);
  }
}

Step decode_chdlc(LayerContext& context) noexcept {
  if (begins_with_direction(context) && context.reader.remaining() > 0) context.advance(1);
  if (context.reader.remaining() < kChdlcSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kChdlcSize);
  header.skip(2);
  const uint16_t ethertype = header.be16();
  context.advance(kChdlcSize);
  if (ethertype < kEthertypeMin || ethertype == kSlarp) return finish_layer2(context);
  return next_of_ethertype(context, ethertype);
}

}  // namespace weir
