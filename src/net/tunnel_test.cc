// SPDX-License-Identifier: Apache-2.0
//
// Packets inside packets: one literal packet per tunnel, what does not look like one, and how deep
// they go.
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/decoded_packet.h"
#include "tests/support/inner_packets.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::answer;
using test::Bytes;
using test::decode;
using test::decode_frame;
using test::Decoded;
using test::ethernet;
using test::frame_of;
using test::outer_ip;
using test::outer_udp;
using test::PacketBuilder;
using test::path_of;
using test::question;
using test::question6;
using test::verdict_of;
using test::with_bytes;

constexpr const char* kInnerMacA = "02:00:00:00:00:1a";
constexpr const char* kInnerMacB = "02:00:00:00:00:1b";
constexpr MacBytes kMacA = {2, 0, 0, 0, 0, 0x0a};
constexpr MacBytes kMacB = {2, 0, 0, 0, 0, 0x0b};

// ---- A packet and its answer, inside any tunnel

PacketBuilder inner_ethernet(PacketBuilder tunnel) {
  return tunnel.ethernet(kInnerMacA, kInnerMacB);
}
FlowKey plain_key() {
  return decode(question(ethernet())).packet.key;
}
FlowKey plain_key6() {
  return decode(question6(ethernet())).packet.key;
}

struct TunnelCase {
  const char* path;  // up to the innermost IP header
  PacketBuilder packet;
  bool is_ip_in_ip = true;  // has an outer IP header
  bool is_outer_udp = false;
};

