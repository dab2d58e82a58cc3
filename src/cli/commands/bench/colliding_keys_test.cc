// SPDX-License-Identifier: Apache-2.0
//
// The hashes are computed here bit by bit, as their definitions have them, on the 5-tuple in the
// order of the headers.
#include "cli/commands/bench/colliding_keys.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <tuple>

namespace weir {
namespace {

std::array<uint8_t, 13> tuple_bytes(const Endpoints& key) {
  std::array<uint8_t, 13> bytes{};
  for (unsigned index = 0; index < 4; ++index) {
    bytes[index] = static_cast<uint8_t>(key.client_address >> (24 - 8 * index));
    bytes[4 + index] = static_cast<uint8_t>(key.server_address >> (24 - 8 * index));
  }
  bytes[8] = static_cast<uint8_t>(key.client_port >> 8);
  bytes[9] = static_cast<uint8_t>(key.client_port);
  bytes[10] = static_cast<uint8_t>(key.server_port >> 8);
  bytes[11] = static_cast<uint8_t>(key.server_port);
  bytes[12] = key.is_udp ? 17 : 6;
  return bytes;
}

uint32_t crc(uint32_t polynomial, const Endpoints& key) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t byte : tuple_bytes(key)) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
  }
  return ~crc;
}

std::tuple<uint32_t, uint32_t, uint32_t> xors(const Endpoints& key) {
  const uint32_t addresses = key.client_address ^ key.server_address;
  const uint32_t ports = key.client_port ^ key.server_port;
  return {addresses, ports, addresses ^ ports};
}

std::tuple<uint32_t, uint32_t, uint32_t> sums(const Endpoints& key) {
  const uint32_t addresses = key.client_address + key.server_address;
  const uint32_t ports = uint32_t{key.client_port} + key.server_port;
  return {addresses, ports, addresses + ports};
}

std::tuple<uint32_t, uint32_t, uint16_t, uint16_t> identity(const Endpoints& key) {
  return {key.client_address, key.server_address, key.client_port, key.server_port};
}

TEST(CollidingKeys, EveryFamilyIsOneValueUnderItsHashes) {
  const CollidingKeys keys;
  std::array<std::set<uint32_t>, 2> crcs;
  std::array<std::set<std::tuple<uint32_t, uint32_t, uint32_t>>, 3> combined;
  for (uint32_t index = 0; index < kCollidingKeyCount; ++index) {
    const uint32_t family = index % kCollisionFamilyCount;
    const Endpoints key = keys.at(index);
    if (family == 0) crcs[0].insert(crc(0x82f63b78, key));
    if (family == 1) crcs[1].insert(crc(0xedb88320, key));
    combined[family].insert(family == 2 ? sums(key) : xors(key));
  }
  for (const auto& values : crcs) EXPECT_EQ(values.size(), 1u);
  for (const auto& values : combined) EXPECT_EQ(values.size(), 1u);
}

TEST(CollidingKeys, AreAllDifferentAndTheClientIsTheLowerEnd) {
  const CollidingKeys keys;
  std::set<std::tuple<uint32_t, uint32_t, uint16_t, uint16_t>> seen;
  for (uint32_t index = 0; index < kCollidingKeyCount; ++index) {
    const Endpoints key = keys.at(index);
    seen.insert(identity(key));
    EXPECT_LT(key.client_address, key.server_address);
    EXPECT_GE(key.client_address >> 28, 1u);
    EXPECT_LE(key.client_address >> 28, 3u);
    EXPECT_EQ(key.server_address >> 28, 0xcu);
    EXPECT_FALSE(key.is_udp);
  }
  EXPECT_EQ(seen.size(), kCollidingKeyCount);
}

TEST(CollidingKeys, ScatteredOnesAreDifferentUnderEveryHash) {
  std::set<std::tuple<uint32_t, uint32_t, uint16_t, uint16_t>> seen;
  std::set<uint32_t> crcs;
  std::set<std::tuple<uint32_t, uint32_t, uint32_t>> xor_values;
  for (uint32_t index = 0; index < kCollidingKeyCount; ++index) {
    const Endpoints key = scattered_key(index);
    seen.insert(identity(key));
    crcs.insert(crc(0x82f63b78, key));
    xor_values.insert(xors(key));
    EXPECT_LT(key.client_address, key.server_address);
  }
  EXPECT_EQ(seen.size(), kCollidingKeyCount);
  EXPECT_GE(crcs.size(), kCollidingKeyCount - 3);
  EXPECT_GE(xor_values.size(), kCollidingKeyCount - 3);
}

}  // namespace
}  // namespace weir
