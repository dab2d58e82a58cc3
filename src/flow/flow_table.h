// SPDX-License-Identifier: Apache-2.0
//
// FlowTable: finds or creates the flow of every packet, follows its state, ends it. Bursts in, records out.
//
// Identity and time (docs/decisions/001-contracts.md):
//   * Timestamps fill records (first_seen = min, last_seen = max); the frames' clock decides lifetimes.
//   * A look-up ends a flow as idle when clock − last_clock > timeout(state), and starts a new one.
//   * A sweep only finds earlier what a look-up would find. What a record says, and whether an interim
//     record comes before it, depends on due times alone, never on when a sweep happened to run: the
//     records of a capture are the same with no sweep at all and with a sweep before every packet.
//   * Interval k of a flow ends at first_clock + k · active timeout; an interim record is due when an
//     interval that had packets ends while the flow is still alive by the rule above.
//   * A fragment comes with its datagram's key, and a first piece with what came before it (fragments.h).
//
// Memory and limits (docs/decisions/003-engine.md): flow_count_max flows, less if the pool refuses. A new
// flow that finds no room makes some: eviction ends the flows worth least, as `resources`. Above
// kPressureFlows of the limit, flows that never got an answer end after pressure_timeout_ns. Whatever
// finds no room all the same is unflowed{flow_limit}. Each is counted as a Limit, and results then
// depend on the number of threads.
//
// Threads: one thread owns a table.
// Errors: none; a packet that gets no flow gets a verdict of class unflowed. The constructor throws
// std::bad_alloc when the pool refuses the initial size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/memory_budget.h"
#include "dpi/inspector.h"
#include "dpi/packet_fields.h"
#include "flow/timeouts.h"
#include "net/decode.h"
#include "net/packet.h"
#include "net/packet_digest.h"
#include "weir/statistics.h"

namespace weir {

// What is reckoned for a flow, and a memory limit is divided by: a plain IPv4 flow takes 192 bytes
// with its share of the index, an IPv6 flow 230, and one in some has a rare part (docs/performance.md).
inline constexpr size_t kFlowMemorySize = 256;

// Which flows make room when the table is full.
enum class Eviction : uint8_t {
  kValue,  // least traffic first, weighed by how recent it is; the oldest of equals
  kLru,    // the longest silent first
  kNone,   // none: new flows are refused
};

struct FlowTableOptions {
  Timeouts timeouts;
  uint32_t flow_count_max = 4'000'000;
  uint32_t flow_count_initial = 4'096;
  HashSecret secret;
  Eviction eviction = Eviction::kValue;
  int64_t pressure_timeout_ns = 5 * kSecondNs;
  // What its memory is charged to; none: an own pool of flow_count_max · kFlowMemorySize bytes.
  MemoryPool* pool = nullptr;
  bool makes_interim_records = true;  // else they are counted only
  // Looks into payload. None: flows have no app. Owned by the caller, used by this table alone; must
  // outlive it.
  Inspector* inspector = nullptr;
  // With an inspector: header fields of a flow's first packet that become attributes of it, if the
  // inspector stores them. Decoded as `decode` says.
  PacketFields packet_fields;
  DecodeOptions decode;
  bool tracks_changes = false;  // for collect_changes()
  // Tests: called before a sweep looks at a flow; what it throws is an error of that step.
  std::function<void()> before_sweep_step;
};

// What has changed of a live flow since it was last told, as totals: losing one update loses nothing
// for good.
struct FlowUpdate {
  uint64_t id = 0;
  int64_t last_seen_ns = 0;
  FlowState state = FlowState::kNew;  // as shown
  FlowCounters src;
  FlowCounters dst;
};

// A burst in capture order, as Decoder::digest() made it.
struct DigestBurst {
  std::span<const PacketDigest> digests;
  std::span<const uint16_t> order;  // which of them are this table's, ascending
  const Frame* frames = nullptr;    // of plain digests
  Packet* generals = nullptr;       // of the others
};

class FlowTable {
 public:
  explicit FlowTable(const FlowTableOptions& options);
  ~FlowTable();

  // The packets must be decoded ones, in capture order, with clocks that never step back (also over
  // calls). Sets flow_id, flow_created, app_path and, for a packet that gets no flow, the verdict. Appends
  // the records that fall due.
  void update(std::span<Packet* const> packets, std::vector<FlowRecord>& records);
  // Does not set flow_id of the generals.
  void update(const DigestBurst& burst, std::vector<FlowRecord>& records);

  // Between bursts: moves a growing index on and makes memory ready, so that no burst waits for it.
  void maintain() noexcept;
  // Between bursts: ends and reports flows that are due, at most 0.81 s of the clock after they
  // were.
  // Bounded work, unless the clock jumped.
  void age(int64_t clock_ns, std::vector<FlowRecord>& records);
  // Ends and reports everything that is due at clock_ns, over the whole table.
  void sweep(int64_t clock_ns, std::vector<FlowRecord>& records);

  // End of input at clock_ns: ends what is due, then what is left as `forced`. Handles some flows per
  // call and returns false until the table is empty; nothing else may be called in between.
  bool finish_some(int64_t clock_ns, std::vector<FlowRecord>& records);
  void finish(int64_t clock_ns, std::vector<FlowRecord>& records);

  // Nothing more of the flow's payload is looked into.
  void stop_inspection(const FlowKey& key, uint64_t hash, int64_t clock_ns) noexcept;
  // The live flow of a key (with its hash_key()) as it is at clock_ns; false when there is none.
  bool snapshot(const FlowKey& key, uint64_t hash, int64_t clock_ns, FlowRecord& record) const;
  // Which end of its live flow sent a packet that update() has seen; the initiator when it has none.
  Side sender_of(const Packet& packet) const noexcept;

  // tracks_changes: a collection is of the flows that have changed when it begins, in that order,
  // and is taken in portions of up to count_max. A flow's first time it is a record (end_reason
  // kNone), then updates. Nothing begins while the one before goes on. Returns false when none of
  // it is left.
  void begin_collection();
  bool collect_changes(size_t count_max, int64_t clock_ns, std::vector<FlowRecord>& started,
                       std::vector<FlowUpdate>& updates);

  // Counters; in_live and live_by_state are computed by walking the table, at clock_ns.
  FlowStatistics statistics(int64_t clock_ns) const;
  // Moves the packets that update() gave no flow from decoded to unflowed{flow_limit}: their verdict
  // was kDecoded before. Adds the limits' counts.
  void add_refused(Statistics& statistics) const noexcept;
  uint64_t limit_hits(Limit limit) const noexcept;
  uint64_t live_count() const noexcept;
  uint64_t swept_count() const noexcept;        // flows a sweep found due, so far
  uint64_t sweep_error_count() const noexcept;  // steps of sweeps that failed and are tried again

 private:
  uint32_t slot_of(const FlowKey& key, uint64_t hash) const noexcept;  // kNoSlot: none lives

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir
