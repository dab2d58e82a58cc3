// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shard.h"

namespace weir {

// Moves the clock, sweeping as the mode says. An empty table has nothing to find, so a gap of
// centuries is one step.
void Shard::advance(int64_t clock_ns, std::vector<FlowRecord>& records) {
  if (!has_started_) {
    has_started_ = true;
    clock_ns_ = last_sweep_ns_ = clock_ns;
  }
  if (sweep_ == SweepMode::kAuto) {
    while (clock_ns - clock_ns_ > kClockStepMaxNs && table_.live_count() > 0) {
      clock_ns_ += kClockStepMaxNs;
      table_.sweep(clock_ns_, records);
    }
  }
  clock_ns_ = clock_ns;
  if (sweep_ == SweepMode::kAlways) table_.sweep(clock_ns, records);
}

void Shard::process(std::span<Packet* const> packets, int64_t clock_ns,
                    std::vector<FlowRecord>& records) {
  size_t begin = 0;
  for (size_t index = 0; index < packets.size(); ++index) {
    const int64_t packet_clock_ns = packets[index]->frame->clock_ns;
    const bool is_step = !has_started_ || sweep_ == SweepMode::kAlways ||
                         packet_clock_ns - clock_ns_ > kClockStepMaxNs;
    if (!is_step) continue;
    table_.update(packets.subspan(begin, index - begin), records);
    begin = index;
    advance(packet_clock_ns, records);
  }
  table_.update(packets.subspan(begin), records);
  advance(clock_ns, records);

  if (sweep_ != SweepMode::kAuto) return;
  if (clock_ns - last_sweep_ns_ >= kSweepIntervalNs) is_sweeping_ = true;
  if (!is_sweeping_ || !table_.sweep_slice(clock_ns, kSweepSliceSlots, records)) return;
  is_sweeping_ = false;
  last_sweep_ns_ = clock_ns;
}

void Shard::finish(int64_t clock_ns, std::vector<FlowRecord>& records) {
  if (!has_started_) return;
  table_.finish(clock_ns, records);
}

void Shard::add_statistics(Statistics& statistics) const {
  Statistics mine;
  mine.flows = table_.statistics(clock_ns_);
  for (size_t limit = 0; limit < kLimitCount; ++limit) {
    mine.limits_hit[limit] = table_.limit_hits(static_cast<Limit>(limit));
  }
  statistics += mine;
}

}  // namespace weir
