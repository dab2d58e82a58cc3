// SPDX-License-Identifier: Apache-2.0
//
// ICMP (RFC 792) and ICMPv6 (RFC 4443): type 1 | code 1 | checksum 2, then four bytes whose meaning
// depends on the type, then the message. The payload begins after the eight. ICMPv6 promises only
// the first four; a message that ends there has no payload. What an error message quotes is
// payload, not a packet of its own.
#include "net/icmp.h"

#include <algorithm>

#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint16_t kIcmp = 1;
constexpr uint16_t kIcmpv6 = 58;
constexpr uint32_t kHeaderSize = 8;
constexpr uint32_t kIcmpv6SizeMin = 4;

int counterpart_v4(uint8_t type) noexcept {
  switch (type) {
    case 8:  // echo request, reply
      return 0;
    case 0:
      return 8;
    case 13:  // timestamp request, reply
      return 14;
    case 14:
      return 13;
    case 15:  // information request, reply
      return 16;
    case 16:
      return 15;
    case 17:  // address mask request, reply
      return 18;
    case 18:
      return 17;
    case 10:  // router solicitation, advertisement
      return 9;
    case 9:
      return 10;
    default:
      return -1;
  }
}

int counterpart_v6(uint8_t type) noexcept {
  switch (type) {
    case 128:  // echo request, reply
      return 129;
    case 129:
      return 128;
    case 130:  // multicast listener query, report
      return 131;
    case 131:
      return 130;
    case 133:  // router solicitation, advertisement
      return 134;
    case 134:
      return 133;
    case 135:  // neighbour solicitation, advertisement
      return 136;
    case 136:
      return 135;
    case 139:  // node information query, response (who are you)
      return 140;
    case 140:
      return 139;
    case 144:  // home agent address discovery request, reply
      return 145;
    case 145:
      return 144;
    default:
      return -1;
  }
}

// The type that answers, or asks for, a two-way type; -1 for a one-way type.
int counterpart_of(uint16_t ip_proto, uint8_t type) noexcept {
  if (ip_proto == kIcmp) return counterpart_v4(type);
  if (ip_proto == kIcmpv6) return counterpart_v6(type);
  return -1;
}

Step decode_message(LayerContext& context, uint16_t ip_proto, uint32_t size_min) noexcept {
  ByteReader header = context.reader;
  const uint8_t type = header.u8();
  const uint8_t code = header.u8();
  if (context.reader.remaining() < size_min) return Step::end(Verdict::kErrorTruncated);

  Packet& packet = context.packet;
  packet.icmp_type = type;
  packet.icmp_code = code;
  const int counterpart = counterpart_of(ip_proto, type);
  set_ports(packet, type, counterpart >= 0 ? static_cast<uint16_t>(counterpart) : code);
  context.advance(std::min(kHeaderSize, context.size));
  return context.finish_with_payload();
}

}  // namespace

bool icmp_is_two_way(uint16_t ip_proto, uint8_t type) noexcept {
  return counterpart_of(ip_proto, type) >= 0;
}

Step decode_icmp(LayerContext& context) noexcept {
  return decode_message(context, kIcmp, kHeaderSize);
}

Step decode_icmpv6(LayerContext& context) noexcept {
  return decode_message(context, kIcmpv6, kIcmpv6SizeMin);
}

}  // namespace weir
