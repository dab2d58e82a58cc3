// SPDX-License-Identifier: Apache-2.0
//
// One literal packet per behaviour. Every decoded packet also has to pass the invariants of
// packet_invariants.h.
#include "net/decode.h"

#include <gtest/gtest.h>

#include <string>

#include "net/icmp.h"
#include "tests/support/decoded_packet.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::Bytes;
using test::decode;
using test::decode_frame;
using test::Decoded;
using test::dst_port;
using test::ethernet;
using test::frame_of;
using test::kSecret;
using test::PacketBuilder;
using test::path_of;
using test::src_port;
using test::verdict_of;

// ---- Link layers

TEST(LinkLayer, EthernetKeepsBothAddresses) {
  const Decoded d = decode(ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5, 6).payload("abc"));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(path_of(d.packet), "eth.ip.udp");
  EXPECT_EQ(d.packet.layer, Layer::kUdp);
  EXPECT_TRUE(d.packet.has_macs);
  EXPECT_EQ(d.packet.src_mac, (MacBytes{2, 0, 0, 0, 0, 0x0a}));
  EXPECT_EQ(d.packet.dst_mac, (MacBytes{2, 0, 0, 0, 0, 0x0b}));
}

TEST(LinkLayer, CookedRawAndLoopbackLeadToTheSameKey) {
  const auto ip = [](PacketBuilder builder) {
    return decode(builder.ipv4("10.0.0.1", "10.0.0.2").udp(5, 6).payload("abc"));
  };
  const Decoded eth = ip(ethernet());
  const struct {
    Decoded decoded;
    const char* path;
  } cases[] = {{ip(test::sll()), "sll.ip.udp"},
               {ip(test::sll2()), "sll2.ip.udp"},
               {ip(test::raw(101)), "raw.ip.udp"},
               {ip(test::raw(12)), "raw.ip.udp"},
               {ip(test::raw(14)), "raw.ip.udp"},
               {ip(test::raw(228)), "raw.ip.udp"},
               {ip(test::null_loopback(2, false)), "null.ip.udp"},
               {ip(test::null_loopback(2, true)), "null.ip.udp"}};
  for (const auto& one : cases) {
    EXPECT_EQ(verdict_of(one.decoded.packet), "decoded");
    EXPECT_EQ(path_of(one.decoded.packet), one.path);
    EXPECT_EQ(one.decoded.packet.key, eth.packet.key);
    EXPECT_EQ(one.decoded.packet.hash, eth.packet.hash);
    EXPECT_FALSE(one.decoded.packet.has_macs);
    EXPECT_EQ(one.decoded.packet.payload_size, 3u);
  }
}

TEST(LinkLayer, RawIpv6) {
  for (const uint16_t link_type : std::initializer_list<uint16_t>{101, 12, 14, 229}) {
    const Decoded d = decode(test::raw(link_type).ipv6("fd00::1", "fd00::2").udp(5, 6));
    EXPECT_EQ(path_of(d.packet), "raw.ipv6.udp") << link_type;
    EXPECT_EQ(verdict_of(d.packet), "decoded") << link_type;
  }
}

TEST(LinkLayer, RawOfTheWrongVersion) {
  EXPECT_EQ(verdict_of(decode(test::raw(101).payload(Bytes{0x50, 0, 0, 0})).packet),
            "errors{bad_version}@raw");
  EXPECT_EQ(verdict_of(decode(test::raw(228).ipv6("fd00::1", "fd00::2").udp(5, 6)).packet),
            "errors{bad_version}@ip");
  EXPECT_EQ(
      verdict_of(decode(test::raw(229).ipv4("1.2.3.4", "1.2.3.5", {.options = Bytes(20)}).udp(5, 6))
                     .packet),
      "errors{bad_version}@ipv6");
  EXPECT_EQ(verdict_of(decode(test::raw(101)).packet), "errors{truncated}@raw");
}

TEST(LinkLayer, LoopbackFamilies) {
  for (const uint32_t family : {10u, 23u, 24u, 28u, 30u}) {
    for (const bool big_endian : {false, true}) {
      const Decoded d =
          decode(test::null_loopback(family, big_endian).ipv6("fd00::1", "fd00::2").udp(5, 6));
      EXPECT_EQ(path_of(d.packet), "null.ipv6.udp") << family;
    }
  }
  EXPECT_EQ(verdict_of(decode(test::null_loopback(7)).packet), "ignored{family}@null");
  EXPECT_EQ(
      path_of(decode(test::null_loopback(0x0f000800, true).ipv4("1.1.1.1", "2.2.2.2").udp(5, 6))
                  .packet),
      "null.chdlc.ip.udp");
  EXPECT_EQ(
      path_of(decode(test::null_loopback(0xff030021, true).ipv4("1.1.1.1", "2.2.2.2").udp(5, 6))
                  .packet),
      "null.ppp.ip.udp");
}