std::vector<TunnelCase> tunnels() {
  const auto erspan1 = outer_ip().gre().ethertype(0x88be);
  std::vector<TunnelCase> cases;
  const auto below = [&](const char* path, const PacketBuilder& packet) {
    cases.push_back({path, packet, false, false});
  };
  const auto ip = [&](const char* path, const PacketBuilder& packet) {
    cases.push_back({path, packet, true, false});
  };
  const auto udp = [&](const char* path, const PacketBuilder& packet) {
    cases.push_back({path, packet, true, true});
  };
  below("eth.mpls", ethernet().mpls(100));
  below("eth.mpls", ethernet().mpls(100, false).mpls(16, false).mpls(17));
  below("eth.vlan.mpls", ethernet().vlan(5).mpls(100));
  below("eth.mpls.eth", inner_ethernet(with_bytes(ethernet().mpls(100), Bytes(4))));
  below("eth.mpls.eth", inner_ethernet(with_bytes(ethernet().mpls(100), {0, 0, 0, 9})));
  below("eth.mpls.eth", inner_ethernet(ethernet().mpls(100)));
  below("eth.mpls.eth", ethernet().mpls(100).ethernet(kInnerMacA, "44:00:00:00:00:01"));
  below("eth.mpls.eth", ethernet().mpls(100).ethernet(kInnerMacA, "60:00:00:00:00:01"));
  below("eth.mpls.eth.vlan", inner_ethernet(ethernet().mpls(100)).vlan(7));
  below("eth.pppoes.ppp", ethernet().pppoe(0x0021));
  below("eth.pbb.eth", inner_ethernet(ethernet().pbb()));
  below("eth.vlan.pbb.eth.vlan", inner_ethernet(ethernet().vlan(5, 0x88a8).pbb()).vlan(6));
  ip("eth.ip", outer_ip());
  ip("eth.ipv6", ethernet().ipv6("2001:db8::1", "2001:db8::2"));
  ip("eth.ipv6", ethernet().ipv6("2001:db8::1", "2001:db8::2").extension(60));
  ip("eth.ip.ah", outer_ip().ah());
  ip("eth.ip.mpls", outer_ip().mpls(100));
  ip("eth.ip.gre", outer_ip().gre());
  ip("eth.ip.gre", outer_ip().gre(1, 2, true));
  ip("eth.ipv6.gre", ethernet().ipv6("2001:db8::1", "2001:db8::2").gre());
  ip("eth.ip.gre.mpls", outer_ip().gre().mpls(100));
  ip("eth.ip.gre.eth", inner_ethernet(outer_ip().gre()));
  ip("eth.ip.gre.eth", inner_ethernet(outer_ip().gre(0x123456ff)));
  ip("eth.ip.gre.ppp", outer_ip().pptp(1, 0x0021));
  ip("eth.ip.gre.erspan.eth", inner_ethernet(erspan1));
  ip("eth.ip.gre.erspan.eth", inner_ethernet(outer_ip().gre({}, 1).erspan2()));
  ip("eth.ip.gre.erspan.eth", inner_ethernet(outer_ip().gre({}, 1).erspan3()));
  ip("eth.ip.gre.erspan.eth.vlan", inner_ethernet(outer_ip().gre({}, 1).erspan3(true)).vlan(8));
  for (const Bytes& header :
       {Bytes{0, 0, 0, 7}, Bytes{0, 0, 0, 7, 1, 2, 3, 4}, Bytes{0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8},
        Bytes{0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0}}) {
    ip("eth.ip.l2tpv3.eth", inner_ethernet(with_bytes(outer_ip().ip_protocol(115), header)));
  }
  for (const uint16_t port : std::initializer_list<uint16_t>{4789, 4790, 8472}) {
    udp("eth.ip.udp.vxlan.eth", inner_ethernet(outer_udp(port).vxlan(77)));
    udp("eth.ip.udp.vxlan.eth.vlan", inner_ethernet(outer_udp(port).vxlan(77)).vlan(3));
    udp("eth.ip.udp.vxlan.eth", inner_ethernet(outer_udp(port).vxlan(77, 0x88400123)));
    udp("eth.ip.udp.vxlan.eth", inner_ethernet(outer_udp(port).vxlan(77, 0x0c000003)));
    udp("eth.ip.udp.vxlan", outer_udp(port).vxlan(77, 0x0c000001));
  }
  udp("eth.ip.udp.geneve.eth", inner_ethernet(outer_udp(6081).geneve(77)));
  udp("eth.ip.udp.geneve.eth", inner_ethernet(outer_udp(6081).geneve(77, 63)));
  udp("eth.ip.udp.geneve", outer_udp(6081).geneve(77, 1));
  udp("eth.ip.udp.gtp", outer_udp(2152).gtp(1));
  udp("eth.ip.udp.gtp", outer_udp(49153, 2152).gtp(1));
  udp("eth.ip.udp.gtp", outer_udp(2152).gtp(1, true));
  udp("eth.ip.udp.l2tp.ppp", outer_udp(1701).l2tp(0x0021));
  udp("eth.ip.udp.l2tp.ppp", outer_udp(49153, 1701).l2tp(0x0021));
  udp("eth.ip.udp.l2tp.ppp", with_bytes(outer_udp(1701),  // every optional field, and the PPP
                                        {0x0b, 2, 0, 1, 0, 1, 0, 0, 0, 0, 0, 3,  // compressed
                                         9, 9, 9, 0x21}));
  return cases;
}

