// SPDX-License-Identifier: Apache-2.0
//
// Every prefix of a packet of each kind, from a heap block of exactly its size, so that
// AddressSanitizer sees a read of one byte too many; and every prefix again as a frame whose wire
// size is the whole packet's.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "net/decode.h"
#include "tests/support/packet_builder.h"
#include "tests/support/packet_invariants.h"

namespace weir {
namespace {

using test::Bytes;
using test::ethernet;
using test::PacketBuilder;

const HashSecret kSecret{1, 2};

// One packet of each link type that is not in add_ip().
void add_other_links(std::vector<PacketBuilder>& packets) {
  const Bytes data_frame = {0x88, 3, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2,
                            3,    3, 3, 3, 3, 3, 0, 0, 4, 4, 4, 4, 4, 4, 0, 0};
  const struct {
    uint16_t link_type;
    Bytes header;
    bool is_wlan = false;
  } links[] = {{9, {0xff, 3, 0, 0x21}},
               {50, {0x0f, 0, 8, 0}},
               {204, {1, 0xff, 3, 0, 0x21}},
               {107, {0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0}},
               {206, {0, 0x18, 0x41, 8, 0}},
               {10, {0x57, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}},
               {6, {0x10, 0x40, 1, 2, 3, 4, 5, 6, 0x81, 2, 3, 4, 5, 7, 2, 0, 6, 6, 3}},
               {7, {1, 2, 212, 0xff, 0xff, 0xff, 212, 0, 0, 1}},
               {129, {1, 2, 0, 0, 240}},
               {239, {2, 0, 0, 5, 8, 0, 1, 0, 8, 0, 3, 0, 100, 0, 9, 0}},
               {252, {0, 12, 0, 4, 'i', 'p', 0, 0, 0, 0, 0, 0}},
               {105, {}, true},
               {127, {0, 0, 17, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x30}, true},
               {119,
                {0x80, 0x21, 0x10, 1, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                true},
               {163, {0x80, 0x21, 0x10, 1, 0, 0, 0, 12, 0, 0, 0, 0}, true},
               {192,
                {0, 0, 26, 0, 105, 0, 0, 0, 9, 0, 0, 0, 2, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0},
                true}};
  for (const auto& link : links) {
    PacketBuilder packet(link.link_type);
    packet.payload(link.header);
    if (link.is_wlan) packet.payload(data_frame).snap();
    packets.push_back(packet.ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).payload("abcdef"));
  }
  for (const uint16_t link_type : std::initializer_list<uint16_t>{195, 215, 230, 283}) {
    const Bytes tap = {0, 0, 12, 0, 0, 0, 1, 0, 1, 0, 0, 0};
    PacketBuilder packet(link_type);
    if (link_type == 283) packet.payload(tap);
    if (link_type == 215) packet.payload_of_size(6);
    packets.push_back(packet.payload(
        Bytes{0x21, 0xcc, 7, 1, 2, 8, 7, 6, 5, 4, 3, 2, 1, 3, 4, 8, 8, 7, 7, 6, 6, 5, 5, 9, 9, 9}));
  }
  const Bytes mpacket_start = {0x55, 0x55, 0xd5};
  packets.push_back(
      PacketBuilder(274).payload(mpacket_start).ethernet().arp(1, "1.1.1.1", "1.1.1.2").padding(4));
}

// One packet of each tunnel, and of what stands in its place when it is not one.
void add_tunnels(std::vector<PacketBuilder>& packets) {
  const auto ip = [] { return ethernet().ipv4("192.0.2.1", "192.0.2.2"); };
  const auto udp = [&](uint16_t port) { return ip().udp(port, port); };
  const auto add = [&](PacketBuilder packet) {
    packets.push_back(packet.ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).payload("abcdef"));
  };
  const auto add_frame = [&](PacketBuilder packet) {
    add(PacketBuilder(packet).ethernet());
    add(PacketBuilder(packet).ethernet().vlan(5));
    packets.push_back(PacketBuilder(packet).ethernet().ipv6("fd00::1", "fd00::2").udp(1, 2));
    packets.push_back(packet.ethernet().arp(1, "10.0.0.1", "10.0.0.2").padding(18));
  };
  add(ethernet().mpls(16, false).mpls(17));
  add_frame(ethernet().mpls(16));
  add_frame(ethernet().mpls(16).payload(Bytes(4)));
  packets.push_back(ethernet().mpls(16).payload_of_size(60));
  add(ethernet().pppoe(0x0021));
  packets.push_back(ethernet().pppoe(0xc021).payload("abcdef"));
  add_frame(ethernet().pbb());
  add(ethernet().macsec());
  packets.push_back(ethernet().macsec(0x0c).payload_of_size(60));
  add(ip());
  add(ip().ah());
  add(ip().gre(1, 2, true));
  add(ip().pptp(1, 0x0021));
  add_frame(ip().gre(1));
  add_frame(ip().gre({}, 1).erspan2());
  add_frame(ip().gre({}, 1).erspan3(true));
  for (size_t size = 4; size <= 16; size += 4) {
    add_frame(ip().ip_protocol(115).payload(Bytes(size, 7)));
  }
  add_frame(udp(4789).vxlan(7));
  add(udp(4790).vxlan(7, 0x0c000001));
  add_frame(udp(6081).geneve(7, 2));
  add(udp(2152).gtp(7, true));
  add(udp(1701).l2tp(0x0021));
  const Bytes indications = {0, 1, 1, 1, 'i', 'v', 1, 2, 3, 4, 5, 6,
                             7, 8, 0, 0, 0,   1,   2, 3, 4, 5, 6};
  packets.push_back(udp(3544).payload(indications).ipv6("fd00::1", "fd00::2").udp(1, 2));
  packets.push_back(ethernet().ipv6("fd00::1", "fd00::2").ah().extension(60).udp(1, 2));
  packets.push_back(ip().dccp(1, 2, 4).payload("abcdef"));
  packets.push_back(ip().udplite(1, 2).payload("abcdef"));
  for (const uint8_t protocol : std::initializer_list<uint8_t>{2, 50, 51, 103, 115}) {
    packets.push_back(ip().ip_protocol(protocol).payload_of_size(60));
  }
  for (const uint16_t port :
       std::initializer_list<uint16_t>{4789, 4790, 8472, 6081, 2152, 1701, 3544}) {
    packets.push_back(udp(port).payload_of_size(60));
    packets.push_back(udp(port).payload(Bytes(60, 0)));
    packets.push_back(udp(port).payload("abc"));
  }
}

std::vector<PacketBuilder> packets_of_every_kind() {
  std::vector<PacketBuilder> packets;
  const auto add_ip = [&](const PacketBuilder& link) {
    const auto v4 = [&](const test::Ipv4Fields& fields = {}) {
      return PacketBuilder(link).ipv4("10.0.0.1", "10.0.0.2", fields);
    };
    const auto v6 = [&] { return PacketBuilder(link).ipv6("fd00::1", "fd00::2"); };
    for (const bool is_v6 : {false, true}) {
      const auto ip = [&] { return is_v6 ? v6() : v4(); };
      packets.push_back(ip().tcp(1, 2, {.options = Bytes(20, 1)}).payload("abcdef"));
      packets.push_back(ip().udp(1, 2).payload("abcdef"));
      packets.push_back(ip().sctp(1, 2).payload("abcdef"));
      packets.push_back(ip().icmp(8, 0).payload("abcdef"));
      packets.push_back(ip().icmpv6(128, 0).payload("abcdef"));
      packets.push_back(ip().ip_protocol(47).payload("abcdef").padding(9));
    }
    packets.push_back(v4({.options = Bytes(40, 1)}).udp(1, 2).payload("abcdef"));
    packets.push_back(v4({.total_length = 0}).udp(1, 2, {.length = 0}).payload("abcdef"));
    packets.push_back(v4({.total_length = 9000}).tcp(1, 2).payload("abcdef"));
    packets.push_back(v4({.protocol = 17, .fragment_offset = 80}).payload("abcdef"));
    packets.push_back(
        v6().extension(0, 16).extension(43).ipv6_fragment(1, 0, true).extension(60).tcp(1, 2));
    packets.push_back(v6().ipv6_fragment(1, 80, true, 6).payload("abcdef"));
  };
  for (const PacketBuilder& link :
       {ethernet(), ethernet().vlan(5).vlan(6, 0x88a8), test::sll(), test::sll2()}) {
    add_ip(link);
    packets.push_back(PacketBuilder(link).arp(1, "10.0.0.1", "10.0.0.2").padding(18));
    packets.push_back(PacketBuilder(link).ethertype(0x88b8).payload_of_size(40));
    packets.push_back(PacketBuilder(link).ethertype(40).payload_of_size(40));
  }
  add_ip(test::raw());
  packets.push_back(ethernet().length().llc(0x42).payload("abcd").padding(20));
  packets.push_back(ethernet().length().snap().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2));
  packets.push_back(ethernet().ethertype(0x892f).payload(Bytes{0, 9, 0, 1, 0x88, 0xb8, 1, 2}));
  add_other_links(packets);
  add_tunnels(packets);
  packets.push_back(test::null_loopback(2, false).ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2));
  packets.push_back(test::null_loopback(30, true).ipv6("fd00::1", "fd00::2").tcp(1, 2));
  return packets;
}

