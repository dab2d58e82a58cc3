// SPDX-License-Identifier: Apache-2.0
#include "net/packet_digest.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.h"
#include "net/decode.h"
#include "net/digest_run.h"
#include "net/key_blocks.h"

namespace weir {
namespace {

constexpr uint16_t kIpv4Ethertype = 0x0800;
constexpr uint8_t kVersionAndWords = 0x45;  // version 4, a header of five words
constexpr uint16_t kFragmentBits = 0x3fff;  // more fragments, and the offset
constexpr uint32_t kShardCountMax = 256;    // PacketDigest::shard is a byte

// Whether a port is that of a tunnel, in either direction: decode() then looks closer.
bool is_tunnel_port(uint16_t port) noexcept {
  switch (port) {
#define TUNNELLED_TO_UDP_PORT(number, layer, looks_like) case number:
#define TUNNELLED_BY_UDP_PORT(number, layer, looks_like) case number:
#include "net/layer_steps.inc"
    return true;
    default:
      return false;
  }
}

void set_hash(PacketDigest& digest, uint64_t hash) noexcept {
  digest.hash = static_cast<uint32_t>(hash);
  digest.hash_tag = tag_of_hash(hash);
}

// What is hashed of a compact key.
HashBlock block_of(const CompactKey& key) noexcept {
  return {key.a | static_cast<uint64_t>(key.b) << 32,
          key.port_a | static_cast<uint64_t>(key.port_b) << 16 |
              static_cast<uint64_t>(key.proto_number) << 32 |
              static_cast<uint64_t>(key.kinds) << kCompactKindsShift};
}

// The transport header, as far as it concerns a digest.
struct Transport {
  int32_t size = 0;  // with its payload, by length fields
  int32_t header_size = 0;
};

// False when there is something about it that decode() has to look at.
bool read_tcp(const PlainHeaders& headers, int32_t size, Transport& tcp,
              PacketDigest& digest) noexcept {
  tcp = {size, (headers.u8<46>() >> 4) * 4};
  digest.key.bits = kDigestTcp | (headers.be16<48>() == 0 ? kDigestZeroWindow : 0);
  digest.tcp_flags = headers.u8<47>();
  digest.tcp_seq = headers.be32<38>();
  digest.tcp_ack = headers.be32<42>();
  return tcp.header_size >= kTcpHeaderSizeMin;
}

bool read_udp(const PlainHeaders& headers, int32_t size, bool is_entering_tunnels, Transport& udp,
              PacketDigest& digest) noexcept {
  // A length of 0, or one beyond the IP packet, leaves it to that.
  const int32_t length = headers.be16<38>();
  udp = {length != 0 ? std::min(length, size) : size, kUdpHeaderSize};
  digest.key.bits = 0;
  digest.tcp_flags = 0;
  digest.tcp_seq = digest.tcp_ack = 0;
  return !is_entering_tunnels ||
         !(is_tunnel_port(headers.be16<34>()) || is_tunnel_port(headers.be16<36>()));
}

// Fills all of the digest that does not come from the hash; false when the packet is not plain.
bool digest_headers(const PlainHeaders& headers, const Frame& frame, bool is_entering_tunnels,
                    PacketDigest& digest) noexcept {
  if (headers.be16<12>() != kIpv4Ethertype || headers.u8<14>() != kVersionAndWords ||
      (headers.be16<20>() & kFragmentBits) != 0) {
    return false;
  }
  const int32_t ip_size = headers.be16<16>();  // 0 is less than the header, and so not plain
  const int32_t transport_size = ip_size - kIpv4HeaderSize;
  const uint8_t protocol = headers.u8<23>();
  const bool is_tcp = protocol == kTcpNumber;
  if (!is_tcp && protocol != kUdpNumber) return false;
  Transport transport;
  if (!(is_tcp ? read_tcp(headers, transport_size, transport, digest)
               : read_udp(headers, transport_size, is_entering_tunnels, transport, digest))) {
    return false;
  }
  if (transport.header_size > transport.size) return false;

  const uint16_t src_port = headers.be16<34>();
  const uint16_t dst_port = headers.be16<36>();
  CompactKey& key = digest.key;
  const bool is_swapped =
      std::pair(headers.be32<26>(), src_port) > std::pair(headers.be32<30>(), dst_port);
  key.a = is_swapped ? headers.native32<30>() : headers.native32<26>();
  key.b = is_swapped ? headers.native32<26>() : headers.native32<30>();
  key.port_a = is_swapped ? dst_port : src_port;
  key.port_b = is_swapped ? src_port : dst_port;
  key.proto_number = protocol;
  key.kinds = static_cast<uint8_t>(AddressKind::kIpv4);
  if (is_swapped) key.bits |= kDigestFromB;
  digest.ts_ns = frame.ts_ns;
  digest.clock_ns = frame.clock_ns;
  digest.wire_size = frame.wire_size;
  digest.ip_size = static_cast<uint32_t>(ip_size);
  digest.payload_size = static_cast<uint32_t>(transport.size - transport.header_size);
  return true;
}

bool digest_plain(const Frame& frame, bool is_entering_tunnels, PacketDigest& digest) noexcept {
  if (!has_plain_link(frame) || frame.captured_size < kUdpHeadersSize) return false;
  if (frame.captured_size >= kTcpHeadersSize) {
    const PlainHeaders headers(std::span(frame.data, frame.captured_size));
    return digest_headers(headers, frame, is_entering_tunnels, digest);
  }
  const PaddedHeaders padded = padded_headers(frame);
  const PlainHeaders headers(padded);
  return headers.u8<23>() == kUdpNumber &&
         digest_headers(headers, frame, is_entering_tunnels, digest);
}

// Asks for the bytes of the first frames, and returns where asking for those further on ends.
size_t begin_prefetch(std::span<const Frame> frames) noexcept {
  if (frames.empty()) return 0;
  // Frames lie one behind the other, in a file's buffer as in a ring; if they do not, then at least
  // they are far apart.
  const uintptr_t distance =
      std::bit_cast<uintptr_t>(frames.back().data) - std::bit_cast<uintptr_t>(frames.front().data);
  if (distance < kPrefetchStrideMin * frames.size()) return 0;
  const size_t first_count = std::min(frames.size(), kPrefetchDistance);
  for (const Frame& frame : frames.first(first_count)) prefetch_headers(frame);
  return frames.size() - first_count;
}

}  // namespace

size_t digest_run_portable(const KeyedHasher& hasher, const DigestRun& run, size_t start) noexcept {
  size_t index = start;
  for (; index < run.frames.size(); ++index) {
    if (index < run.prefetch_end) prefetch_headers(run.frames[index + kPrefetchDistance]);
    PacketDigest& digest = run.digests[index];
    if (!digest_plain(run.frames[index], run.is_entering_tunnels, digest)) break;
    const HashBlock block = block_of(digest.key);
    set_hash(digest, hasher.hash(block));
    digest.shard = 0;
    if (run.shard_count > 1) {
      const uint64_t hash = hasher.hash(shard_block(block));
      digest.shard = static_cast<uint8_t>(shard_of_hash(hash, run.shard_count));
    }
    digest.index = static_cast<uint32_t>(index);
    run.counts->add(digest, digest.wire_size);
  }
  return index;
}

size_t Decoder::digest(std::span<const Frame> frames, PacketDigest* digests, Packet* generals,
                       uint32_t shard_count, PlainCounts* plain) const noexcept {
  DASSERT(shard_count > 0 && shard_count <= kShardCountMax);
  PlainCounts counts;
  const DigestRun run{frames, digests, shard_count, options_.decapsulate, begin_prefetch(frames),
                      &counts};
  // An interface makes every key one with a zone; a plain packet is in no other zone.
  const bool is_plain_possible = options_.zone != ZoneKind::kInterface;
  const bool is_aes = hasher_.algorithm() == HashAlgorithm::kAes;
  uint32_t general_count = 0;
  for (size_t index = 0; index < frames.size(); ++index) {
    if (is_plain_possible) {
      index =
          is_aes ? digest_run_aes(hasher_, run, index) : digest_run_portable(hasher_, run, index);
      if (index == frames.size()) break;
    }
    Packet& packet = generals[general_count];
    decode(frames[index], packet);
    digest_general(packet, general_count++, digests[index], shard_count);
  }
  if (plain != nullptr) *plain = counts;
  return general_count;
}

CompactKey compact_key(const FlowKey& key) noexcept {
  CompactKey compact;
  if (is_compact(key)) {
    compact.a = ipv4_word(key.a);
    compact.b = ipv4_word(key.b);
  }
  compact.port_a = key.port_a;
  compact.port_b = key.port_b;
  compact.proto_number = key.proto_number;
  compact.kinds =
      static_cast<uint8_t>(static_cast<unsigned>(key.kind) |
                           static_cast<unsigned>(key.zone_kind) << 2 | key.one_way << 4);
  return compact;
}

FlowKey flow_key(const CompactKey& key) noexcept {
  FlowKey whole;
  if (key.is_whole()) {
    whole.a = ipv4_address(key.a);
    whole.b = ipv4_address(key.b);
  }
  whole.port_a = key.port_a;
  whole.port_b = key.port_b;
  whole.proto_number = key.proto_number;
  whole.kind = key.kind();
  whole.zone_kind = static_cast<ZoneKind>(key.kinds >> 2 & 0x03);
  whole.one_way = key.kinds >> 4;
  return whole;
}

PacketDigest digest_of(const Packet& packet, uint32_t index) noexcept {
  PacketDigest digest;
  digest.index = index;
  digest.ts_ns = packet.frame->ts_ns;
  digest.clock_ns = packet.frame->clock_ns;
  digest.wire_size = packet.frame->wire_size;
  if (packet.verdict != Verdict::kDecoded) {
    digest.key.bits = kDigestGeneral | kDigestNoFlow;
    return digest;
  }
  digest.key = compact_key(packet.key);
  digest.key.bits = kDigestGeneral;
  if (packet.from_b) digest.key.bits |= kDigestFromB;
  if (packet.fragment == FragmentKind::kFirst) digest.key.bits |= kDigestFirstPiece;
  if (packet.has_tcp) {
    digest.key.bits |= kDigestTcp;
    if (packet.tcp_window == 0) digest.key.bits |= kDigestZeroWindow;
    digest.tcp_flags = packet.tcp_flags;
    digest.tcp_seq = packet.tcp_seq;
    digest.tcp_ack = packet.tcp_ack;
  }
  set_hash(digest, packet.hash);
  digest.ip_size = packet.ip_size;
  digest.payload_size = packet.payload_size;
  return digest;
}

void Decoder::digest_general(const Packet& packet, uint32_t index, PacketDigest& digest,
                             uint32_t shard_count) const noexcept {
  digest = digest_of(packet, index);
  if ((digest.key.bits & kDigestNoFlow) != 0) return;
  digest.shard = static_cast<uint8_t>(shard_of(hasher_, packet.key, shard_count));
}

}  // namespace weir