std::vector<TunnelCase> tunnels_of_ipv6() {
  const Bytes origin = {0, 0, 0x12, 0x34, 1, 2, 3, 4};
  const Bytes authentication = {0, 1, 2, 1, 'i', 'd', 'v', 1, 2, 3, 4, 5, 6, 7, 8, 0};
  std::vector<TunnelCase> cases = {
      {"eth.ip", outer_ip()},
      {"eth.ipv6", ethernet().ipv6("2001:db8::1", "2001:db8::2")},
      {"eth.mpls", ethernet().mpls(100), false},
      {"eth.pppoes.ppp", ethernet().pppoe(0x0057), false},
      {"eth.ip.gre", outer_ip().gre()},
      {"eth.ip.gre.ppp", outer_ip().pptp(1, 0x0057)},
      {"eth.ip.udp.vxlan", outer_udp(4790).vxlan(77, 0x0c000002), true, true},
      {"eth.ip.udp.geneve", outer_udp(6081).geneve(77), true, true},
      {"eth.ip.udp.gtp", outer_udp(2152).gtp(1), true, true},
      {"eth.ip.udp.l2tp.ppp", outer_udp(1701).l2tp(0x0057), true, true},
      {"eth.ip.udp.teredo", outer_udp(3544), true, true},
      {"eth.ip.udp.teredo", outer_udp(49153, 3544), true, true},
      {"eth.ip.udp.teredo", with_bytes(outer_udp(3544), origin), true, true},
      {"eth.ip.udp.teredo", with_bytes(outer_udp(3544), authentication), true, true},
      {"eth.ip.udp.teredo", with_bytes(with_bytes(outer_udp(3544), authentication), origin), true,
       true}};
  return cases;
}

TEST(Tunnel, TheInnermostPacketMakesTheFlow) {
  for (const TunnelCase& one : tunnels()) {
    const Decoded d = decode(question(one.packet));
    EXPECT_EQ(verdict_of(d.packet), "decoded") << one.path;
    EXPECT_EQ(path_of(d.packet), std::string(one.path) + ".ip.tcp");
    EXPECT_EQ(d.packet.key, plain_key()) << one.path;
    EXPECT_EQ(d.packet.ip_size, 48u) << one.path;
    EXPECT_EQ(d.packet.payload_size, 8u) << one.path;
    EXPECT_EQ(d.packet.src_mac, kMacA) << "of the outermost header: " << one.path;
    EXPECT_EQ(d.packet.dst_mac, kMacB) << one.path;
  }
  for (const TunnelCase& one : tunnels_of_ipv6()) {
    const Decoded d = decode(question6(one.packet));
    EXPECT_EQ(verdict_of(d.packet), "decoded") << one.path;
    EXPECT_EQ(path_of(d.packet), std::string(one.path) + ".ipv6.tcp");
    EXPECT_EQ(d.packet.key, plain_key6()) << one.path;
    EXPECT_EQ(d.packet.ip_size, 68u) << one.path;
    EXPECT_EQ(d.packet.payload_size, 8u) << one.path;
  }
}

// The two directions of a tunnel have other source ports and tunnel numbers, or come another way.
TEST(Tunnel, DirectionsThatDifferOutsideAreOneFlow) {
  const Packet forth = decode(question(outer_udp(2152).gtp(1, true))).packet;
  for (const TunnelCase& one : tunnels()) {
    const Packet back = decode(answer(one.packet)).packet;
    EXPECT_EQ(back.key, forth.key) << one.path;
    EXPECT_EQ(back.hash, forth.hash) << one.path;
    EXPECT_NE(back.from_b, forth.from_b) << one.path;
  }
}

TEST(Tunnel, WithoutDecapsulationTheOutermostAddressesMakeTheFlow) {
  const DecodeOptions options{.decapsulate = false};
  const FlowKey outer = decode(outer_ip().udp(1, 2)).packet.key;
  for (const TunnelCase& one : tunnels()) {
    const Decoded d = decode(question(one.packet), options);
    EXPECT_EQ(verdict_of(d.packet), "decoded") << one.path;
    if (!one.is_ip_in_ip) {
      EXPECT_EQ(d.packet.key, plain_key()) << "below IP: " << one.path;
      continue;
    }
    EXPECT_EQ(d.packet.has_ports, one.is_outer_udp) << one.path;
    if (d.packet.key.kind == AddressKind::kIpv4) {
      EXPECT_EQ(d.packet.key.a, outer.a) << one.path;
    }
    EXPECT_EQ(path_of(d.packet).find("eth.", 4), std::string::npos) << path_of(d.packet);
  }
  const Decoded gre = decode(question(outer_ip().gre(1, 2, true)), options);
  EXPECT_EQ(path_of(gre.packet), "eth.ip.gre");
  EXPECT_EQ(gre.packet.key.proto_number, 47);
  EXPECT_EQ(gre.packet.payload_size, 48u);
  const Decoded vxlan = decode(question(inner_ethernet(outer_udp(4789).vxlan(1))), options);
  EXPECT_EQ(path_of(vxlan.packet), "eth.ip.udp");
  EXPECT_EQ(vxlan.packet.payload_size, 8u + 14 + 48);
  const Decoded ip_in_ip = decode(question(outer_ip()), options);
  EXPECT_EQ(path_of(ip_in_ip.packet), "eth.ip");
  EXPECT_EQ(ip_in_ip.packet.key.proto_number, 4);
}

