// SPDX-License-Identifier: Apache-2.0
//
// What of a flow key is hashed, in blocks of 16 bytes: shared by hash_key() and shard_of(), which
// have a whole FlowKey, and by Decoder::digest(), which has never made one. A packet has one hash,
// whichever of them it went through.
//
//   IPv4 without a zone  one block, the words of a CompactKey (net/packet_digest.h)
//   any other key        three blocks, the bytes of the FlowKey
//
// The shard of a packet is the hash of the same block or blocks without ports and protocol, marked
// so that it is that of no key: a table whose hashes all fell into one shard must not have buckets
// that are never used.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/assert.h"
#include "base/keyed_hash.h"
#include "net/flow_key.h"

namespace weir {

// The four bytes of an IPv4 address as they are stored; the twelve behind them are zero.
inline uint32_t ipv4_word(const AddressBytes& address) noexcept {
  const std::array<uint64_t, 2> words = std::bit_cast<std::array<uint64_t, 2>>(address);
  const bool is_little = std::endian::native == std::endian::little;
  DASSERT(static_cast<uint32_t>(is_little ? words[0] >> 32 : words[0]) == 0);
  DASSERT(words[1] == 0);
  return static_cast<uint32_t>(is_little ? words[0] : words[0] >> 32);
}

// The other way round.
inline AddressBytes ipv4_address(uint32_t word) noexcept {
  const bool is_little = std::endian::native == std::endian::little;
  const uint64_t first = is_little ? word : static_cast<uint64_t>(word) << 32;
  return std::bit_cast<AddressBytes>(std::array<uint64_t, 2>{first, 0});
}

// AddressKind | ZoneKind << 2 | FlowKey::one_way << 4, as CompactKey::kinds.
inline constexpr unsigned kCompactKindsShift = 48;
inline constexpr uint64_t kCompactKindsButOneWay = uint64_t{0x0f} << kCompactKindsShift;
inline constexpr unsigned kCompactMarkShift = 56;  // CompactKey::bits, 0 in what is hashed of a key
inline constexpr uint64_t kCompactShardMark = uint64_t{1} << kCompactMarkShift;
inline constexpr uint32_t kShardMark = UINT32_MAX;  // in the place of FlowKey::one_way

// Addresses as they were loaded; ports is port_a | port_b << 16.
constexpr HashBlock compact_block(uint32_t a, uint32_t b, uint32_t ports, uint16_t proto_number,
                                  uint32_t one_way) noexcept {
  return {a | static_cast<uint64_t>(b) << 32,
          ports | static_cast<uint64_t>(proto_number) << 32 |
              static_cast<uint64_t>(AddressKind::kIpv4) << kCompactKindsShift |
              static_cast<uint64_t>(one_way) << (kCompactKindsShift + 4)};
}

constexpr HashBlock shard_block(const HashBlock& block) noexcept {
  return {block.low, (block.high & kCompactKindsButOneWay) | kCompactShardMark};
}

constexpr uint32_t shard_of_hash(uint64_t hash, uint32_t shard_count) noexcept {
  return static_cast<uint32_t>((hash >> 32) * shard_count >> 32);
}

constexpr bool is_compact(const FlowKey& key) noexcept {
  return key.kind == AddressKind::kIpv4 && key.zone_kind == ZoneKind::kNone && key.zone == 0;
}

}  // namespace weir
