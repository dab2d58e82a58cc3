// SPDX-License-Identifier: Apache-2.0
//
// Publisher: how a worker tells the rest of the program about its flows without ever waiting for it.
// Batches go to one consumer through a bounded ring, and empty ones come back through another.
//
//   worker:    publish() between bursts ──batch──▶ take()  :consumer
//                                       ◀─empty── give_back()
//
// A flow is told of first as a whole record (`started`), then as totals while it changes, at most
// once per interval, and last as its final record; interim records come in between. Per flow the
// order is kept. When no empty batch is left, updates stay in the table and coalesce: they are
// totals, so what was skipped is in the next. Interim and final records wait in a bounded list; what
// does not fit is lost and counted. So a slow consumer costs memory up to a limit, then detail, and
// never a packet.
//
// Limits: batch_count batches of batch_size entries in flight; waiting_count_max waiting records.
// Threads: publish() and finish() are the worker's, take() and give_back() the consumer's; the
// counters may be read by any thread. Errors: none.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/spsc_ring.h"
#include "flow/flow_table.h"

namespace weir {

// To be applied in the order of its members.
struct UpdateBatch {
  int64_t clock_ns = 0;             // of the worker when it filled the batch
  std::vector<FlowRecord> records;  // interim and final ones, also of flows never told of
  std::vector<FlowRecord> started;  // live flows told of for the first time, as they are
  std::vector<FlowUpdate> updates;  // of flows told of before
};

struct PublisherOptions {
  uint32_t batch_count = 64;
  uint32_t batch_size = 256;          // entries of all three kinds
  uint32_t waiting_count_max = 8192;  // records without a batch; 3.5 MB
  int64_t interval_ns = 100'000'000;  // of the clock, between two updates of a flow
};

struct PublisherStatistics {
  uint64_t batches = 0;
  uint64_t started = 0;
  uint64_t updates = 0;
  uint64_t records = 0;
  uint64_t deferred = 0;      // times that changes stayed in the table because no batch was empty
  uint64_t records_lost = 0;  // interim and final records that found the list full
};

class Publisher {
 public:
  explicit Publisher(const PublisherOptions& options = {});

  // Takes `records` (they are cleared) and, once per interval, what changed in the table.
  void publish(FlowTable& table, int64_t clock_ns, std::vector<FlowRecord>& records);
  // True when nothing waits here any more; else to be called again after the consumer went on.
  bool finish(int64_t clock_ns);

  // The oldest batch, or null. It is the consumer's until give_back().
  UpdateBatch* take() noexcept;
  void give_back(UpdateBatch* batch) noexcept;

  PublisherStatistics statistics() const noexcept;

 private:
  bool begin_batch(int64_t clock_ns) noexcept;
  size_t room() const noexcept;
  void send() noexcept;
  void send_waiting(int64_t clock_ns);

  const PublisherOptions options_;
  std::vector<std::unique_ptr<UpdateBatch>> batches_;
  SpscRing<UpdateBatch*> filled_;
  SpscRing<UpdateBatch*> empty_;

  // The worker's.
  UpdateBatch* current_ = nullptr;
  std::deque<FlowRecord> waiting_;
  bool has_more_changes_ = false;
  bool has_published_ = false;
  int64_t published_ns_ = 0;

  struct Counters {
    std::atomic<uint64_t> batches = 0;
    std::atomic<uint64_t> started = 0;
    std::atomic<uint64_t> updates = 0;
    std::atomic<uint64_t> records = 0;
    std::atomic<uint64_t> deferred = 0;
    std::atomic<uint64_t> records_lost = 0;
  };
  Counters counters_;
};

}  // namespace weir