TEST(LinkLayer, LoopIsInNetworkOrderOnly) {
  Bytes bytes = test::null_loopback(2, true).ipv4("10.0.0.1", "10.0.0.2").udp(5, 6).bytes();
  EXPECT_EQ(verdict_of(decode_frame(bytes, frame_of(bytes, 108)).packet), "decoded");
  bytes = test::null_loopback(2, false).ipv4("10.0.0.1", "10.0.0.2").udp(5, 6).bytes();
  EXPECT_EQ(verdict_of(decode_frame(bytes, frame_of(bytes, 108)).packet), "ignored{family}@null");
}

TEST(LinkLayer, OthersAreIgnored) {
  const Bytes bytes(64);
  for (const uint16_t link_type : std::initializer_list<uint16_t>{2, 99, 143, 147, 65535}) {
    const Decoded d = decode_frame(bytes, frame_of(bytes, link_type));
    EXPECT_EQ(verdict_of(d.packet), "ignored{link_type}@none") << link_type;
    EXPECT_EQ(d.packet.path.count, 0);
  }
}

TEST(LinkLayer, OversizedFramesAreShed) {
  Frame frame;
  frame.link_type = 1;
  frame.wire_size = kFrameSizeMax + 1;
  frame.is_oversized = true;
  EXPECT_EQ(verdict_of(decode_frame({}, frame).packet), "shed{oversized}@none");
}

// ---- VLAN tags

TEST(Vlan, IdsAreOuterFirstAndZeroIsATag) {
  const Decoded d =
      decode(ethernet().vlan(0xe064, 0x88a8).vlan(0).ipv4("1.1.1.1", "2.2.2.2").udp(1, 2));
  EXPECT_EQ(path_of(d.packet), "eth.vlan.vlan.ip.udp");
  ASSERT_EQ(d.packet.vlans.count, 2);
  EXPECT_EQ(d.packet.vlans.ids[0], 0x064);
  EXPECT_EQ(d.packet.vlans.ids[1], 0);
}

TEST(Vlan, EveryTagProtocolIsKnown) {
  for (const uint16_t tpid : std::initializer_list<uint16_t>{0x8100, 0x88a8, 0x9100, 0x9200}) {
    EXPECT_EQ(path_of(decode(ethernet().vlan(7, tpid).ipv4("1.1.1.1", "2.2.2.2").udp(1, 2)).packet),
              "eth.vlan.ip.udp");
  }
}

TEST(Vlan, AStrippedTagIsTheOutermost) {
  const struct {
    PacketBuilder in_band;
    PacketBuilder stripped;
  } cases[] = {
      {ethernet().vlan(9).ipv4("1.1.1.1", "2.2.2.2").tcp(1, 2),
       ethernet().ipv4("1.1.1.1", "2.2.2.2").tcp(1, 2)},
      {ethernet().vlan(9).vlan(5).ipv6("::1", "::2").udp(1, 2),
       ethernet().vlan(5).ipv6("::1", "::2").udp(1, 2)},
      {ethernet().vlan(9).arp(1, "1.1.1.1", "2.2.2.2"), ethernet().arp(1, "1.1.1.1", "2.2.2.2")},
      {ethernet().vlan(9).ethertype(0x88b8).payload("goose"),
       ethernet().ethertype(0x88b8).payload("goose")},
      {ethernet().vlan(9).length().llc(0x42).payload("stp"),
       ethernet().length().llc(0x42).payload("stp")},
      {test::sll().vlan(9).ipv4("1.1.1.1", "2.2.2.2").tcp(1, 2),
       test::sll().ipv4("1.1.1.1", "2.2.2.2").tcp(1, 2)},
      {test::sll2().vlan(9).ipv4("1.1.1.1", "2.2.2.2").tcp(1, 2),
       test::sll2().ipv4("1.1.1.1", "2.2.2.2").tcp(1, 2)},
  };
  for (const DecodeOptions& options : {DecodeOptions{}, DecodeOptions{ZoneKind::kVlan}}) {
    for (const auto& one : cases) {
      const Decoded in_band = decode(one.in_band, options);
      const Bytes bytes = one.stripped.bytes();
      Frame frame = frame_of(bytes, one.stripped.link_type());
      frame.has_vlan = true;
      frame.vlan_tci = 0x2009;
      const Decoded stripped = decode_frame(bytes, frame, options);
      EXPECT_TRUE(test::is_same_answer(in_band.packet, stripped.packet)) << path_of(in_band.packet);
      EXPECT_EQ(stripped.packet.vlans.ids[0], 9);
    }
  }
}

