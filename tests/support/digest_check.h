// SPDX-License-Identifier: Apache-2.0
//
// Decoder::digest() against decode(): whatever path a packet took, its digest says what its Packet
// would have said. Shared by the unit tests and the fuzz target.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "net/decode.h"
#include "tests/support/packet_invariants.h"

namespace weir::test {

inline bool is_same_digest(const PacketDigest& x, const PacketDigest& y) {
  return x.key.a == y.key.a && x.key.b == y.key.b && x.key.port_a == y.key.port_a &&
         x.key.port_b == y.key.port_b && x.key.proto_number == y.key.proto_number &&
         x.key.kinds == y.key.kinds && x.key.bits == y.key.bits && x.hash == y.hash &&
         x.hash_tag == y.hash_tag && x.shard == y.shard && x.tcp_flags == y.tcp_flags &&
         x.ts_ns == y.ts_ns && x.clock_ns == y.clock_ns && x.index == y.index &&
         x.wire_size == y.wire_size && x.ip_size == y.ip_size && x.payload_size == y.payload_size &&
         x.tcp_seq == y.tcp_seq && x.tcp_ack == y.tcp_ack;
}

// Whether decode() found what a digest of a plain packet leaves out because it is always the same.
inline const char* broken_plainness(const Packet& packet) {
  if (packet.verdict != Verdict::kDecoded) return "a packet that is not decoded has a plain digest";
  if (packet.layer != Layer::kTcp && packet.layer != Layer::kUdp)
    return "plain, but not TCP or UDP";
  if (packet.has_tcp != (packet.layer == Layer::kTcp)) return "plain TCP without TCP";
  if (packet.path.count != 3 || packet.path.layers[0] != Layer::kEthernet ||
      packet.path.layers[1] != Layer::kIpv4 || packet.path.layers[2] != packet.layer) {
    return "plain, but the path is another";
  }
  if (packet.vlans.count != 0) return "plain, but with tags";
  if (packet.fragment != FragmentKind::kWhole) return "plain, but a fragment";
  if (!packet.has_macs || !packet.has_ports) return "plain without addresses or ports";
  if (packet.key.kind != AddressKind::kIpv4 || packet.key.zone_kind != ZoneKind::kNone)
    return "plain, but the key does not fit a digest";
  return nullptr;
}

// The sentence of the first thing that is wrong; null when all is well. plain_count, if given, is
// raised by the number of packets that took the fast path.
inline const char* broken_digests(const Decoder& decoder, std::span<const Frame> frames,
                                  uint32_t shard_count = 1, uint64_t* plain_count = nullptr) {
  std::vector<PacketDigest> digests(frames.size());
  std::vector<Packet> generals(frames.size());
  const size_t general_count = decoder.digest(frames, digests.data(), generals.data(), shard_count);
  uint32_t next_general = 0;
  for (uint32_t index = 0; index < frames.size(); ++index) {
    Packet packet;
    decoder.decode(frames[index], packet);
    PacketDigest expected;
    if ((digests[index].key.bits & kDigestGeneral) != 0) {
      if (next_general == general_count) return "more general digests than packets";
      const Packet& general = generals[next_general];
      if (general.frame != &frames[index]) return "a general packet of another frame";
      if (!is_same_answer(general, packet))
        return "a general packet that decode() answers otherwise";
      decoder.digest_general(packet, next_general++, expected, shard_count);
    } else {
      const char* broken = broken_plainness(packet);
      if (broken != nullptr) return broken;
      decoder.digest_general(packet, index, expected, shard_count);
      expected.key.bits &= static_cast<uint8_t>(~kDigestGeneral);
      if (plain_count != nullptr) ++*plain_count;
    }
    if (!is_same_digest(digests[index], expected)) return "the digest says something else";
  }
  return next_general == general_count ? nullptr : "fewer general digests than packets";
}

}  // namespace weir::test
