// SPDX-License-Identifier: Apache-2.0
//
// Frame Relay: an address of two to four bytes, the last of which is odd (Q.922, 3.2), then the
// encapsulation of RFC 2427, which begins with the control byte 0x03, or Cisco's, an EtherType.
//
//   [direction 1] | address 2 to 4 | 0x03 | [0x00] | NLPID 1 | SNAP: organisation 3 | protocol 2
//   [direction 1] | address 2 to 4 | EtherType 2
//
// The circuit's number (DLCI) is not part of a flow's key: it differs per direction and hop.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint16_t kLinkTypeWithDirection = 206;
constexpr int kAddressSizeMax = 4;
constexpr uint8_t kUnnumberedInformation = 0x03;

// The network layer protocol identifiers of RFC 2427, section 3.
Step next_of_identifier(LayerContext& context, uint8_t identifier) noexcept {
  switch (identifier) {
    case 0xcc:
      return Step::to(Layer::kIpv4);
    case 0x8e:
      return Step::to(Layer::kIpv6);
    case 0x80:
      return next_of_snap(context);
    case 0xcf:
      return Step::to(Layer::kPpp);  // RFC 1973
    default:
      return finish_layer2(context);
  }
}

}  // namespace

Step decode_frame_relay(LayerContext& context) noexcept {
  ByteReader header = context.reader;
  if (context.frame.link_type == kLinkTypeWithDirection) header.skip(1);
  int address_size = 1;
  while ((header.u8() & 1) == 0) {
    if (!header.ok()) return Step::end(Verdict::kErrorTruncated);
    if (++address_size > kAddressSizeMax) return Step::end(Verdict::kErrorBadHeaderLength);
  }
  const uint8_t control = header.u8();
  const bool has_identifier = control == kUnnumberedInformation;
  uint8_t low = header.u8();
  if (has_identifier && low == 0) low = header.u8();  // a pad byte
  if (!header.ok()) return Step::end(Verdict::kErrorTruncated);
  context.advance(static_cast<uint32_t>(context.reader.remaining() - header.remaining()));
  if (has_identifier) return next_of_identifier(context, low);
  const uint16_t ethertype = static_cast<uint16_t>(control << 8 | low);
  return ethertype < kEthertypeMin ? finish_layer2(context) : next_of_ethertype(context, ethertype);
}

}  // namespace weir
