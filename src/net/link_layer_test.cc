// SPDX-License-Identifier: Apache-2.0
//
// One literal packet per link type and per protocol of layer 2. Those of IEEE 802.11 and 802.15.4
// are in wlan_test.cc, Ethernet, cooked, raw and loopback frames in decode_test.cc.
#include <gtest/gtest.h>

#include <string>

#include "net/link_types.h"
#include "net/service_map.h"
#include "tests/support/decoded_packet.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::Bytes;
using test::decode;
using test::decode_frame;
using test::Decoded;
using test::ethernet;
using test::frame_of;
using test::PacketBuilder;
using test::path_of;
using test::verdict_of;

constexpr MacBytes kSender = {2, 0, 0, 0, 0, 0x0a};
constexpr MacBytes kReceiver = {2, 0, 0, 0, 0, 0x0b};

// A packet of the link type that begins with literal bytes.
PacketBuilder link(uint16_t link_type, const Bytes& header) {
  return PacketBuilder(link_type).payload(header);
}

// A UDP packet behind what the builder holds.
PacketBuilder udp_over(PacketBuilder packet) {
  return packet.ipv4("10.0.0.1", "10.0.0.2").udp(5, 6).payload("abc");
}

std::string proto_of(const Packet& packet) {
  return proto_text(is_link_address(packet.key.kind), packet.key.proto_number);
}

// ---- LLC

TEST(Llc, ServiceAccessPointsAreFlows) {
  const struct {
    uint8_t sap;
    const char* proto;
  } cases[] = {{0x42, "stp"}, {0xf0, "netbeui"}, {0xe0, "ipx"}, {0xfe, "osi"}, {0x12, "llc-0x12"}};
  for (const auto& one : cases) {
    const Decoded d = decode(ethernet().length().llc(one.sap).payload("abcd").pad_to_minimum());
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(path_of(d.packet), "eth.llc");
    EXPECT_EQ(proto_of(d.packet), one.proto);
    EXPECT_EQ(d.packet.payload_size, 4u) << "padding is not payload";
    EXPECT_EQ(d.packet.src_mac, kSender);
  }
}

TEST(Llc, TheGroupBitIsNotPartOfTheProtocol) {
  EXPECT_EQ(proto_of(decode(ethernet().length().llc(0x43).payload("abcd")).packet), "stp");
  const Bytes to_all = {0xff, 0x42, 3};
  EXPECT_EQ(proto_of(decode(ethernet().length().payload(to_all)).packet), "llc-0xff");
}

TEST(Llc, NumberedFramesHaveTwoBytesOfControl) {
  for (const uint8_t control : std::initializer_list<uint8_t>{0x00, 0x01}) {
    const Decoded d = decode(ethernet().length().llc(0xf0, control).payload("-abc"));
    EXPECT_EQ(proto_of(d.packet), "netbeui");
    EXPECT_EQ(d.packet.payload_size, 3u);
  }
  EXPECT_EQ(verdict_of(decode(ethernet().length().llc(0xf0, 0)).packet), "errors{truncated}@llc");
}

TEST(Llc, OsiProtocolsAreToldApart) {
  EXPECT_EQ(proto_of(decode(ethernet().length().llc(0xfe).payload("\x83")).packet), "isis");
  EXPECT_EQ(proto_of(decode(ethernet().length().llc(0xfe).payload("\x81")).packet), "clnp");
  EXPECT_EQ(proto_of(decode(ethernet().length().llc(0xfe).payload("\x82")).packet), "osi");
}

TEST(Llc, SnapCarriesEthertypes) {
  for (const uint32_t organisation : {0x000000u, 0x0000f8u}) {
    const Decoded d = decode(udp_over(ethernet().length().snap(organisation)));
    EXPECT_EQ(path_of(d.packet), "eth.llc.ip.udp");
    EXPECT_EQ(d.packet.key, decode(udp_over(ethernet())).packet.key);
  }
  EXPECT_EQ(path_of(decode(ethernet().length().snap().arp(1, "10.0.0.1", "10.0.0.2")).packet),
            "eth.llc.arp");
  EXPECT_EQ(path_of(decode(udp_over(ethernet().vlan(5).length().snap())).packet),
            "eth.vlan.llc.ip.udp");
  const Decoded d = decode(ethernet().length().snap().ethertype(0x80f3).payload("abcd"));
  EXPECT_EQ(proto_of(d.packet), "aarp");
}

