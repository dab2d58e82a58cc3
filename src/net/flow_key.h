// SPDX-License-Identifier: Apache-2.0
//
// FlowKey: what makes two packets belong to one flow, whichever way they travel.
//
// Canonical: endpoint a is not greater than endpoint b, comparing address bytes, then port.
// `Packet::from_b` keeps which end sent. The kind is part of the key, so ::ffff:10.0.0.1
// and 10.0.0.1 never meet. All bytes are significant and there is no padding: keys compare and hash
// as 48 raw bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/keyed_hash.h"
#include "weir/flow_record.h"

namespace weir {

struct FlowKey {
  AddressBytes a{};
  AddressBytes b{};
  uint16_t port_a = 0;
  uint16_t port_b = 0;
  uint16_t proto_number = 0;  // IP protocol, or EtherType when is_link_address(kind)
  AddressKind kind = AddressKind::kMac;
  ZoneKind zone_kind = ZoneKind::kNone;
  uint32_t zone = 0;
  uint32_t one_way = 0;  // ICMP messages nobody answers: 1 when a sends, 2 when b does; else 0

  friend bool operator==(const FlowKey& x, const FlowKey& y) noexcept {
    return std::memcmp(&x, &y, sizeof(FlowKey)) == 0;
  }
};
static_assert(sizeof(FlowKey) == 48 && std::has_unique_object_representations_v<FlowKey>);

// Puts the endpoints in canonical order; returns true when they were swapped (the sender is b).
bool canonicalize(FlowKey& key) noexcept;

// The hash a flow table uses. Depends on every byte of the key and on the secret. A hasher is made
// once: where a HashSecret stands for it, its keys are derived in every call.
uint64_t hash_key(const KeyedHasher& hasher, const FlowKey& key) noexcept;

// The shard of a packet: depends on the address pair, kind and zone alone, so every packet of a
// flow, its fragments included, has the same. Independent of hash_key. Range 0..shard_count-1.
uint32_t shard_of(const KeyedHasher& hasher, const FlowKey& key, uint32_t shard_count) noexcept;

}  // namespace weir
