// SPDX-License-Identifier: Apache-2.0
//
// The headers between Ethernet and transport, each by itself: what they carry, what they do not, and
// where they lie. Packets inside packets are tunnel_test.cc's.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/decoded_packet.h"
#include "tests/support/inner_packets.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::Bytes;
using test::decode;
using test::Decoded;
using test::ethernet;
using test::outer_ip;
using test::outer_udp;
using test::PacketBuilder;
using test::path_of;
using test::question;
using test::verdict_of;
using test::with_bytes;

TEST(Mpls, WhatLooksLikeNeitherIpNorEthernetIsLayer2) {
  for (const Bytes& content :
       {Bytes(40, 0xff), Bytes(40, 0x00), Bytes{0x10, 0, 0, 7, 1, 2, 3, 4}, Bytes{}}) {
    const Decoded d = decode(with_bytes(ethernet().mpls(100), content));
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(path_of(d.packet), "eth.mpls");
    EXPECT_EQ(d.packet.key.proto_number, 0x8847);
    EXPECT_EQ(d.packet.payload_size, content.size());
  }
  EXPECT_EQ(verdict_of(decode(with_bytes(ethernet().mpls(100), Bytes{0x45, 0, 0})).packet),
            "errors{truncated}@ip");
}

TEST(Pppoe, DiscoveryAndOddSessionsAreLayer2) {
  const Decoded discovery =
      decode(ethernet().ethertype(0x8863).payload(Bytes{0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0}));
  EXPECT_EQ(path_of(discovery.packet), "eth.pppoed");
  EXPECT_EQ(discovery.packet.key.proto_number, 0x8863);
  EXPECT_EQ(discovery.packet.payload_size, 4u);
  const Decoded version =
      decode(ethernet().ethertype(0x8864).payload(Bytes{0x21, 0, 0, 1, 0, 2, 0, 0x21}));
  EXPECT_EQ(path_of(version.packet), "eth.pppoes");
  EXPECT_EQ(version.packet.key.proto_number, 0x8864);
  const Decoded link_control = decode(ethernet().pppoe(0xc021).payload("abcd").padding(20));
  EXPECT_EQ(path_of(link_control.packet), "eth.pppoes.ppp");
  EXPECT_EQ(link_control.packet.key.proto_number, 0x8864);
  EXPECT_EQ(link_control.packet.payload_size, 4u);
  EXPECT_EQ(verdict_of(decode(ethernet().ethertype(0x8863).payload("abc")).packet),
            "errors{truncated}@pppoed");
}

TEST(Pppoe, OnItsOwnLink) {
  const Decoded d =
      decode(question(with_bytes(PacketBuilder(51), {0x11, 0, 0, 1, 0, 50, 0, 0x21})));
  EXPECT_EQ(path_of(d.packet), "pppoes.ppp.ip.tcp");
  EXPECT_EQ(verdict_of(d.packet), "decoded");
}

TEST(Macsec, WhatIsEncryptedIsLayer2) {
  for (const uint8_t flags : std::initializer_list<uint8_t>{0x08, 0x04, 0x0c, 0x80}) {
    const Decoded d = decode(ethernet().macsec(flags).payload_of_size(40));
    EXPECT_EQ(path_of(d.packet), "eth.macsec");
    EXPECT_EQ(d.packet.key.proto_number, 0x88e5);
    EXPECT_EQ(d.packet.payload_size, 42u);
  }
  const Decoded ip = decode(question(ethernet().macsec()).padding(16));
  EXPECT_EQ(path_of(ip.packet), "eth.macsec.ip.tcp");
  EXPECT_EQ(ip.packet.payload_size, 8u);
  // With an identifier, and the check value behind the packet.
  Bytes tag = {0x20, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0x12, 0x34, 'd', 'a', 't', 'a'};
  tag.resize(tag.size() + 16, 0xee);
  const Decoded clear = decode(ethernet().ethertype(0x88e5).payload(tag));
  EXPECT_EQ(clear.packet.key.proto_number, 0x1234);
  EXPECT_EQ(clear.packet.payload_size, 4u);
}

