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
// Limits: flow_count_max, then unflowed{flow_limit}, counted.
// Threads: one thread owns a table.
// Errors: none; a packet that gets no flow gets a verdict of class unflowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "flow/timeouts.h"
#include "net/packet.h"
#include "weir/statistics.h"

namespace weir {

// What a flow takes of memory, with its share of the index: what a memory limit is divided by.
inline constexpr size_t kFlowMemorySize = 560;

struct FlowTableOptions {
  Timeouts timeouts;
  uint32_t flow_count_max = 4'000'000;
  uint32_t flow_count_initial = 4'096;
  HashSecret secret;
};

class FlowTable {
 public:
  explicit FlowTable(const FlowTableOptions& options);
  ~FlowTable();

  // The packets must be decoded ones, in capture order, with clocks that never step back (also over
  // calls). Sets flow_id, flow_created and, for a packet that gets no flow, the verdict. Appends
  // the records that fall due.
  void update(std::span<Packet* const> packets, std::vector<FlowRecord>& records);

  // Ends and reports everything that is due at clock_ns, over the whole table.
  void sweep(int64_t clock_ns, std::vector<FlowRecord>& records);
  // The same over the next slot_count slots only; returns true when the end of the table was
  // reached.
  bool sweep_slice(int64_t clock_ns, uint32_t slot_count, std::vector<FlowRecord>& records);

  // End of input at clock_ns: sweeps, then ends what is left as `forced`. The table is empty
  // afterwards.
  void finish(int64_t clock_ns, std::vector<FlowRecord>& records);

  // The live flow of a key (with its hash_key()) as it is at clock_ns; false when there is none.
  bool snapshot(const FlowKey& key, uint64_t hash, int64_t clock_ns, FlowRecord& record) const;

  // Counters; in_live and live_by_state are computed by walking the table, at clock_ns.
  FlowStatistics statistics(int64_t clock_ns) const;
  uint64_t limit_hits(Limit limit) const noexcept;
  uint64_t live_count() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir
