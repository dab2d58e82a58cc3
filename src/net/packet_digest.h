// SPDX-License-Identifier: Apache-2.0
//
// PacketDigest: all that counting one more packet of a known flow takes, in one cache line.
//
// A plain packet (Ethernet II, IPv4 without options or fragments, TCP or UDP, no tag, no tunnel)
// becomes a digest and nothing else: Decoder::digest() reads its headers once and writes 64 bytes.
// Every other packet is decoded into a Packet, and its digest names it (kGeneral), so that a burst
// stays one sequence in capture order. What a digest leaves out (MAC addresses, path) is the same
// for all plain packets or is in the frame's bytes, which only a flow's first packet needs.
//
// Digests are also what threads exchange: one line per packet (docs/decisions/002).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "net/packet.h"

namespace weir {

// A flow key of 16 bytes: IPv4 without a zone as it is. Of other keys (kind is not kIpv4, or a zone)
// `a` and `b` are 0 here, and the Packet has the whole key.
// Canonical as FlowKey is: (a, port_a) is not greater than (b, port_b) in network byte order.
struct CompactKey {
  uint32_t a = 0;  // the four address bytes as they are on the wire (loaded without swapping)
  uint32_t b = 0;
  uint16_t port_a = 0;  // host byte order, as in FlowKey
  uint16_t port_b = 0;
  uint16_t proto_number = 0;
  uint8_t kinds = 0;  // AddressKind | ZoneKind << 2 | FlowKey::one_way << 4
  uint8_t bits = 0;   // not part of the key: see below

  AddressKind kind() const noexcept { return static_cast<AddressKind>(kinds & 0x03); }
  // Whether the key is all here: IPv4 without a zone.
  bool is_whole() const noexcept {
    return (kinds & 0x0f) == static_cast<uint8_t>(AddressKind::kIpv4);
  }
  // Without the byte that is not part of it: what is compared.
  using Words = std::array<uint64_t, 2>;
  Words words() const noexcept {
    constexpr bool kIsLittle = std::endian::native == std::endian::little;
    Words result = std::bit_cast<Words>(*this);
    result[1] &= kIsLittle ? 0x00ff'ffff'ffff'ffff : 0xffff'ffff'ffff'ff00;
    return result;
  }
};
static_assert(sizeof(CompactKey) == 16);

CompactKey compact_key(const FlowKey& key) noexcept;
// Of a key that is not whole: without addresses and zone.
FlowKey flow_key(const CompactKey& key) noexcept;

// PacketDigest::key.bits
inline constexpr uint8_t kDigestFromB = 0x01;       // endpoint b sent it
inline constexpr uint8_t kDigestTcp = 0x02;         // seq and ack are set
inline constexpr uint8_t kDigestZeroWindow = 0x04;  // TCP: the window field is 0
inline constexpr uint8_t kDigestGeneral = 0x08;     // `index` is that of a Packet
inline constexpr uint8_t kDigestNoFlow = 0x10;      // general, and not for a flow table (now)
inline constexpr uint8_t kDigestFirstPiece = 0x20;  // FragmentKind::kFirst

struct alignas(64) PacketDigest {
  CompactKey key;
  uint32_t hash = 0;      // bits 0..31 of the key's hash: where a table begins to look
  uint16_t hash_tag = 0;  // bits 32..47: what it compares first
  uint8_t shard = 0;      // 0 when there is one shard
  uint8_t tcp_flags = 0;
  int64_t ts_ns = 0;
  int64_t clock_ns = 0;
  // What the packet adds to its flow's counters, in the order of FlowCounters; `index` stands where
  // the number of packets would.
  uint32_t index = 0;  // of the frame in its burst; kDigestGeneral: of its Packet
  uint32_t wire_size = 0;
  uint32_t ip_size = 0;
  uint32_t payload_size = 0;
  uint32_t tcp_seq = 0;
  uint32_t tcp_ack = 0;
};
static_assert(sizeof(PacketDigest) == 64);

// How many plain packets a burst had, for whoever counts verdicts.
struct PlainCounts {
  uint64_t frames = 0;
  uint64_t bytes = 0;       // wire bytes
  uint64_t tcp_frames = 0;  // of them
  uint64_t tcp_bytes = 0;

  // Without a branch: TCP or UDP is as good as random.
  void add(const PacketDigest& digest, uint32_t wire_size) noexcept {
    static_assert(kDigestTcp == 2);
    const uint64_t is_tcp = digest.key.bits >> 1 & 1u;
    ++frames;
    bytes += wire_size;
    tcp_frames += is_tcp;
    tcp_bytes += wire_size & (0 - is_tcp);
  }
  PlainCounts& operator+=(const PlainCounts& other) noexcept {
    frames += other.frames;
    bytes += other.bytes;
    tcp_frames += other.tcp_frames;
    tcp_bytes += other.tcp_bytes;
    return *this;
  }
};

// The digest of a decoded packet, `index` its place among the generals; shard is 0. kDigestNoFlow when
// its verdict is not kDecoded.
PacketDigest digest_of(const Packet& packet, uint32_t index) noexcept;

// The hash of a key has 64 bits: the low 32 say where, the next 16 are the tag.
constexpr uint16_t tag_of_hash(uint64_t hash) noexcept {
  return static_cast<uint16_t>(hash >> 32);
}

}  // namespace weir
