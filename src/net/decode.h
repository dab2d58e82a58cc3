// SPDX-License-Identifier: Apache-2.0
//
// decode(): bytes to headers, stateless. One loop over layers, never recursion; each step is one
// header in its own file (ethernet, vlan, ipv4, …) that reads through ByteReader and returns the
// next layer or a verdict.
//
// Threads: a Decoder is immutable after construction; any number of threads may use one.
#pragma once

#include "base/keyed_hash.h"
#include "net/packet.h"

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

  // Fills `packet` from `frame`, which must outlive it. packet.verdict is kDecoded, or the first
  // reason met. Never reads beyond frame.captured_size, never allocates.
  void decode(const Frame& frame, Packet& packet) const noexcept;

 private:
  DecodeOptions options_;
  HashSecret secret_;
};

}  // namespace weir
