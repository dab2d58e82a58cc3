// SPDX-License-Identifier: Apache-2.0
//
// Every test runs with both hash algorithms, and so with both loops over plain packets.
#include "net/packet_digest.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "capture/capture_file.h"
#include "net/decode.h"
#include "tests/support/digest_check.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::broken_digests;
using test::Bytes;
using test::ethernet;
using test::frame_of;
using test::PacketBuilder;

constexpr HashSecret kSecret{0x0123456789abcdef, 0xfedcba9876543210};
constexpr uint64_t kSeed = 20240609;

std::vector<HashAlgorithm> algorithms() {
  std::vector<HashAlgorithm> found = {HashAlgorithm::kSipHash};
  if (has_aes()) found.push_back(HashAlgorithm::kAes);
  return found;
}

class Digest : public testing::TestWithParam<HashAlgorithm> {
 protected:
  Decoder decoder(const DecodeOptions& options = {}) const { return Decoder(options, hasher_); }

  KeyedHasher hasher_{kSecret, GetParam()};
};

std::string name_of(const testing::TestParamInfo<HashAlgorithm>& info) {
  return info.param == HashAlgorithm::kAes ? "Aes" : "SipHash";
}
INSTANTIATE_TEST_SUITE_P(Packet, Digest, testing::ValuesIn(algorithms()), name_of);

PacketBuilder ipv4(const test::Ipv4Fields& fields = {}) {
  return ethernet().ipv4("10.0.0.2", "10.0.0.1", fields);
}

// One digest, and whether it is plain; what it says is held to decode().
struct Digested {
  PacketDigest digest;
  bool is_plain = false;
};

Digested digest_of(const Decoder& decoder, const Frame& frame, uint32_t shard_count = 1) {
  EXPECT_STREQ(broken_digests(decoder, {&frame, 1}, shard_count), nullptr);
  Digested result;
  Packet general;
  const size_t general_count = decoder.digest({&frame, 1}, &result.digest, &general, shard_count);
  result.is_plain = general_count == 0;
  return result;
}

Digested digest_of(const Decoder& decoder, const PacketBuilder& builder) {
  const Bytes bytes = builder.bytes();
  return digest_of(decoder, frame_of(bytes, builder.link_type()));
}

// ---- What a digest says

TEST_P(Digest, OfTcpHasTheKeyAndWhatItsFlowCounts) {
  const Bytes bytes = ipv4()
                          .tcp(0x1234, 80, {.flags = 0x12, .seq = 0x01020304, .ack = 0xf1f2f3f4})
                          .payload("abc")
                          .pad_to_minimum()
                          .bytes();
  Frame frame = frame_of(bytes, 1, 1'700'000'000'123'456'789);
  frame.clock_ns += 5;
  frame.wire_size = 1000;
  const auto [digest, is_plain] = digest_of(decoder(), frame);
  EXPECT_TRUE(is_plain);
  const std::array<uint8_t, 4> a = {10, 0, 0, 1};
  const std::array<uint8_t, 4> b = {10, 0, 0, 2};
  EXPECT_EQ((std::bit_cast<std::array<uint8_t, 4>>(digest.key.a)), a);
  EXPECT_EQ((std::bit_cast<std::array<uint8_t, 4>>(digest.key.b)), b);
  EXPECT_EQ(digest.key.port_a, 80);
  EXPECT_EQ(digest.key.port_b, 0x1234);
  EXPECT_EQ(digest.key.proto_number, 6);
  EXPECT_EQ(digest.key.bits, kDigestFromB | kDigestTcp);
  EXPECT_EQ(digest.tcp_flags, 0x12);
  EXPECT_EQ(digest.tcp_seq, 0x01020304U);
  EXPECT_EQ(digest.tcp_ack, 0xf1f2f3f4);
  EXPECT_EQ(digest.ts_ns, 1'700'000'000'123'456'789);
  EXPECT_EQ(digest.clock_ns, frame.clock_ns);
  EXPECT_EQ(digest.wire_size, 1000U);
  EXPECT_EQ(digest.ip_size, 43U);
  EXPECT_EQ(digest.payload_size, 3U);
  EXPECT_EQ(digest.shard, 0);

  Packet packet;
  decoder().decode(frame, packet);
  EXPECT_EQ(digest.key.kinds, compact_key(packet.key).kinds);
  EXPECT_EQ(digest.hash, static_cast<uint32_t>(packet.hash));
  EXPECT_EQ(digest.hash_tag, tag_of_hash(packet.hash));
  EXPECT_EQ(packet.hash, hash_key(hasher_, packet.key));
}