TEST(Prefix, EveryPrefixGetsOneVerdictFromItsOwnBytes) {
  const Decoder decoder({ZoneKind::kVlan}, kSecret);
  for (const PacketBuilder& builder : packets_of_every_kind()) {
    const Bytes whole = builder.bytes();
    for (size_t size = 0; size <= whole.size(); ++size) {
      const std::unique_ptr<uint8_t[]> exact(new uint8_t[size]);
      std::copy_n(whole.begin(), size, exact.get());
      Frame frame = test::frame_of(whole, builder.link_type());
      frame.data = exact.get();
      frame.captured_size = static_cast<uint32_t>(size);
      Packet cut_by_snap_length;
      decoder.decode(frame, cut_by_snap_length);
      EXPECT_EQ(test::broken_invariant(cut_by_snap_length), nullptr) << size;
      frame.wire_size = frame.captured_size;
      Packet sent_short;
      decoder.decode(frame, sent_short);
      EXPECT_EQ(test::broken_invariant(sent_short), nullptr) << size;
      frame.wire_size = 0;  // a file that lies the other way
      decoder.decode(frame, sent_short);
      EXPECT_EQ(test::broken_invariant(sent_short), nullptr) << size;
    }
  }
}

// A longer prefix knows more: once decoded, the key stays, whatever else is captured.
TEST(Prefix, TheKeyDoesNotDependOnTheSnapLength) {
  const Decoder decoder({}, kSecret);
  for (const PacketBuilder& builder : packets_of_every_kind()) {
    const Bytes whole = builder.bytes();
    Frame frame = test::frame_of(whole, builder.link_type());
    Packet full;
    decoder.decode(frame, full);
    if (full.verdict != Verdict::kDecoded) continue;
    for (uint32_t size = 0; size < whole.size(); ++size) {
      frame.captured_size = size;
      Packet cut;
      decoder.decode(frame, cut);
      if (cut.verdict != Verdict::kDecoded) {
        EXPECT_EQ(cut.verdict, Verdict::kErrorTruncated) << size;
        continue;
      }
      EXPECT_EQ(cut.key, full.key) << size;
      EXPECT_EQ(cut.ip_size, full.ip_size) << size;
      EXPECT_EQ(cut.payload_size, full.payload_size) << size;
    }
  }
}

}  // namespace
}  // namespace weir
