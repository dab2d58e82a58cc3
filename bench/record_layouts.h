// SPDX-License-Identifier: Apache-2.0
//
// The layouts of a flow record that record_layout compares, from one cache line to four.
//
// Each says what a packet touches (Hot), what it does not (Cold), and how a counter is added to;
// what a packet means for its flow is the same for all and stands in record_table.h. A record is
// all zeros before its flow begins.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "record_stream.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace record_layout {

inline constexpr int64_t kTimeoutNs = 60'000'000'000;  // no flow of the stream reaches it
inline constexpr int64_t kIntervalNs = 60'000'000'000;

enum class State : uint8_t { kNew, kEstablished, kActive };

struct Totals {
  std::array<uint64_t, 2> packets{};
  std::array<uint64_t, 2> bytes{};
  std::array<uint64_t, 2> ip_bytes{};
  std::array<uint64_t, 2> payload_bytes{};

  bool operator==(const Totals&) const = default;
};

template <typename Counter>
struct Counters {
  Counter packets;
  Counter bytes;
  Counter ip_bytes;
  Counter payload_bytes;

  void add(const Digest& digest) {
    packets += digest.packets;
    bytes += digest.wire_size;
    ip_bytes += digest.ip_size;
    payload_bytes += digest.payload_size;
  }
};

template <typename Counter>
void credit(Totals& totals, std::array<Counters<Counter>, 2>& sides) {
  for (size_t side = 0; side < 2; ++side) {
    totals.packets[side] += sides[side].packets;
    totals.bytes[side] += sides[side].bytes;
    totals.ip_bytes[side] += sides[side].ip_bytes;
    totals.payload_bytes[side] += sides[side].payload_bytes;
  }
}

// What every layout has where a packet looks.
struct Small {
  std::array<uint8_t, 2> tcp_flags;
  std::array<uint8_t, 2> tcp_bits;
  std::array<uint8_t, 2> history_once;
  State state;
  uint8_t bits;
};
static_assert(sizeof(Small) == 8);

// Small::tcp_bits
inline constexpr uint8_t kHasNext = 0x01;
inline constexpr uint8_t kHasHole = 0x02;
inline constexpr uint8_t kHasSyn = 0x04;
inline constexpr uint8_t kIsSynAcked = 0x08;

// What the first packets of a flow write: sequence numbers, Zeek's history, round trip.
struct Opening {
  std::array<uint32_t, 2> isn;
  std::array<char, 8> history;
  uint32_t rtt_us;
  uint8_t history_size;
};
static_assert(sizeof(Opening) == 24);

// Per direction, what is missing of the sequence.
struct Holes {
  std::array<uint32_t, 2> begin;
  std::array<uint32_t, 2> end;
};

// The three times that a layout other than `one` touches.
template <typename Hot>
bool touch_times(Hot& hot, const Digest& digest) {
  const bool is_ordinary =
      digest.clock_ns - hot.last_clock_ns <= kTimeoutNs && digest.clock_ns < hot.interval_end_ns;
  hot.last_clock_ns = digest.clock_ns;
  hot.last_ts_ns = std::max(hot.last_ts_ns, digest.ts_ns);
  hot.first_ts_ns = std::min(hot.first_ts_ns, digest.ts_ns);
  return is_ordinary;
}

template <typename Hot>
void begin_times(Hot& hot, const Digest& digest) {
  hot.last_clock_ns = digest.clock_ns;
  hot.first_ts_ns = hot.last_ts_ns = digest.ts_ns;
  hot.interval_end_ns = digest.clock_ns + kIntervalNs;
}

// A counter of 32 bits is emptied into the side record when its highest bit is set, so one more
// packet of less than 2^31 bytes never overflows it.
inline bool is_near_overflow(const Counters<uint32_t>& side) {
#ifdef __SSE2__
  __m128i counters;
  std::memcpy(&counters, &side, sizeof counters);
  return _mm_movemask_ps(_mm_castsi128_ps(counters)) != 0;
#else
  return static_cast<int32_t>(side.packets | side.bytes | side.ip_bytes | side.payload_bytes) < 0;
#endif
}

