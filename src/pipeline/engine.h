// SPDX-License-Identifier: Apache-2.0
//
// Engine: reads an input to its end and turns it into flow records. The folder pipeline/ is the
// only one that creates packet threads and knows all stages: input → decode →
// fragments → shard → flow table → records.
//
// One thread: everything happens on the caller's. N > 1: N threads, the caller's among them, read and
// decode batches in turn; each of them owns the flow table of one shard and updates it with its
// packets of batch after batch, in order. A bounded number of batches is in flight, so a slow thread
// slows the reader and nothing is lost (this is for files; live capture gets one reader per worker
// instead).
//
// The records of a run are the same for any thread count, batch size and sweep mode while no limit
// is hit; the order in which they are handed out is not, which is why export/ sorts.
//
// Threads: run() is called once. With several threads any of them calls back, the Input's openers
// and its problem callback included, but one at a time and in an order: callbacks need no lock among
// themselves. Errors: none of its own; problems of sources are the Input's; what a callback throws is counted
// (Statistics::callback_errors) and the run goes on. run() throws std::bad_alloc and, when a thread
// cannot be started, std::system_error.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/memory_budget.h"
#include "capture/input.h"
#include "flow/flow_table.h"
#include "flow/fragments.h"
#include "net/decode.h"
#include "weir/statistics.h"

namespace weir {

// When flows that are due are looked for. What records say never depends on it (flow/flow_table.h);
// tests prove it.
enum class SweepMode : uint8_t {
  kAuto,    // between bursts, what the timers say is due
  kNever,   // only what a look-up finds, and the end of input
  kAlways,  // the whole table before every packet
};

inline constexpr uint32_t kThreadCountMax = 64;

struct EngineOptions {
  uint32_t thread_count = 1;  // 1..kThreadCountMax
  uint32_t batch_size = kBatchFrameCountDefault;
  SweepMode sweep = SweepMode::kAuto;
  bool interim = false;  // hand out interim records too
  DecodeOptions decode;
  FragmentOptions fragments;
  // flow_count_max and the pool of flows are for the whole run: each shard gets its share.
  FlowTableOptions table;
  uint64_t memory_limit = uint64_t{1} << 30;  // bytes; cut into pools as for reading files
  // Protocols and services; none: payload is not looked into. Must outlive the engine.
  const Catalog* catalog = nullptr;
  InspectorOptions inspector;  // counts are for the whole run: each shard gets its share
};

// Records as flows end; see Threads above. The span is valid during the call.
using RecordCallback = std::function<void(std::span<const FlowRecord>)>;
// The messages of the protocols in InspectorOptions::events, in capture order. Valid during the call.
using EventCallback = std::function<void(const Events&)>;

class Engine {
 public:
  explicit Engine(const EngineOptions& options);

  // Until the input ends or is stopped. on_progress, when given, is called after every batch.
  void run(Input& input, const RecordCallback& on_records,
           const std::function<void()>& on_progress = nullptr);
  // Before run().
  void on_events(EventCallback callback) { on_events_ = std::move(callback); }

  // Of the finished run: nothing is in flight, so every imbalance is 0 or a bug.
  Statistics statistics() const;

 private:
  struct Run;
  EngineOptions options_;
  EventCallback on_events_;
  Statistics statistics_;
};

}  // namespace weir
