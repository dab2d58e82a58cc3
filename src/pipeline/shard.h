// SPDX-License-Identifier: Apache-2.0
//
// Shard: one flow table and the clock that moves it. What every worker thread owns, and the
// library's Handler too.
//
// It decides when to sweep, never what a sweep finds (flow/flow_table.h): in slices of
// kSweepSliceSlots so that no burst waits long, and across a gap in steps of at most
// kClockStepMaxNs with a full sweep each.
//
// Threads: one thread owns a shard.
#pragma once

#include <span>
#include <vector>

#include "flow/flow_table.h"
#include "net/packet.h"
#include "pipeline/engine.h"

namespace weir {

class Shard {
 public:
  static constexpr int64_t kClockStepMaxNs = 1800 * kSecondNs;
  static constexpr int64_t kSweepIntervalNs = 10 * kSecondNs;
  static constexpr uint32_t kSweepSliceSlots = 1024;

  Shard(const FlowTableOptions& options, SweepMode sweep) : table_(options), sweep_(sweep) {}

  // Decoded packets of this shard in capture order, then the time moves on to clock_ns (the clock
  // of the last frame of the batch, whichever shard it belongs to).
  void process(std::span<Packet* const> packets, int64_t clock_ns,
               std::vector<FlowRecord>& records);
  // End of input.
  void finish(int64_t clock_ns, std::vector<FlowRecord>& records);

  const FlowTable& table() const noexcept { return table_; }
  // The table's part of the run's statistics: flows and limits.
  void add_statistics(Statistics& statistics) const;

 private:
  void advance(int64_t clock_ns, std::vector<FlowRecord>& records);

  FlowTable table_;
  const SweepMode sweep_;
  bool has_started_ = false;
  bool is_sweeping_ = false;
  int64_t clock_ns_ = 0;
  int64_t last_sweep_ns_ = 0;
};

}  // namespace weir