TEST_P(Digest, OfUdpHasNothingOfTcp) {
  const auto [digest, is_plain] =
      digest_of(decoder(), ipv4().udp(53, 0x1234).payload("abcdefghijklmnopqrstuvw"));
  EXPECT_TRUE(is_plain);
  EXPECT_EQ(digest.key.proto_number, 17);
  EXPECT_EQ(digest.key.bits, kDigestFromB);
  EXPECT_EQ(digest.tcp_flags, 0);
  EXPECT_EQ(digest.tcp_seq, 0U);
  EXPECT_EQ(digest.tcp_ack, 0U);
  EXPECT_EQ(digest.payload_size, 23U);
}

TEST_P(Digest, SaysThatATcpWindowIsClosed) {
  const auto bits = [&](const PacketBuilder& builder) {
    return digest_of(decoder(), builder).digest.key.bits & kDigestZeroWindow;
  };
  EXPECT_NE(bits(ipv4().tcp(1, 2, {.window = 0})), 0);
  EXPECT_EQ(bits(ipv4().tcp(1, 2, {.window = 1})), 0);
  EXPECT_EQ(bits(ipv4().tcp(1, 2, {.window = 0x100})), 0);
  EXPECT_EQ(bits(ipv4().udp(1, 2).payload(Bytes(40, 0))), 0);
}

TEST_P(Digest, OfWhatIsNotDecodedIsForNoFlow) {
  const Bytes bytes = ipv4().tcp(1, 2).bytes();
  Frame frame = frame_of(bytes, 1, 7);
  frame.captured_size = 33;
  const auto [digest, is_plain] = digest_of(decoder(), frame);
  EXPECT_FALSE(is_plain);
  EXPECT_EQ(digest.key.bits, kDigestGeneral | kDigestNoFlow);
  EXPECT_EQ(digest.wire_size, 54U);
  EXPECT_EQ(digest.clock_ns, 7);
}

TEST_P(Digest, OfAKeyThatDoesNotFitHasNoAddresses) {
  const auto [v6, is_v6_plain] =
      digest_of(decoder(), ethernet().ipv6("fd00::1", "fd00::2").tcp(1, 2));
  EXPECT_FALSE(is_v6_plain);
  EXPECT_EQ(v6.key.bits, kDigestGeneral | kDigestTcp);
  EXPECT_EQ(v6.key.a | v6.key.b, 0U);
  EXPECT_EQ(v6.key.port_b, 2);
  const auto [tagged, is_tagged_plain] = digest_of(
      decoder({ZoneKind::kVlan}), ethernet().vlan(5).ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2));
  EXPECT_FALSE(is_tagged_plain);
  EXPECT_EQ(tagged.key.a | tagged.key.b, 0U);
  EXPECT_NE(tagged.key.kinds, 0);
}

// The fragment cache gives a later piece the key of its datagram; its digest is then made again.
TEST_P(Digest, OfAFragmentIsThatOfItsFlowOnceItHasTheKey) {
  const Decoder subject = decoder();
  const PacketDigest whole = digest_of(subject, ipv4().udp(1234, 80)).digest;
  const Bytes bytes = ipv4({.protocol = 17, .fragment_offset = 8}).payload("abcd").bytes();
  const Frame frame = frame_of(bytes);
  Packet piece;
  subject.decode(frame, piece);
  ASSERT_EQ(piece.fragment, FragmentKind::kLater);
  piece.key.port_a = 80;
  piece.key.port_b = 1234;
  piece.hash = hash_key(hasher_, piece.key);
  PacketDigest digest;
  subject.digest_general(piece, 7, digest);
  EXPECT_EQ(digest.index, 7U);
  EXPECT_EQ(digest.key.a, whole.key.a);
  EXPECT_EQ(digest.key.b, whole.key.b);
  EXPECT_EQ(digest.key.port_b, whole.key.port_b);
  EXPECT_EQ(digest.key.kinds, whole.key.kinds);
  EXPECT_EQ(digest.hash, whole.hash);
  EXPECT_EQ(digest.hash_tag, whole.hash_tag);
  EXPECT_EQ(digest.payload_size, 4U);
}

