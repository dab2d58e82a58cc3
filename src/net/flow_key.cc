// SPDX-License-Identifier: Apache-2.0
#include "net/flow_key.h"

#include <array>
#include <bit>

#include "base/assert.h"

namespace weir {
namespace {

// Addresses are compared and hashed as words, loaded as they were stored. What is hashed beside
// them is put together from the fields: loading the bytes of several fresh fields as one word would
// stall until they are written.
using AddressWords = std::array<uint64_t, 2>;

uint64_t big_endian(uint64_t word) noexcept {
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

uint64_t ports_and_kinds(const FlowKey& key) noexcept {
  return static_cast<uint64_t>(key.port_a) | static_cast<uint64_t>(key.port_b) << 16 |
         static_cast<uint64_t>(key.proto_number) << 32 | static_cast<uint64_t>(key.kind) << 48 |
         static_cast<uint64_t>(key.zone_kind) << 56;
}

uint64_t zone_word(const FlowKey& key) noexcept {
  return static_cast<uint64_t>(key.zone) << 32 | key.one_way;
}

// The two IPv4 addresses as one word: they fill 4 of their 16 bytes, and the rest is zero.
uint64_t ipv4_pair(const AddressWords& a, const AddressWords& b) noexcept {
  const uint64_t high_a = big_endian(a[0]);
  const uint64_t high_b = big_endian(b[0]);
  DASSERT((high_a & 0xffffffff) == 0 && a[1] == 0);
  DASSERT((high_b & 0xffffffff) == 0 && b[1] == 0);
  return high_a | high_b >> 32;
}

}  // namespace

// Without a branch on the result: which end sends is as good as random.
bool canonicalize(FlowKey& key) noexcept {
  AddressWords a = std::bit_cast<AddressWords>(key.a);
  AddressWords b = std::bit_cast<AddressWords>(key.b);
  const bool is_first_equal = a[0] == b[0];
  const uint64_t order_a = big_endian(is_first_equal ? a[1] : a[0]);
  const uint64_t order_b = big_endian(is_first_equal ? b[1] : b[0]);
  const bool is_swapped = (order_a > order_b) | ((order_a == order_b) & (key.port_a > key.port_b));
  const uint64_t mask = is_swapped ? ~0ull : 0;
  const uint64_t difference_0 = (a[0] ^ b[0]) & mask;
  const uint64_t difference_1 = (a[1] ^ b[1]) & mask;
  const uint16_t port_difference = static_cast<uint16_t>((key.port_a ^ key.port_b) & mask);
  key.a = std::bit_cast<AddressBytes>(AddressWords{a[0] ^ difference_0, a[1] ^ difference_1});
  key.b = std::bit_cast<AddressBytes>(AddressWords{b[0] ^ difference_0, b[1] ^ difference_1});
  key.port_a ^= port_difference;
  key.port_b ^= port_difference;
  return is_swapped;
}

// An IPv4 key without a zone is two words, with a zone three, half of the six. The hash covers the
// number of words and the kinds, so keys of different kinds do not meet.
uint64_t hash_key(const HashSecret& secret, const FlowKey& key) noexcept {
  const AddressWords a = std::bit_cast<AddressWords>(key.a);
  const AddressWords b = std::bit_cast<AddressWords>(key.b);
  const uint64_t zone = zone_word(key);
  if (key.kind == AddressKind::kIpv4) {
    const std::array<uint64_t, 3> words = {ipv4_pair(a, b), ports_and_kinds(key), zone};
    return keyed_hash(secret, words.data(), zone == 0 ? 2 : 3);
  }
  const std::array<uint64_t, 6> words = {a[0], a[1], b[0], b[1], ports_and_kinds(key), zone};
  return keyed_hash(secret, words.data(), words.size());
}

uint32_t shard_of(const HashSecret& secret, const FlowKey& key, uint32_t shard_count) noexcept {
  DASSERT(shard_count > 0);
  if (shard_count == 1) return 0;
  // Another secret, not other bits of the same hash: a table whose hashes all fell into one shard
  // would have buckets that are never used.
  const HashSecret shard_secret{secret.k0 ^ 0x7368617264206b30, secret.k1 ^ 0x7368617264206b31};
  const AddressWords a = std::bit_cast<AddressWords>(key.a);
  const AddressWords b = std::bit_cast<AddressWords>(key.b);
  const uint64_t kinds_and_zone = static_cast<uint64_t>(key.zone) << 32 |
                                  static_cast<uint64_t>(key.zone_kind) << 8 |
                                  static_cast<uint64_t>(key.kind);
  uint64_t hash = 0;
  if (key.kind == AddressKind::kIpv4) {
    const std::array<uint64_t, 2> words = {ipv4_pair(a, b), kinds_and_zone};
    hash = keyed_hash(shard_secret, words.data(), words.size());
  } else {
    const std::array<uint64_t, 5> words = {a[0], a[1], b[0], b[1], kinds_and_zone};
    hash = keyed_hash(shard_secret, words.data(), words.size());
  }
  return static_cast<uint32_t>((hash >> 32) * shard_count >> 32);
}

}  // namespace weir
