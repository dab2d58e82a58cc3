// SPDX-License-Identifier: Apache-2.0
//
// Inspector: shows the payload of flows to protocols (weir/protocol.h) and keeps what they find. One per
// shard, beside its flow table; it knows nothing of tables and records but what it is given.
//
//   begin()     a flow that may carry something: what is kept of it, 16 bytes (FlowDpi)
//   inspect()   a packet with payload of a flow that is inspected; false when no more is wanted
//   end()       the flow ends: protocols hear of it; what was found stays until
//   release()   gives its memory back
//
// While a flow is inspected it has an Inspection from a slab: who was asked, streams, a protocol's
// state. After that only what was found.
//
// Budgets: to be classified, kClassifyPacketsMax payload packets or kClassifySizeMax bytes per
// direction; then kExtractPacketsMax packets or kExtractSizeMax bytes in both, unless the protocol
// wants every message.
// Limits, each counted (InspectorStatistics): flows inspected at once, assemblies, attributes of a flow,
// expectations, decryptions per second of the clock. A flow that finds no Inspection is not inspected.
// Errors: none; what the pool refuses is counted. The constructor throws std::bad_alloc.
// Threads: one thread owns an Inspector; catalogue and table are shared and immutable.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/memory_budget.h"
#include "dpi/protocol_set.h"
#include "weir/catalog.h"
#include "weir/flow_record.h"
#include "weir/protocol.h"
#include "weir/statistics.h"

namespace weir {

inline constexpr uint32_t kClassifyPacketsMax = 8;
inline constexpr uint32_t kClassifySizeMax = 16 * 1024;
inline constexpr uint32_t kExtractPacketsMax = 32;
inline constexpr uint32_t kExtractSizeMax = 64 * 1024;
inline constexpr uint32_t kHeldSegmentsMax = 16;  // segments behind a hole before it is a gap
inline constexpr uint32_t kNoInspection = UINT32_MAX;

// What a flow keeps. All zero but for the two handles: nothing known.
struct FlowDpi {
  uint8_t app = kUnknownApp;
  uint8_t below = kUnknownApp;  // what carries app: SOCKS
  uint8_t above = kUnknownApp;  // what app was upgraded to: TLS
  uint8_t bits = 0;
  uint16_t service = kNoService;
  uint16_t reserved = 0;
  uint32_t inspection = kNoInspection;
  uint32_t attributes = UINT32_MAX;

  AppConfidence confidence() const noexcept { return static_cast<AppConfidence>(bits & 3); }
  AppMethod method() const noexcept { return static_cast<AppMethod>(bits >> 2 & 7); }
  AppPath path() const noexcept {
    AppPath path;
    for (const uint8_t protocol : {below, app, above}) {
      if (protocol != kUnknownApp) path.apps[path.count++] = protocol;
    }
    return path;
  }
  void set(AppConfidence confidence, AppMethod method) noexcept {
    bits = static_cast<uint8_t>((bits & 0xe0) | static_cast<unsigned>(confidence) |
                                static_cast<unsigned>(method) << 2);
  }
};
static_assert(sizeof(FlowDpi) == 16);

// A packet as the flow table hands it over.
struct Segment {
  Payload payload;  // bytes, ends, sizes; `offset`, `gap_before`, `notes`, `index` are ours
  bool is_begin_known = false;  // TCP: begin_seq is that of the first byte of this direction
  uint32_t begin_seq = 0;
  uint32_t seq = 0;  // TCP: of bytes[0]
  int64_t clock_ns = 0;
  uint64_t flow_id = 0;
  uint64_t frame_number = 0;
  uint16_t source = 0;
  uint16_t proto_number = 0;  // as in the flow's record
};

// A message a protocol has completed.
struct MessageEvent {
  uint64_t flow_id = 0;
  uint64_t frame_number = 0;  // within its source
  uint16_t source = 0;
  int64_t ts_ns = 0;
  uint8_t protocol = kUnknownApp;
  uint16_t proto_number = 0;
  Side side = Side::kInitiator;
  bool has_ports = false;
  AddressKind address_kind = AddressKind::kIpv4;
  uint16_t sender_port = 0;
  uint16_t receiver_port = 0;
  AddressBytes sender{};
  AddressBytes receiver{};
  uint32_t offset = 0;  // of its attributes in Events::bytes
  uint32_t size = 0;
};
struct Events {
  std::vector<MessageEvent> messages;
  std::vector<uint8_t> bytes;  // entries in the order they were set
  void clear() noexcept {
    messages.clear();
    bytes.clear();
  }
  std::span<const uint8_t> block(const MessageEvent& message) const noexcept {
    return std::span<const uint8_t>(bytes).subspan(message.offset, message.size);
  }
};

struct InspectorOptions {
  bool guesses_by_port = true;                // an app for flows nobody recognised, marked as guess
  uint32_t inspection_count_max = 65'536;     // flows inspected at once
  uint32_t assembly_count_max = 16'384;       // directions with incomplete messages at once
  uint32_t attributes_count_max = 1'000'000;  // flows with attributes, of each size
  uint32_t expectation_count_max = 16'384;
  uint32_t decryptions_per_second_max = 20'000;  // of the clock
  std::vector<bool> stored = {};                 // by attribute number: kept in records; empty: all
  ProtocolSet events = {};                       // whose messages become events
  bool events_are_whole = true;  // false: events, too, have of a message only what is `stored`
};

class Inspector {
 public:
  Inspector(const ProtocolTable& table, const InspectorOptions& options, MemoryPool& pool);
  ~Inspector();

  // Between bursts: makes memory ready, so that no packet waits for it.
  void maintain() noexcept;
  // Whether any protocol runs over this: else there is nothing to inspect.
  bool wants(Transport transport) const noexcept;
  bool inspect(FlowDpi& flow, const Segment& segment) noexcept;
  void end(FlowDpi& flow, int64_t clock_ns) noexcept;
  void release(FlowDpi& flow) noexcept;
  // What is known of the flow now. The attributes are copied.
  void fill(const FlowDpi& flow, FlowRecord& record) const;
  std::span<const uint8_t> attributes(const FlowDpi& flow) const noexcept;
  // An attribute that was found elsewhere: a header field. Kept if it is to be stored.
  void keep(FlowDpi& flow, uint16_t attribute, std::span<const uint8_t> value) noexcept;
  // No more of this flow is inspected; end() follows as ever.
  void stop(FlowDpi& flow, int64_t clock_ns) noexcept;

  // From now on: messages of the protocol become events; the attribute is kept in records.
  void want_events(uint8_t protocol) noexcept;
  void want_stored(uint16_t attribute);
  // Since they were last taken. Between packets: into `events`, which is empty, or look.
  void take_events(Events& events) noexcept;
  const Events& events() const noexcept;
  void add_statistics(Statistics& statistics) const noexcept;
  const Catalog& catalog() const noexcept;
  // Inspections, assemblies, states and attribute blocks that flows hold now: 0 when every flow was
  // ended and released.
  uint64_t held_count() const noexcept;

 private:
  struct State;
  friend class Context;
  friend struct ContextState;
  std::unique_ptr<State> state_;
};

}  // namespace weir
