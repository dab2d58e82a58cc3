// SPDX-License-Identifier: Apache-2.0
//
// IEEE 802.11 with every header capturing software puts before it, and IEEE 802.15.4.
#include <gtest/gtest.h>

#include <initializer_list>

#include "tests/support/decoded_packet.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::Bytes;
using test::decode;
using test::Decoded;
using test::ethernet;
using test::PacketBuilder;
using test::path_of;
using test::verdict_of;

constexpr MacBytes kAddress1 = {0x10, 1, 1, 1, 1, 1};
constexpr MacBytes kAddress2 = {0x10, 2, 2, 2, 2, 2};
constexpr MacBytes kAddress3 = {0x10, 3, 3, 3, 3, 3};
constexpr MacBytes kAddress4 = {0x10, 4, 4, 4, 4, 4};

constexpr uint8_t kData = 0x08;
constexpr uint8_t kQosData = 0x88;
constexpr uint8_t kToDs = 1;
constexpr uint8_t kFromDs = 2;

Bytes bytes_of(const MacBytes& address) {
  return Bytes(address.begin(), address.end());
}

// The header of a frame with three addresses; `fragment` is its number.
PacketBuilder& wlan(PacketBuilder& packet, uint8_t kind, uint8_t flags, uint8_t fragment = 0) {
  return packet.payload(Bytes{kind, flags, 0, 0})
      .payload(bytes_of(kAddress1))
      .payload(bytes_of(kAddress2))
      .payload(bytes_of(kAddress3))
      .payload(Bytes{fragment, 0x12});
}
PacketBuilder wlan(uint8_t kind, uint8_t flags, uint8_t fragment = 0) {
  PacketBuilder packet(105);
  return wlan(packet, kind, flags, fragment);
}

PacketBuilder udp_over(PacketBuilder packet) {
  return packet.snap().ipv4("10.0.0.1", "10.0.0.2").udp(5, 6).payload("abc");
}

TEST(Wlan, AddressesGoByTheDistributionBits) {
  const FlowKey key =
      decode(ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5, 6).payload("abc")).packet.key;
  const struct {
    uint8_t flags;
    MacBytes src;
    MacBytes dst;
  } cases[] = {{0, kAddress2, kAddress1},
               {kFromDs, kAddress3, kAddress1},
               {kToDs, kAddress2, kAddress3},
               {kToDs | kFromDs, kAddress4, kAddress3}};
  for (const auto& one : cases) {
    PacketBuilder packet = wlan(kData, one.flags);
    if (one.flags == (kToDs | kFromDs)) packet.payload(bytes_of(kAddress4));
    const Decoded d = decode(udp_over(packet));
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(path_of(d.packet), "wlan.llc.ip.udp");
    EXPECT_EQ(d.packet.key, key);
    EXPECT_TRUE(d.packet.has_macs);
    EXPECT_EQ(d.packet.src_mac, one.src);
    EXPECT_EQ(d.packet.dst_mac, one.dst);
  }
}

// What Aruba's access points heard: GRE with a protocol number for each of their queues.
TEST(Wlan, ComesInGreOfAruba) {
  for (const uint16_t protocol : std::initializer_list<uint16_t>{0x81ff, 0x8200, 0x8370, 0x8371}) {
    PacketBuilder packet = ethernet().ipv4("192.0.2.1", "192.0.2.2").gre().ethertype(protocol);
    const Decoded d = decode(udp_over(wlan(packet, kData, kToDs)));
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    const bool is_aruba = protocol == 0x8200 || protocol == 0x8370;
    EXPECT_EQ(path_of(d.packet), is_aruba ? "eth.ip.gre.wlan.llc.ip.udp" : "eth.ip.gre");
  }
}

