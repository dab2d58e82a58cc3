// SPDX-License-Identifier: Apache-2.0
//
// Statistics: every frame and flow of a run, explained. Cumulative counters; plain data; two of
// them add up with +=. The accounting identities are computed from counters that are counted in
// different places, so a frame or flow that gets lost between two stages shows as an imbalance.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/flow_record.h"
#include "weir/verdict.h"

namespace weir {

struct FrameCount {
  uint64_t frames = 0;
  uint64_t bytes = 0;  // wire bytes

  void add(uint64_t wire_size) noexcept {
    ++frames;
    bytes += wire_size;
  }
  FrameCount& operator+=(const FrameCount& other) noexcept {
    frames += other.frames;
    bytes += other.bytes;
    return *this;
  }
};

// Limits that change what is reported when they are hit. Names as in `limits_hit`.
enum class Limit : uint8_t {
  kFlowCount,  // new flows that found the table full: others ended for them, or they were refused
  kFragmentCount,  // fragments that found the cache full
  kHistorySize,    // history letters that found no room
  kFlowPressure,   // unanswered flows ended early because the table was nearly full
  kFlowDetail,     // flows without room for what few flows have (retransmissions, interim totals)
  kFlowShape,      // flows whose path and tags could not be kept
  kFlowProbe,      // new flows refused because too many keys hash alike
  kDpiFlows,       // flows not inspected because too many were
  kDpiAssembly,    // incomplete messages that were given up: too long, or too many of them
  kAttributes,     // attributes, or parts of them, that found no room
  kExpectations,   // announced flows that were forgotten because too many were announced
  kDecryptions,    // QUIC handshakes not looked into because there were too many in a second
};
inline constexpr size_t kLimitCount = 12;
const char* limit_name(Limit limit) noexcept;  // "flow_count", …

struct FlowStatistics {
  uint64_t created = 0;
  uint64_t live = 0;
  std::array<uint64_t, kEndReasonCount> ended{};  // by EndReason; kNone and kActive stay 0
  std::array<uint64_t, kFlowStateCount> live_by_state{};
  std::array<uint64_t, kFlowStateCount> ended_by_state{};
  uint64_t interim_records = 0;
  FrameCount in_live;   // sums over the live flows' own counters
  FrameCount in_ended;  // sums over the final records published
};

// Frames of one link type nothing decodes.
struct LinkTypeCount {
  uint16_t link_type = 0;  // LINKTYPE_ number
  FrameCount count;
};

// The frames of verdict ignored{link_type} by link type, in the order of first sight. A run that
// meets more than the table holds counts the rest in `others`.
struct IgnoredLinkTypes {
  std::array<LinkTypeCount, 16> rows{};
  size_t row_count = 0;
  FrameCount others;

  void add(uint16_t link_type, const FrameCount& count) noexcept;
  IgnoredLinkTypes& operator+=(const IgnoredLinkTypes& other) noexcept;
};

// What protocols could not make sense of: why, and how often.
struct DpiError {
  std::string_view protocol;
  std::string_view reason;
  uint64_t count = 0;
};

// What was looked into.
struct DpiStatistics {
  uint64_t inspected_flows = 0;
  uint64_t inspected_packets = 0;
  uint64_t classified_flows = 0;      // that a protocol took
  uint64_t gaps = 0;                  // places where bytes of an inspected stream were missing
  uint64_t overlaps = 0;              // segments with bytes that had been there before
  uint64_t reordered = 0;             // segments that waited for others before them
  uint64_t refused = 0;               // memory the system refused
  uint64_t scratch_size_max = 0;      // bytes of scratch memory of one packet
  uint64_t scratch_high_water = 0;    // and the most that was asked for
  std::array<DpiError, 64> errors{};  // in the order of first sight
  size_t error_count = 0;
  uint64_t other_errors = 0;  // beyond the table

  void add_error(std::string_view protocol, std::string_view reason, uint64_t count) noexcept;
  DpiStatistics& operator+=(const DpiStatistics& other) noexcept;
};

// One share of the memory limit (docs/operations.md): what it may hold, most it held, and how often
// it refused.
struct PoolUse {
  uint64_t limit_size = 0;  // bytes; 0: the run has no such pool
  uint64_t used_size = 0;
  uint64_t peak_size = 0;
  uint64_t refused_count = 0;
};
inline constexpr size_t kMemoryPoolCount = 4;
const char* memory_pool_name(size_t pool) noexcept;  // "flows", "dpi", "store", "buffers"

struct Statistics {
  FrameCount delivered;         // by the sources
  uint64_t captured_bytes = 0;  // of delivered frames
  // Every frame once, where its decoding ended (Layer) and how (Verdict). Row kUnflowed* counts
  // frames that were decoded and have no flow.
  std::array<std::array<FrameCount, kVerdictCount>, kLayerCount> verdicts{};
  IgnoredLinkTypes ignored_link_types;
  FlowStatistics flows;
  // Forward steps of the clock over 1 h that the next frame did not confirm.
  uint64_t time_outliers = 0;
  // Backward steps over 1 h after which the clock goes on with an offset.
  uint64_t time_rebases = 0;
  uint64_t time_clamped = 0;    // timestamps outside 1970..2262, set to the nearest of them
  uint64_t drops_reported = 0;  // frames the capturing program says it lost, as its files tell
  uint64_t name_records = 0;    // addresses with a name in the captures' name resolution blocks
  std::array<uint64_t, kLimitCount> limits_hit{};
  std::array<PoolUse, kMemoryPoolCount> memory{};
  DpiStatistics dpi;
  uint64_t callback_errors = 0;  // exceptions a callback threw; the run goes on
  uint64_t sweep_errors = 0;     // steps of a sweep that failed; they were tried again

  // Counts a decoded frame, which verdicts and ignored_link_types are made of.
  void add_verdict(Layer layer, Verdict verdict, uint16_t link_type, uint64_t wire_size) noexcept {
    verdicts[static_cast<size_t>(layer)][static_cast<size_t>(verdict)].add(wire_size);
    if (verdict == Verdict::kIgnoredLinkType) ignored_link_types.add(link_type, {1, wire_size});
  }
  // Gives frames counted before another verdict.
  void move(Layer layer, Verdict from, Verdict to, const FrameCount& count) noexcept;
  FrameCount of_class(VerdictClass verdict_class) const noexcept;
  Statistics& operator+=(const Statistics& other) noexcept;
};

// The accounting identities, in frames and in bytes. Each value is left side minus
// right side and must be 0 at rest (no batch in flight).
struct Imbalance {
  int64_t verdict_frames = 0;  // delivered − Σ verdicts
  int64_t verdict_bytes = 0;
  int64_t flow_frames = 0;  // decoded − (live + ended flows' packets + unflowed)
  int64_t flow_bytes = 0;
  int64_t flows = 0;  // created − (live + Σ ended)

  bool is_zero() const noexcept {
    return verdict_frames == 0 && verdict_bytes == 0 && flow_frames == 0 && flow_bytes == 0 &&
           flows == 0;
  }
};
Imbalance imbalance(const Statistics& statistics) noexcept;

}  // namespace weir
