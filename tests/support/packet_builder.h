// SPDX-License-Identifier: Apache-2.0
//
// PacketBuilder: literal packets for tests, written from the outermost header to the payload.
//
//   const Bytes bytes = ethernet().vlan(5).ipv4("10.0.0.1", "10.0.0.2")
//                           .tcp(1234, 80, {.flags = 0x02}).payload("GET /").bytes();
//   const Frame frame = frame_of(bytes);
//
// Each header writes its own number into the header before it (EtherType, IP protocol, next
// header), and bytes() fills the length fields (IPv4 total length, IPv6 payload length, UDP length)
// from what follows, up to padding(). A test that wants a lie sets the field in the header's
// options. The IPv4 header checksum is right; the checksums above it are 0, as on a sending host
// that offloads them.
//
// A packet without a link header starts from raw(), sll(), sll2() or null_loopback(); link_type()
// says which LINKTYPE_ number belongs to it. Mistakes in a test (an address that does not parse)
// abort.
//
// It is for tests only: it allocates freely and trusts its caller. Not a way to read packets.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include "weir/frame.h"

namespace weir::test {

using Bytes = std::vector<uint8_t>;

// Locally administered, so that no real network owns them.
inline constexpr const char* kMacA = "02:00:00:00:00:0a";
inline constexpr const char* kMacB = "02:00:00:00:00:0b";

struct Ipv4Fields {
  uint8_t protocol = 0;  // overwritten by the next header
  uint16_t id = 0;
  bool dont_fragment = false;
  bool more_fragments = false;
  uint16_t fragment_offset = 0;  // in bytes, a multiple of 8
  uint8_t ttl = 64;
  uint8_t version = 4;
  Bytes options{};                        // padded with 0 to a multiple of 4
  std::optional<uint8_t> header_words{};  // IHL
  std::optional<uint16_t> total_length{};
};

struct Ipv6Fields {
  uint8_t next_header = 59;  // overwritten by the next header
  uint8_t hop_limit = 64;
  uint8_t version = 6;
  std::optional<uint16_t> payload_length{};
};

struct TcpFields {
  uint8_t flags = 0x10;  // ACK
  uint32_t seq = 1;
  uint32_t ack = 0;
  uint16_t window = 65535;
  Bytes options{};                        // padded with 0 to a multiple of 4
  std::optional<uint8_t> header_words{};  // data offset
};

struct UdpFields {
  std::optional<uint16_t> length{};
};

class PacketBuilder {
 public:
  explicit PacketBuilder(uint16_t link_type) : link_type_(link_type) {}

  uint16_t link_type() const { return link_type_; }

  PacketBuilder& ethernet(const char* src = kMacA, const char* dst = kMacB) {
    announce(0x6558, 0);
    put_mac(dst);
    put_mac(src);
    return next_is_ethertype();
  }

  // A tag whose VID, priority and DEI are `tci`.
  PacketBuilder& vlan(uint16_t tci, uint16_t tpid = 0x8100) {
    announce(tpid, 0);
    put16(tci);
    return next_is_ethertype();
  }

  // The EtherType field becomes the length of what follows (IEEE 802.3).
  PacketBuilder& length(std::optional<uint16_t> value = {}) {
    lengths_.push_back({LengthKind::k802_3, bytes_.size(), bytes_.size() - 2, value});
    ethertype_at_.reset();
    return *this;
  }
  // An LLC header; control 3 is unnumbered information.
  PacketBuilder& llc(uint8_t sap, uint8_t control = 3) {
    put8(sap);
    put8(sap);
    put8(control);
    return *this;
  }
  // An LLC and a SNAP header; organisation 0 announces an EtherType.
  PacketBuilder& snap(uint32_t organisation = 0) {
    llc(0xaa);
    put8(static_cast<uint8_t>(organisation >> 16));
    put16(static_cast<uint16_t>(organisation));
    return next_is_ethertype();
  }

  // Ends the link headers with a number nothing is built for: what follows is payload().
  PacketBuilder& ethertype(uint16_t number) {
    announce(number, 0);
    return *this;
  }
  // The same for an IP protocol.
  PacketBuilder& ip_protocol(uint8_t number) {
    announce(0, number);
    return *this;
  }

