// SPDX-License-Identifier: Apache-2.0
//
// IEEE 802.11 data frames (clause 9.3.2). Frame control, its To DS and From DS bits, says which of
// the three or four addresses are those of the sender and receiver:
//
//   control 2 | duration 2 | address 1..3 6 each | sequence 2 | [address 4] | [QoS 2] | [HT 4] |
//   LLC
//
//   To DS  From DS   receiver   sender
//     0       0      address 1  address 2
//     0       1      address 1  address 3
//     1       0      address 3  address 2
//     1       1      address 3  address 4
//
// An aggregate (A-MSDU) holds several frames between the same two stations; it is counted to the
// flow of its first. Management and control frames are not traffic of the network above, protected
// frames cannot be read, and a later piece of a fragmented frame has no header: all are ignored.
#include <algorithm>

#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 24;
constexpr uint32_t kAddressSize = 6;
constexpr uint32_t kQosSize = 2;
constexpr uint32_t kHtControlSize = 4;
constexpr uint32_t kSubframeHeaderSize = 14;  // of an A-MSDU: receiver, sender, length

constexpr uint8_t kTypeManagement = 0;
constexpr uint8_t kTypeControl = 1;
constexpr uint8_t kTypeData = 2;
constexpr uint8_t kSubtypeNull = 4;  // bits of a data frame's subtype
constexpr uint8_t kSubtypeQos = 8;
constexpr uint8_t kToDs = 0x01;  // bits of the second byte of frame control
constexpr uint8_t kFromDs = 0x02;
constexpr uint8_t kProtected = 0x40;
constexpr uint8_t kHasHtControl = 0x80;  // in QoS frames
constexpr uint8_t kQosAggregate = 0x80;  // in the first byte of QoS control

// The reason to look no further, kDecoded for a data frame with readable data.
Verdict verdict_of_control(uint8_t first, uint8_t flags) noexcept {
  if ((first & 3) != 0) return Verdict::kErrorBadVersion;
  const uint8_t type = first >> 2 & 3;
  if (type == kTypeControl) return Verdict::kIgnoredWlanControl;
  if (type != kTypeData) return Verdict::kIgnoredWlanManagement;
  static_assert(kTypeManagement == 0);  // and 3, the extension, holds beacons of 60 GHz
  if ((first >> 4 & kSubtypeNull) != 0) return Verdict::kIgnoredWlanNull;
  if ((flags & kProtected) != 0) return Verdict::kIgnoredProtected;
  return Verdict::kDecoded;
}

void read_addresses(ByteReader& header, uint8_t flags, Packet& packet) noexcept {
  MacBytes address_1{}, address_2{}, address_3{};
  header.copy(address_1.data(), kAddressSize);
  header.copy(address_2.data(), kAddressSize);
  header.copy(address_3.data(), kAddressSize);
  packet.dst_mac = (flags & kToDs) != 0 ? address_3 : address_1;
  packet.src_mac = (flags & kToDs) == 0 && (flags & kFromDs) != 0 ? address_3 : address_2;
  packet.has_macs = true;
}

Step decode_first_subframe(LayerContext& context) noexcept {
  if (context.reader.remaining() < kSubframeHeaderSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kSubframeHeaderSize);
  header.copy(context.packet.dst_mac.data(), kAddressSize);
  header.copy(context.packet.src_mac.data(), kAddressSize);
  const uint16_t length = header.be16();
  context.advance(kSubframeHeaderSize);
  context.limit(std::min<uint32_t>(length, context.size));
  return Step::to(Layer::kLlc);
}

}  // namespace

Step decode_wlan(LayerContext& context) noexcept {
  if (context.reader.remaining() < 2) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader;
  const uint8_t first = header.u8();
  const uint8_t flags = header.u8();
  const Verdict verdict = verdict_of_control(first, flags);
  if (verdict != Verdict::kDecoded) return Step::end(verdict);

  const bool has_address_4 = (flags & kToDs) != 0 && (flags & kFromDs) != 0;
  const bool has_qos = (first >> 4 & kSubtypeQos) != 0;
  const bool has_ht_control = has_qos && (flags & kHasHtControl) != 0;
  uint32_t header_size = kHeaderSizeMin + (has_address_4 ? kAddressSize : 0) +
                         (has_qos ? kQosSize : 0) + (has_ht_control ? kHtControlSize : 0);
  if (context.is_wlan_padded) header_size = (header_size + 3) / 4 * 4;
  if (context.reader.remaining() < header_size) return Step::end(Verdict::kErrorTruncated);

  header.skip(2);  // duration
  read_addresses(header, flags, context.packet);
  const bool is_later_piece = (header.le16() & 0x0f) != 0;
  if (has_address_4) header.copy(context.packet.src_mac.data(), kAddressSize);
  const bool is_aggregate = has_qos && (header.u8() & kQosAggregate) != 0;
  if (is_later_piece) return Step::end(Verdict::kIgnoredWlanFragment);
  context.endpoints = Endpoints::kLink;
  context.advance(header_size);
  if (context.size == 0) return Step::end(Verdict::kIgnoredWlanNull);
  return is_aggregate ? decode_first_subframe(context) : Step::to(Layer::kLlc);
}

}  // namespace weir
