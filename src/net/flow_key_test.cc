// SPDX-License-Identifier: Apache-2.0
#include "net/flow_key.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <utility>
#include <vector>

#include "base/cpu_features.h"
#include "net/decode.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::ethernet;
using test::PacketBuilder;

const HashSecret kSecret{0x0706050403020100, 0x0f0e0d0c0b0a0908};
constexpr uint64_t kSeed = 20240607;

Packet decoded(const PacketBuilder& builder) {
  const test::Bytes bytes = builder.bytes();
  const Frame frame = test::frame_of(bytes, builder.link_type());
  Packet packet;
  Decoder({}, kSecret).decode(frame, packet);
  EXPECT_EQ(packet.verdict, Verdict::kDecoded);
  packet.frame = nullptr;
  packet.payload = nullptr;
  return packet;
}

void expect_two_directions(const PacketBuilder& there, const PacketBuilder& back) {
  const Packet forward = decoded(there);
  const Packet backward = decoded(back);
  EXPECT_EQ(forward.key, backward.key);
  EXPECT_EQ(forward.hash, backward.hash);
  EXPECT_NE(forward.from_b, backward.from_b);
}

TEST(FlowKey, BothDirectionsHaveOneKey) {
  expect_two_directions(ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1234, 80),
                        ethernet().ipv4("10.0.0.2", "10.0.0.1").tcp(80, 1234));
  expect_two_directions(ethernet().ipv6("fd00::1", "fd00::2").udp(1234, 80),
                        ethernet().ipv6("fd00::2", "fd00::1").udp(80, 1234));
  expect_two_directions(ethernet().ipv4("10.0.0.1", "10.0.0.2").sctp(7, 9),
                        ethernet().ipv4("10.0.0.2", "10.0.0.1").sctp(9, 7));
  expect_two_directions(ethernet(test::kMacA, test::kMacB).ethertype(0x88b8),
                        ethernet(test::kMacB, test::kMacA).ethertype(0x88b8));
  expect_two_directions(ethernet().ipv4("10.0.0.1", "10.0.0.2").icmp(8, 0),
                        ethernet().ipv4("10.0.0.2", "10.0.0.1").icmp(0, 0));
  expect_two_directions(ethernet().ipv6("fd00::1", "fd00::2").icmpv6(135, 0),
                        ethernet().ipv6("fd00::2", "fd00::1").icmpv6(136, 0));
  expect_two_directions(ethernet().ipv4("10.0.0.1", "10.0.0.2").ip_protocol(46),
                        ethernet().ipv4("10.0.0.2", "10.0.0.1").ip_protocol(46));
}

TEST(FlowKey, EqualAddressesAreOrderedByPort) {
  expect_two_directions(ethernet().ipv4("127.0.0.1", "127.0.0.1").tcp(1234, 80),
                        ethernet().ipv4("127.0.0.1", "127.0.0.1").tcp(80, 1234));
  expect_two_directions(ethernet().ipv4("127.0.0.1", "127.0.0.1").icmp(8, 0),
                        ethernet().ipv4("127.0.0.1", "127.0.0.1").icmp(0, 0));
}

TEST(FlowKey, EqualEndpointsAreOneFlowSentByA) {
  const Packet packet = decoded(ethernet().ipv4("127.0.0.1", "127.0.0.1").udp(53, 53));
  EXPECT_FALSE(packet.from_b);
}

TEST(FlowKey, SwappedPortsAreAnotherFlow) {
  EXPECT_NE(decoded(ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1234, 80)).key,
            decoded(ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(80, 1234)).key);
}

TEST(FlowKey, OneWayIcmpMessagesAreFlowsOfTheirDirection) {
  EXPECT_NE(decoded(ethernet().ipv4("10.0.0.1", "10.0.0.2").icmp(3, 1)).key,
            decoded(ethernet().ipv4("10.0.0.2", "10.0.0.1").icmp(3, 1)).key);
}

TEST(FlowKey, AddressBytesOrderTheEndpoints) {
  // Not as a machine's integers would.
  EXPECT_FALSE(decoded(ethernet().ipv4("1.0.0.2", "2.0.0.1").udp(9, 1)).from_b);
  EXPECT_TRUE(decoded(ethernet().ipv4("2.0.0.1", "1.0.0.2").udp(1, 9)).from_b);
  EXPECT_FALSE(decoded(ethernet().ipv6("fd00::1:0", "fd00::1:1").udp(9, 1)).from_b);
  EXPECT_TRUE(decoded(ethernet().ipv6("fd00::2:0", "fd00::1:1").udp(9, 1)).from_b);
}