  // ARP for IPv4 over Ethernet (RFC 826): operation 1 asks, 2 answers.
  PacketBuilder& arp(uint16_t operation, const char* sender_ip, const char* target_ip) {
    announce(0x0806, 0);
    put16(1);
    put16(0x0800);
    put8(6);
    put8(4);
    put16(operation);
    put_mac(kMacA);
    put_ipv4(sender_ip);
    put_mac(operation == 1 ? "00:00:00:00:00:00" : kMacB);
    put_ipv4(target_ip);
    return *this;
  }

  PacketBuilder& ipv4(const char* src, const char* dst, const Ipv4Fields& fields = {}) {
    announce(0x0800, 4);
    Bytes options = fields.options;
    options.resize((options.size() + 3) / 4 * 4);
    const size_t start = bytes_.size();
    const uint8_t words =
        fields.header_words.value_or(static_cast<uint8_t>(5 + options.size() / 4));
    put8(static_cast<uint8_t>(fields.version << 4 | (words & 0x0f)));
    put8(0);
    lengths_.push_back({LengthKind::kIpv4, start, start + 2, fields.total_length});
    put16(0);
    put16(fields.id);
    put16(static_cast<uint16_t>((fields.dont_fragment ? 0x4000 : 0) |
                                (fields.more_fragments ? 0x2000 : 0) | fields.fragment_offset / 8));
    put8(fields.ttl);
    const size_t protocol_at = bytes_.size();
    put8(fields.protocol);
    put16(0);
    put_ipv4(src);
    put_ipv4(dst);
    put(options);
    return next_is_ip_protocol(protocol_at);
  }

  PacketBuilder& ipv6(const char* src, const char* dst, const Ipv6Fields& fields = {}) {
    announce(0x86dd, 41);
    const size_t start = bytes_.size();
    put32(static_cast<uint32_t>(fields.version) << 28);
    lengths_.push_back({LengthKind::kIpv6, start + 40, start + 4, fields.payload_length});
    put16(0);
    const size_t protocol_at = bytes_.size();
    put8(fields.next_header);
    put8(fields.hop_limit);
    put_ipv6(src);
    put_ipv6(dst);
    return next_is_ip_protocol(protocol_at);
  }

  // An IPv6 extension header of the common form (RFC 8200, section 4): hop-by-hop 0, routing 43,
  // destination options 60, mobility 135, …; `size` is its whole size, a multiple of 8; the body is
  // PadN.
  PacketBuilder& extension(uint8_t number, size_t size = 8) {
    announce(0, number);
    const size_t protocol_at = bytes_.size();
    put8(59);
    put8(static_cast<uint8_t>(size / 8 - 1));
    put8(1);
    put8(static_cast<uint8_t>(size - 4));
    bytes_.resize(bytes_.size() + size - 4);
    return next_is_ip_protocol(protocol_at);
  }

  // The IPv6 fragment header; `offset` in bytes, a multiple of 8.
  PacketBuilder& ipv6_fragment(uint32_t id, uint16_t offset, bool more_fragments,
                               uint8_t next_header = 59) {
    announce(0, 44);
    const size_t protocol_at = bytes_.size();
    put8(next_header);
    put8(0);
    put16(static_cast<uint16_t>(offset | (more_fragments ? 1 : 0)));
    put32(id);
    return next_is_ip_protocol(protocol_at);
  }

  PacketBuilder& tcp(uint16_t src_port, uint16_t dst_port, const TcpFields& fields = {}) {
    announce(0, 6);
    Bytes options = fields.options;
    options.resize((options.size() + 3) / 4 * 4);
    const uint8_t words =
        fields.header_words.value_or(static_cast<uint8_t>(5 + options.size() / 4));
    put16(src_port);
    put16(dst_port);
    put32(fields.seq);
    put32(fields.ack);
    put8(static_cast<uint8_t>(words << 4));
    put8(fields.flags);
    put16(fields.window);
    put32(0);
    return put(options);
  }

  PacketBuilder& udp(uint16_t src_port, uint16_t dst_port, const UdpFields& fields = {}) {
    announce(0, 17);
    const size_t start = bytes_.size();
    put16(src_port);
    put16(dst_port);
    lengths_.push_back({LengthKind::kUdp, start, start + 4, fields.length});
    put32(0);
    return *this;
  }

