// SPDX-License-Identifier: Apache-2.0
//
// LINKTYPE_NFLOG: the packets and what else netfilter logged of them, as netlink attributes.
//
//   family 1 | version 1 | resource 2 | attributes: length 2 | type 2 | value, padded to 4
//
// Lengths and types are in the order of the machine that captured, which shows in the first length:
// the kernel starts with a short attribute. The packet is the last one. Its family says what it is,
// or the EtherType netfilter saw. As in a cooked header there may be the sender's address.
#include <algorithm>
#include <bit>

#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 4;
constexpr uint32_t kAttributeHeaderSize = 4;
constexpr uint16_t kAttributePacketHeader = 1;  // EtherType 2 | hook 1 | pad 1
constexpr uint16_t kAttributeAddress = 8;       // size 2 | pad 2 | address 8
constexpr uint16_t kAttributePayload = 9;
constexpr uint8_t kFamilyIpv4 = 2;
constexpr uint8_t kFamilyIpv6 = 10;

void read_sender(ByteReader value, LayerContext& context) noexcept {
  const uint16_t size = value.be16();
  value.skip(2);
  value.copy(context.packet.src_mac.data(), std::min<size_t>(size, context.packet.src_mac.size()));
  if (value.ok()) context.endpoints = Endpoints::kLink;
}

Step next_of_payload(LayerContext& context, uint8_t family, uint16_t ethertype) noexcept {
  if (family == kFamilyIpv4) return Step::to(Layer::kIpv4);
  if (family == kFamilyIpv6) return Step::to(Layer::kIpv6);
  if (ethertype >= kEthertypeMin) return next_of_ethertype(context, ethertype);
  return Step::end(Verdict::kIgnoredFamily);
}

}  // namespace

Step decode_nflog(LayerContext& context) noexcept {
  ByteReader header = context.reader;
  const uint8_t family = header.u8();
  header.skip(3);
  if (!header.ok()) return Step::end(Verdict::kErrorTruncated);
  context.advance(kHeaderSize);
  ByteReader first_byte = header;
  const std::endian order = first_byte.u8() == 0 ? std::endian::big : std::endian::little;

  uint16_t ethertype = 0;
  while (context.reader.remaining() >= kAttributeHeaderSize) {
    ByteReader attribute = context.reader;
    const uint16_t length = attribute.u16(order);
    const uint16_t type = attribute.u16(order);
    if (length < kAttributeHeaderSize) return Step::end(Verdict::kErrorBadLength);
    const uint32_t value_size = length - kAttributeHeaderSize;
    ByteReader value = attribute.prefix(value_size);
    if (type == kAttributePacketHeader) ethertype = value.be16();
    if (type == kAttributeAddress) read_sender(value, context);
    if (type == kAttributePayload) {
      context.advance(kAttributeHeaderSize);
      context.limit(std::min(value_size, context.size));
      return next_of_payload(context, family, ethertype);
    }
    context.advance(std::min((length + 3u) / 4 * 4, context.size));
  }
  return Step::end(Verdict::kErrorTruncated);
}

}  // namespace weir
