// SPDX-License-Identifier: Apache-2.0
//
// Stream: the packets that record_layout counts, shaped like the captures of weir bench (60-byte
// packets, four flows of five TCP, none ends, directions alternate) but shuffled as a whole.
//
// A packet is a digest of one line, made from its number when it is read, so that the stream takes
// 4 bytes of memory traffic a packet. Real ones come out of a decoder's work in the first cache.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace record_layout {

inline constexpr size_t kLineSize = 64;
inline constexpr size_t kBurstSize = 64;
inline constexpr int64_t kStartNs = 1'700'000'000'000'000'000;
inline constexpr uint8_t kProtoTcp = 6;
inline constexpr uint8_t kProtoUdp = 17;
inline constexpr uint8_t kFin = 0x01;
inline constexpr uint8_t kSyn = 0x02;
inline constexpr uint8_t kRst = 0x04;
inline constexpr uint8_t kAck = 0x10;

[[noreturn]] inline void fail(const char* what) {
  fprintf(stderr, "record_layout: %s\n", what);
  exit(1);
}

// SplitMix64: a number from a number.
inline uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// Zeroed memory, aligned to huge pages, that asks for them or refuses them.
class Pages {
 public:
  Pages(size_t size, bool are_huge) : size_(size + 2 * kHugePageSize) {
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) fail("out of memory");
    begin_ = memory_;
    size_t space = size_;
    begin_ = std::align(kHugePageSize, size, begin_, space);
    madvise(begin_, size + kHugePageSize - 1, are_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  }
  ~Pages() { munmap(memory_, size_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  template <typename T>
  T* as() const {
    return static_cast<T*>(begin_);
  }

 private:
  static constexpr size_t kHugePageSize = 2 * 1024 * 1024;
  size_t size_;
  void* memory_ = nullptr;
  void* begin_ = nullptr;
};

struct Key {
  uint32_t a = 0;
  uint32_t b = 0;
  uint16_t port_a = 0;
  uint16_t port_b = 0;
  uint32_t proto = 0;

  bool is(const Key& other) const { return std::memcmp(this, &other, sizeof(Key)) == 0; }
};
static_assert(sizeof(Key) == 16);

struct alignas(kLineSize) Digest {
  Key key;
  uint32_t hash = 0;
  uint16_t tag = 0;  // never 0
  uint8_t side = 0;  // 1: endpoint b sent it
  uint8_t tcp_flags = 0;
  int64_t ts_ns = 0;
  int64_t clock_ns = 0;
  uint32_t packets = 1;
  uint32_t wire_size = 0;
  uint32_t ip_size = 0;
  uint32_t payload_size = 0;
  uint32_t tcp_seq = 0;
  uint32_t tcp_ack = 0;
};
static_assert(sizeof(Digest) == kLineSize);
using Burst = std::array<Digest, kBurstSize>;

// The packets of a run: which flow comes when. The same arguments make the same stream.
class Stream {
 public:
  Stream(uint32_t flow_count, uint32_t packets_per_flow, uint32_t wire_size)
      : flow_count_(flow_count),
        packet_count_(flow_count * packets_per_flow),
        wire_size_(wire_size),
        pages_(packet_count_ * sizeof(uint32_t), true) {
    uint32_t* const entries = pages_.as<uint32_t>();
    for (uint32_t at = 0; at < packet_count_; ++at) entries[at] = at % flow_count;
    for (uint32_t last = packet_count_ - 1; last > 0; --last) {
      std::swap(entries[last], entries[((mix(last) >> 32) * (last + 1u)) >> 32]);
    }
    // Beside the flow in an entry: how manieth of its flow a packet is, from the fifth on 3 or 4.
    std::vector<uint8_t> seen(flow_count);
    for (uint32_t at = 0; at < packet_count_; ++at) {
      uint8_t& nth = seen[entries[at]];
      entries[at] |= static_cast<uint32_t>(nth) << kFlowBits;
      nth = nth < 4 ? static_cast<uint8_t>(nth + 1) : uint8_t{3};
    }
  }

  uint32_t flow_count() const { return flow_count_; }
  uint32_t packet_count() const { return packet_count_; }
  static uint32_t flow_of(const Key& key) { return key.a & kFlowMask; }

  // Makes the digests from packet `first` on. In later passes no flow opens any more.
  std::span<const Digest> read(uint32_t first, uint32_t pass, Burst& burst) const {
    const uint32_t* const entries = pages_.as<uint32_t>();
    const size_t count = std::min<size_t>(kBurstSize, packet_count_ - first);
    const int64_t pass_ns = int64_t{1'000} * packet_count_ * pass;
    for (uint32_t at = 0; at < count; ++at) {
      const uint32_t entry = entries[first + at];
      make(burst[at], entry & kFlowMask, (entry >> kFlowBits) | (pass > 0 ? kOpened : 0),
           kStartNs + pass_ns + int64_t{1'000} * (first + at));
    }
    return std::span(burst).first(count);
  }

 private:
  static constexpr uint32_t kFlowBits = 24;
  static constexpr uint32_t kFlowMask = (1u << kFlowBits) - 1;
  static constexpr uint32_t kOpened = 4;  // makes the number at least 3, and leaves it odd or even

  void make(Digest& digest, uint32_t flow, uint32_t nth, int64_t time_ns) const {
    const uint64_t random = mix(flow);
    const bool is_udp = flow % 5 == 0;
    const uint32_t is_reply = nth & 1;
    digest.key.a = 0x0a000000 | flow;
    digest.key.b = 0xc6120000 | static_cast<uint32_t>(random & 0xffff);
    digest.key.port_a = static_cast<uint16_t>(32768 | random >> 32);
    digest.key.port_b = is_udp ? 53 : 443;
    digest.key.proto = is_udp ? kProtoUdp : kProtoTcp;
    const uint64_t hash = mix(random ^ flow ^ 0x5bd1e995'9e3779b9);
    digest.hash = static_cast<uint32_t>(hash);
    digest.tag = static_cast<uint16_t>(hash >> 32 | 1);
    digest.side = static_cast<uint8_t>(is_reply);
    digest.ts_ns = digest.clock_ns = time_ns;
    digest.packets = 1;
    digest.wire_size = wire_size_;
    digest.ip_size = is_udp ? wire_size_ - 14 : 40;
    digest.payload_size = is_udp ? wire_size_ - 42 : 0;
    const uint32_t client_seq = static_cast<uint32_t>(random) + (nth < 2 ? 0 : 1);
    const uint32_t server_seq = ~static_cast<uint32_t>(random) + (nth < 2 ? 0 : 1);
    const uint32_t acknowledged = nth == 1 ? 1 : 0;  // the SYN, while seq is still before it
    digest.tcp_seq = is_udp ? 0 : is_reply ? server_seq : client_seq;
    digest.tcp_ack = is_udp || nth == 0 ? 0 : (is_reply ? client_seq : server_seq) + acknowledged;
    const uint8_t flags = nth == 0 ? kSyn : nth == 1 ? kSyn | kAck : kAck;
    digest.tcp_flags = is_udp ? uint8_t{0} : flags;
  }

  uint32_t flow_count_;
  uint32_t packet_count_;
  uint32_t wire_size_;
  Pages pages_;
};

}  // namespace record_layout