// ---- What is plain

TEST_P(Digest, MostPacketsArePlain) {
  const Decoder subject = decoder();
  const auto expect_plain = [&](const char* what, const PacketBuilder& builder) {
    EXPECT_TRUE(digest_of(subject, builder).is_plain) << what;
  };
  expect_plain("TCP without payload", ipv4().tcp(1, 2));
  expect_plain("TCP, padded", ipv4().tcp(1, 2).pad_to_minimum());
  expect_plain("TCP with options", ipv4().tcp(1, 2, {.options = Bytes(40, 1)}).payload("abc"));
  expect_plain("don't fragment", ipv4({.dont_fragment = true}).tcp(1, 2));
  expect_plain("longer than captured", ipv4({.total_length = 9000}).tcp(1, 2));
  expect_plain("a tunnel's port in TCP", ipv4().tcp(4789, 2152));
  expect_plain("UDP", ipv4().udp(1, 2).payload("abcdefghijkl"));
  expect_plain("UDP in a short frame", ipv4().udp(1, 2));
  expect_plain("UDP, one byte short", ipv4().udp(1, 2).payload("abcdefghijk"));
  expect_plain("UDP without a length", ipv4().udp(1, 2, {.length = 0}).payload("abcdefghijkl"));
  expect_plain("UDP with too long a length", ipv4().udp(1, 2, {.length = 900}).payload("abc"));
  expect_plain("UDP with a shorter length", ipv4().udp(1, 2, {.length = 9}).payload("abcdef"));
}

TEST_P(Digest, WhatHasMoreToItIsGeneral) {
  const auto expect_general = [&](const char* what, const PacketBuilder& builder,
                                  const DecodeOptions& options = {}) {
    EXPECT_FALSE(digest_of(decoder(options), builder).is_plain) << what;
  };
  const auto tagged = [] { return ethernet().vlan(5).ipv4("10.0.0.1", "10.0.0.2"); };
  expect_general("a tag", tagged().tcp(1, 2));
  expect_general("IP options", ipv4({.options = Bytes(4, 1)}).tcp(1, 2));
  expect_general("a header of four words", ipv4({.header_words = 4}).tcp(1, 2));
  expect_general("version 6", ipv4({.version = 6}).tcp(1, 2));
  expect_general("a first fragment", ipv4({.more_fragments = true}).tcp(1, 2));
  expect_general("a later fragment", ipv4({.protocol = 6, .fragment_offset = 8}).payload("abcd"));
  expect_general("the last fragment", ipv4({.protocol = 6, .fragment_offset = 65528}).tcp(1, 2));
  expect_general("a super-frame", ipv4({.total_length = 0}).tcp(1, 2));
  expect_general("no room for TCP", ipv4({.total_length = 39}).tcp(1, 2));
  expect_general("no room for UDP", ipv4({.total_length = 27}).udp(1, 2));
  expect_general("less than an IP header", ipv4({.total_length = 19}).tcp(1, 2));
  expect_general("a TCP header of four words", ipv4().tcp(1, 2, {.header_words = 4}));
  expect_general("a TCP header of no words", ipv4().tcp(1, 2, {.header_words = 0}));
  expect_general("a TCP header beyond the packet", ipv4().tcp(1, 2, {.header_words = 6}));
  expect_general("a UDP length of 7", ipv4().udp(1, 2, {.length = 7}));
  expect_general("a UDP length of 1", ipv4().udp(1, 2, {.length = 1}));
  expect_general("ICMP", ipv4().icmp(8, 0).payload_of_size(40));
  expect_general("another protocol", ipv4().ip_protocol(46).payload_of_size(40));
  expect_general("IPv6", ethernet().ipv6("fd00::1", "fd00::2").tcp(1, 2));
  expect_general("another link", test::raw().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).padding(20));
  expect_general("interfaces as zones", ipv4().tcp(1, 2), {ZoneKind::kInterface});
}

