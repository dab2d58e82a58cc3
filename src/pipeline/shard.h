// SPDX-License-Identifier: Apache-2.0
//
// Shard: one flow table and the clock that moves it. What every worker thread owns, and the
// library's Handler too. It decides when to sweep, never what a sweep finds (flow/flow_table.h).
//
// Threads: one thread owns a shard.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "flow/flow_table.h"
#include "net/packet.h"
#include "pipeline/engine.h"
#include "pipeline/publisher.h"

namespace weir {

class Shard {
 public:
  // A line of log about flows that ended idle, and one about failed steps, at most once in so long.
  static constexpr int64_t kLogIntervalNs = 30 * kSecondNs;

  // With a publisher, which must outlive it, records go there; the options must track changes.
  Shard(const FlowTableOptions& options, SweepMode sweep, Publisher* publisher = nullptr)
      : table_(options), sweep_(sweep), publisher_(publisher) {}
  // One that looks into payload, with what the options say an inspector of its own; charged to `pool`.
  Shard(const FlowTableOptions& options, SweepMode sweep, const ProtocolTable& protocols,
        const InspectorOptions& inspector, MemoryPool& pool)
      : inspector_(std::make_unique<Inspector>(protocols, inspector, pool)),
        table_(with(options, inspector_.get())),
        sweep_(sweep),
        publisher_(nullptr) {}

  // Packets of this shard in capture order, then the time moves on to clock_ns (the clock
  // of the last frame of the batch, whichever shard it belongs to).
  void process(std::span<Packet* const> packets, int64_t clock_ns,
               std::vector<FlowRecord>& records);
  void process(const DigestBurst& burst, int64_t clock_ns, std::vector<FlowRecord>& records);
  // End of input. To be called until it returns true; hand out the records in between.
  bool finish_some(int64_t clock_ns, std::vector<FlowRecord>& records);

  FlowTable& table() noexcept { return table_; }
  Inspector* inspector() noexcept { return inspector_.get(); }  // none: payload is not looked into
  const FlowTable& table() const noexcept { return table_; }
  // The table's part of the run's statistics: flows and limits.
  void add_statistics(Statistics& statistics) const;

 private:
  void advance(int64_t clock_ns, std::vector<FlowRecord>& records);
  void log_sweeps();
  static FlowTableOptions with(FlowTableOptions options, Inspector* inspector) {
    options.inspector = inspector;
    return options;
  }

  std::unique_ptr<Inspector> inspector_;
  FlowTable table_;
  const SweepMode sweep_;
  Publisher* const publisher_;
  bool has_started_ = false;
  int64_t clock_ns_ = 0;
  int64_t logged_ns_ = 0;
  uint64_t logged_swept_count_ = 0;
  uint64_t logged_error_count_ = 0;
};

}  // namespace weir
