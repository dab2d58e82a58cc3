// SPDX-License-Identifier: Apache-2.0
#include "net/flow_key.h"

#include <array>
#include <bit>

#include "base/assert.h"
#include "base/byte_reader.h"
#include "base/cpu_features.h"
#include "net/key_blocks.h"

namespace weir {
namespace {

// Addresses are compared and hashed as words, loaded as they were stored. What is hashed beside
// them is put together from the fields, each loaded alone, since a decoder has only just written
// them.
using AddressWords = std::array<uint64_t, 2>;
using FlowKeyBlocks = std::array<HashBlock, 3>;
static_assert(sizeof(FlowKeyBlocks) == sizeof(FlowKey));

HashBlock block_of(const AddressBytes& address) noexcept {
  const AddressWords words = std::bit_cast<AddressWords>(address);
  return {loaded_alone(words[0]), loaded_alone(words[1])};
}

uint32_t ports_of(const FlowKey& key) noexcept {
  return loaded_alone(key.port_a) | static_cast<uint32_t>(loaded_alone(key.port_b)) << 16;
}

HashBlock compact_block_of(const FlowKey& key) noexcept {
  DASSERT(key.one_way <= 2);
  return compact_block(ipv4_word(key.a), ipv4_word(key.b), ports_of(key),
                       loaded_alone(key.proto_number), key.one_way);
}

FlowKeyBlocks blocks_of(const FlowKey& key) noexcept {
  const uint64_t kinds = loaded_alone(static_cast<uint8_t>(key.kind)) |
                         static_cast<uint64_t>(loaded_alone(static_cast<uint8_t>(key.zone_kind)))
                             << 8;
  const uint64_t proto_number = loaded_alone(key.proto_number);
  return {
      block_of(key.a), block_of(key.b),
      HashBlock{ports_of(key) | proto_number << 32 | kinds << 48,
                loaded_alone(key.zone) | static_cast<uint64_t>(loaded_alone(key.one_way)) << 32}};
}

}  // namespace

// Without a branch on the result: which end sends is as good as random.
bool canonicalize(FlowKey& key) noexcept {
  const HashBlock a = block_of(key.a);
  const HashBlock b = block_of(key.b);
  const uint32_t ports = ports_of(key);
  const bool is_first_equal = a.low == b.low;
  const uint64_t order_a = from_big_endian(is_first_equal ? a.high : a.low);
  const uint64_t order_b = from_big_endian(is_first_equal ? b.high : b.low);
  const uint32_t port_a = ports & UINT16_MAX;
  const uint32_t port_b = ports >> 16;
  const bool is_swapped = (order_a > order_b) | ((order_a == order_b) & (port_a > port_b));
  const uint64_t mask = is_swapped ? ~0ull : 0;
  const uint64_t low = (a.low ^ b.low) & mask;
  const uint64_t high = (a.high ^ b.high) & mask;
  key.a = std::bit_cast<AddressBytes>(AddressWords{a.low ^ low, a.high ^ high});
  key.b = std::bit_cast<AddressBytes>(AddressWords{b.low ^ low, b.high ^ high});
  const uint32_t port = (port_a ^ port_b) & static_cast<uint32_t>(mask);
  key.port_a = static_cast<uint16_t>(port_a ^ port);
  key.port_b = static_cast<uint16_t>(port_b ^ port);
  return is_swapped;
}

uint64_t hash_key(const KeyedHasher& hasher, const FlowKey& key) noexcept {
  return is_compact(key) ? hasher.hash(compact_block_of(key)) : hasher.hash(blocks_of(key));
}

uint32_t shard_of(const KeyedHasher& hasher, const FlowKey& key, uint32_t shard_count) noexcept {
  DASSERT(shard_count > 0);
  if (shard_count == 1) return 0;
  if (is_compact(key))
    return shard_of_hash(hasher.hash(shard_block(compact_block_of(key))), shard_count);
  FlowKey pair = key;
  pair.port_a = pair.port_b = pair.proto_number = 0;
  pair.one_way = kShardMark;
  return shard_of_hash(hasher.hash(blocks_of(pair)), shard_count);
}

}  // namespace weir
