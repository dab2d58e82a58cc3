// SPDX-License-Identifier: Apache-2.0
//
// Arrival: a packet on its way to its flow, the same for digests and for decoded packets, and the
// two forms of a flow's key: whole (FlowKey) and compact (16 bytes, as a digest and a live flow have).
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "flow/live_flow.h"

namespace weir {

// A packet on its way to its flow.
struct Arrival {
  CompactKey key;                 // bits as in a digest; `a` of a wide key is not set
  const FlowKey* wide = nullptr;  // the whole key, unless it is IPv4 without a zone
  uint32_t hash = 0;
  uint16_t tag = 0;
  int64_t clock_ns = 0;
  FlowPacket packet;
  const Frame* frame = nullptr;
  const Packet* general = nullptr;  // null: a plain packet
};

Arrival arrival_of(const Packet& packet) noexcept;  // packet.key and hash are set
Arrival arrival_of(const PacketDigest& digest, const Frame& frame) noexcept;

// `wide` is null for IPv4 without a zone, which is all in the compact key.
FlowKey whole_key(const CompactKey& key, const WideAddresses* wide) noexcept;

// The key without the byte that is not part of it.
using KeyWords = std::array<uint64_t, 2>;
inline KeyWords words_of(const CompactKey& key) noexcept {
  constexpr uint64_t kKeyMask =
      std::endian::native == std::endian::little ? 0x00ff'ffff'ffff'ffff : 0xffff'ffff'ffff'ff00;
  KeyWords words = std::bit_cast<KeyWords>(key);
  words[1] &= kKeyMask;
  return words;
}

}  // namespace weir