TEST(Llc, SnapProtocolsOfOrganisations) {
  const struct {
    uint32_t organisation;
    uint16_t protocol;
    const char* proto;
  } cases[] = {{0x00000c, 0x2000, "cdp"},  {0x00000c, 0x2003, "vtp"},  {0x00000c, 0x2004, "dtp"},
               {0x00000c, 0x010b, "pvst"}, {0x00000c, 0x0111, "udld"}, {0x00e02b, 0x00bb, "edp"},
               {0x00000c, 0x0003, "snap"}, {0x001090, 0x0001, "mstp"}, {0x0080c2, 0x000e, "stp"},
               {0x0080c2, 0x000a, "snap"}, {0x123456, 0x0800, "snap"}, {0x000000, 0x0005, "snap"}};
  for (const auto& one : cases) {
    const Decoded d =
        decode(ethernet().length().snap(one.organisation).ethertype(one.protocol).payload("abcd"));
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(proto_of(d.packet), one.proto);
    EXPECT_EQ(d.packet.payload_size, 4u);
  }
}

TEST(Llc, IpMayHaveItsOwnAccessPoint) {
  EXPECT_EQ(path_of(decode(udp_over(ethernet().length().llc(0x06))).packet), "eth.llc.ip.udp");
  EXPECT_EQ(path_of(decode(ethernet().length().llc(0x98).arp(1, "1.1.1.1", "1.1.1.2")).packet),
            "eth.llc.arp");
}

TEST(Llc, NovellHasNoLlc) {
  const Decoded d = decode(ethernet().length().payload("\xff\xff-ipx"));
  EXPECT_EQ(path_of(d.packet), "eth");
  EXPECT_EQ(proto_of(d.packet), "ipx");
}

TEST(Llc, LengthsThatAreNone) {
  EXPECT_EQ(verdict_of(decode(ethernet().length(0).payload_of_size(46)).packet),
            "errors{truncated}@llc");
  const Decoded more_than_there_is = decode(ethernet().length(1500).llc(0x42).payload("abcd"));
  EXPECT_EQ(verdict_of(more_than_there_is.packet), "decoded");
  EXPECT_EQ(more_than_there_is.packet.payload_size, 4u);
  for (const uint16_t length : std::initializer_list<uint16_t>{1501, 1535}) {
    EXPECT_EQ(verdict_of(decode(ethernet().length(length).llc(0x42).payload("abcd")).packet),
              "errors{bad_length}@eth");
  }
  EXPECT_EQ(proto_of(decode(ethernet().ethertype(0x0600).payload("abcd")).packet),
            "ethertype-0x0600");
}

TEST(Llc, CookedCapturesNameItByTheKernelsNumbers) {
  for (const PacketBuilder& cooked : {test::sll(), test::sll2()}) {
    const Decoded stp = decode(PacketBuilder(cooked).ethertype(4).llc(0x42).payload("abcd"));
    EXPECT_EQ(verdict_of(stp.packet), "decoded");
    EXPECT_EQ(proto_of(stp.packet), "stp");
    EXPECT_EQ(proto_of(decode(PacketBuilder(cooked).ethertype(1).payload("\xff\xff")).packet),
              "ipx");
    const Decoded can = decode(PacketBuilder(cooked).ethertype(0x000c).payload_of_size(16));
    EXPECT_TRUE(verdict_of(can.packet).starts_with("ignored{family}@sll"));
  }
}

// ---- Layer 2

TEST(Layer2, IndustrialProtocolsAreFlowsAlsoBehindTags) {
  const struct {
    uint16_t ethertype;
    const char* proto;
  } cases[] = {{0x8892, "profinet"}, {0x88b8, "goose"},     {0x88b9, "gse"}, {0x88ba, "sv"},
               {0x88a4, "ethercat"}, {0x88ab, "powerlink"}, {0x88f7, "ptp"}, {0x88e3, "mrp"},
               {0x88fb, "prp"},      {0x88cc, "lldp"}};
  for (const auto& one : cases) {
    for (const PacketBuilder& eth : {ethernet(), ethernet().vlan(0), ethernet().vlan(3).vlan(4)}) {
      const Decoded d = decode(PacketBuilder(eth).ethertype(one.ethertype).payload_of_size(46));
      EXPECT_EQ(verdict_of(d.packet), "decoded");
      EXPECT_EQ(proto_of(d.packet), one.proto);
    }
  }
}