TEST(FlowKey, LaterFragmentsShareTheShardOfTheirFlow) {
  for (const auto& [src, dst] :
       {std::pair("10.0.0.1", "10.0.0.2"), std::pair("10.0.0.2", "10.0.0.1")}) {
    const Packet whole = decoded(ethernet().ipv4(src, dst).udp(1234, 80));
    const Packet later =
        decoded(ethernet().ipv4(src, dst, {.protocol = 17, .fragment_offset = 8}).payload("abcd"));
    EXPECT_EQ(whole.key.a, later.key.a);
    for (uint32_t count = 1; count < 64; ++count) {
      EXPECT_EQ(shard_of(kSecret, whole.key, count), shard_of(kSecret, later.key, count));
    }
  }
}

// ---- Both hash algorithms

std::vector<KeyedHasher> hashers() {
  std::vector<KeyedHasher> found = {KeyedHasher(kSecret, HashAlgorithm::kSipHash)};
  if (has_aes()) found.emplace_back(kSecret, HashAlgorithm::kAes);
  return found;
}

// ---- Random keys

constexpr AddressKind kKinds[] = {AddressKind::kMac, AddressKind::kIpv4, AddressKind::kIpv6,
                                  AddressKind::kEui64};

constexpr size_t address_size(AddressKind kind) {
  constexpr size_t kSizes[] = {6, 4, 16, 8};
  return kSizes[static_cast<size_t>(kind)];
}

FlowKey random_key(std::mt19937_64& random, AddressKind kind) {
  FlowKey key;
  const size_t size = address_size(kind);
  // Few values, so that equal addresses and ports come up.
  for (size_t index = 0; index < size; ++index) {
    key.a[index] = static_cast<uint8_t>(random() % 2);
    key.b[index] = static_cast<uint8_t>(random() % 2);
  }
  key.port_a = static_cast<uint16_t>(random() % 3);
  key.port_b = static_cast<uint16_t>(random() % 3);
  key.proto_number = static_cast<uint16_t>(random());
  key.kind = kind;
  key.zone_kind = static_cast<ZoneKind>(random() % 4);
  key.zone = key.zone_kind == ZoneKind::kNone ? 0 : static_cast<uint32_t>(random() % 3);
  return key;
}

// The definition, written plainly.
bool is_out_of_order(const FlowKey& key) {
  return std::pair(key.a, key.port_a) > std::pair(key.b, key.port_b);
}

TEST(FlowKey, CanonicalOrderIsThatOfTheDefinition) {
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 20'000; ++round) {
    const FlowKey key = random_key(random, kKinds[round % 4]);
    FlowKey canonical = key;
    const bool is_swapped = canonicalize(canonical);
    ASSERT_EQ(is_swapped, is_out_of_order(key)) << "seed " << kSeed << " round " << round;
    FlowKey expected = key;
    if (is_swapped) {
      std::swap(expected.a, expected.b);
      std::swap(expected.port_a, expected.port_b);
    }
    ASSERT_EQ(canonical, expected);
    ASSERT_FALSE(canonicalize(canonical)) << "canonical already";
  }
}