  // The SCTP common header; chunks are payload.
  PacketBuilder& sctp(uint16_t src_port, uint16_t dst_port, uint32_t tag = 0) {
    announce(0, 132);
    put16(src_port);
    put16(dst_port);
    put32(tag);
    put32(0);
    return *this;
  }

  // UDP-Lite and DCCP, with their shortest headers.
  PacketBuilder& udplite(uint16_t src_port, uint16_t dst_port) {
    announce(0, 136);
    put16(src_port);
    put16(dst_port);
    put32(0);
    return *this;
  }
  PacketBuilder& dccp(uint16_t src_port, uint16_t dst_port, uint8_t header_words = 3) {
    announce(0, 33);
    put16(src_port);
    put16(dst_port);
    put32(static_cast<uint32_t>(header_words) << 24);
    put32(0);
    return *this;
  }

  // An authentication header with a check value of 12 bytes.
  PacketBuilder& ah() {
    announce(0, 51);
    const size_t protocol_at = bytes_.size();
    put32(59u << 24 | 4u << 16);
    bytes_.resize(bytes_.size() + 20);
    return next_is_ip_protocol(protocol_at);
  }

  // ---- Tunnels. What they carry follows as if it were outermost.

  // One entry of a label stack.
  PacketBuilder& mpls(uint32_t label, bool is_bottom = true) {
    announce(0x8847, 137);
    put32(label << 12 | (is_bottom ? 0x100u : 0) | 64);
    return *this;
  }
  // A PPPoE session up to the protocol field of PPP.
  PacketBuilder& pppoe(uint16_t ppp_protocol) {
    announce(0x8864, 0);
    put32(0x11000001);
    put_length(0);
    put16(ppp_protocol);
    return *this;
  }
  PacketBuilder& pbb(uint32_t service = 1) {
    announce(0x88e7, 0);
    put32(service);
    return *this;
  }
  // Without identifier; flags 0x0c encrypt.
  PacketBuilder& macsec(uint8_t flags = 0) {
    announce(0x88e5, 0);
    put8(flags);
    put8(0);
    put32(1);
    return next_is_ethertype();
  }
  // GRE; the protocol is that of the next header, also ethernet() and erspan().
  PacketBuilder& gre(std::optional<uint32_t> key = {}, std::optional<uint32_t> sequence = {},
                     bool has_checksum = false) {
    announce(0, 47);
    put16(static_cast<uint16_t>((has_checksum ? 0x8000 : 0) | (key ? 0x2000 : 0) |
                                (sequence ? 0x1000 : 0)));
    next_is_ethertype();
    if (has_checksum) put32(0);
    if (key) put32(*key);
    if (sequence) put32(*sequence);
    return *this;
  }
  // GRE version 1 of PPTP, up to the protocol field of PPP.
  PacketBuilder& pptp(uint32_t sequence, uint16_t ppp_protocol) {
    announce(0, 47);
    put32(0x3001880b);
    put_length(6);
    put16(7);  // call
    put32(sequence);
    put16(ppp_protocol);
    return *this;
  }
  PacketBuilder& erspan2() {
    announce(0x88be, 0);
    put32(0x10010001);
    put32(0);
    return *this;
  }
  PacketBuilder& erspan3(bool has_subheader = false) {
    announce(0x22eb, 0);
    put32(0x20010001);
    put32(0);
    put32(has_subheader ? 1 : 0);
    bytes_.resize(bytes_.size() + (has_subheader ? 8 : 0));
    return *this;
  }
  PacketBuilder& vxlan(uint32_t network, uint32_t flags = 0x08000000) {
    put32(flags);
    put32(network << 8);
    return *this;
  }
  PacketBuilder& geneve(uint32_t network, size_t option_count = 0) {
    put8(static_cast<uint8_t>(option_count));
    put8(0);
    next_is_ethertype();
    put32(network << 8);
    bytes_.resize(bytes_.size() + option_count * 4);
    return *this;
  }
  // A GTP-U user packet, with a sequence number and one extension header if asked for.
  PacketBuilder& gtp(uint32_t tunnel, bool has_extension = false) {
    put16(has_extension ? 0x36ff : 0x30ff);
    put_length(4);
    put32(tunnel);
    if (has_extension) {
      put32(0x00010085);
      put32(0x01000000);
    }
    return *this;
  }
  // An L2TP version 2 data message, up to the protocol field of PPP.
  PacketBuilder& l2tp(uint16_t ppp_protocol) {
    put16(0x0002);
    put32(0x00010001);
    put16(0xff03);
    put16(ppp_protocol);
    return *this;
  }