// ---- Ethernet inside

TEST(Tunnel, AFlowOfLayer2InsideHasTheInnerAddresses) {
  const Decoded d =
      decode(inner_ethernet(outer_udp(4789).vxlan(77)).arp(1, "10.0.0.1", "10.0.0.2").padding(18));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(path_of(d.packet), "eth.ip.udp.vxlan.eth.arp");
  EXPECT_EQ(d.packet.src_mac, (MacBytes{2, 0, 0, 0, 0, 0x1a}));
  EXPECT_EQ(d.packet.dst_mac, (MacBytes{2, 0, 0, 0, 0, 0x1b}));
  EXPECT_EQ(d.packet.key.kind, AddressKind::kMac);
  EXPECT_EQ(d.packet.key,
            decode(ethernet(kInnerMacA, kInnerMacB).arp(1, "10.0.0.1", "10.0.0.2").padding(18))
                .packet.key);
  EXPECT_FALSE(d.packet.has_ports);
  EXPECT_EQ(d.packet.ip_size, 0u);
}

TEST(Tunnel, LengthFieldsInsideAreFrames) {
  const Bytes spanning_tree(35, 0);
  const Decoded d = decode(inner_ethernet(outer_udp(4789).vxlan(77))
                               .length()
                               .llc(0x42)
                               .payload(spanning_tree)
                               .padding(8));
  EXPECT_EQ(path_of(d.packet), "eth.ip.udp.vxlan.eth.llc");
}

TEST(Tunnel, TagsOfTheWholeWayAreOuterFirst) {
  const Decoded d = decode(question(
      inner_ethernet(ethernet().vlan(5).vlan(6).ipv4("192.0.2.1", "192.0.2.2").gre()).vlan(7)));
  ASSERT_EQ(d.packet.vlans.count, 3);
  EXPECT_EQ(d.packet.vlans.ids[0], 5);
  EXPECT_EQ(d.packet.vlans.ids[1], 6);
  EXPECT_EQ(d.packet.vlans.ids[2], 7);
}

TEST(Tunnel, TheStrippedTagIsThatOfTheOutermostHeaderOnly) {
  const PacketBuilder builder = question(inner_ethernet(outer_udp(4789).vxlan(77)));
  const Bytes bytes = builder.bytes();
  Frame frame = frame_of(bytes);
  frame.has_vlan = true;
  frame.vlan_tci = 9;
  const Decoded d = decode_frame(bytes, frame);
  EXPECT_EQ(path_of(d.packet), "eth.vlan.ip.udp.vxlan.eth.ip.tcp");
  EXPECT_EQ(d.packet.vlans.count, 1);
}

// ---- What does not look like a tunnel

