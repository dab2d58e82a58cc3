// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shard.h"

#include "base/log.h"

namespace weir {

void Shard::log_sweeps() {
  const uint64_t swept = table_.swept_count() - logged_swept_count_;
  const uint64_t errors = table_.sweep_error_count() - logged_error_count_;
  const uint64_t live = table_.live_count();
  if (swept > 0) {
    log_info("flow", "removed " + std::to_string(swept) + " idle flows (" +
                         std::to_string(live + swept) + " → " + std::to_string(live) + ")");
  }
  if (errors > 0) log_warn("flow", "sweep steps failed and are tried again", {{"count", errors}});
  logged_swept_count_ += swept;
  logged_error_count_ += errors;
}

void Shard::advance(int64_t clock_ns, std::vector<FlowRecord>& records) {
  if (!has_started_) {
    has_started_ = true;
    logged_ns_ = clock_ns;
  }
  clock_ns_ = clock_ns;
  table_.maintain();
  if (sweep_ == SweepMode::kAuto) table_.age(clock_ns, records);
  if (sweep_ == SweepMode::kAlways) table_.sweep(clock_ns, records);
  if (publisher_ != nullptr) publisher_->publish(table_, clock_ns, records);
  if (clock_ns - logged_ns_ < kLogIntervalNs) return;
  logged_ns_ = clock_ns;
  log_sweeps();
}

void Shard::process(std::span<Packet* const> packets, int64_t clock_ns,
                    std::vector<FlowRecord>& records) {
  size_t begin = 0;
  for (size_t at = 0; sweep_ == SweepMode::kAlways && at < packets.size(); ++at) {
    table_.update(packets.subspan(begin, at - begin), records);
    advance(packets[at]->frame->clock_ns, records);
    begin = at;
  }
  table_.update(packets.subspan(begin), records);
  advance(clock_ns, records);
}

void Shard::process(const DigestBurst& burst, int64_t clock_ns, std::vector<FlowRecord>& records) {
  DigestBurst rest = burst;
  for (size_t at = 0; sweep_ == SweepMode::kAlways && at < burst.order.size(); ++at) {
    rest.order = burst.order.subspan(at, 1);
    advance(burst.digests[rest.order.front()].clock_ns, records);
    table_.update(rest, records);
    rest.order = {};
  }
  table_.update(rest, records);
  advance(clock_ns, records);
}

bool Shard::finish_some(int64_t clock_ns, std::vector<FlowRecord>& records) {
  if (!has_started_) return true;
  const bool is_last = table_.finish_some(clock_ns, records);
  if (publisher_ != nullptr) publisher_->publish(table_, clock_ns, records);
  if (is_last) log_sweeps();
  return is_last;
}

void Shard::add_statistics(Statistics& statistics) const {
  Statistics mine;
  mine.flows = table_.statistics(clock_ns_);
  mine.sweep_errors = table_.sweep_error_count();
  statistics += mine;
  table_.add_refused(statistics);
  if (inspector_ != nullptr) inspector_->add_statistics(statistics);
}

}  // namespace weir
