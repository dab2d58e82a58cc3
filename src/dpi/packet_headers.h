// SPDX-License-Identifier: Apache-2.0
//
// Headers of layers 2 to 4 read whole, for who wants to see their fields (dpi/packet_fields.cc). The
// decoder (net/) has its own readers: it takes from a header what a flow needs and nothing else.
//
// A reader is given what was captured from its header on. What it returns says whether the header is
// there; lengths were judged by the decoder and are not judged again.
//
// Threads: pure; any.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "net/decode.h"
#include "weir/byte_reader.h"

namespace weir {

// Which headers of a packet's path have fields: indexes in the path, or kNowhere.
inline constexpr uint8_t kNowhere = UINT8_MAX;
struct HeaderPlaces {
  // The flow's own: behind the innermost Ethernet or IP header that begins a packet.
  uint8_t ip = kNowhere;
  uint8_t tcp = kNowhere;
  uint8_t udp = kNowhere;
  uint8_t sctp = kNowhere;
  // The innermost in the frame.
  uint8_t ethernet = kNowhere;
  uint8_t vlan = kNowhere;
  uint8_t mpls = kNowhere;
  uint8_t pppoe = kNowhere;
  uint8_t gre = kNowhere;
  uint8_t vxlan = kNowhere;
  uint8_t geneve = kNowhere;
  uint8_t gtp = kNowhere;
  // The outermost packet's, when it carries another.
  uint8_t outer_count = 0;  // packets around the innermost
  uint8_t outer_ethernet = kNowhere;
  uint8_t outer_ip = kNowhere;
  uint8_t outer_udp = kNowhere;
};
HeaderPlaces header_places(const Packet& packet) noexcept;

struct IpHeader {
  bool is_there = false;
  uint8_t version = 0;
  uint8_t traffic_class = 0;
  uint8_t ttl = 0;
  uint32_t length = 0;  // of the whole packet, by its length field
  std::span<const uint8_t> src;
  std::span<const uint8_t> dst;
  bool has_protocol = false;  // false: an extension header is cut, or there are too many
  uint8_t protocol = 0;
  bool has_fragment = false;  // IPv6: there is a fragment header
  bool dont_fragment = false;
  bool more_fragments = false;
  uint16_t fragment_offset = 0;  // in bytes
  uint32_t id = 0;
  // IPv4
  uint8_t header_length = 0;
  uint16_t checksum = 0;
  // IPv6
  uint32_t flow_label = 0;
  uint16_t payload_length = 0;
  uint8_t next_header = 0;
  uint8_t extension_count = 0;
  std::array<uint8_t, kExtensionCountMax> extensions;  // their numbers; the rest not initialised
};
IpHeader read_ipv4(ByteReader reader) noexcept;
IpHeader read_ipv6(ByteReader reader) noexcept;

inline constexpr size_t kTcpHeaderSizeMin = 20;
inline constexpr size_t kTcpOptionsSizeMax = 40;

struct TcpOptions {
  size_t count = 0;
  std::array<uint8_t, kTcpOptionsSizeMax> kinds;  // `count` of them; the rest not initialised
  bool has_mss = false;
  bool has_window_scale = false;
  bool has_sack_permitted = false;
  bool has_timestamps = false;
  uint16_t mss = 0;
  uint8_t window_scale = 0;
  uint32_t timestamp_value = 0;
  uint32_t timestamp_echo = 0;
};
// Up to the end of the list, or to the first option that is cut or has an impossible size. Of a kind
// that comes twice, the later one counts, as for the usual receivers.
TcpOptions read_tcp_options(std::span<const uint8_t> bytes) noexcept;

struct GreHeader {
  bool is_there = false;
  bool has_key = false;
  bool has_call_id = false;
  bool has_sequence = false;
  uint16_t flags = 0;
  uint16_t protocol = 0;
  uint32_t key = 0;
  uint16_t call_id = 0;
  uint32_t sequence = 0;
};
GreHeader read_gre(ByteReader reader) noexcept;

}  // namespace weir