TEST(Plausibility, GarbageOnATunnelsPortStaysUdp) {
  std::mt19937 random(1);
  RecordProperty("seed", 1);
  for (const uint16_t port :
       std::initializer_list<uint16_t>{4789, 4790, 8472, 6081, 2152, 1701, 3544}) {
    for (int round = 0; round < 5000; ++round) {
      Bytes garbage(random() % 200);
      for (uint8_t& byte : garbage) byte = static_cast<uint8_t>(random());
      const bool is_source = round % 2 == 0;
      const Decoded d =
          decode(with_bytes(is_source ? outer_udp(1024, port) : outer_udp(port, 1024), garbage));
      ASSERT_EQ(path_of(d.packet), "eth.ip.udp") << port << " " << round;
      EXPECT_EQ(d.packet.payload_size, garbage.size());
    }
  }
}

TEST(Plausibility, OneWrongFieldKeepsADatagramUdp) {
  const auto with_byte = [](const PacketBuilder& packet, size_t offset, uint8_t value) {
    Bytes bytes = packet.bytes();
    constexpr size_t kUdpPayload = 14 + 20 + 8;
    bytes.at(kUdpPayload + offset) = value;
    return path_of(decode_frame(bytes, frame_of(bytes)).packet);
  };
  const PacketBuilder vxlan = question(inner_ethernet(outer_udp(4789).vxlan(77)));
  const PacketBuilder vxlan_arp =
      inner_ethernet(outer_udp(4789).vxlan(77)).arp(1, "10.0.0.1", "10.0.0.2");
  const PacketBuilder gpe = question(outer_udp(4790).vxlan(77, 0x0c000001));
  const PacketBuilder geneve = question(inner_ethernet(outer_udp(6081).geneve(77)));
  const PacketBuilder gtp = question(outer_udp(2152).gtp(1, true));
  const PacketBuilder l2tp = question(outer_udp(1701).l2tp(0x0021));
  const PacketBuilder teredo = question6(outer_udp(3544));
  const struct {
    const PacketBuilder& packet;
    size_t offset;
    uint8_t value;
    const char* what;
  } cases[] = {{vxlan, 0, 0x00, "no network"},
               {vxlan_arp, 0, 0x18, "a reserved flag, and no IP"},
               {vxlan_arp, 1, 0x01, "reserved, and no IP"},
               {vxlan_arp, 7, 0x01, "reserved, and no IP"},
               {vxlan, 14, 0x03, "a group address as source"},
               {vxlan, 20, 0x12, "an EtherType without a name"},
               {vxlan, 22, 0x65, "an IP version"},
               {vxlan, 22, 0x44, "a header length"},
               {vxlan, 24, 0x10, "a total length"},
               {gpe, 0, 0x2c, "a version"},
               {gpe, 0, 0x0d, "an operations message"},
               {gpe, 3, 0x07, "a protocol"},
               {gpe, 3, 0x02, "IPv4 announced as IPv6"},
               {geneve, 0, 0x40, "a version"},
               {geneve, 0, 0x3f, "options beyond the datagram"},
               {geneve, 1, 0x01, "reserved"},
               {geneve, 2, 0x12, "a protocol"},
               {gtp, 0, 0x56, "a version"},
               {gtp, 0, 0x26, "GTP'"},
               {gtp, 1, 0x01, "an echo request"},
               {gtp, 2, 0x10, "a length"},
               {gtp, 12, 0x00, "an extension of no size"},
               {gtp, 12, 0xff, "an extension beyond the datagram"},
               {gtp, 16, 0x75, "an IP version"},
               {l2tp, 0, 0x80, "a control message"},
               {l2tp, 1, 0x03, "a version"},
               {l2tp, 1, 0x12, "reserved"},
               {l2tp, 8, 0xc0, "PPP's own protocol"},
               {teredo, 0, 0x45, "an IP version"},
               {teredo, 4, 0x10, "a payload length"}};
  for (const auto& one : cases) {
    EXPECT_NE(path_of(decode(one.packet).packet), "eth.ip.udp");
    EXPECT_EQ(with_byte(one.packet, one.offset, one.value), "eth.ip.udp") << one.what;
  }
}

