// SPDX-License-Identifier: Apache-2.0
//
// The two versions of the loop over plain packets, and what they agree on. Decoder::digest() takes
// one of them for all its bursts; packet_digest_test.cc holds both to what decode() answers.
//
// What makes a packet plain is written down in digest_run_portable() (packet_digest.cc), the one to
// read first; digest_run_aes() (packet_digest_aes.cc) is the same in vectors of 16 bytes, for
// processors with AES.
//
//   Ethernet II  destination 6 | source 6 | EtherType 2                                offset  0
//   IPv4         as in ipv4.cc, without options                                        offset 14
//   TCP or UDP   source port 2 | destination port 2 | sequence 4, or length 2 …        offset 34
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_reader.h"
#include "base/cpu_features.h"
#include "base/keyed_hash.h"
#include "net/packet_digest.h"

namespace weir {

struct DigestRun {
  std::span<const Frame> frames;
  PacketDigest* digests;
  uint32_t shard_count;
  bool is_entering_tunnels;
  size_t prefetch_end;  // of the frames before this one, those further on are asked for
  PlainCounts* counts;  // what is digested is added
};

// Fills the digests of frames[start…] as far as they are plain packets; returns the index of the
// first that is not, or the number of frames. The digest of that one may have been written to.
size_t digest_run_portable(const KeyedHasher& hasher, const DigestRun& run, size_t start) noexcept;
// REQUIRES: hasher.algorithm() is kAes.
size_t digest_run_aes(const KeyedHasher& hasher, const DigestRun& run, size_t start) noexcept;

// How many frames ahead the bytes are asked for, if frames are this far apart. With 606 bytes from
// one to the next, all out of the caches, a packet takes 13 ns with it and 23 without. Closer ones
// the processor sees coming by itself: with 76 bytes, 7 and 6.
inline constexpr size_t kPrefetchDistance = 16;
inline constexpr size_t kPrefetchStrideMin = 256;

inline constexpr uint16_t kEthernetLink = 1;
inline constexpr uint32_t kTcpHeadersSize = 54;  // all three headers, without options
inline constexpr uint32_t kUdpHeadersSize = 42;
inline constexpr int32_t kIpv4HeaderSize = 20;
inline constexpr int32_t kTcpHeaderSizeMin = 20;
inline constexpr int32_t kUdpHeaderSize = 8;
inline constexpr uint8_t kTcpNumber = 6;
inline constexpr uint8_t kUdpNumber = 17;

inline void prefetch_headers(const Frame& frame) noexcept {
  const std::span<const uint8_t> bytes(frame.data, frame.captured_size);
  __builtin_prefetch(bytes.data());
  if (bytes.size() >= kTcpHeadersSize)
    __builtin_prefetch(bytes.subspan(kTcpHeadersSize - 1).data());
}

using PlainHeaders = HeaderView<kTcpHeadersSize>;

// Whether the source knew something that a plain packet has not.
inline bool has_plain_link(const Frame& frame) noexcept {
  return frame.link_type == kEthernetLink && !frame.has_vlan && !frame.is_oversized;
}

// A frame that ends where a TCP header would not have, as if zeros followed; only a UDP packet can
// be plain then.
using PaddedHeaders = std::array<uint8_t, kTcpHeadersSize>;
inline PaddedHeaders padded_headers(const Frame& frame) noexcept {
  PaddedHeaders padded{};
  ByteReader(frame.data, frame.captured_size).copy(padded.data(), frame.captured_size);
  return padded;
}

}  // namespace weir