TEST(Layer2, AnHsrTagIsALayer) {
  const Bytes path_and_sequence = {0x10, 0x34, 0, 7};
  const auto hsr = [&] { return ethernet().ethertype(0x892f).payload(path_and_sequence); };
  const Decoded goose = decode(hsr().payload("\x88\xb8").payload_of_size(40));
  EXPECT_EQ(path_of(goose.packet), "eth.hsr");
  EXPECT_EQ(proto_of(goose.packet), "goose");
  const Decoded ip = decode(udp_over(hsr().payload(Bytes{8, 0})));
  EXPECT_EQ(path_of(ip.packet), "eth.hsr.ip.udp");
  EXPECT_EQ(ip.packet.key, decode(udp_over(ethernet())).packet.key);
}

TEST(Layer2, TagsOfSwitchesAreLayers) {
  const FlowKey key = decode(udp_over(ethernet())).packet.key;
  const struct {
    uint16_t ethertype;
    Bytes tag;
    const char* path;
  } cases[] = {
      {0x8909, {1, 1, 0, 1, 0, 42, 8, 0}, "eth.cmd.ip.udp"},
      {0x8926, {0, 1, 0, 2, 8, 0}, "eth.vntag.ip.udp"},
      {0x893f, {0, 1, 0, 2, 0, 0, 8, 0}, "eth.etag.ip.udp"},
      {0x8903, {0, 0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0}, "eth.cfp.eth.ip.udp"}};
  for (const auto& one : cases) {
    const Decoded d = decode(udp_over(ethernet().ethertype(one.ethertype).payload(one.tag)));
    EXPECT_EQ(path_of(d.packet), one.path);
    EXPECT_EQ(d.packet.key, key);
    EXPECT_EQ(d.packet.src_mac, kSender);
  }
}

// ---- Links between two points