// Nothing was cut by the snap length: the sender sent no more.
TEST(Plausibility, ADatagramWithoutRoomForAPacketIsUdp) {
  const PacketBuilder packets[] = {
      outer_udp(4789),
      outer_udp(4789).vxlan(77),
      inner_ethernet(outer_udp(4789).vxlan(77)),
      outer_udp(6081).geneve(77),
      outer_udp(2152),
      outer_udp(2152).gtp(1),
      outer_udp(2152).gtp(1, true),
      outer_udp(1701),
      with_bytes(outer_udp(1701), {0, 2, 0, 1, 0, 1}),
      with_bytes(outer_udp(1701), {0, 2, 0, 1, 0, 1, 0xff, 3}),
      outer_udp(1701).l2tp(0x0021),
      outer_udp(3544),
      with_bytes(outer_udp(3544), {0, 1, 0xff, 0xff, 0, 0}),
      with_bytes(outer_udp(3544), Bytes(20)),
      with_bytes(with_bytes(outer_udp(3544), {0, 1, 0xff, 0xff}), Bytes(60))};
  for (const PacketBuilder& packet : packets) {
    EXPECT_EQ(path_of(decode(packet).packet), "eth.ip.udp");
    EXPECT_EQ(verdict_of(decode(packet).packet), "decoded");
  }
}

// RFC 7348, section 5: a receiver ignores them.
TEST(Plausibility, ReservedBitsOfVxlanMayBeSetAroundIp) {
  const Decoded d = decode(question(inner_ethernet(outer_udp(4789).vxlan(77, 0xff01d1f2))));
  EXPECT_EQ(path_of(d.packet), "eth.ip.udp.vxlan.eth.ip.tcp");
}

TEST(Plausibility, TunnelsSentToAnotherPortAreUdp) {
  EXPECT_EQ(path_of(decode(question(inner_ethernet(outer_udp(5000, 4789).vxlan(1)))).packet),
            "eth.ip.udp");
  EXPECT_EQ(path_of(decode(question(inner_ethernet(outer_udp(5000, 6081).geneve(1)))).packet),
            "eth.ip.udp");
}

// ---- Cut packets

TEST(Tunnel, ACutInnerHeaderIsTruncatedWhereItIs) {
  const PacketBuilder builder = question(inner_ethernet(outer_udp(4789).vxlan(77)));
  const Bytes bytes = builder.bytes();
  const struct {
    uint32_t captured;
    const char* verdict;
  } cases[] = {{14 + 20 + 8, "errors{truncated}@vxlan"},
               {14 + 20 + 8 + 7, "errors{truncated}@vxlan"},
               {14 + 20 + 8 + 8, "errors{truncated}@eth"},
               {14 + 20 + 8 + 8 + 14 + 19, "errors{truncated}@ip"},
               {14 + 20 + 8 + 8 + 14 + 20 + 19, "errors{truncated}@tcp"},
               {14 + 20 + 8 + 8 + 14 + 20 + 20, "decoded"}};
  for (const auto& one : cases) {
    Frame frame = frame_of(bytes);
    frame.captured_size = one.captured;
    EXPECT_EQ(verdict_of(decode_frame(bytes, frame).packet), one.verdict) << one.captured;
  }
}

// ---- Depth

std::string nested(int depth, const std::function<PacketBuilder(PacketBuilder)>& tunnel,
                   PacketBuilder link) {
  for (int level = 0; level < depth; ++level) link = tunnel(link);
  return verdict_of(decode(question(link)).packet);
}