TEST(Vlan, DepthIsCapped) {
  for (int depth = 1; depth <= 255; ++depth) {
    PacketBuilder builder = ethernet();
    for (int tag = 0; tag < depth; ++tag) builder.vlan(static_cast<uint16_t>(tag));
    builder.ipv4("1.1.1.1", "2.2.2.2").udp(1, 2);
    const Decoded d = decode(builder);
    EXPECT_EQ(verdict_of(d.packet), depth <= 8 ? "decoded" : "errors{too_many_tags}@vlan") << depth;

    const Bytes bytes = builder.bytes();
    Frame frame = frame_of(bytes);
    frame.has_vlan = true;
    EXPECT_EQ(verdict_of(decode_frame(bytes, frame).packet),
              depth <= 7 ? "decoded" : "errors{too_many_tags}@vlan")
        << depth;
  }
}

// ---- Layer 2

TEST(Layer2, UnknownEthertypesAreFlowsBetweenMacs) {
  const Decoded d = decode(ethernet().vlan(3).ethertype(0x88b8).payload_of_size(100));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(path_of(d.packet), "eth.vlan");
  EXPECT_EQ(d.packet.key.kind, AddressKind::kMac);
  EXPECT_EQ(d.packet.key.proto_number, 0x88b8);
  EXPECT_EQ(d.packet.key.a, (AddressBytes{2, 0, 0, 0, 0, 0x0a}));
  EXPECT_EQ(d.packet.key.b, (AddressBytes{2, 0, 0, 0, 0, 0x0b}));
  EXPECT_FALSE(d.packet.has_ports);
  EXPECT_EQ(d.packet.ip_size, 0u);
  EXPECT_EQ(d.packet.payload_size, 100u);
  EXPECT_EQ(d.packet.payload_captured, 100u);
}

TEST(Layer2, PayloadIsCountedByTheWire) {
  const Bytes bytes = ethernet().ethertype(0x8892).payload_of_size(50).bytes();
  Frame frame = frame_of(bytes);
  frame.wire_size = 1014;
  const Decoded d = decode_frame(bytes, frame);
  EXPECT_EQ(d.packet.payload_size, 1000u);
  EXPECT_EQ(d.packet.payload_captured, 50u);
}

TEST(Layer2, ArpIsAFlowOfTheFramesMacs) {
  const Decoded d = decode(ethernet().arp(1, "10.0.0.1", "10.0.0.2").pad_to_minimum());
  EXPECT_EQ(path_of(d.packet), "eth.arp");
  EXPECT_EQ(d.packet.key.kind, AddressKind::kMac);
  EXPECT_EQ(d.packet.key.proto_number, 0x0806);
  EXPECT_EQ(d.packet.payload_size, 46u);
  EXPECT_EQ(verdict_of(decode(ethernet().ethertype(0x0806).payload_of_size(7)).packet),
            "errors{truncated}@arp");
  EXPECT_EQ(path_of(decode(ethernet().ethertype(0x8035).payload_of_size(28)).packet), "eth.arp");
}

TEST(Layer2, CookedKnowsTheSenderOnly) {
  for (const PacketBuilder& link : {test::sll(), test::sll2()}) {
    const Decoded d = decode(PacketBuilder(link).ethertype(0x88cc).payload("x"));
    EXPECT_FALSE(d.packet.has_macs);
    EXPECT_EQ(d.packet.key.a, AddressBytes{});
    EXPECT_EQ(d.packet.key.b, (AddressBytes{2, 0, 0, 0, 0, 0x0a}));
    EXPECT_TRUE(d.packet.from_b);
  }
}

TEST(Layer2, CookedAddressBytesBeyondItsLengthMeanNothing) {
  Bytes bytes = test::sll().ethertype(0x88cc).payload("x").bytes();
  bytes[5] = 2;
  EXPECT_EQ(decode_frame(bytes, frame_of(bytes, 113)).packet.key.b, (AddressBytes{2, 0}));
  bytes[4] = 0xff;  // a length no field could have
  EXPECT_EQ(decode_frame(bytes, frame_of(bytes, 113)).packet.key.b,
            (AddressBytes{2, 0, 0, 0, 0, 0x0a}));
}

// ---- IPv4