TEST(Gre, WhatIsNotDecodedIsAFlowOfTheTunnelsEnds) {
  const Decoded keepalive = decode(outer_ip().ip_protocol(47).payload(Bytes(4)));
  EXPECT_EQ(verdict_of(keepalive.packet), "decoded");
  EXPECT_EQ(path_of(keepalive.packet), "eth.ip.gre");
  EXPECT_EQ(keepalive.packet.key.proto_number, 47);
  EXPECT_FALSE(keepalive.packet.has_ports);
  EXPECT_EQ(keepalive.packet.payload_size, 0u);
  const Decoded unknown = decode(outer_ip().gre().ethertype(0x1234).payload("abc"));
  EXPECT_EQ(path_of(unknown.packet), "eth.ip.gre");
  EXPECT_EQ(unknown.packet.payload_size, 3u);
  const Decoded acknowledgment = decode(
      outer_ip().ip_protocol(47).payload(Bytes{0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 7, 0, 0, 0, 1}));
  EXPECT_EQ(path_of(acknowledgment.packet), "eth.ip.gre");
  EXPECT_EQ(acknowledgment.packet.payload_size, 0u);
  const Decoded link_control = decode(outer_ip().pptp(1, 0xc021).payload("abc"));
  EXPECT_EQ(path_of(link_control.packet), "eth.ip.gre.ppp");
  EXPECT_EQ(link_control.packet.key.proto_number, 47);
  const Decoded version = decode(outer_ip().ip_protocol(47).payload(Bytes{0, 5, 8, 0, 0x45}));
  EXPECT_EQ(path_of(version.packet), "eth.ip.gre");
}

TEST(Gre, RoutingIsSkipped) {
  const Bytes header = {0x40, 0, 0x08, 0, 0, 0, 0, 0,  // offset
                        8,    0, 0,    4, 1, 2, 3, 4,  // one route
                        0,    0, 0,    0};
  EXPECT_EQ(path_of(decode(question(with_bytes(outer_ip().ip_protocol(47), header))).packet),
            "eth.ip.gre.ip.tcp");
  const Bytes endless = {0x40, 0, 0x08, 0, 0, 0, 0, 0};
  Bytes routes = endless;
  for (int count = 0; count < 255; ++count) routes.insert(routes.end(), {8, 0, 0, 0});
  EXPECT_EQ(verdict_of(decode(with_bytes(outer_ip().ip_protocol(47), routes)).packet),
            "errors{bad_header_length}@gre");
  EXPECT_EQ(verdict_of(decode(with_bytes(outer_ip().ip_protocol(47), endless)).packet),
            "errors{truncated}@gre");
}

TEST(Gre, RedirectedPacketsMayHaveAHeader) {
  EXPECT_EQ(path_of(decode(question(outer_ip().gre().ethertype(0x883e))).packet),
            "eth.ip.gre.ip.tcp");
  const PacketBuilder version2 = with_bytes(outer_ip().gre().ethertype(0x883e), {0, 0, 1, 2});
  EXPECT_EQ(path_of(decode(question(version2)).packet), "eth.ip.gre.ip.tcp");
}

TEST(Erspan, VersionsAndFramesOfIp) {
  Bytes header(12);
  header[0] = 0x20;
  header[10] = 2 << 2;
  EXPECT_EQ(
      path_of(decode(question(with_bytes(outer_ip().gre({}, 1).ethertype(0x22eb), header))).packet),
      "eth.ip.gre.erspan.raw.ip.tcp");
  header[10] = 7 << 2;
  const Decoded unknown =
      decode(with_bytes(outer_ip().gre({}, 1).ethertype(0x22eb), header).payload("abc"));
  EXPECT_EQ(path_of(unknown.packet), "eth.ip.gre.erspan");
  EXPECT_EQ(unknown.packet.key.proto_number, 47);
  header[0] = 0x30;
  EXPECT_EQ(verdict_of(decode(with_bytes(outer_ip().gre({}, 1).ethertype(0x22eb), header)).packet),
            "errors{bad_version}@erspan");
}

