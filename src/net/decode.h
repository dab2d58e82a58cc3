// SPDX-License-Identifier: Apache-2.0
//
// decode(): bytes to headers, stateless. One loop over layers, never recursion; each step is one
// header in its own file (ethernet, vlan, ipv4, …) that reads through ByteReader and returns the
// next layer or a verdict.
//
// Threads: a Decoder is immutable after construction; any number of threads may use one.
#pragma once

#include <span>

#include "base/keyed_hash.h"
#include "net/packet.h"
#include "net/packet_digest.h"

namespace weir {

inline constexpr uint8_t kTunnelCountMax = 4;     // packets inside packets of one frame
inline constexpr uint8_t kLabelCountMax = 8;      // MPLS labels of one stack
inline constexpr uint8_t kExtensionCountMax = 8;  // IPv6 extension headers of one packet (RFC 7112)

struct DecodeOptions {
  ZoneKind zone = ZoneKind::kNone;  // flow.zone: what becomes part of the key
  // The flow of a tunnelled packet is that of the packet inside. False: tunnels between IP addresses
  // are not entered, so the outermost IP header and what is above it make the key. What is below IP
  // (MPLS, PPPoE, PBB) or beside it (the authentication header) is decoded either way.
  bool decapsulate = true;
};

class Decoder {
 public:
  Decoder(const DecodeOptions& options, const HashSecret& secret) noexcept;
  Decoder(const DecodeOptions& options, const KeyedHasher& hasher) noexcept;

  // Fills `packet` from `frame`, which must outlive it. packet.verdict is kDecoded, or the first
  // reason met. Never reads beyond frame.captured_size, never allocates.
  void decode(const Frame& frame, Packet& packet) const noexcept;

  // Fills one digest per frame. Packets that are not plain are decoded into `generals`, in order;
  // returns how many (their verdicts may be any). digests and generals have room for all frames.
  // A plain packet's verdict is kDecoded and its layer kTcp or kUdp; `plain`, when given, is set to
  // their counts. shard_count: see shard_of().
  size_t digest(std::span<const Frame> frames, PacketDigest* digests, Packet* generals,
                uint32_t shard_count = 1, PlainCounts* plain = nullptr) const noexcept;

  // digest_of() with the shard; also again after the fragment cache gave the packet its flow's key.
  void digest_general(const Packet& packet, uint32_t index, PacketDigest& digest,
                      uint32_t shard_count = 1) const noexcept;

 private:
  DecodeOptions options_;
  KeyedHasher hasher_;
};

}  // namespace weir
