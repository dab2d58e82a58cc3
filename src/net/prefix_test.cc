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
