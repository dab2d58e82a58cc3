// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/colliding_keys.h"

#include <array>
#include <bit>

#include "base/assert.h"

namespace weir {
namespace {

constexpr uint32_t kCrc32c = 0x82f63b78;     // Castagnoli, bit-reversed: RFC 3720 appendix B.4
constexpr uint32_t kCrc32Ieee = 0xedb88320;  // IEEE 802.3, bit-reversed

constexpr unsigned kAddressBits = 28;
constexpr unsigned kPortBits = 16;
constexpr unsigned kFreeBits = kAddressBits + kPortBits;
constexpr uint32_t kAddressMask = (1u << kAddressBits) - 1;

// Clients of family f are in (16 + 16 f).0.0.0/4, servers in 192.0.0.0/4: a client's address is
// always the lower one, so that the order of the two ends does not depend on the difference.
constexpr uint32_t kClients = 0x10000000;
constexpr uint32_t kServers = 0xc0000000;

// What the CRC of a 5-tuple changes by when the tuple changes by these bits: neither the register's
// start nor what is inverted at the end matters to a difference.
uint32_t crc_difference(uint32_t polynomial, const Endpoints& difference) {
  const std::array<uint32_t, 3> words = {
      difference.client_address, difference.server_address,
      uint32_t{difference.client_port} << 16 | difference.server_port};
  uint32_t crc = 0;
  for (const uint32_t word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      crc ^= word >> shift & 0xff;
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
    }
  }
  for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);  // the protocol
  return crc;
}

// Both ends change by the same bits: that is what XOR does not see.
Endpoints difference_of(uint64_t bits) {
  const uint32_t address = static_cast<uint32_t>(bits) & kAddressMask;
  const uint16_t port = static_cast<uint16_t>(bits >> kAddressBits);
  return {address, address, port, port, false};
}

// Gaussian elimination: `basis` becomes a basis of the differences that keep the CRC.
void find_unseen(uint32_t polynomial, uint64_t* basis, unsigned dimension_count) {
  struct Row {
    uint32_t crc;
    uint64_t bits;
  };
  std::array<Row, kFreeBits> rows;
  for (unsigned bit = 0; bit < kFreeBits; ++bit) {
    const uint64_t bits = uint64_t{1} << bit;
    rows[bit] = {crc_difference(polynomial, difference_of(bits)), bits};
  }
  unsigned found_count = 0;
  for (unsigned index = 0; index < kFreeBits; ++index) {
    const Row pivot = rows[index];
    if (pivot.crc == 0) {
      if (found_count < dimension_count) basis[found_count] = pivot.bits;
      ++found_count;
      continue;
    }
    const uint32_t lead = std::bit_floor(pivot.crc);
    for (unsigned other = index + 1; other < kFreeBits; ++other) {
      if ((rows[other].crc & lead) == 0) continue;
      rows[other].crc ^= pivot.crc;
      rows[other].bits ^= pivot.bits;
    }
  }
  ASSERT(found_count >= dimension_count);
}

Endpoints sum_key(uint32_t index) {
  const uint16_t step = static_cast<uint16_t>(index);
  Endpoints key;
  key.client_address = kClients + 2 * (kAddressMask + 1) + index;
  key.server_address = kServers + kAddressMask - index;
  key.client_port = static_cast<uint16_t>(20'000 + step);
  key.server_port = static_cast<uint16_t>(20'000 - step);
  return key;
}

}  // namespace

CollidingKeys::CollidingKeys() {
  static_assert(kFreeBits - 32 == kDimensionCount && 1u << kDimensionCount == kCollisionFamilySize);
  find_unseen(kCrc32c, unseen_[0], kDimensionCount);
  find_unseen(kCrc32Ieee, unseen_[1], kDimensionCount);
}

Endpoints CollidingKeys::at(uint32_t index) const {
  ASSERT(index < kCollidingKeyCount);
  const uint32_t family = index % kCollisionFamilyCount;
  const uint32_t member = index / kCollisionFamilyCount;
  if (family == 2) return sum_key(member);

  uint64_t bits = 0;
  for (unsigned dimension = 0; dimension < kDimensionCount; ++dimension) {
    if (member >> dimension & 1) bits ^= unseen_[family][dimension];
  }
  const Endpoints difference = difference_of(bits);
  Endpoints key;
  key.client_address = (kClients + family * (kAddressMask + 1)) ^ difference.client_address;
  key.server_address = kServers ^ difference.server_address;
  key.client_port = static_cast<uint16_t>(50'000 ^ difference.client_port);
  key.server_port = static_cast<uint16_t>(443 ^ difference.server_port);
  return key;
}

Endpoints scattered_key(uint32_t index) {
  const uint64_t random = scatter(index);
  const uint32_t family = index % kCollisionFamilyCount;
  Endpoints key;
  key.client_address =
      kClients + family * (kAddressMask + 1) + (static_cast<uint32_t>(random) & kAddressMask);
  key.server_address = kServers + (static_cast<uint32_t>(random >> 32) & kAddressMask);
  key.client_port = static_cast<uint16_t>(scatter(random));
  key.server_port = static_cast<uint16_t>(scatter(random) >> 16);
  return key;
}

}  // namespace weir