TEST(Wlan, QosAndHtControlAreSkipped) {
  EXPECT_EQ(path_of(decode(udp_over(wlan(kQosData, kToDs).payload(Bytes{0, 0}))).packet),
            "wlan.llc.ip.udp");
  EXPECT_EQ(
      path_of(
          decode(udp_over(wlan(kQosData, kToDs | 0x80).payload(Bytes{0, 0, 1, 2, 3, 4}))).packet),
      "wlan.llc.ip.udp");
  EXPECT_EQ(path_of(decode(udp_over(wlan(kData, kToDs | 0x80))).packet), "wlan.llc.ip.udp")
      << "the bit is about order in frames without QoS";
}

TEST(Wlan, AnAggregateIsAFrameOfItsFirst) {
  const Bytes llc = {0xaa, 0xaa, 3, 0, 0, 0, 0x88, 0x8e, 1, 2, 3};
  const Decoded d = decode(wlan(kQosData, kFromDs)
                               .payload(Bytes{0x80, 0})
                               .payload(bytes_of(kAddress4))
                               .payload(bytes_of(kAddress2))
                               .payload(Bytes{0, static_cast<uint8_t>(llc.size())})
                               .payload(llc)
                               .payload_of_size(40));
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(d.packet.key.proto_number, 0x888e);
  EXPECT_EQ(d.packet.dst_mac, kAddress4);
  EXPECT_EQ(d.packet.src_mac, kAddress2);
  EXPECT_EQ(d.packet.payload_size, 3u);
}

TEST(Wlan, WhatIsNoReadableDataIsIgnored) {
  const struct {
    uint8_t kind;
    uint8_t flags;
    const char* verdict;
  } cases[] = {
      {0x80, 0, "ignored{wlan_management}@wlan"}, {0x0c, 0, "ignored{wlan_management}@wlan"},
      {0xd4, 0, "ignored{wlan_control}@wlan"},    {0x48, kToDs, "ignored{wlan_null}@wlan"},
      {0xc8, kToDs, "ignored{wlan_null}@wlan"},   {kData, kToDs | 0x40, "ignored{protected}@wlan"},
      {0x09, 0, "errors{bad_version}@wlan"}};
  for (const auto& one : cases) {
    EXPECT_EQ(verdict_of(decode(udp_over(wlan(one.kind, one.flags))).packet), one.verdict);
  }
  EXPECT_EQ(verdict_of(decode(wlan(kData, kToDs)).packet), "ignored{wlan_null}@wlan");
  EXPECT_EQ(verdict_of(decode(udp_over(wlan(kData, kToDs, 1))).packet),
            "ignored{wlan_fragment}@wlan");
}