TEST(Depth, TunnelsAreCounted) {
  const auto ip_in_ip = [](PacketBuilder p) { return p.ipv4("192.0.2.1", "192.0.2.2"); };
  const auto gre = [](PacketBuilder p) { return p.ipv4("192.0.2.1", "192.0.2.2").gre(); };
  const auto six = [](PacketBuilder p) { return p.ipv6("fd00::3", "fd00::4"); };
  for (int depth = 1; depth <= 255; ++depth) {
    EXPECT_EQ(nested(depth, ip_in_ip, ethernet()),
              depth <= 4 ? "decoded" : "errors{too_many_tunnels}@ip")
        << depth;
    EXPECT_EQ(nested(depth, six, ethernet()),
              depth <= 4 ? "decoded" : "errors{too_many_tunnels}@ipv6")
        << depth;
    EXPECT_EQ(nested(depth, gre, ethernet()),
              depth <= 4 ? "decoded" : "errors{too_many_tunnels}@gre")
        << depth;
  }
}

TEST(Depth, LayersAreCounted) {
  const auto vxlan = [](PacketBuilder p) {
    return p.ipv4("192.0.2.1", "192.0.2.2").udp(1, 4789).vxlan(1).ethernet();
  };
  const auto pbb = [](PacketBuilder p) { return p.pbb().ethernet(); };
  const auto wire = [](PacketBuilder p) { return p.mpls(1).ethernet(); };
  for (int depth = 1; depth <= 255; ++depth) {
    // The datagram's length field holds 64 KiB, and each tunnel takes 50 bytes.
    EXPECT_EQ(nested(depth, vxlan, ethernet()),
              depth <= 3 ? "decoded" : "errors{too_many_layers}@eth")
        << depth;
    EXPECT_EQ(nested(depth, pbb, ethernet()), depth <= 6   ? "decoded"
                                              : depth == 7 ? "errors{too_many_layers}@tcp"
                                                           : "errors{too_many_layers}@eth")
        << depth;
    EXPECT_NE(nested(depth, wire, ethernet()), "");
  }
}

TEST(Depth, LabelsAreCounted) {
  for (int count = 1; count <= 255; ++count) {
    PacketBuilder builder = ethernet();
    for (int label = 1; label <= count; ++label) builder.mpls(16, label == count);
    EXPECT_EQ(verdict_of(decode(question(builder)).packet),
              count <= 8 ? "decoded" : "errors{too_many_labels}@mpls")
        << count;
  }
}

// ---- Zone

TEST(Zone, VniIsThatOfTheInnermostNetwork) {
  const DecodeOptions options{ZoneKind::kVni};
  const struct {
    PacketBuilder packet;
    uint32_t vni;
  } cases[] = {{inner_ethernet(outer_udp(4789).vxlan(77)), 77},
               {inner_ethernet(outer_udp(6081).geneve(0xabcdef)), 0xabcdef},
               {inner_ethernet(outer_ip().gre(0x123456ff)), 0x123456},
               {inner_ethernet(inner_ethernet(outer_udp(4789).vxlan(77))
                                   .ipv4("192.0.2.3", "192.0.2.4")
                                   .udp(1, 6081)
                                   .geneve(88)),
                88}};
  for (const auto& one : cases) {
    const Decoded d = decode(question(one.packet), options);
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(d.packet.key.zone_kind, ZoneKind::kVni);
    EXPECT_EQ(d.packet.key.zone, one.vni);
    EXPECT_EQ(decode(question(one.packet)).packet.key, plain_key());
  }
  EXPECT_EQ(decode(question(inner_ethernet(outer_ip().gre())), options).packet.key.zone_kind,
            ZoneKind::kNone);
  EXPECT_EQ(decode(question(outer_ip().gre(0x123456ff)), options).packet.key.zone_kind,
            ZoneKind::kNone);
}

// ---- Fragments

PacketBuilder outer_piece(bool more_fragments, uint16_t offset) {
  return ethernet().ipv4(
      "192.0.2.1", "192.0.2.2",
      {.protocol = 17, .id = 77, .more_fragments = more_fragments, .fragment_offset = offset});
}

