// SPDX-License-Identifier: Apache-2.0
//
// IPv4: RFC 791, section 3.1. IPv6 and its extension headers: RFC 8200, sections 3 and 4; the
// authentication header among them: RFC 4302. TCP options: RFC 9293, section 3.1, RFC 7323, RFC 2018.
// GRE: RFC 2784, RFC 2890, RFC 2637.
#include "dpi/packet_headers.h"

#include <algorithm>

namespace weir {
namespace {

constexpr uint16_t kDontFragment = 0x4000;
constexpr uint16_t kMoreFragments = 0x2000;
constexpr uint16_t kFragmentOffset = 0x1fff;
constexpr uint32_t kFragmentUnit = 8;

constexpr uint32_t kIpv6HeaderSize = 40;
constexpr uint32_t kExtensionUnit = 8;
constexpr uint32_t kAuthenticationUnit = 4;
constexpr uint8_t kFragmentHeader = 44;
constexpr uint8_t kAuthenticationHeader = 51;

constexpr uint8_t kOptionEnd = 0;
constexpr uint8_t kOptionNothing = 1;
constexpr uint8_t kOptionMss = 2;
constexpr uint8_t kOptionWindowScale = 3;
constexpr uint8_t kOptionSackPermitted = 4;
constexpr uint8_t kOptionTimestamps = 8;
constexpr uint8_t kOptionSizeMin = 2;

constexpr uint16_t kGreChecksum = 0x8000;
constexpr uint16_t kGreRouting = 0x4000;
constexpr uint16_t kGreKey = 0x2000;
constexpr uint16_t kGreSequence = 0x1000;
constexpr uint16_t kGreVersion = 0x0007;

bool is_extension(uint8_t number) noexcept {
  switch (number) {
    case 0:    // hop-by-hop options
    case 43:   // routing
    case 44:   // fragment
    case 51:   // authentication
    case 60:   // destination options
    case 135:  // mobility
    case 139:  // HIP
    case 140:  // shim6
      return true;
    default:
      return false;
  }
}

// A packet begins inside the one seen so far: what was found is that one's.
void begin_packet(HeaderPlaces& places, uint8_t ethernet) noexcept {
  if (places.outer_count == 0) {
    places.outer_ethernet = ethernet;
    places.outer_ip = places.ip;
    places.outer_udp = places.udp;
  }
  ++places.outer_count;
  places.ip = kNowhere;
  places.tcp = kNowhere;
  places.udp = kNowhere;
  places.sctp = kNowhere;
}

// Walks the extension headers, as far as they were captured. What follows a fragment header of a later
// piece is no header.
void read_extensions(ByteReader reader, IpHeader& ip) noexcept {
  uint8_t number = ip.next_header;
  while (is_extension(number)) {
    if (ip.extension_count == ip.extensions.size()) return;
    ByteReader header = reader;
    const uint8_t following = header.u8();
    const uint8_t units = header.u8();
    const uint16_t offset_and_more = header.be16();
    const uint32_t id = header.be32();
    uint32_t size = (units + 1u) * kExtensionUnit;
    if (number == kFragmentHeader) size = kExtensionUnit;
    if (number == kAuthenticationHeader) size = (units + 2u) * kAuthenticationUnit;
    reader.skip(size);
    if (!header.ok() || !reader.ok()) return;
    ip.extensions[ip.extension_count++] = number;
    if (number == kFragmentHeader) {
      ip.has_fragment = true;
      ip.fragment_offset = offset_and_more & 0xfff8;
      ip.more_fragments = (offset_and_more & 1) != 0;
      ip.id = id;
    }
    number = following;
    if (ip.fragment_offset != 0) break;
  }
  ip.protocol = number;
  ip.has_protocol = true;
}

}  // namespace

HeaderPlaces header_places(const Packet& packet) noexcept {
  HeaderPlaces places;
  uint8_t count = packet.path.count;
  if (packet.verdict != Verdict::kDecoded && count > 0) --count;  // its last header is at fault
  uint8_t ethernet = kNowhere;                                    // of the packet the loop is in
  for (uint8_t index = 0; index < count; ++index) {
    switch (packet.path.layers[index]) {
      case Layer::kEthernet:
        if (ethernet != kNowhere || places.ip != kNowhere) begin_packet(places, ethernet);
        ethernet = places.ethernet = index;
        break;
      case Layer::kIpv4:
      case Layer::kIpv6:
        if (places.ip != kNowhere) {
          begin_packet(places, ethernet);
          ethernet = kNowhere;
        }
        places.ip = index;
        break;
      case Layer::kTcp:
        places.tcp = index;
        break;
      case Layer::kUdp:
        places.udp = index;
        break;
      case Layer::kSctp:
        places.sctp = index;
        break;
      case Layer::kVlan:
        places.vlan = index;
        break;
      case Layer::kMpls:
        places.mpls = index;
        break;
      case Layer::kPppoes:
      case Layer::kPppoed:
        places.pppoe = index;
        break;
      case Layer::kGre:
        places.gre = index;
        break;
      case Layer::kVxlan:
        places.vxlan = index;
        break;
      case Layer::kGeneve:
        places.geneve = index;
        break;
      case Layer::kGtp:
        places.gtp = index;
        break;
      default:
        break;
    }
  }
  return places;
}

IpHeader read_ipv4(ByteReader reader) noexcept {
  IpHeader ip;
  const uint8_t version_and_words = reader.u8();
  ip.version = version_and_words >> 4;
  ip.header_length = static_cast<uint8_t>((version_and_words & 0x0f) * 4);
  ip.traffic_class = reader.u8();
  ip.length = reader.be16();
  ip.id = reader.be16();
  const uint16_t fragment = reader.be16();
  ip.has_fragment = true;
  ip.dont_fragment = (fragment & kDontFragment) != 0;
  ip.more_fragments = (fragment & kMoreFragments) != 0;
  ip.fragment_offset = static_cast<uint16_t>((fragment & kFragmentOffset) * kFragmentUnit);
  ip.ttl = reader.u8();
  ip.protocol = reader.u8();
  ip.has_protocol = true;
  ip.checksum = reader.be16();
  ip.src = reader.bytes(4);
  ip.dst = reader.bytes(4);
  ip.is_there = reader.ok();
  return ip;
}

IpHeader read_ipv6(ByteReader reader) noexcept {
  IpHeader ip;
  const uint32_t version_and_label = reader.be32();
  ip.version = static_cast<uint8_t>(version_and_label >> 28);
  ip.traffic_class = static_cast<uint8_t>(version_and_label >> 20);
  ip.flow_label = version_and_label & 0xfffff;
  ip.payload_length = reader.be16();
  ip.length = kIpv6HeaderSize + ip.payload_length;
  ip.next_header = reader.u8();
  ip.ttl = reader.u8();
  ip.src = reader.bytes(16);
  ip.dst = reader.bytes(16);
  ip.is_there = reader.ok();
  if (ip.is_there) read_extensions(reader, ip);
  return ip;
}

TcpOptions read_tcp_options(std::span<const uint8_t> bytes) noexcept {
  TcpOptions options;
  ByteReader reader(bytes.first(std::min(bytes.size(), kTcpOptionsSizeMax)));
  while (reader.remaining() > 0) {
    const uint8_t kind = reader.u8();
    ByteReader content;
    if (kind != kOptionEnd && kind != kOptionNothing) {
      const uint8_t size = reader.u8();
      if (size < kOptionSizeMin) break;
      content = ByteReader(reader.bytes(size - size_t{kOptionSizeMin}));
      if (!reader.ok()) break;
    }
    options.kinds[options.count++] = kind;
    if (kind == kOptionEnd) break;
    if (kind == kOptionMss && content.remaining() == 2) {
      options.has_mss = true;
      options.mss = content.be16();
    } else if (kind == kOptionWindowScale && content.remaining() == 1) {
      options.has_window_scale = true;
      options.window_scale = content.u8();
    } else if (kind == kOptionSackPermitted && content.remaining() == 0) {
      options.has_sack_permitted = true;
    } else if (kind == kOptionTimestamps && content.remaining() == 8) {
      options.has_timestamps = true;
      options.timestamp_value = content.be32();
      options.timestamp_echo = content.be32();
    }
  }
  return options;
}

GreHeader read_gre(ByteReader reader) noexcept {
  GreHeader gre;
  gre.flags = reader.be16();
  gre.protocol = reader.be16();
  const uint16_t version = gre.flags & kGreVersion;
  if ((gre.flags & (kGreChecksum | kGreRouting)) != 0) reader.skip(4);
  if ((gre.flags & kGreKey) != 0) gre.key = reader.be32();
  gre.has_key = (gre.flags & kGreKey) != 0 && version == 0;
  // PPTP: the size of the payload, then the call.
  gre.has_call_id = (gre.flags & kGreKey) != 0 && version == 1;
  gre.call_id = static_cast<uint16_t>(gre.key);
  gre.has_sequence = (gre.flags & kGreSequence) != 0;
  if (gre.has_sequence) gre.sequence = reader.be32();
  gre.is_there = reader.ok();
  return gre;
}

}  // namespace weir