TEST(Ipv4, SizesComeFromTheLengthFields) {
  const Decoded d =
      decode(ethernet().ipv4("10.0.0.2", "10.0.0.1").tcp(1234, 80).payload("abc").pad_to_minimum());
  EXPECT_EQ(path_of(d.packet), "eth.ip.tcp");
  EXPECT_EQ(d.packet.ip_size, 43u);
  EXPECT_EQ(d.packet.payload_size, 3u);
  EXPECT_EQ(d.packet.payload_captured, 3u);
  EXPECT_EQ(d.packet.payload[0], 'a');
  EXPECT_TRUE(d.packet.from_b);
  EXPECT_EQ(d.packet.key.a, (AddressBytes{10, 0, 0, 1}));
  EXPECT_EQ(d.packet.key.port_a, 80);
  EXPECT_EQ(d.packet.key.port_b, 1234);
}

TEST(Ipv4, OptionsAreSkipped) {
  const Decoded d = decode(
      ethernet().ipv4("10.0.0.1", "10.0.0.2", {.options = Bytes(40, 1)}).udp(5, 6).payload("abc"));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(src_port(d.packet), 5);
  EXPECT_EQ(d.packet.ip_size, 71u);
}

TEST(Ipv4, TotalLengthZeroIsTheRestOfTheFrame) {
  const Bytes bytes = ethernet()
                          .ipv4("10.0.0.1", "10.0.0.2", {.total_length = 0})
                          .tcp(1, 2)
                          .payload_of_size(200)
                          .bytes();
  Frame frame = frame_of(bytes);
  EXPECT_EQ(decode_frame(bytes, frame).packet.ip_size, 240u);
  frame.wire_size = 65'014 + 14;
  const Decoded d = decode_frame(bytes, frame);
  EXPECT_EQ(d.packet.ip_size, 65'014u);
  EXPECT_EQ(d.packet.payload_size, 65'014u - 40);
  EXPECT_EQ(d.packet.payload_captured, 200u);
}

TEST(Ipv4, ATotalLengthBeyondTheFrameIsBelieved) {
  const Decoded d = decode(
      ethernet().ipv4("10.0.0.1", "10.0.0.2", {.total_length = 1500}).tcp(1, 2).payload("abc"));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(d.packet.ip_size, 1500u);
  EXPECT_EQ(d.packet.payload_size, 1460u);
  EXPECT_EQ(d.packet.payload_captured, 3u);
}

TEST(Ipv4, LyingHeaders) {
  const auto verdict = [](const test::Ipv4Fields& fields) {
    return verdict_of(
        decode(ethernet().ipv4("10.0.0.1", "10.0.0.2", fields).udp(1, 2).payload_of_size(60))
            .packet);
  };
  EXPECT_EQ(verdict({.version = 6}), "errors{bad_version}@ip");
  for (uint8_t words = 0; words < 5; ++words) {
    EXPECT_EQ(verdict({.header_words = words}), "errors{bad_header_length}@ip");
  }
  for (uint16_t length = 1; length < 20; ++length) {
    EXPECT_EQ(verdict({.total_length = length}), "errors{bad_length}@ip");
  }
  EXPECT_EQ(verdict({.header_words = 15, .total_length = 59}), "errors{bad_header_length}@ip");
  EXPECT_EQ(verdict({.total_length = 20}), "errors{truncated}@udp");
  EXPECT_EQ(verdict({.total_length = 27}), "errors{truncated}@udp");
  EXPECT_EQ(verdict({.total_length = 28}), "decoded") << "the UDP length promises more";
}

TEST(Ipv4, OtherProtocolsAreFlowsWithoutPorts) {
  for (const uint8_t protocol : std::initializer_list<uint8_t>{0, 46, 89, 97, 253}) {
    const Decoded d = decode(ethernet()
                                 .ipv4("10.0.0.1", "10.0.0.2", {.protocol = protocol})
                                 .payload("abcd")
                                 .pad_to_minimum());
    EXPECT_EQ(path_of(d.packet), "eth.ip");
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(d.packet.key.proto_number, protocol);
    EXPECT_FALSE(d.packet.has_ports);
    EXPECT_EQ(d.packet.payload_size, 4u);
  }
}

// ---- IPv6

TEST(Ipv6, ExtensionHeadersAreSkipped) {
  const Decoded d = decode(ethernet()
                               .ipv6("fd00::1", "fd00::2")
                               .extension(0, 16)
                               .extension(43)
                               .extension(60, 24)
                               .extension(135)
                               .extension(139)
                               .extension(140)
                               .tcp(5, 6)
                               .payload("abc"));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(path_of(d.packet), "eth.ipv6.tcp");
  EXPECT_EQ(d.packet.key.proto_number, 6);
  EXPECT_EQ(d.packet.ip_size, 40u + 16 + 8 + 24 + 8 * 3 + 20 + 3);
  EXPECT_EQ(d.packet.payload_size, 3u);
}

TEST(Ipv6, ExtensionHeadersAreCapped) {
  for (int count = 1; count <= 255; ++count) {
    PacketBuilder builder = ethernet().ipv6("fd00::1", "fd00::2");
    for (int header = 0; header < count; ++header) builder.extension(60);
    builder.udp(1, 2);
    EXPECT_EQ(verdict_of(decode(builder).packet),
              count <= 8 ? "decoded" : "errors{too_many_extensions}@ipv6")
        << count;
  }
}

TEST(Ipv6, NoNextHeaderIsAProtocol) {
  const Decoded d = decode(ethernet().ipv6("fd00::1", "fd00::2").extension(60).payload("junk"));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(d.packet.key.proto_number, 59);
  const Decoded bare = decode(ethernet().ipv6("fd00::1", "fd00::2").pad_to_minimum());
  EXPECT_EQ(bare.packet.ip_size, 40u);
  EXPECT_EQ(bare.packet.payload_size, 0u);
}

TEST(Ipv6, PayloadLengthZeroIsTheRestOfTheFrame) {
  const Bytes bytes = ethernet()
                          .ipv6("fd00::1", "fd00::2", {.payload_length = 0})
                          .extension(0)
                          .tcp(1, 2)
                          .payload_of_size(200)
                          .bytes();
  Frame frame = frame_of(bytes);
  frame.wire_size = 14 + 40 + 8 + 20 + 100'000;
  const Decoded d = decode_frame(bytes, frame);
  EXPECT_EQ(d.packet.ip_size, 40u + 8 + 20 + 100'000);
  EXPECT_EQ(d.packet.payload_size, 100'000u);
  EXPECT_EQ(d.packet.payload_captured, 200u);
}

TEST(Ipv6, LyingHeaders) {
  EXPECT_EQ(verdict_of(decode(ethernet().ipv6("::1", "::2", {.version = 4}).udp(1, 2)).packet),
            "errors{bad_version}@ipv6");
  EXPECT_EQ(
      verdict_of(decode(ethernet().ipv6("::1", "::2", {.payload_length = 7}).udp(1, 2)).packet),
      "errors{truncated}@udp");
  Bytes bytes = ethernet().ipv6("::1", "::2").extension(60).udp(1, 2).bytes();
  bytes[14 + 40 + 1] = 255;
  EXPECT_EQ(verdict_of(decode_frame(bytes, frame_of(bytes)).packet),
            "errors{bad_header_length}@ipv6");
}

TEST(Ipv6, AMappedIpv4AddressStaysIpv6) {
  const Decoded v4 = decode(ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5, 6));
  const Decoded mapped = decode(ethernet().ipv6("::ffff:10.0.0.1", "::ffff:10.0.0.2").udp(5, 6));
  const Decoded compatible = decode(ethernet().ipv6("a00:1::", "a00:2::").udp(5, 6));
  EXPECT_NE(v4.packet.key, mapped.packet.key);
  EXPECT_NE(v4.packet.key, compatible.packet.key) << "equal address bytes, another kind";
  EXPECT_NE(v4.packet.hash, compatible.packet.hash);
}

// ---- Fragments

TEST(Fragment, Ipv4FirstPieceHasTheTransportHeader) {
  const Decoded d = decode(ethernet()
                               .ipv4("10.0.0.1", "10.0.0.2", {.id = 77, .more_fragments = true})
                               .udp(5, 6, {.length = 4000})
                               .payload_of_size(1472));
  EXPECT_EQ(d.packet.fragment, FragmentKind::kFirst);
  EXPECT_EQ(d.packet.datagram.id, 77u);
  EXPECT_TRUE(d.packet.has_ports);
  EXPECT_EQ(src_port(d.packet), 5);
  EXPECT_EQ(d.packet.payload_size, 1472u);
}

TEST(Fragment, Ipv4LaterPieceHasNoPorts) {
  for (const bool more : {false, true}) {
    for (const uint8_t protocol : std::initializer_list<uint8_t>{1, 6, 17, 132, 47}) {
      const Decoded d = decode(
          ethernet()
              .ipv4(
                  "10.0.0.1", "10.0.0.2",
                  {.protocol = protocol, .id = 77, .more_fragments = more, .fragment_offset = 1480})
              .payload_of_size(100));
      EXPECT_EQ(verdict_of(d.packet), "decoded");
      EXPECT_EQ(path_of(d.packet), "eth.ip");
      EXPECT_EQ(d.packet.fragment, FragmentKind::kLater);
      EXPECT_EQ(d.packet.datagram.id, 77u);
      EXPECT_FALSE(d.packet.has_ports);
      EXPECT_EQ(d.packet.key.proto_number, protocol);
      EXPECT_EQ(d.packet.payload_size, 100u);
    }
  }
}

TEST(Fragment, AFirstPieceTooShortForItsHeaderIsTruncated) {
  EXPECT_EQ(
      verdict_of(decode(ethernet()
                            .ipv4("10.0.0.1", "10.0.0.2", {.protocol = 6, .more_fragments = true})
                            .payload_of_size(16))
                     .packet),
      "errors{truncated}@tcp");
}

TEST(Fragment, Ipv6Pieces) {
  const Decoded first = decode(ethernet()
                                   .ipv6("::1", "::2")
                                   .ipv6_fragment(0xdeadbeef, 0, true)
                                   .udp(5, 6, {.length = 4000})
                                   .payload_of_size(1000));
  EXPECT_EQ(path_of(first.packet), "eth.ipv6.udp");
  EXPECT_EQ(first.packet.fragment, FragmentKind::kFirst);
  EXPECT_EQ(first.packet.datagram.id, 0xdeadbeef);
  const Decoded later = decode(ethernet()
                                   .ipv6("::1", "::2")
                                   .ipv6_fragment(0xdeadbeef, 1008, false, 17)
                                   .payload_of_size(1000));
  EXPECT_EQ(later.packet.fragment, FragmentKind::kLater);
  EXPECT_EQ(later.packet.datagram.id, 0xdeadbeef);
  EXPECT_EQ(later.packet.key.proto_number, 17);
  EXPECT_FALSE(later.packet.has_ports);
  EXPECT_EQ(later.packet.payload_size, 1000u);
  const Decoded atomic = decode(ethernet().ipv6("::1", "::2").ipv6_fragment(1, 0, false).udp(5, 6));
  EXPECT_EQ(atomic.packet.fragment, FragmentKind::kWhole);
  EXPECT_TRUE(atomic.packet.has_ports);
}

TEST(Fragment, WhatLooksLikeAnExtensionHeaderInALaterPieceIsNotRead) {
  const Decoded d = decode(
      ethernet().ipv6("::1", "::2").ipv6_fragment(1, 800, true, 60).payload(Bytes{17, 255, 0, 0}));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(d.packet.payload_size, 4u);
}

// ---- Transport

TEST(Tcp, FieldsOfTheHeader) {
  const Decoded d = decode(ethernet()
                               .ipv4("10.0.0.1", "10.0.0.2")
                               .tcp(1234, 80,
                                    {.flags = 0xd2,
                                     .seq = 0x01020304,
                                     .ack = 0x05060708,
                                     .window = 0x1234,
                                     .options = Bytes(12, 1)})
                               .payload("abc"));
  EXPECT_TRUE(d.packet.has_tcp);
  EXPECT_EQ(d.packet.tcp_flags, kTcpSyn | kTcpAck | kTcpEce | kTcpCwr);
  EXPECT_EQ(d.packet.tcp_seq, 0x01020304u);
  EXPECT_EQ(d.packet.tcp_ack, 0x05060708u);
  EXPECT_EQ(d.packet.tcp_window, 0x1234);
  EXPECT_EQ(d.packet.payload_size, 3u);
  EXPECT_EQ(src_port(d.packet), 1234);
  EXPECT_EQ(dst_port(d.packet), 80);
}

TEST(Tcp, LyingDataOffset) {
  for (uint8_t words = 0; words < 16; ++words) {
    const Decoded d = decode(
        ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2, {.header_words = words}).payload("abcd"));
    EXPECT_EQ(verdict_of(d.packet),
              words == 5 || words == 6 ? "decoded" : "errors{bad_header_length}@tcp");
  }
}

TEST(Tcp, OptionsMayBeCutBySnapLength) {
  Bytes bytes = ethernet()
                    .ipv4("10.0.0.1", "10.0.0.2")
                    .tcp(1, 2, {.options = Bytes(20, 1)})
                    .payload_of_size(100)
                    .bytes();
  Frame frame = frame_of(bytes);
  bytes.resize(14 + 20 + 20);
  frame.captured_size = static_cast<uint32_t>(bytes.size());
  const Decoded d = decode_frame(bytes, frame);
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(d.packet.payload_size, 100u);
  EXPECT_EQ(d.packet.payload_captured, 0u);
}

TEST(Udp, LengthField) {
  const auto udp = [](uint16_t length) {
    return decode(
        ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5, 6, {.length = length}).payload_of_size(100));
  };
  EXPECT_EQ(udp(108).packet.payload_size, 100u);
  EXPECT_EQ(udp(58).packet.payload_size, 50u);
  EXPECT_EQ(udp(58).packet.payload_captured, 50u);
  EXPECT_EQ(udp(8).packet.payload_size, 0u);
  EXPECT_EQ(udp(0).packet.payload_size, 100u) << "offload";
  EXPECT_EQ(udp(9000).packet.payload_size, 100u) << "beyond the IP payload";
  for (uint16_t length = 1; length < 8; ++length) {
    EXPECT_EQ(verdict_of(udp(length).packet), "errors{bad_length}@udp");
  }
}

TEST(Sctp, CommonHeader) {
  const Decoded d =
      decode(ethernet().ipv4("10.0.0.1", "10.0.0.2").sctp(2905, 2906).payload_of_size(20));
  EXPECT_EQ(path_of(d.packet), "eth.ip.sctp");
  EXPECT_EQ(src_port(d.packet), 2905);
  EXPECT_EQ(d.packet.payload_size, 20u);
}

TEST(Icmp, PortsAreThoseOfCommunityId) {
  const struct {
    uint8_t type, code;
    uint16_t src_port, dst_port;
  } cases[] = {{8, 0, 8, 0},    {0, 0, 0, 8},    {13, 0, 13, 14}, {14, 0, 14, 13},
               {15, 0, 15, 16}, {16, 0, 16, 15}, {17, 0, 17, 18}, {18, 0, 18, 17},
               {10, 0, 10, 9},  {9, 0, 9, 10},   {3, 13, 3, 13},  {11, 1, 11, 1}};
  for (const auto& one : cases) {
    const Decoded d = decode(
        ethernet().ipv4("10.0.0.1", "10.0.0.2").icmp(one.type, one.code).payload_of_size(56));
    EXPECT_EQ(path_of(d.packet), "eth.ip.icmp");
    EXPECT_TRUE(d.packet.has_ports);
    EXPECT_EQ(src_port(d.packet), one.src_port) << +one.type;
    EXPECT_EQ(dst_port(d.packet), one.dst_port) << +one.type;
    EXPECT_EQ(d.packet.icmp_type, one.type);
    EXPECT_EQ(d.packet.icmp_code, one.code);
    EXPECT_EQ(d.packet.payload_size, 56u);
    EXPECT_EQ(icmp_is_two_way(1, one.type), one.type != 3 && one.type != 11);
  }
}

TEST(Icmp, Ipv6PortsAreThoseOfCommunityId) {
  const struct {
    uint8_t type, code;
    uint16_t src_port, dst_port;
  } cases[] = {{128, 0, 128, 129}, {129, 0, 129, 128}, {133, 0, 133, 134}, {134, 0, 134, 133},
               {135, 0, 135, 136}, {136, 0, 136, 135}, {130, 0, 130, 131}, {131, 0, 131, 130},
               {139, 1, 139, 140}, {140, 0, 140, 139}, {144, 0, 144, 145}, {145, 0, 145, 144},
               {1, 4, 1, 4},       {143, 0, 143, 0}};
  for (const auto& one : cases) {
    const Decoded d = decode(
        ethernet().ipv6("fd00::1", "fd00::2").icmpv6(one.type, one.code).payload_of_size(56));
    EXPECT_EQ(path_of(d.packet), "eth.ipv6.icmpv6");
    EXPECT_EQ(src_port(d.packet), one.src_port) << +one.type;
    EXPECT_EQ(dst_port(d.packet), one.dst_port) << +one.type;
    EXPECT_EQ(icmp_is_two_way(58, one.type), one.type != 1 && one.type != 143);
  }
  EXPECT_FALSE(icmp_is_two_way(6, 8));
}

TEST(Icmp, ShortMessages) {
  const auto v4 = [](size_t size) {
    return decode(ethernet()
                      .ipv4("10.0.0.1", "10.0.0.2", {.protocol = 1})
                      .payload_of_size(size)
                      .pad_to_minimum());
  };
  const auto v6 = [](size_t size) {
    return decode(
        ethernet().ipv6("::1", "::2", {.next_header = 58}).payload_of_size(size).pad_to_minimum());
  };
  for (size_t size = 0; size < 8; ++size)
    EXPECT_EQ(verdict_of(v4(size).packet), "errors{truncated}@icmp");
  EXPECT_EQ(v4(8).packet.payload_size, 0u);
  for (size_t size = 1; size < 4; ++size)
    EXPECT_EQ(verdict_of(v6(size).packet), "errors{truncated}@icmpv6");
  for (size_t size = 4; size < 9; ++size) {
    EXPECT_EQ(verdict_of(v6(size).packet), "decoded");
    EXPECT_EQ(v6(size).packet.payload_size, size > 8 ? size - 8 : 0);
  }
}

// ---- Zones

TEST(Zone, NoneByDefault) {
  const Decoded d = decode(ethernet().vlan(5).ipv4("10.0.0.1", "10.0.0.2").udp(5, 6));
  EXPECT_EQ(d.packet.key.zone_kind, ZoneKind::kNone);
  EXPECT_EQ(d.packet.key, decode(ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5, 6)).packet.key);
}