TEST_P(Digest, WhatTheSourceKnewMakesAPacketGeneral) {
  const Bytes bytes = ipv4().tcp(1, 2).pad_to_minimum().bytes();
  const auto is_plain = [&](auto change) {
    Frame frame = frame_of(bytes);
    change(frame);
    return digest_of(decoder(), frame).is_plain;
  };
  EXPECT_TRUE(is_plain([](Frame&) {}));
  EXPECT_TRUE(is_plain([](Frame& frame) { frame.captured_size = 54; }));
  EXPECT_TRUE(is_plain([](Frame& frame) { frame.wire_size = 0; }));
  EXPECT_FALSE(is_plain([](Frame& frame) { frame.captured_size = 53; }));
  EXPECT_FALSE(is_plain([](Frame& frame) { frame.captured_size = 0; }));
  EXPECT_FALSE(is_plain([](Frame& frame) { frame.has_vlan = true; }));
  EXPECT_FALSE(is_plain([](Frame& frame) { frame.is_oversized = true; }));
  EXPECT_FALSE(is_plain([](Frame& frame) { frame.link_type = 0x101; }));
}

TEST_P(Digest, OtherZonesLeaveUntaggedPacketsPlain) {
  EXPECT_TRUE(digest_of(decoder({ZoneKind::kVlan}), ipv4().tcp(1, 2)).is_plain);
  EXPECT_TRUE(digest_of(decoder({ZoneKind::kVni}), ipv4().tcp(1, 2)).is_plain);
}

TEST_P(Digest, OnlyPortsOfTunnelsAreLookedAtCloser) {
  std::vector<bool> is_tunnel(65536);
#define TUNNELLED_TO_UDP_PORT(number, layer, looks_like) is_tunnel[number] = true;
#define TUNNELLED_BY_UDP_PORT(number, layer, looks_like) is_tunnel[number] = true;
#include "net/layer_steps.inc"
  const Decoder entering = decoder();
  const Decoder passing = decoder({.decapsulate = false});
  for (uint32_t port = 0; port < 65536; ++port) {
    const auto number = static_cast<uint16_t>(port);
    for (const Bytes& bytes : {ipv4().udp(1, number).payload_of_size(20).bytes(),
                               ipv4().udp(number, 1).payload_of_size(20).bytes()}) {
      const Frame frame = frame_of(bytes);
      PacketDigest digest;
      Packet general;
      const bool is_general = entering.digest({&frame, 1}, &digest, &general) == 1;
      ASSERT_EQ(is_general, is_tunnel[port]) << port;
      ASSERT_EQ(passing.digest({&frame, 1}, &digest, &general), 0U) << port;
    }
  }
}

// ---- Equality with decode()

std::vector<PacketBuilder> plain_packets() {
  std::vector<PacketBuilder> packets = {
      ipv4().tcp(1, 2).pad_to_minimum(),
      ipv4().tcp(1, 2, {.flags = 2, .window = 0, .options = Bytes(20, 1)}).payload("abcdef"),
      ipv4().udp(1, 2),
      ipv4().udp(53, 5353).payload_of_size(30),
      ipv4().udp(1, 2, {.length = 12}).payload_of_size(20).padding(6),
      ipv4({.total_length = 0}).udp(1, 2, {.length = 0}).payload_of_size(20),
      ipv4().udp(4788, 4789).vxlan(7).ethernet().ipv4("10.1.0.1", "10.1.0.2").tcp(1, 2),
  };
  packets.push_back(ethernet().ipv4("10.0.0.1", "10.0.0.1").tcp(7, 7).pad_to_minimum());
  packets.push_back(ethernet().ipv4("10.0.0.1", "10.0.0.1").udp(9, 8).payload_of_size(18));
  packets.push_back(ethernet().ipv4("255.255.255.255", "0.0.0.0").tcp(65535, 0));
  packets.push_back(ethernet().ipv4("127.255.255.255", "128.0.0.0").udp(0, 65535));
  packets.push_back(ethernet().vlan(5).ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2));
  return packets;
}

