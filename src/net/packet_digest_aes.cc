// SPDX-License-Identifier: Apache-2.0
//
// The loop over plain packets in vectors of 16 bytes (SSE 4.2), so that the key goes from the
// frame's bytes to the rounds of AES without leaving its register: 5 ns a packet, where the
// portable loop with SipHash takes 17 and decode() 25 (60 bytes, TCP and UDP 4:1; a core of 3.9
// GHz).
//
// No branch depends on what differs from one ordinary packet to the next. TCP and UDP mix at
// random, and so do directions: what only one of them has is computed for both and masked.
#include "net/digest_run.h"

#if WEIR_X86_KERNELS

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "base/keyed_hash_aes.h"
#include "net/key_blocks.h"

namespace weir {
namespace {

// A register's worth of bytes as a type of its own: templates drop the attributes of __m128i.
struct Vector {
  __m128i bytes;
};

// What is compared, as it lies in the frame: EtherType, version and header words (the byte behind
// them is the services); fragments and protocol (between them the time to live).
constexpr uint32_t kVersionMask = from_big_endian<uint32_t>(0xffffff00);
constexpr uint32_t kIpv4WithoutOptions = from_big_endian<uint32_t>(0x08004500);
constexpr uint32_t kFragmentMask = from_big_endian<uint32_t>(0x3fff00ff);
constexpr uint32_t kWholeTcp = from_big_endian<uint32_t>(kTcpNumber);
constexpr uint32_t kWholeUdp = from_big_endian<uint32_t>(kUdpNumber);

// What tells the two apart, as long as it is one of them: a compiler that sees a comparison makes
// two paths of it, and which one is taken is as good as random.
constexpr uint32_t kUdpBit = 1;
static_assert((kTcpNumber & kUdpBit) == 0 && (kUdpNumber & kUdpBit) == kUdpBit);

// Where each of a result's bytes comes from; kZero for none.
using Shuffle = std::array<uint8_t, 16>;
constexpr uint8_t kZero = 0x80;
// Of the sixteen bytes from the source address on: addresses 0 to 7, ports 8 to 11.
constexpr Shuffle kEndpointsInOrder = {0, 1, 2,  3,  4,     5,     6,     7,
                                       9, 8, 11, 10, kZero, kZero, kZero, kZero};
constexpr Shuffle kOtherEndpoint = {4, 4, 4, 4, 4, 4, 4, 4, 2, 2, 2, 2};  // differs by these bits
// Each endpoint as a number of 48 bits, address before port.
constexpr Shuffle kEndpointNumbers = {9,  8,  3, 2, 1, 0, kZero, kZero,
                                      11, 10, 7, 6, 5, 4, kZero, kZero};
constexpr Shuffle kSourcePort = {8, 9, 8, 9, 8, 9, 8, 9, 8, 9, 8, 9, 8, 9, 8, 9};
constexpr Shuffle kDestinationPort = {10, 11, 10, 11, 10, 11, 10, 11,
                                      10, 11, 10, 11, 10, 11, 10, 11};
// Of the sixteen from the sequence number on: what a digest ends with, and the flags in the last
// byte.
constexpr Shuffle kSequencesAndFlags = {3,     2,     1,     0,     7,     6,     5,     4,
                                        kZero, kZero, kZero, kZero, kZero, kZero, kZero, 9};
constexpr Shuffle kWindowInLastWord = {kZero, kZero, kZero, kZero, kZero, kZero, kZero, kZero,
                                       kZero, kZero, kZero, kZero, kZero, kZero, 10,    11};

constexpr uint64_t kHashMask = (uint64_t{1} << 48) - 1;  // what a digest has of it

constexpr uint64_t in_bits(uint8_t bits) noexcept {
  return static_cast<uint64_t>(bits) << kCompactMarkShift;
}

// What a transport adds to the words of the key and to what is beside it: TCP, then UDP.
struct Transport {
  HashBlock key;
  HashBlock bits;
  HashBlock bits_if_window_is_zero;
  HashBlock tcp_mask;
};
constexpr std::array<Transport, 2> kTransports = {
    Transport{compact_block(0, 0, 0, kTcpNumber, 0),
              {0, in_bits(kDigestTcp)},
              {0, in_bits(kDigestZeroWindow)},
              {UINT64_MAX, UINT64_MAX}},
    Transport{compact_block(0, 0, 0, kUdpNumber, 0), {}, {}, {}},
};

// The size of a TCP header by its words, and behind them that of UDP's. One that is too short is
// made too long for any packet.
constexpr uint32_t kUdpEntry = 16;
constexpr int32_t kTooLong = UINT16_MAX + 1;
using HeaderSizes = std::array<int32_t, kUdpEntry + 1>;
constexpr HeaderSizes make_header_sizes() noexcept {
  HeaderSizes sizes{};
  for (int32_t words = 0; words < static_cast<int32_t>(kUdpEntry); ++words) {
    const int32_t size = words * 4;
    sizes[static_cast<size_t>(words)] = size < kTcpHeaderSizeMin ? kTooLong : size;
  }
  sizes[kUdpEntry] = kUdpHeaderSize;
  return sizes;
}
constexpr HeaderSizes kHeaderSizes = make_header_sizes();

constexpr size_t kPortCount = 8;
using Ports = std::array<uint16_t, kPortCount>;
// The ports of all tunnels, in either direction, as they lie in the frame; the last one again where
// there are fewer.
constexpr Ports make_tunnel_ports() noexcept {
  constexpr uint16_t kList[] = {
#define TUNNELLED_TO_UDP_PORT(number, layer, looks_like) number,
#define TUNNELLED_BY_UDP_PORT(number, layer, looks_like) number,
#include "net/layer_steps.inc"
  };
  static_assert(std::size(kList) <= kPortCount, "two vectors are needed now");
  Ports ports{};
  for (size_t index = 0; index < kPortCount; ++index)
    ports[index] = from_big_endian(kList[std::min(index, std::size(kList) - 1)]);
  return ports;
}
constexpr Ports kTunnelPorts = make_tunnel_ports();

template <typename Bytes>
WEIR_AES_KERNEL inline __m128i vector_of(const Bytes& bytes) noexcept {
  return __builtin_bit_cast(__m128i, bytes);
}
template <typename Bytes>
WEIR_AES_KERNEL inline __m128i shuffled(__m128i bytes, const Bytes& order) noexcept {
  return _mm_shuffle_epi8(bytes, vector_of(order));
}

// Writes a digest as the four vectors it is made of; __m128i may alias anything. Member by member,
// or as a bit_cast of the whole, a packet took 0.8 ns longer.
static_assert(offsetof(PacketDigest, key) == 0 && offsetof(PacketDigest, hash) == 16 &&
              offsetof(PacketDigest, hash_tag) == 20 && offsetof(PacketDigest, shard) == 22 &&
              offsetof(PacketDigest, tcp_flags) == 23 && offsetof(PacketDigest, ts_ns) == 24 &&
              offsetof(PacketDigest, clock_ns) == 32 && offsetof(PacketDigest, index) == 40 &&
              offsetof(PacketDigest, wire_size) == 44 && offsetof(PacketDigest, ip_size) == 48 &&
              offsetof(PacketDigest, payload_size) == 52 && offsetof(PacketDigest, tcp_seq) == 56 &&
              offsetof(PacketDigest, tcp_ack) == 60);
WEIR_AES_KERNEL inline void store(PacketDigest& digest, __m128i key, __m128i hash_and_ts,
                                  __m128i clock_and_place, __m128i sizes_and_sequences) noexcept {
  void* const address = &digest;
  __m128i* const line = static_cast<__m128i*>(address);
  _mm_store_si128(line, key);
  _mm_store_si128(line + 1, hash_and_ts);
  _mm_store_si128(line + 2, clock_and_place);
  _mm_store_si128(line + 3, sizes_and_sequences);
}

WEIR_AES_KERNEL inline __m128i word(uint64_t low) noexcept {
  return _mm_cvtsi64_si128(static_cast<int64_t>(low));
}
constexpr uint64_t pair_of(uint32_t low, uint32_t high) noexcept {
  return low | static_cast<uint64_t>(high) << 32;
}

// What is above the transport header by the length fields; below 0 when they contradict each other.
inline int32_t payload_size_of(const PlainHeaders& headers, int32_t ip_size,
                               uint32_t tcp_mask) noexcept {
  // A UDP length of 0, or beyond the IP packet, leaves it to that. Both less one, so that 0 is
  // most.
  const uint32_t udp_length = (headers.be16<38>() - 1u) & UINT16_MAX;
  const int32_t size_max = static_cast<int32_t>(udp_length | tcp_mask >> 1);
  const int32_t size = std::min(ip_size - kIpv4HeaderSize - 1, size_max) + 1;
  const uint32_t tcp_words = headers.u8<46>() >> 4;
  return size - kHeaderSizes[((tcp_words ^ kUdpEntry) & tcp_mask) ^ kUdpEntry];
}

WEIR_AES_KERNEL inline bool has_tunnel_port(__m128i endpoints) noexcept {
  const __m128i ports = vector_of(kTunnelPorts);
  const __m128i matches =
      _mm_or_si128(_mm_cmpeq_epi16(shuffled(endpoints, kSourcePort), ports),
                   _mm_cmpeq_epi16(shuffled(endpoints, kDestinationPort), ports));
  return _mm_movemask_epi8(matches) != 0;
}

// All ones when the source comes second in a key.
WEIR_AES_KERNEL inline __m128i is_swapped_mask(__m128i endpoints) noexcept {
  const __m128i numbers = shuffled(endpoints, kEndpointNumbers);
  const __m128i halves_swapped = _mm_shuffle_epi32(numbers, 0x4e);
  const __m128i is_greater = _mm_cmpgt_epi64(numbers, halves_swapped);
  return _mm_shuffle_epi32(is_greater, 0x44);  // that of the source, for both halves
}

WEIR_AES_KERNEL inline __m128i shard_block(__m128i key) noexcept {
  const HashBlock mask{UINT64_MAX, kCompactKindsButOneWay};
  return _mm_or_si128(_mm_and_si128(key, vector_of(mask)),
                      vector_of(HashBlock{0, kCompactShardMark}));
}

// As digest_headers() in packet_digest.cc, with its index, hash and shard.
template <bool kHasShards>
WEIR_AES_KERNEL inline bool digest_headers(const PlainHeaders& headers, const Frame& frame,
                                           const KeyedHasher::Keys& keys, const DigestRun& run,
                                           size_t index, PacketDigest& digest) noexcept {
  if ((headers.native32<12>() & kVersionMask) != kIpv4WithoutOptions) return false;
  const uint32_t is_udp = headers.u8<23>() & kUdpBit;
  const uint32_t tcp_mask = is_udp - 1;
  const uint32_t expected = kWholeUdp ^ (tcp_mask & (kWholeUdp ^ kWholeTcp));
  if ((headers.native32<20>() & kFragmentMask) != expected) return false;
  const uint16_t ip_size = headers.be16<16>();
  const int32_t payload_size = payload_size_of(headers, ip_size, tcp_mask);
  if (payload_size < 0) return false;

  const __m128i endpoints = headers.as<Vector, 26>().bytes;
  if (has_tunnel_port(endpoints) && is_udp != 0 && run.is_entering_tunnels) return false;
  const Transport& transport = kTransports[is_udp];
  const __m128i is_swapped = is_swapped_mask(endpoints);
  const __m128i order = _mm_xor_si128(vector_of(kEndpointsInOrder),
                                      _mm_and_si128(is_swapped, vector_of(kOtherEndpoint)));
  const __m128i key = _mm_or_si128(_mm_shuffle_epi8(endpoints, order), vector_of(transport.key));

  const __m128i behind_ports = headers.as<Vector, 38>().bytes;
  const __m128i is_window_zero =
      _mm_cmpeq_epi16(shuffled(behind_ports, kWindowInLastWord), _mm_setzero_si128());
  const __m128i tcp_bits =
      _mm_or_si128(vector_of(transport.bits),
                   _mm_and_si128(is_window_zero, vector_of(transport.bits_if_window_is_zero)));
  const __m128i from_b = _mm_and_si128(is_swapped, vector_of(HashBlock{0, in_bits(kDigestFromB)}));
  const __m128i sequences_and_flags =
      _mm_and_si128(shuffled(behind_ports, kSequencesAndFlags), vector_of(transport.tcp_mask));
  const __m128i flags = _mm_unpackhi_epi64(sequences_and_flags, sequences_and_flags);

  const __m128i hash = _mm_and_si128(aes::mix(keys, key), vector_of(HashBlock{kHashMask, 0}));
  __m128i hash_and_flags = _mm_or_si128(hash, flags);
  if constexpr (kHasShards) {
    const uint64_t shard = shard_of_hash(aes::hash(keys, shard_block(key)), run.shard_count);
    hash_and_flags = _mm_or_si128(hash_and_flags, word(shard << 48));
  }
  const uint64_t place = pair_of(static_cast<uint32_t>(index), frame.wire_size);
  const uint64_t sizes = pair_of(ip_size, static_cast<uint32_t>(payload_size));
  store(digest, _mm_or_si128(key, _mm_or_si128(tcp_bits, from_b)),
        _mm_unpacklo_epi64(hash_and_flags, word(static_cast<uint64_t>(frame.ts_ns))),
        _mm_unpacklo_epi64(word(static_cast<uint64_t>(frame.clock_ns)), word(place)),
        _mm_unpacklo_epi64(word(sizes), sequences_and_flags));
  return true;
}

template <bool kHasShards>
[[gnu::noinline]] WEIR_AES_KERNEL bool digest_short(const Frame& frame,
                                                    const KeyedHasher::Keys& keys,
                                                    const DigestRun& run, size_t index,
                                                    PacketDigest& digest) noexcept {
  const PaddedHeaders padded = padded_headers(frame);
  const PlainHeaders headers(padded);
  return headers.u8<23>() == kUdpNumber &&
         digest_headers<kHasShards>(headers, frame, keys, run, index, digest);
}

template <bool kHasShards>
WEIR_AES_KERNEL size_t digest_run(const KeyedHasher::Keys& keys, const DigestRun& run,
                                  size_t start) noexcept {
  const size_t count = run.frames.size();
  PlainCounts counts;
  size_t index = start;
  for (; index < count; ++index) {
    const Frame& frame = run.frames[index];
    PacketDigest& digest = run.digests[index];
    if (index < run.prefetch_end) prefetch_headers(run.frames[index + kPrefetchDistance]);
    if (!has_plain_link(frame)) break;
    if (frame.captured_size >= kTcpHeadersSize) {
      const PlainHeaders headers(std::span(frame.data, frame.captured_size));
      if (!digest_headers<kHasShards>(headers, frame, keys, run, index, digest)) break;
    } else if (frame.captured_size < kUdpHeadersSize ||
               !digest_short<kHasShards>(frame, keys, run, index, digest)) {
      break;
    }
    counts.add(digest, frame.wire_size);
  }
  *run.counts += counts;
  return index;
}

}  // namespace

WEIR_AES_KERNEL size_t digest_run_aes(const KeyedHasher& hasher, const DigestRun& run,
                                      size_t start) noexcept {
  return run.shard_count > 1 ? digest_run<true>(hasher.keys(), run, start)
                             : digest_run<false>(hasher.keys(), run, start);
}

}  // namespace weir

#else

namespace weir {

// Never called: no hasher is kAes.
size_t digest_run_aes(const KeyedHasher& hasher, const DigestRun& run, size_t start) noexcept {
  return digest_run_portable(hasher, run, start);
}

}  // namespace weir

#endif