TEST(Zone, VlanIsOutermostAndInnermostId) {
  const DecodeOptions options{ZoneKind::kVlan};
  const auto key = [&](std::initializer_list<uint16_t> tags) {
    PacketBuilder builder = ethernet();
    for (const uint16_t tag : tags) builder.vlan(tag);
    return decode(builder.ipv4("10.0.0.1", "10.0.0.2").udp(5, 6), options).packet.key;
  };
  EXPECT_EQ(key({}).zone_kind, ZoneKind::kNone);
  EXPECT_EQ(key({5}).zone_kind, ZoneKind::kVlan);
  EXPECT_EQ(key({5}).zone, 0x0005ffffu);
  EXPECT_EQ(key({5, 6}).zone, 0x00050006u);
  EXPECT_EQ(key({5, 7, 6}).zone, 0x00050006u);
  EXPECT_EQ(key({0}).zone, 0x0000ffffu);
  EXPECT_NE(key({0, 0}), key({0}));
}

TEST(Zone, InterfaceSeparatesLayer2AndIp) {
  const DecodeOptions options{ZoneKind::kInterface};
  for (const PacketBuilder& builder :
       {ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5, 6), ethernet().ethertype(0x88b8)}) {
    const Bytes bytes = builder.bytes();
    Frame frame = frame_of(bytes);
    const FlowKey first = decode_frame(bytes, frame, options).packet.key;
    frame.interface = 1;
    const FlowKey second = decode_frame(bytes, frame, options).packet.key;
    EXPECT_EQ(first.zone_kind, ZoneKind::kInterface);
    EXPECT_EQ(second.zone, 1u);
    EXPECT_NE(first, second);
  }
}