struct OneLine {
  static constexpr const char* kName = "one line, 64 B";
  struct alignas(kLineSize) Hot {
    Key key;
    std::array<uint32_t, 2> bytes;
    std::array<uint32_t, 2> ip_bytes;
    std::array<uint32_t, 2> payload_bytes;
    std::array<uint16_t, 2> packets;
    uint32_t last_us;
    std::array<uint32_t, 2> next_seq;
    Small small;
  };
  static_assert(sizeof(Hot) == 64);
  struct Cold {
    int64_t first_clock_ns;
    int64_t first_ts_ns;
    int64_t interval_end_ns;
    uint64_t id;
    Opening opening;
    Holes holes;
    std::array<uint32_t, 6> rare;  // end of FIN, retransmits, out of order
    std::array<uint32_t, 2> context;
  };
  static constexpr size_t kTouched = 64;
  static constexpr size_t kColdSize = sizeof(Cold);

  static Opening& opening(Hot&, Cold& cold) { return cold.opening; }
  static void begin(Hot& hot, Cold& cold, const Digest& digest) {
    cold.first_clock_ns = digest.clock_ns;
    cold.first_ts_ns = digest.ts_ns;
    cold.interval_end_ns = digest.clock_ns + kIntervalNs;
    hot.last_us = static_cast<uint32_t>(digest.clock_ns / 1000);
  }
  static bool touch(Hot& hot, const Digest& digest) {
    const uint32_t now_us = static_cast<uint32_t>(digest.clock_ns / 1000);
    const bool is_ordinary = now_us - hot.last_us <= kTimeoutNs / 1000;
    hot.last_us = now_us;
    return is_ordinary;
  }
  static void add(Hot& hot, size_t side, const Digest& digest) {
    hot.packets[side] = static_cast<uint16_t>(hot.packets[side] + 1);
    hot.bytes[side] += digest.wire_size;
    hot.ip_bytes[side] += digest.ip_size;
    hot.payload_bytes[side] += digest.payload_size;
  }
  static bool must_spill(const Hot& hot, size_t side) {
    const uint32_t packets = static_cast<uint32_t>(hot.packets[side]) << 16;
    const uint32_t all = packets | hot.bytes[side] | hot.ip_bytes[side] | hot.payload_bytes[side];
    return static_cast<int32_t>(all) < 0;
  }
  static void credit_to(Totals& totals, Hot& hot) {
    for (size_t side = 0; side < 2; ++side) {
      totals.packets[side] += hot.packets[side];
      totals.bytes[side] += hot.bytes[side];
      totals.ip_bytes[side] += hot.ip_bytes[side];
      totals.payload_bytes[side] += hot.payload_bytes[side];
    }
    hot.packets = {};
    hot.bytes = hot.ip_bytes = hot.payload_bytes = {};
  }
  static int64_t first_ts_ns(const Hot&, const Cold& cold) { return cold.first_ts_ns; }
  static int64_t last_ts_ns(const Hot& hot, const Cold& cold) {
    const uint32_t first_us = static_cast<uint32_t>(cold.first_ts_ns / 1000);
    return cold.first_ts_ns + int64_t{1'000} * (hot.last_us - first_us);
  }
};

// What the layouts of two lines and more have in common.
template <typename Layout>
struct WholeTimes {
  template <typename Hot, typename Cold>
  static void begin(Hot& hot, Cold& cold, const Digest& digest) {
    begin_times(hot, digest);
    cold.first_clock_ns = digest.clock_ns;
  }
  template <typename Hot>
  static bool touch(Hot& hot, const Digest& digest) {
    return touch_times(hot, digest);
  }
  template <typename Hot>
  static void add(Hot& hot, size_t side, const Digest& digest) {
    hot.counters[side].add(digest);
  }
  template <typename Hot>
  static bool must_spill(const Hot& hot, size_t side) {
    if constexpr (Layout::kSpills) return is_near_overflow(hot.counters[side]);
    return false;
  }
  template <typename Hot>
  static void credit_to(Totals& totals, Hot& hot) {
    credit(totals, hot.counters);
    hot.counters = {};
  }
  template <typename Hot, typename Cold>
  static int64_t first_ts_ns(const Hot& hot, const Cold&) {
    return hot.first_ts_ns;
  }
  template <typename Hot, typename Cold>
  static int64_t last_ts_ns(const Hot& hot, const Cold&) {
    return hot.last_ts_ns;
  }
};

struct ColdWithOpening {
  int64_t first_clock_ns;
  Opening opening;
  std::array<uint32_t, 6> rare;
};
static_assert(sizeof(ColdWithOpening) == 56);

struct TwoLines : WholeTimes<TwoLines> {
  static constexpr const char* kName = "two lines, 128 B";
  static constexpr bool kSpills = true;
  struct alignas(kLineSize) Hot {
    Key key;
    std::array<Counters<uint32_t>, 2> counters;
    int64_t last_clock_ns;
    int64_t interval_end_ns;
    int64_t first_ts_ns;
    int64_t last_ts_ns;
    uint64_t id;
    std::array<uint32_t, 2> next_seq;
    Holes holes;
    Small small;
    uint32_t hash;
    uint32_t context;
  };
  static_assert(sizeof(Hot) == 128);
  using Cold = ColdWithOpening;
  static constexpr size_t kTouched = 128;
  static constexpr size_t kColdSize = sizeof(Cold);
  static Opening& opening(Hot&, Cold& cold) { return cold.opening; }
};

struct TwoLinesOpening : WholeTimes<TwoLinesOpening> {
  static constexpr const char* kName = "two lines, 128 B, opening inside";
  static constexpr bool kSpills = true;
  struct alignas(kLineSize) Hot {
    Key key;
    std::array<Counters<uint32_t>, 2> counters;
    int64_t last_clock_ns;
    int64_t interval_end_ns;
    int64_t first_ts_ns;
    int64_t last_ts_ns;
    uint64_t id;
    std::array<uint32_t, 2> next_seq;
    Opening opening;
    Small small;
  };
  static_assert(sizeof(Hot) == 128);
  struct Cold {
    int64_t first_clock_ns;
    Holes holes;
    std::array<uint32_t, 6> rare;
    uint32_t hash;
    uint32_t context;
  };
  static_assert(sizeof(Cold) == 56);
  static constexpr size_t kTouched = 128;
  static constexpr size_t kColdSize = sizeof(Cold);
  static Opening& opening(Hot& hot, Cold&) { return hot.opening; }
};

struct ThreeLines : WholeTimes<ThreeLines> {
  static constexpr const char* kName = "three lines, 192 B";
  static constexpr bool kSpills = false;
  struct alignas(kLineSize) Hot {
    Key key;
    std::array<uint8_t, 32> rest_of_key;  // addresses of 16 bytes, zone
    int64_t last_clock_ns;
    uint64_t id;
    std::array<Counters<uint64_t>, 2> counters;
    int64_t interval_end_ns;
    int64_t first_ts_ns;
    int64_t last_ts_ns;
    std::array<uint32_t, 2> next_seq;
    Holes holes;
    Small small;
    uint32_t hash;
    uint32_t context;
  };
  static_assert(sizeof(Hot) == 192);
  using Cold = ColdWithOpening;
  static constexpr size_t kTouched = 192;
  static constexpr size_t kColdSize = sizeof(Cold);
  static Opening& opening(Hot&, Cold& cold) { return cold.opening; }
};

struct FourLines : WholeTimes<FourLines> {
  static constexpr const char* kName = "four lines of 512 B";
  static constexpr bool kSpills = false;
  struct alignas(kLineSize) Hot {
    Key key;
    std::array<uint8_t, 32> rest_of_key;
    int64_t last_clock_ns;
    uint64_t id;
    int64_t interval_end_ns;
    int64_t first_ts_ns;
    int64_t last_ts_ns;
    Small small;
    std::array<uint8_t, 32> more;
    std::array<Counters<uint64_t>, 2> counters;
    std::array<uint32_t, 2> next_seq;
    Holes holes;
    std::array<uint8_t, 40> more_tcp;
    ColdWithOpening cold;
    std::array<uint8_t, 200> first_packet;  // path, tags, MAC addresses, totals of the last interim
  };
  static_assert(sizeof(Hot) == 512);
  using Cold = ColdWithOpening;
  static constexpr size_t kTouched = 256;
  static constexpr size_t kColdSize = 0;  // it is inside
  static Opening& opening(Hot&, Cold& cold) { return cold.opening; }
};

}  // namespace record_layout