TEST(Ppp, EveryFramingLeadsToTheSameKey) {
  const FlowKey key = decode(udp_over(ethernet())).packet.key;
  const struct {
    uint16_t link_type;
    Bytes header;
    const char* path;
  } cases[] = {{9, {0xff, 3, 0, 0x21}, "ppp.ip.udp"},
               {9, {0, 0x21}, "ppp.ip.udp"},
               {9, {0x21}, "ppp.ip.udp"},
               {50, {0xff, 3, 0, 0x21}, "ppp.ip.udp"},
               {50, {0x0f, 0, 8, 0}, "ppp.chdlc.ip.udp"},
               {50, {0x8f, 0, 8, 0}, "ppp.chdlc.ip.udp"},
               {166, {1, 3, 0, 0x21}, "ppp.ip.udp"},
               {204, {0, 0xff, 3, 0, 0x21}, "ppp.ip.udp"},
               {204, {1, 0, 0x21}, "ppp.ip.udp"},
               {104, {0x0f, 0, 8, 0}, "chdlc.ip.udp"},
               {205, {1, 0x0f, 0, 8, 0}, "chdlc.ip.udp"},
               {100, {0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, "llc.ip.udp"}};
  for (const auto& one : cases) {
    const Decoded d = decode(udp_over(link(one.link_type, one.header)));
    EXPECT_EQ(verdict_of(d.packet), "decoded") << one.link_type;
    EXPECT_EQ(path_of(d.packet), one.path) << one.link_type;
    EXPECT_EQ(d.packet.key, key) << one.link_type;
    EXPECT_FALSE(d.packet.has_macs);
  }
  EXPECT_EQ(path_of(decode(link(9, {0, 0x57}).ipv6("fd00::1", "fd00::2").udp(5, 6)).packet),
            "ppp.ipv6.udp");
}

TEST(Ppp, ItsOwnProtocolsAreControl) {
  const Bytes lcp = {0xff, 3, 0xc0, 0x21, 1, 1, 0, 4};
  EXPECT_EQ(verdict_of(decode(link(9, lcp)).packet), "ignored{control}@ppp");
  const Bytes slarp = {0x8f, 0, 0x80, 0x35, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff};
  EXPECT_EQ(verdict_of(decode(link(104, slarp)).packet), "ignored{control}@chdlc");
  const Bytes osi = {0x0f, 0, 0xfe, 0xfe, 3, 0x83};
  EXPECT_EQ(verdict_of(decode(link(104, osi)).packet), "ignored{control}@chdlc");
}

TEST(FrameRelay, Encapsulations) {
  const FlowKey key = decode(udp_over(ethernet())).packet.key;
  const Bytes headers[] = {{0x18, 0x41, 3, 0xcc},
                           {0x18, 0x41, 3, 0, 0xcc},
                           {0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0},
                           {0x18, 0x41, 8, 0},           // Cisco
                           {0x18, 0x40, 0x41, 3, 0xcc},  // longer addresses
                           {0x18, 0x40, 0x40, 0x41, 3, 0xcc}};
  for (const Bytes& header : headers) {
    const Decoded d = decode(udp_over(link(107, header)));
    EXPECT_EQ(path_of(d.packet), "fr.ip.udp");
    EXPECT_EQ(d.packet.key, key);
  }
  EXPECT_EQ(path_of(decode(udp_over(link(206, {1, 0x18, 0x41, 3, 0xcc}))).packet), "fr.ip.udp");
  EXPECT_EQ(path_of(decode(udp_over(link(107, {0x18, 0x41, 3, 0xcf, 0, 0x21}))).packet),
            "fr.ppp.ip.udp");
  const Bytes bridged = {0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xc2, 0, 7};
  PacketBuilder frame = link(107, bridged);
  const Decoded d = decode(udp_over(frame.ethernet()));
  EXPECT_EQ(path_of(d.packet), "fr.eth.ip.udp");
  EXPECT_EQ(d.packet.src_mac, kSender);
}

TEST(FrameRelay, WhatIsNoPacketIsControl) {
  EXPECT_EQ(verdict_of(decode(link(107, {0, 1, 3, 8, 0, 0x75})).packet), "ignored{control}@fr");
  EXPECT_EQ(verdict_of(decode(link(107, {0, 0, 0, 0, 1, 3})).packet),
            "errors{bad_header_length}@fr");
  const Bytes inverse_arp = {0x18, 0x41, 8, 6, 0, 15, 8, 0, 2, 4, 0, 8};
  EXPECT_EQ(verdict_of(decode(link(107, inverse_arp)).packet), "ignored{control}@arp");
}

// ---- Rings and buses

TEST(TokenRing, RoutingIsSkippedAndNotPartOfTheAddress) {
  const Bytes receiver(kReceiver.begin(), kReceiver.end());
  const Bytes sender(kSender.begin(), kSender.end());
  const Decoded d =
      decode(udp_over(link(6, {0x10, 0x40}).payload(receiver).payload(sender).snap()));
  EXPECT_EQ(path_of(d.packet), "tr.llc.ip.udp");
  EXPECT_EQ(d.packet.src_mac, kSender);
  EXPECT_EQ(d.packet.dst_mac, kReceiver);

  Bytes routed = sender;
  routed[0] |= 0x80;
  const Bytes routing = {0x06, 0x90, 0, 1, 0, 2};
  const auto with_routing = [&](const Bytes& bytes) {
    return link(6, {0x10, 0x40}).payload(receiver).payload(routed).payload(bytes);
  };
  const Decoded r = decode(udp_over(with_routing(routing).snap()));
  EXPECT_EQ(path_of(r.packet), "tr.llc.ip.udp");
  EXPECT_EQ(r.packet.src_mac, kSender);
  EXPECT_EQ(verdict_of(decode(with_routing({0, 0}).snap()).packet), "errors{bad_header_length}@tr");
  EXPECT_EQ(verdict_of(decode(with_routing({31, 0})).packet), "errors{truncated}@tr");
  EXPECT_EQ(verdict_of(decode(link(6, {0x10, 0}).payload(receiver).payload(sender)).packet),
            "ignored{control}@tr");
}

TEST(Fddi, AddressesAreMirrored) {
  const Bytes addresses = {0x40, 0, 0, 0, 0, 0xd0, 0x40, 0, 0, 0, 0, 0x50};
  const Decoded d = decode(udp_over(link(10, {0x57}).payload(addresses).snap()));
  EXPECT_EQ(path_of(d.packet), "fddi.llc.ip.udp");
  EXPECT_EQ(d.packet.src_mac, kSender);
  EXPECT_EQ(d.packet.dst_mac, kReceiver);
  EXPECT_EQ(verdict_of(decode(link(10, {0x41}).payload(addresses)).packet),
            "ignored{control}@fddi");
}

TEST(Arcnet, BothEncodingsOfBothSystems) {
  const FlowKey key = decode(udp_over(ethernet())).packet.key;
  const struct {
    uint16_t link_type;
    Bytes header;
  } cases[] = {{7, {1, 2, 212, 0, 0, 1}},
               {7, {1, 2, 240}},
               {7, {1, 2, 212, 0xff, 0xff, 0xff, 212, 0, 0, 1}},
               {7, {1, 2, 212, 3, 0, 1}},  // the first of three pieces
               {129, {1, 2, 0, 0, 212, 0, 0, 1}},
               {129, {1, 2, 0, 0, 240}}};
  for (const auto& one : cases) {
    const Decoded d = decode(udp_over(link(one.link_type, one.header)));
    EXPECT_EQ(path_of(d.packet), "arcnet.ip.udp");
    EXPECT_EQ(d.packet.key, key);
    EXPECT_EQ(d.packet.src_mac, (MacBytes{0, 0, 0, 0, 0, 1}));
    EXPECT_EQ(d.packet.dst_mac, (MacBytes{0, 0, 0, 0, 0, 2}));
  }
}

TEST(Arcnet, OtherTypes) {
  const Decoded later = decode(link(7, {1, 2, 212, 2, 0, 1}).payload_of_size(20));
  EXPECT_EQ(path_of(later.packet), "arcnet");
  EXPECT_EQ(proto_of(later.packet), "ip");
  const Decoded bacnet = decode(link(7, {1, 2, 0xcd}).llc(0x82).payload("abcd"));
  EXPECT_EQ(proto_of(bacnet.packet), "bacnet");
  EXPECT_EQ(verdict_of(decode(link(7, {1, 2, 0x99}).payload_of_size(20)).packet),
            "ignored{family}@arcnet");
}

// ---- Headers of capturing software

Bytes bytes_of(const PacketBuilder& builder) {
  return builder.bytes();
}

TEST(Nflog, FamilyAndAttributesInBothByteOrders) {
  const Bytes ip = bytes_of(udp_over(test::raw()));
  const auto size = static_cast<uint8_t>(ip.size() + 4);
  const Bytes little = {2, 0, 0, 5, 8, 0, 1, 0, 8, 0, 3, 0, size, 0, 9, 0};
  const Bytes big = {2, 0, 0, 5, 0, 8, 0, 1, 8, 0, 3, 0, 0, size, 0, 9};
  const Bytes prefixed = {2, 0, 0, 5, 7, 0, 10, 0, 'a', 'b', 0, 0, size, 0, 9, 0};
  for (const Bytes& header : {little, big, prefixed}) {
    const Decoded d = decode(udp_over(link(239, header)));
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(path_of(d.packet), "nflog.ip.udp");
    EXPECT_EQ(d.packet.key, decode(udp_over(ethernet())).packet.key);
  }
}

TEST(Nflog, OtherFamiliesGoByEthertypeAndSender) {
  const Bytes bridge = {7, 0, 0, 5, 8, 0, 1, 0,    0x88, 0xcc, 3, 0, 16, 0, 8, 0, 0, 6,
                        0, 0, 2, 0, 0, 0, 0, 0x0a, 0,    0,    8, 0, 9,  0, 1, 2, 3, 4};
  const Decoded d = decode(link(239, bridge));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(proto_of(d.packet), "lldp");
  EXPECT_EQ(d.packet.src_mac, kSender);
  EXPECT_EQ(d.packet.payload_size, 4u);
  const Bytes nothing_known = {7, 0, 0, 5, 8, 0, 9, 0, 1, 2, 3, 4};
  EXPECT_EQ(verdict_of(decode(link(239, nothing_known)).packet), "ignored{family}@nflog");
  const Bytes short_length = {2, 0, 0, 5, 3, 0, 9, 0, 1, 2, 3, 4};
  EXPECT_EQ(verdict_of(decode(link(239, short_length)).packet), "errors{bad_length}@nflog");
  EXPECT_EQ(verdict_of(decode(link(239, {2, 0, 0, 5, 8, 0, 1, 0, 8, 0, 3, 0})).packet),
            "errors{truncated}@nflog");
}

TEST(ExportedPdu, GoesByTheDissectorsName) {
  const auto tagged = [](std::string_view name) {
    const auto size = static_cast<uint8_t>((name.size() + 3) / 4 * 4);
    PacketBuilder packet = link(252, {0, 12, 0, size});
    packet.payload(name).payload(Bytes(size - name.size()));
    return packet.payload(Bytes{0, 32, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0});  // another tag, and the end
  };
  EXPECT_EQ(path_of(decode(udp_over(tagged("ip"))).packet), "exported_pdu.ip.udp");
  EXPECT_EQ(path_of(decode(udp_over(tagged("eth_withoutfcs").ethernet())).packet),
            "exported_pdu.eth.ip.udp");
  EXPECT_EQ(path_of(decode(tagged("ipv6").ipv6("fd00::1", "fd00::2").udp(5, 6)).packet),
            "exported_pdu.ipv6.udp");
  for (const char* name : {"http", "i", "ip-other", "eth_"}) {
    EXPECT_EQ(verdict_of(decode(udp_over(tagged(name))).packet),
              "ignored{exported_pdu}@exported_pdu");
  }
  EXPECT_EQ(verdict_of(decode(link(252, {0, 12, 0, 4, 'i', 'p', 0, 0})).packet),
            "errors{truncated}@exported_pdu");
}

TEST(Mpacket, OnlyWholeFramesAreRead) {
  const Bytes preamble(6, 0x55);
  PacketBuilder whole = link(274, preamble).payload(Bytes{0xd5});
  EXPECT_EQ(path_of(decode(udp_over(whole.ethernet()).padding(4)).packet), "fpp.eth.ip.udp");
  PacketBuilder piece = link(274, preamble).payload(Bytes{0xe6});
  EXPECT_EQ(verdict_of(decode(udp_over(piece.ethernet())).packet), "ignored{link_type}@fpp");
}

TEST(CookedCapture, SomeDevicesHaveAnotherHeader) {
  const auto device = [](uint16_t number, const PacketBuilder& packet) {
    Bytes bytes = packet.bytes();
    bytes[2] = static_cast<uint8_t>(number >> 8);
    bytes[3] = static_cast<uint8_t>(number);
    return decode_frame(bytes, frame_of(bytes, 113));
  };
  const Bytes frame_relay = {0x18, 0x41, 3, 0xcc};
  EXPECT_EQ(path_of(device(770, udp_over(test::sll().ethertype(0).payload(frame_relay))).packet),
            "sll.fr.ip.udp");
  EXPECT_EQ(verdict_of(device(824, test::sll().ethertype(0).payload_of_size(20)).packet),
            "ignored{family}@sll");
  const Bytes data_frame = {8, 1, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 0, 0};
  EXPECT_EQ(
      path_of(device(801, udp_over(test::sll().ethertype(4).payload(data_frame).snap())).packet),
      "sll.wlan.llc.ip.udp");
}

// ---- Names

TEST(LinkTypes, HaveTheNamesOfTcpdump) {
  EXPECT_STREQ(link_type_name(1), "EN10MB");
  EXPECT_STREQ(link_type_name(189), "USB_LINUX");
  EXPECT_STREQ(link_type_name(127), "IEEE802_11_RADIO");
  EXPECT_STREQ(link_type_name(65535), "");
  EXPECT_EQ(link_type_text(160), "USER13");
  EXPECT_EQ(link_type_text(65535), "link-type-65535");
}

}  // namespace
}  // namespace weir