TEST(Zone, VniIsNoneWithoutATunnel) {
  const Decoded d = decode(ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5, 6), {ZoneKind::kVni});
  EXPECT_EQ(d.packet.key.zone_kind, ZoneKind::kNone);
}

// A Packet is reused from burst to burst: what an earlier packet left there must not show.
TEST(Packet, NothingOfTheEarlierPacketShows) {
  const PacketBuilder packets[] = {
      ethernet().vlan(5).vlan(6).ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).payload("abc"),
      ethernet().ipv6("::1", "::2").ipv6_fragment(9, 0, true).udp(1, 2),
      ethernet().ipv6("::1", "::2").ipv6_fragment(9, 8, true, 17).payload("abcdefgh"),
      ethernet().arp(1, "1.1.1.1", "2.2.2.2"),
      test::sll().ethertype(0x88b8).payload("abc"),
      test::raw().ipv4("10.0.0.1", "10.0.0.2").icmp(8, 0),
      test::raw().ipv4("10.0.0.1", "10.0.0.2", {.protocol = 47}).payload("abc"),
      test::raw().payload(Bytes{0x40})};
  const Decoder decoder({}, kSecret);
  for (const PacketBuilder& before : packets) {
    for (const PacketBuilder& after : packets) {
      const Bytes before_bytes = before.bytes();
      const Bytes after_bytes = after.bytes();
      const Frame before_frame = frame_of(before_bytes, before.link_type());
      const Frame after_frame = frame_of(after_bytes, after.link_type());
      Packet reused;
      decoder.decode(before_frame, reused);
      reused.flow_id = 77;
      reused.flow_created = true;
      decoder.decode(after_frame, reused);
      Packet fresh;
      decoder.decode(after_frame, fresh);
      EXPECT_TRUE(test::is_same_answer(reused, fresh))
          << path_of(before_bytes.empty() ? fresh : reused);
      EXPECT_EQ(test::broken_invariant(reused), nullptr);
    }
  }
}

}  // namespace
}  // namespace weir