// Bytes on the heap in a block of exactly their size, so that a read of one too many shows.
struct ExactFrame {
  ExactFrame(const Frame& whole, size_t size) : bytes(new uint8_t[size]), frame(whole) {
    std::copy_n(whole.data, size, bytes.get());
    frame.data = bytes.get();
    frame.captured_size = static_cast<uint32_t>(size);
  }
  std::unique_ptr<uint8_t[]> bytes;
  Frame frame;
};

TEST_P(Digest, EveryPrefixIsAnsweredAsByDecode) {
  const Decoder subject = decoder();
  for (const PacketBuilder& builder : plain_packets()) {
    const Bytes whole = builder.bytes();
    const Frame frame = frame_of(whole, builder.link_type());
    for (size_t size = 0; size <= whole.size(); ++size) {
      ExactFrame cut(frame, size);
      for (const uint32_t wire_size : {frame.wire_size, cut.frame.captured_size, 0u, 9000u}) {
        cut.frame.wire_size = wire_size;
        ASSERT_STREQ(broken_digests(subject, {&cut.frame, 1}), nullptr) << size;
      }
    }
  }
}

TEST_P(Digest, EveryFlippedBitIsAnsweredAsByDecode) {
  const Decoder subject = decoder();
  for (const PacketBuilder& builder : plain_packets()) {
    Bytes bytes = builder.bytes();
    const Frame frame = frame_of(bytes, builder.link_type());
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      ASSERT_STREQ(broken_digests(subject, {&frame, 1}), nullptr) << bit;
      bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
  }
}

TEST_P(Digest, EveryValueOfALengthIsAnsweredAsByDecode) {
  const Decoder subject = decoder();
  for (const PacketBuilder& builder : plain_packets()) {
    Bytes bytes = builder.bytes();
    const Frame frame = frame_of(bytes, builder.link_type());
    // The total length, and that of UDP.
    for (const size_t at : {16u, 38u}) {
      const Bytes before = bytes;
      for (uint32_t value = 0; value < 65536; value += value < 300 ? 1 : 97) {
        bytes[at] = static_cast<uint8_t>(value >> 8);
        bytes[at + 1] = static_cast<uint8_t>(value);
        ASSERT_STREQ(broken_digests(subject, {&frame, 1}), nullptr) << at << ": " << value;
      }
      std::copy(before.begin(), before.end(), bytes.begin());
    }
  }
}

// Random bytes where the fast path looks, few enough changes that many packets stay plain; bursts
// of random sizes, so that plain and general packets take turns.
TEST_P(Digest, RandomBurstsAreAnsweredAsByDecode) {
  std::mt19937_64 random(kSeed);
  const std::vector<PacketBuilder> builders = plain_packets();
  const Decoder decoders[] = {decoder(), decoder({.decapsulate = false}),
                              decoder({ZoneKind::kVlan}), decoder({ZoneKind::kInterface})};
  uint64_t plain_count = 0;
  uint64_t frame_count = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<ExactFrame> exact;
    for (size_t index = random() % 200; index > 0; --index) {
      const PacketBuilder& builder = builders[random() % builders.size()];
      Bytes bytes = builder.bytes();
      for (size_t at = 26; at < 38; ++at) {
        if (random() % 2 == 0) bytes[at] = static_cast<uint8_t>(random() % 4);
      }
      for (size_t flips = random() % 3; flips > 0; --flips)
        bytes[random() % bytes.size()] ^= static_cast<uint8_t>(1 << random() % 8);
      const auto ts_ns = static_cast<int64_t>(random());
      const size_t size = random() % 4 == 0 ? random() % bytes.size() : bytes.size();
      exact.emplace_back(frame_of(bytes, builder.link_type(), ts_ns), size);
      if (random() % 16 == 0) exact.back().frame.has_vlan = true;
    }
    std::vector<Frame> frames;
    for (const ExactFrame& frame : exact) frames.push_back(frame.frame);
    const uint32_t shard_count = round % 3 == 0 ? 1 : static_cast<uint32_t>(random() % 256 + 1);
    const Decoder& subject = decoders[round % 8 < 5 ? 0 : round % 8 - 4];
    ASSERT_STREQ(broken_digests(subject, frames, shard_count, &plain_count), nullptr)
        << "seed " << kSeed << " round " << round;
    frame_count += frames.size();
  }
  EXPECT_GT(plain_count, frame_count / 10);
  EXPECT_LT(plain_count, frame_count * 9 / 10);
}