TEST(L2tp, ControlMessagesStayWhereTheyAre) {
  const Decoded udp = decode(with_bytes(outer_udp(1701), {0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(path_of(udp.packet), "eth.ip.udp");
  Bytes control(20);
  const Decoded ip = decode(with_bytes(outer_ip().ip_protocol(115), control));
  EXPECT_EQ(path_of(ip.packet), "eth.ip.l2tpv3");
  EXPECT_EQ(ip.packet.key.proto_number, 115);
  EXPECT_EQ(ip.packet.payload_size, 16u);
  EXPECT_EQ(path_of(decode(with_bytes(outer_ip().ip_protocol(115), Bytes(60, 0xff))).packet),
            "eth.ip.l2tpv3");
}

TEST(AuthenticationHeader, DecodingGoesOnBehindIt) {
  const Decoded v4 = decode(outer_ip().ah().tcp(5, 6).payload("abc"));
  EXPECT_EQ(path_of(v4.packet), "eth.ip.ah.tcp");
  EXPECT_EQ(v4.packet.key.proto_number, 6);
  EXPECT_EQ(v4.packet.payload_size, 3u);
  const auto v6 = [] { return ethernet().ipv6("fd00::1", "fd00::2"); };
  EXPECT_EQ(path_of(decode(v6().ah().tcp(5, 6)).packet), "eth.ipv6.ah.tcp");
  const Decoded behind = decode(v6().extension(0).ah().extension(60).udp(5, 6));
  EXPECT_EQ(path_of(behind.packet), "eth.ipv6.ah.udp");
  EXPECT_EQ(behind.packet.key.proto_number, 17);
  EXPECT_EQ(path_of(decode(outer_ip().ah().ip_protocol(60).payload("abc")).packet), "eth.ip.ah");
  EXPECT_EQ(path_of(decode(outer_ip().ah().udp(5, 6), {.decapsulate = false}).packet),
            "eth.ip.ah.udp");
}

TEST(AuthenticationHeader, LyingLengths) {
  const auto with_size = [](uint8_t words, size_t size) {
    Bytes header(size);
    header.at(1) = words;
    return verdict_of(decode(with_bytes(outer_ip().ip_protocol(51), header)).packet);
  };
  EXPECT_EQ(with_size(0, 12), "errors{bad_header_length}@ah");
  EXPECT_EQ(with_size(2, 12), "errors{bad_header_length}@ah");
  EXPECT_EQ(with_size(1, 11), "errors{truncated}@ah");
  EXPECT_EQ(with_size(1, 12), "decoded");
}

TEST(Portless, HeadersHaveToBeThere) {
  const struct {
    uint8_t protocol;
    size_t header_size;
    const char* path;
  } cases[] = {{50, 8, "eth.ip.esp"}, {2, 8, "eth.ip.igmp"}, {103, 4, "eth.ip.pim"}};
  for (const auto& one : cases) {
    const Decoded d =
        decode(with_bytes(outer_ip().ip_protocol(one.protocol), Bytes(one.header_size + 5)));
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(path_of(d.packet), one.path);
    EXPECT_EQ(d.packet.key.proto_number, one.protocol);
    EXPECT_FALSE(d.packet.has_ports);
    EXPECT_EQ(d.packet.payload_size, 5u);
    const Decoded cut =
        decode(with_bytes(outer_ip().ip_protocol(one.protocol), Bytes(one.header_size - 1)));
    EXPECT_EQ(verdict_of(cut.packet),
              "errors{truncated}" + std::string(one.path).replace(0, 7, "@"));
  }
}

TEST(Transport, UdpliteAndDccpHavePorts) {
  const Decoded lite = decode(outer_ip().udplite(5, 6).payload("abc"));
  EXPECT_EQ(path_of(lite.packet), "eth.ip.udplite");
  EXPECT_EQ(test::src_port(lite.packet), 5);
  EXPECT_EQ(test::dst_port(lite.packet), 6);
  EXPECT_EQ(lite.packet.key.proto_number, 136);
  EXPECT_EQ(lite.packet.payload_size, 3u);
  const Decoded dccp = decode(outer_ip().dccp(5, 6, 4).payload("1234abc"));
  EXPECT_EQ(path_of(dccp.packet), "eth.ip.dccp");
  EXPECT_EQ(test::src_port(dccp.packet), 5);
  EXPECT_EQ(dccp.packet.payload_size, 3u);
  EXPECT_EQ(verdict_of(decode(outer_ip().dccp(5, 6, 2)).packet), "errors{bad_header_length}@dccp");
  EXPECT_EQ(verdict_of(decode(outer_ip().dccp(5, 6, 4)).packet), "errors{bad_header_length}@dccp");
}

}  // namespace
}  // namespace weir
