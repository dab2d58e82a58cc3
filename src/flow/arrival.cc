// SPDX-License-Identifier: Apache-2.0
#include "flow/arrival.h"

#include <cstring>

namespace weir {
namespace {

// An IPv4 address between the four bytes of a compact key and the sixteen of a whole one.
uint32_t compact_address(const AddressBytes& address) noexcept {
  uint32_t compact;
  std::memcpy(&compact, address.data(), sizeof compact);
  return compact;
}
AddressBytes whole_address(uint32_t compact) noexcept {
  AddressBytes address{};
  std::memcpy(address.data(), &compact, sizeof compact);
  return address;
}

}  // namespace

Arrival arrival_of(const Packet& packet) noexcept {
  Arrival arrival;
  const FlowKey& key = packet.key;
  const bool is_wide = key.kind != AddressKind::kIpv4 || key.zone_kind != ZoneKind::kNone;
  arrival.key.a = is_wide ? 0 : compact_address(key.a);
  arrival.key.b = is_wide ? static_cast<uint32_t>(packet.hash >> 32) : compact_address(key.b);
  arrival.key.port_a = key.port_a;
  arrival.key.port_b = key.port_b;
  arrival.key.proto_number = key.proto_number;
  arrival.key.kinds = kinds_of(key);
  arrival.wide = is_wide ? &key : nullptr;
  arrival.hash = static_cast<uint32_t>(packet.hash);
  arrival.tag = tag_of_hash(packet.hash);
  arrival.clock_ns = packet.frame->clock_ns;
  arrival.packet = flow_packet(packet);
  arrival.frame = packet.frame;
  arrival.general = &packet;
  return arrival;
}

Arrival arrival_of(const PacketDigest& digest, const Frame& frame) noexcept {
  Arrival arrival;
  arrival.key = digest.key;
  arrival.hash = digest.hash;
  arrival.tag = digest.hash_tag;
  arrival.clock_ns = digest.clock_ns;
  arrival.packet = flow_packet(digest);
  arrival.frame = &frame;
  return arrival;
}

FlowKey whole_key(const CompactKey& key, const WideAddresses* wide) noexcept {
  FlowKey whole;
  whole.a = wide == nullptr ? whole_address(key.a) : wide->a;
  whole.b = wide == nullptr ? whole_address(key.b) : wide->b;
  whole.port_a = key.port_a;
  whole.port_b = key.port_b;
  whole.proto_number = key.proto_number;
  whole.kind = static_cast<AddressKind>(key.kinds & 3);
  whole.zone_kind = static_cast<ZoneKind>(key.kinds >> 2 & 3);
  whole.zone = wide == nullptr ? 0 : wide->zone;
  whole.one_way = key.kinds >> 4;
  return whole;
}

}  // namespace weir