// Frames far apart, as in a file of long packets: the loops then ask for their bytes beforehand.
TEST_P(Digest, FramesFarApartAreAnsweredAsByDecode) {
  const Bytes bytes = ipv4().tcp(1, 2).payload_of_size(60).bytes();
  for (const size_t count : {1u, 2u, 15u, 16u, 17u, 33u, 100u}) {
    std::vector<uint8_t> buffer(count * 600);
    std::vector<Frame> frames;
    for (size_t index = 0; index < count; ++index) {
      std::copy(bytes.begin(), bytes.end(), buffer.begin() + static_cast<int64_t>(index * 600));
      frames.push_back(frame_of(bytes));
      frames.back().data = &buffer[index * 600];
      if (index % 7 == 3) frames.back().captured_size = static_cast<uint32_t>(index % 60);
    }
    uint64_t plain_count = 0;
    EXPECT_STREQ(broken_digests(decoder(), frames, 1, &plain_count), nullptr) << count;
    EXPECT_GT(plain_count, count / 2) << count;
  }
}

TEST_P(Digest, OfNoFramesIsNone) {
  EXPECT_EQ(decoder().digest({}, nullptr, nullptr), 0U);
}

TEST_P(Digest, ShardsAreThoseOfTheKey) {
  const Decoder subject = decoder();
  std::vector<int> seen(4);
  for (uint32_t host = 0; host < 200; ++host) {
    const std::string address = "10.0.0." + std::to_string(host);
    for (const auto& builder : {ethernet().ipv4(address.c_str(), "10.1.0.1").tcp(5, 6),
                                ethernet().ipv4("10.1.0.1", address.c_str()).udp(7, 8),
                                ethernet().ipv4("10.1.0.1", address.c_str()).icmp(8, 0)}) {
      const Bytes bytes = builder.bytes();
      const Frame frame = frame_of(bytes);
      Packet packet;
      subject.decode(frame, packet);
      for (const uint32_t count : {1u, 2u, 4u, 256u}) {
        const PacketDigest digest = digest_of(subject, frame, count).digest;
        EXPECT_EQ(digest.shard, shard_of(hasher_, packet.key, count));
        if (count == 4) ++seen[digest.shard];
      }
    }
  }
  for (const int count : seen) EXPECT_GT(count, 60);
}

// ---- Real captures, when there are some: ../shared/captures beside the source, or captures in the
// folder WEIR_SHARED names

std::filesystem::path shared_captures() {
  if (const char* shared = std::getenv("WEIR_SHARED"))
    return std::filesystem::path(shared) / "captures";
  const char* source = std::getenv("WEIR_SOURCE_DIR");
  return std::filesystem::path(source != nullptr ? source : ".") / ".." / "shared" / "captures";
}

TEST_P(Digest, SharedCapturesAreAnsweredAsByDecode) {
  const std::filesystem::path captures = shared_captures();
  if (!std::filesystem::is_directory(captures)) GTEST_SKIP() << "no captures in " << captures;
  const Decoder subject = decoder();
  uint64_t plain_count = 0;
  uint64_t frame_count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(captures)) {
    if (!entry.is_regular_file()) continue;
    InterfaceNames names;
    std::string error;
    const auto source = open_capture_file(entry.path(), names, error);
    if (source == nullptr) continue;  // what cannot be read is for the tests of capture/
    Batch batch;
    while (source->next(batch) == Next::kData) {
      EXPECT_STREQ(broken_digests(subject, batch.frames, 3, &plain_count), nullptr) << entry.path();
      frame_count += batch.frames.size();
      source->release(batch);
    }
  }
  EXPECT_GT(plain_count, frame_count / 2);
}

}  // namespace
}  // namespace weir