TEST(TunnelFragment, TheFirstPieceHasTheInnerKeyAndTheOuterDatagram) {
  for (const ZoneKind zone : {ZoneKind::kNone, ZoneKind::kVni, ZoneKind::kVlan}) {
    const DecodeOptions options{zone};
    const Packet first =
        decode(inner_ethernet(outer_piece(true, 0).udp(1, 4789, {.length = 3000}).vxlan(5))
                   .vlan(6)
                   .ipv4("10.0.0.1", "10.0.0.2", {.total_length = 2950})
                   .tcp(1234, 80)
                   .payload("question"),
               options)
            .packet;
    EXPECT_EQ(verdict_of(first), "decoded");
    EXPECT_EQ(path_of(first), "eth.ip.udp.vxlan.eth.vlan.ip.tcp");
    EXPECT_EQ(first.fragment, FragmentKind::kFirst);
    EXPECT_EQ(first.key.port_a | first.key.port_b, 1234 | 80);
    EXPECT_EQ(first.ip_size, 2950u);
    const Packet later = decode(outer_piece(false, 1480).payload_of_size(500), options).packet;
    EXPECT_EQ(later.fragment, FragmentKind::kLater);
    EXPECT_EQ(later.datagram, first.datagram)
        << "the zone is that of the outer header, on the way to both";
    EXPECT_EQ(later.datagram.id, 77u);
    EXPECT_EQ(later.datagram.proto_number, 17);
  }
}

TEST(TunnelFragment, AFragmentedPacketInAWholeOne) {
  const auto piece = [](bool more_fragments, uint16_t offset) {
    return inner_ethernet(outer_udp(4789).vxlan(5))
        .ipv4(
            "10.0.0.1", "10.0.0.2",
            {.protocol = 6, .id = 9, .more_fragments = more_fragments, .fragment_offset = offset});
  };
  const Packet first = decode(piece(true, 0).tcp(1234, 80).payload("abcd")).packet;
  const Packet later = decode(piece(false, 24).payload("abcd")).packet;
  EXPECT_EQ(first.fragment, FragmentKind::kFirst);
  EXPECT_EQ(later.fragment, FragmentKind::kLater);
  EXPECT_EQ(path_of(later), "eth.ip.udp.vxlan.eth.ip");
  EXPECT_EQ(first.datagram, later.datagram);
  EXPECT_EQ(first.datagram.src[0], 10);
  EXPECT_FALSE(later.has_ports);
}

TEST(TunnelFragment, ALaterPieceInAFirstOneIsALaterOne) {
  const Packet packet =
      decode(inner_ethernet(outer_piece(true, 0).udp(1, 4789).vxlan(5))
                 .ipv4("10.0.0.1", "10.0.0.2", {.protocol = 6, .id = 9, .fragment_offset = 80})
                 .payload("abcd"))
          .packet;
  EXPECT_EQ(packet.fragment, FragmentKind::kLater);
  EXPECT_EQ(packet.datagram.id, 9u);
  const Packet both = decode(inner_ethernet(outer_piece(true, 0).udp(1, 4789).vxlan(5))
                                 .ipv4("10.0.0.1", "10.0.0.2", {.id = 9, .more_fragments = true})
                                 .udp(1, 2)
                                 .payload("abcd"))
                          .packet;
  EXPECT_EQ(both.fragment, FragmentKind::kFirst);
  EXPECT_EQ(both.datagram.id, 77u) << "the outermost datagram";
}

TEST(TunnelFragment, LengthsMayGoBeyondAFirstPieceOnly) {
  const auto packet = [](bool is_piece) {
    return decode(inner_ethernet(outer_piece(is_piece, 0).udp(1, 4789).vxlan(5))
                      .ipv4("10.0.0.1", "10.0.0.2", {.total_length = 2950})
                      .tcp(1234, 80));
  };
  EXPECT_EQ(path_of(packet(true).packet), "eth.ip.udp.vxlan.eth.ip.tcp");
  EXPECT_EQ(path_of(packet(false).packet), "eth.ip.udp");
}

}  // namespace
}  // namespace weir