  // Type, code, checksum and the four bytes after it (of echo: identifier and sequence number).
  PacketBuilder& icmp(uint8_t type, uint8_t code, uint32_t rest = 0) {
    announce(0, 1);
    return put_icmp(type, code, rest);
  }
  PacketBuilder& icmpv6(uint8_t type, uint8_t code, uint32_t rest = 0) {
    announce(0, 58);
    return put_icmp(type, code, rest);
  }

  PacketBuilder& payload(std::string_view text) {
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return *this;
  }
  PacketBuilder& payload(const Bytes& bytes) { return put(bytes); }
  // `size` bytes 0, 1, 2, …
  PacketBuilder& payload_of_size(size_t size) {
    for (size_t index = 0; index < size; ++index) put8(static_cast<uint8_t>(index));
    return *this;
  }

  // Bytes no length field counts, such as the padding of a short Ethernet frame. Nothing but
  // padding may follow.
  PacketBuilder& padding(size_t size, uint8_t value = 0) {
    if (!content_size_) content_size_ = bytes_.size();
    bytes_.resize(bytes_.size() + size, value);
    return *this;
  }
  // Pads to the 60 bytes an Ethernet frame has at least (64 with its FCS).
  PacketBuilder& pad_to_minimum() { return padding(bytes_.size() < 60 ? 60 - bytes_.size() : 0); }

  Bytes bytes() const {
    Bytes result = bytes_;
    const size_t end = content_size_.value_or(bytes_.size());
    for (const LengthField& field : lengths_) {
      const auto value = field.forced.value_or(static_cast<uint16_t>(end - field.counted_from));
      set16(result, field.at, value);
      if (field.kind == LengthKind::kIpv4) set_ipv4_checksum(result, field.counted_from);
    }
    return result;
  }

 private:
  friend PacketBuilder sll(uint16_t packet_type, const char* sender);
  friend PacketBuilder sll2(uint32_t interface_index, uint8_t packet_type, const char* sender);
  friend PacketBuilder null_loopback(uint32_t family, bool big_endian);

  enum class LengthKind { k802_3, kIpv4, kIpv6, kUdp, kContent };
  struct LengthField {
    LengthKind kind;
    size_t counted_from;
    size_t at;
    std::optional<uint16_t> forced;
  };

  static void fail(const char* what, const char* text) {
    std::fprintf(stderr, "packet_builder: %s: \"%s\"\n", what, text);
    std::abort();
  }

  static void set16(Bytes& bytes, size_t at, uint16_t value) {
    bytes[at] = static_cast<uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<uint8_t>(value);
  }

  static void set_ipv4_checksum(Bytes& bytes, size_t start) {
    const size_t size = std::min<size_t>((bytes[start] & 0x0fu) * 4u, bytes.size() - start);
    uint32_t sum = 0;
    for (size_t index = 0; index + 1 < size; index += 2) {
      sum += static_cast<uint32_t>(bytes[start + index] << 8 | bytes[start + index + 1]);
    }
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    if (size >= 20) set16(bytes, start + 10, static_cast<uint16_t>(~sum));
  }

  // Writes this header's number where the header before it announces it.
  void announce(uint16_t ethertype, uint8_t ip_protocol) {
    if (ethertype_at_) set16(bytes_, *ethertype_at_, ethertype);
    if (ip_protocol_at_) bytes_[*ip_protocol_at_] = ip_protocol;
    ethertype_at_.reset();
    ip_protocol_at_.reset();
  }
  PacketBuilder& next_is_ethertype() {
    ethertype_at_ = bytes_.size();
    put16(0xffff);
    return *this;
  }
  PacketBuilder& next_is_ip_protocol(size_t at) {
    ip_protocol_at_ = at;
    return *this;
  }