// Flips every bit that a key of the kind can have.
template <typename Visit>
void for_each_flipped_bit(const FlowKey& key, Visit visit) {
  const size_t size = address_size(key.kind);
  for (size_t bit = 0; bit < size * 8; ++bit) {
    FlowKey flipped = key;
    flipped.a[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    visit(flipped, true);
    flipped = key;
    flipped.b[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    visit(flipped, true);
  }
  for (int bit = 0; bit < 16; ++bit) {
    const auto mask = static_cast<uint16_t>(1 << bit);
    FlowKey flipped = key;
    flipped.port_a ^= mask;
    visit(flipped, false);
    flipped = key;
    flipped.port_b ^= mask;
    visit(flipped, false);
    flipped = key;
    flipped.proto_number ^= mask;
    visit(flipped, false);
  }
  for (int bit = 0; bit < 32; ++bit) {
    FlowKey flipped = key;
    flipped.zone ^= 1u << bit;
    visit(flipped, true);
  }
  for (uint8_t zone_kind = 0; zone_kind < 4; ++zone_kind) {
    if (zone_kind == static_cast<uint8_t>(key.zone_kind)) continue;
    FlowKey other = key;
    other.zone_kind = static_cast<ZoneKind>(zone_kind);
    visit(other, true);
  }
}

TEST(FlowKey, HashDependsOnEveryBit) {
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 30; ++round) {
    const FlowKey key = random_key(random, kKinds[round % 4]);
    for (const KeyedHasher& hasher : hashers()) {
      const uint64_t hash = hash_key(hasher, key);
      for_each_flipped_bit(key, [&](const FlowKey& flipped, bool) {
        ASSERT_NE(hash_key(hasher, flipped), hash) << "seed " << kSeed;
      });
    }
    const uint64_t hash = hash_key(kSecret, key);
    ASSERT_NE(hash_key(HashSecret{kSecret.k0 ^ 1, kSecret.k1}, key), hash);
    ASSERT_NE(hash_key(HashSecret{kSecret.k0, kSecret.k1 ^ 1}, key), hash);
  }
}

TEST(FlowKey, KeysOfDifferentKindsHaveDifferentHashes) {
  std::set<uint64_t> hashes;
  for (const AddressKind kind : kKinds) {
    FlowKey key;
    key.kind = kind;
    hashes.insert(hash_key(kSecret, key));
  }
  EXPECT_EQ(hashes.size(), std::size(kKinds));
}

TEST(FlowKey, ShardDependsOnAddressesKindAndZoneAlone) {
  std::mt19937_64 random(kSeed);
  constexpr uint32_t kManyShards = 1u << 31;
  for (int round = 0; round < 30; ++round) {
    const FlowKey key = random_key(random, kKinds[round % 4]);
    for (const KeyedHasher& hasher : hashers()) {
      const uint32_t shard = shard_of(hasher, key, kManyShards);
      for_each_flipped_bit(key, [&](const FlowKey& flipped, bool is_part) {
        ASSERT_EQ(shard_of(hasher, flipped, kManyShards) != shard, is_part) << "seed " << kSeed;
      });
      FlowKey one_way = key;
      one_way.one_way = 2;
      ASSERT_EQ(shard_of(hasher, one_way, kManyShards), shard);
      ASSERT_NE(hash_key(hasher, one_way), hash_key(hasher, key));
    }
  }
}

TEST(FlowKey, ShardsAreEvenAndIndependentOfTheTableHash) {
  constexpr uint32_t kShardCount = 7;
  constexpr int kKeyCount = 70'000;
  for (const KeyedHasher& hasher : hashers()) {
    std::mt19937_64 random(kSeed);
    std::vector<int> keys_of_shard(kShardCount);
    std::vector<int> high_hashes_of_shard(kShardCount);
    std::vector<int> odd_hashes_of_shard(kShardCount);
    for (int round = 0; round < kKeyCount; ++round) {
      FlowKey key;
      key.kind = kKinds[round % 4];
      for (size_t index = 0; index < 4; ++index) key.a[index] = static_cast<uint8_t>(random());
      const uint32_t shard = shard_of(hasher, key, kShardCount);
      ASSERT_LT(shard, kShardCount);
      ++keys_of_shard[shard];
      const uint64_t hash = hash_key(hasher, key);
      if (hash >> 63 != 0) ++high_hashes_of_shard[shard];
      if ((hash & 1) != 0) ++odd_hashes_of_shard[shard];
    }
    // Ten standard deviations of a fair share, and of half of it.
    for (uint32_t shard = 0; shard < kShardCount; ++shard) {
      EXPECT_NEAR(keys_of_shard[shard], kKeyCount / 7.0, 930);
      EXPECT_NEAR(high_hashes_of_shard[shard], kKeyCount / 14.0, 680);
      EXPECT_NEAR(odd_hashes_of_shard[shard], kKeyCount / 14.0, 680);
    }
  }
}

// Scans and servers make keys that differ in an address or a port only: buckets (the low bits) and
// tags of such keys are as even as those of random ones. Chi-square: its mean is the number of
// values, its variance twice that.
TEST(FlowKey, SequentialAddressesAndPortsSpreadEvenly) {
  constexpr uint32_t kKeyCount = 1u << 17;
  constexpr double kValueCount = 1 << 14;
  for (const KeyedHasher& hasher : hashers()) {
    for (const AddressKind kind : {AddressKind::kIpv4, AddressKind::kIpv6}) {
      const size_t last = address_size(kind) - 1;
      for (int scheme = 0; scheme < 3; ++scheme) {
        std::vector<double> in_bucket(1 << 14);
        std::vector<double> with_tag(1 << 14);
        for (uint32_t index = 0; index < kKeyCount; ++index) {
          FlowKey key{.a = {10, 0}, .b = {10, 1}, .port_a = 80, .port_b = 40000};
          key.proto_number = 6;
          key.kind = kind;
          key.a[last] = static_cast<uint8_t>(index);
          key.a[last - 1] = static_cast<uint8_t>(index >> 8);
          const auto low = static_cast<uint16_t>(index);
          if (scheme == 0) key.b[2] = static_cast<uint8_t>(index >> 16);  // addresses alone
          if (scheme == 1) key.port_b = static_cast<uint16_t>(index >> 16);
          if (scheme == 2) {  // ports alone
            key.a[last] = key.a[last - 1] = 0;
            key.port_a = static_cast<uint16_t>(index >> 16);
            key.port_b = low;
          }
          const uint64_t hash = hash_key(hasher, key);
          ++in_bucket[hash & 0x3fff];
          ++with_tag[hash >> 32 & 0x3fff];
        }
        for (const std::vector<double>& counts : {in_bucket, with_tag}) {
          double chi_square = 0;
          for (const double count : counts)
            chi_square += (count - kKeyCount / kValueCount) * (count - kKeyCount / kValueCount);
          chi_square /= kKeyCount / kValueCount;
          EXPECT_NEAR(chi_square, kValueCount, 7 * 181) << "scheme " << scheme;
        }
      }
    }
  }
}

}  // namespace
}  // namespace weir