TEST(WlanCapture, EveryHeaderLeadsToTheFrame) {
  const struct {
    uint16_t link_type;
    Bytes header;
    const char* path;
  } cases[] = {{127, {0, 0, 8, 0, 0, 0, 0, 0}, "radiotap.wlan.llc.ip.udp"},
               {127, {0, 0, 12, 0, 0, 0, 0, 0x80, 0, 0, 0, 0}, "radiotap.wlan.llc.ip.udp"},
               {119,
                {0x44, 0, 0, 0, 24, 0, 0, 0, 'w', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                "prism.wlan.llc.ip.udp"},
               {119,
                {0, 0, 0, 0x44, 0, 0, 0, 24, 'w', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                "prism.wlan.llc.ip.udp"},
               {119,
                {0x80, 0x21, 0x10, 1, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                "prism.wlancap.wlan.llc.ip.udp"},
               {163, {0x80, 0x21, 0x10, 1, 0, 0, 0, 12, 0, 0, 0, 0}, "wlancap.wlan.llc.ip.udp"},
               {192, {0, 0, 8, 0, 105, 0, 0, 0}, "ppi.wlan.llc.ip.udp"}};
  for (const auto& one : cases) {
    PacketBuilder packet(one.link_type);
    packet.payload(one.header);
    const Decoded d = decode(udp_over(wlan(packet, kData, kToDs)));
    EXPECT_EQ(verdict_of(d.packet), "decoded") << one.link_type;
    EXPECT_EQ(path_of(d.packet), one.path);
  }
}

TEST(WlanCapture, RadiotapFlagsMoveTheEndsOfTheFrame) {
  const Bytes with_fcs = {0, 0, 9, 0, 2, 0, 0, 0, 0x10};
  const Bytes with_time = {0, 0, 17, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10};
  // Two present words: the time is aligned to 16.
  const Bytes with_more = {0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0,   9,
                           9, 9, 9,  0, 0, 0, 0, 0,    0, 0, 0, 0x10};
  for (const Bytes& header : {with_fcs, with_time, with_more}) {
    PacketBuilder packet(127);
    packet.payload(header);
    wlan(packet, kData, kToDs).snap().ethertype(0x888e).payload("abc").padding(4);
    const Decoded d = decode(packet);
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(d.packet.payload_size, 3u);
  }
  PacketBuilder padded(127);
  padded.payload(Bytes{0, 0, 9, 0, 2, 0, 0, 0, 0x20});
  wlan(padded, kQosData, kToDs).payload(Bytes{0, 0, 0xee, 0xee});
  EXPECT_EQ(path_of(decode(udp_over(padded)).packet), "radiotap.wlan.llc.ip.udp");
}

TEST(WlanCapture, PpiNamesTheLinkAndTheChecksum) {
  PacketBuilder with_fcs(192);
  with_fcs.payload(
      Bytes{0, 0, 26, 0, 105, 0, 0, 0, 9, 0, 0, 0, 2, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  wlan(with_fcs, kData, kToDs).snap().ethertype(0x888e).payload("abc").padding(4);
  EXPECT_EQ(decode(with_fcs).packet.payload_size, 3u);

  PacketBuilder eth(192);
  eth.payload(Bytes{0, 0, 8, 0, 1, 0, 0, 0}).ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5, 6);
  EXPECT_EQ(path_of(decode(eth).packet), "ppi.eth.ip.udp");
  PacketBuilder other(192);
  other.payload(Bytes{0, 0, 8, 0, 0, 0, 1, 0, 0, 0});
  EXPECT_EQ(verdict_of(decode(other).packet), "ignored{link_type}@ppi");
}

TEST(WlanCapture, LyingLengths) {
  const auto verdict = [](uint16_t link_type, const Bytes& bytes) {
    return verdict_of(decode(PacketBuilder(link_type).payload(bytes)).packet);
  };
  EXPECT_EQ(verdict(127, {0, 0, 7, 0, 0, 0, 0, 0}), "errors{bad_header_length}@radiotap");
  EXPECT_EQ(verdict(127, {0, 0, 9, 0, 0, 0, 0, 0}), "errors{bad_header_length}@radiotap");
  EXPECT_EQ(verdict(163, {0x80, 0x21, 0x10, 1, 0xff, 0, 0, 0}),
            "errors{bad_header_length}@wlancap");
  EXPECT_EQ(verdict(192, {0, 0, 200, 0, 1, 0, 0, 0}), "errors{bad_header_length}@ppi");
}

// ---- IEEE 802.15.4

Decoded wpan(const Bytes& bytes, uint16_t link_type = 230) {
  return decode(PacketBuilder(link_type).payload(bytes));
}

AddressBytes src_of(const Packet& packet) {
  return packet.from_b ? packet.key.b : packet.key.a;
}
AddressBytes dst_of(const Packet& packet) {
  return packet.from_b ? packet.key.a : packet.key.b;
}

TEST(Wpan, ShortAddressesAreThoseOfTheirNetwork) {
  // Data, one PAN id, both short: 0x1a62/0x0001 to 0x1a62/0xffff.
  const Bytes bytes = {0x41, 0x88, 7, 0x62, 0x1a, 0xff, 0xff, 1, 0, 'a', 'b'};
  for (const uint16_t link_type : std::initializer_list<uint16_t>{195, 230}) {
    const Decoded d = wpan(bytes, link_type);
    EXPECT_EQ(verdict_of(d.packet), "decoded");
    EXPECT_EQ(path_of(d.packet), "wpan");
    EXPECT_EQ(d.packet.key.kind, AddressKind::kEui64);
    EXPECT_EQ(d.packet.key.proto_number, 0x809a);
    EXPECT_EQ(src_of(d.packet), (AddressBytes{0, 0, 0, 0, 0x1a, 0x62, 0, 1}));
    EXPECT_EQ(dst_of(d.packet), (AddressBytes{0, 0, 0, 0, 0x1a, 0x62, 0xff, 0xff}));
    EXPECT_FALSE(d.packet.has_macs);
    EXPECT_EQ(d.packet.payload_size, link_type == 195 ? 0u : 2u) << "without the checksum";
  }
}

TEST(Wpan, ExtendedAddressesAreWrittenFromTheEnd) {
  const Bytes bytes = {0x21, 0xcc, 7,    0x62, 0x1a, 8,  7,  6,  5,  4,  3, 2,
                       1,    0x63, 0x1a, 18,   17,   16, 15, 14, 13, 12, 11};
  const Decoded d = wpan(bytes);
  EXPECT_EQ(verdict_of(d.packet), "decoded");
  EXPECT_EQ(dst_of(d.packet), (AddressBytes{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(src_of(d.packet), (AddressBytes{11, 12, 13, 14, 15, 16, 17, 18}));
  EXPECT_EQ(d.packet.payload_size, 0u);
}

TEST(Wpan, WhatIsMissingIsZero) {
  const Decoded acknowledgement = wpan({0x02, 0, 7});
  EXPECT_EQ(verdict_of(acknowledgement.packet), "decoded");
  EXPECT_EQ(src_of(acknowledgement.packet), AddressBytes{});
  const Decoded beacon = wpan({0x00, 0x80, 7, 0x62, 0x1a, 5, 0});
  EXPECT_EQ(src_of(beacon.packet), (AddressBytes{0, 0, 0, 0, 0x1a, 0x62, 0, 5}));
  EXPECT_EQ(dst_of(beacon.packet), AddressBytes{});
}

TEST(Wpan, Version2MayLeaveOutSequenceAndNetworks) {
  // Both extended, no PAN id, no sequence number.
  const Bytes bytes = {0x41, 0xed, 8, 7, 6, 5, 4, 3, 2, 1, 18, 17, 16, 15, 14, 13, 12, 11, 'x'};
  const Decoded d = wpan(bytes);
  EXPECT_EQ(src_of(d.packet), (AddressBytes{11, 12, 13, 14, 15, 16, 17, 18}));
  EXPECT_EQ(d.packet.payload_size, 1u);
}

TEST(Wpan, PhyAndTapHeaders) {
  const Bytes frame = {0x41, 0x88, 7, 0x62, 0x1a, 2, 0, 1, 0, 'a', 0, 0};
  const auto with = [&](Bytes header) {
    header.insert(header.end(), frame.begin(), frame.end());
    return header;
  };
  const FlowKey key = wpan(frame).packet.key;
  const Decoded phy = wpan(with({0, 0, 0, 0, 0xa7, 12}), 215);
  EXPECT_EQ(phy.packet.key, key);
  EXPECT_EQ(phy.packet.payload_size, 1u);
  const Decoded tap = wpan(with({0, 0, 12, 0, 0, 0, 1, 0, 1, 0, 0, 0}), 283);
  EXPECT_EQ(tap.packet.key, key);
  EXPECT_EQ(tap.packet.payload_size, 1u);
  EXPECT_EQ(verdict_of(wpan(with({0, 0, 3, 0}), 283).packet), "errors{bad_header_length}@wpan");
}

TEST(Wpan, ReservedFormsAreErrors) {
  EXPECT_EQ(verdict_of(wpan({0x01, 0x04, 7, 0, 0, 0, 0, 0}).packet),
            "errors{bad_header_length}@wpan");
  EXPECT_EQ(verdict_of(wpan({0x01, 0x38, 7, 0, 0, 0, 0, 0}).packet), "errors{bad_version}@wpan");
  EXPECT_EQ(verdict_of(wpan({0x05, 0x04, 7, 0, 0}).packet), "decoded") << "a multipurpose frame";
}

}  // namespace
}  // namespace weir
