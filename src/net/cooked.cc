// SPDX-License-Identifier: Apache-2.0
//
// Linux cooked captures (LINKTYPE_LINUX_SLL and _SLL2): what a socket bound to "any" records
// instead of a link header. They name the sender's address only, so has_macs stays false, and a
// layer-2 flow is between the sender and the zero address. The protocol is an EtherType, or one of
// the kernel's own numbers below 0x600: 1 is IPX as Novell framed it, 4 is LLC. Some kinds of
// device (ARPHRD) have another header behind this one and no protocol that means anything.
//
//   SLL   packet type 2 | ARPHRD 2 | address length 2 | address 8 | protocol 2
//   SLL2  protocol 2 | reserved 2 | interface 4 | ARPHRD 2 | packet type 1 | address length 1 |
//   address 8
#include <algorithm>

#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kSllSize = 16;
constexpr uint32_t kSll2Size = 20;
constexpr size_t kAddressFieldSize = 8;

constexpr uint16_t kFrameRelayDevice = 770;  // ARPHRD_FRAD
constexpr uint16_t kWlanDevice = 801;        // ARPHRD_IEEE80211
constexpr uint16_t kRadiotapDevice = 803;    // ARPHRD_IEEE80211_RADIOTAP
constexpr uint16_t kNetlinkDevice = 824;     // ARPHRD_NETLINK

constexpr uint16_t kProtocolNovell = 1;  // ETH_P_802_3
constexpr uint16_t kProtocolLlc = 4;     // ETH_P_802_2
constexpr uint16_t kEthertypeIpx = 0x8137;

// The field holds up to 8 bytes of an address of any length; bytes beyond address_size mean
// nothing.
void read_sender(ByteReader& header, size_t address_size, Packet& packet) noexcept {
  ByteReader field = header.prefix(kAddressFieldSize);
  header.skip(kAddressFieldSize);
  field.copy(packet.src_mac.data(), std::min(address_size, packet.src_mac.size()));
}

Step next_of_device(LayerContext& context, uint16_t device, uint16_t protocol) noexcept {
  switch (device) {
    case kFrameRelayDevice:
      return Step::to(Layer::kFrameRelay);
    case kWlanDevice:
      return Step::to(Layer::kWlan);
    case kRadiotapDevice:
      return Step::to(Layer::kRadiotap);
    case kNetlinkDevice:
      return Step::end(Verdict::kIgnoredFamily);
    default:
      break;
  }
  if (protocol >= kEthertypeMin) return after_link_header(context, protocol);
  context.endpoints = Endpoints::kLink;
  const Step stop = take_stripped_tag(context);
  if (stop.verdict != Verdict::kDecoded) return stop;
  if (protocol == kProtocolLlc) return Step::to(Layer::kLlc);
  if (protocol == kProtocolNovell) return next_of_ethertype(context, kEthertypeIpx);
  return Step::end(Verdict::kIgnoredFamily);
}

}  // namespace

Step decode_sll(LayerContext& context) noexcept {
  if (context.reader.remaining() < kSllSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kSllSize);
  header.skip(2);
  const uint16_t device = header.be16();
  const uint16_t address_size = header.be16();
  read_sender(header, address_size, context.packet);
  const uint16_t protocol = header.be16();
  context.advance(kSllSize);
  return next_of_device(context, device, protocol);
}

Step decode_sll2(LayerContext& context) noexcept {
  if (context.reader.remaining() < kSll2Size) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kSll2Size);
  const uint16_t protocol = header.be16();
  header.skip(6);
  const uint16_t device = header.be16();
  header.skip(1);
  const uint8_t address_size = header.u8();
  read_sender(header, address_size, context.packet);
  context.advance(kSll2Size);
  return next_of_device(context, device, protocol);
}

}  // namespace weir