  PacketBuilder& put(const Bytes& bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  void put8(uint8_t value) { bytes_.push_back(value); }
  void put16(uint16_t value) {
    put8(static_cast<uint8_t>(value >> 8));
    put8(static_cast<uint8_t>(value));
  }
  void put32(uint32_t value) {
    put16(static_cast<uint16_t>(value >> 16));
    put16(static_cast<uint16_t>(value));
  }
  void put_mac(const char* text) {
    unsigned octets[6];
    if (std::sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &octets[0], &octets[1], &octets[2], &octets[3],
                    &octets[4], &octets[5]) != 6) {
      fail("not a MAC address", text);
    }
    for (const unsigned octet : octets) put8(static_cast<uint8_t>(octet));
  }
  void put_ipv4(const char* text) {
    uint8_t address[4];
    if (inet_pton(AF_INET, text, address) != 1) fail("not an IPv4 address", text);
    for (const uint8_t octet : address) put8(octet);
  }
  void put_ipv6(const char* text) {
    uint8_t address[16];
    if (inet_pton(AF_INET6, text, address) != 1) fail("not an IPv6 address", text);
    for (const uint8_t octet : address) put8(octet);
  }
  // A length field of two bytes that counts what follows it, less the first `skipped` bytes.
  void put_length(size_t skipped) {
    lengths_.push_back({LengthKind::kContent, bytes_.size() + 2 + skipped, bytes_.size(), {}});
    put16(0);
  }
  PacketBuilder& put_icmp(uint8_t type, uint8_t code, uint32_t rest) {
    put8(type);
    put8(code);
    put16(0);
    put32(rest);
    return *this;
  }

  uint16_t link_type_;
  Bytes bytes_;
  std::vector<LengthField> lengths_;
  std::optional<size_t> ethertype_at_;    // where the next header's EtherType goes
  std::optional<size_t> ip_protocol_at_;  // where the next header's IP protocol goes
  std::optional<size_t> content_size_;    // before padding
};

// LINKTYPE_ETHERNET.
inline PacketBuilder ethernet(const char* src = kMacA, const char* dst = kMacB) {
  PacketBuilder packet(1);
  packet.ethernet(src, dst);
  return packet;
}

// LINKTYPE_RAW (101), or another number of its family: 12, 14, 228 (IPv4), 229 (IPv6).
inline PacketBuilder raw(uint16_t link_type = 101) {
  return PacketBuilder(link_type);
}

// LINKTYPE_LINUX_SLL; packet type 0 is to us, 4 from us.
inline PacketBuilder sll(uint16_t packet_type = 0, const char* sender = kMacA) {
  PacketBuilder packet(113);
  packet.put16(packet_type);
  packet.put16(1);  // ARPHRD_ETHER
  packet.put16(6);
  packet.put_mac(sender);
  packet.put16(0);
  packet.next_is_ethertype();
  return packet;
}

// LINKTYPE_LINUX_SLL2.
inline PacketBuilder sll2(uint32_t interface_index = 2, uint8_t packet_type = 0,
                          const char* sender = kMacA) {
  PacketBuilder packet(276);
  packet.next_is_ethertype();
  packet.put16(0);
  packet.put32(interface_index);
  packet.put16(1);  // ARPHRD_ETHER
  packet.put8(packet_type);
  packet.put8(6);
  packet.put_mac(sender);
  packet.put16(0);
  return packet;
}

// LINKTYPE_NULL with the family in either byte order.
inline PacketBuilder null_loopback(uint32_t family = 2, bool big_endian = false) {
  PacketBuilder packet(0);
  packet.put32(big_endian ? family : __builtin_bswap32(family));
  return packet;
}

// A frame over bytes that must outlive it: captured whole, stamped with ts_ns on both clocks.
inline Frame frame_of(const Bytes& bytes, uint16_t link_type = 1, int64_t ts_ns = 0,
                      uint64_t number = 1) {
  Frame frame;
  frame.data = bytes.data();
  frame.captured_size = static_cast<uint32_t>(bytes.size());
  frame.wire_size = frame.captured_size;
  frame.ts_ns = ts_ns;
  frame.clock_ns = ts_ns;
  frame.number = number;
  frame.source = 1;
  frame.link_type = link_type;
  return frame;
}

}  // namespace weir::test
