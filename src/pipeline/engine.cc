// SPDX-License-Identifier: Apache-2.0
//
// With workers, batches travel in a ring of slots used in turn. The reader fills slot n and
// publishes n + 1; each worker processes the slots in order and says how far it is; the reader
// takes a slot again when all workers are past it. Then it counts the verdicts, hands out the
// records and releases the batch, so everything but the flow tables happens on one thread.
//
//   reader:  drain(slot) → next → decode, deal packets to shards → publish
//   worker:  wait for publish → table.update of its packets → done
#include "pipeline/engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "pipeline/shard.h"

namespace weir {
namespace {

// Packets decoded before they are looked up; so many fit into the first-level cache.
constexpr size_t kBurstSize = 64;
constexpr uint64_t kSlotCount = 8;  // batches in flight with workers

void count_verdict(Statistics& statistics, const Packet& packet) noexcept {
  const Frame& frame = *packet.frame;
  statistics.add_verdict(packet.layer, packet.verdict, frame.link_type, frame.wire_size);
}

void hand_out(std::vector<FlowRecord>& records, bool interim, const RecordCallback& on_records) {
  if (!interim) std::erase_if(records, [](const FlowRecord& record) { return !record.is_final; });
  if (!records.empty()) on_records(records);
  records.clear();
}

struct Slot {
  InputBatch input;
  bool has_batch = false;
  bool is_last = false;
  int64_t clock_ns = 0;
  std::vector<Packet> packets;
  std::vector<std::vector<Packet*>> packets_of_shard;
  std::vector<std::vector<FlowRecord>> records_of_shard;
};

}  // namespace

struct Engine::Run {
  Run(const EngineOptions& engine_options, Input& run_input, const RecordCallback& records_callback,
      const std::function<void()>& progress_callback)
      : options(engine_options),
        input(run_input),
        on_records(records_callback),
        on_progress(progress_callback),
        decoder(options.decode, options.table.secret),
        fragments(options.fragments, options.table.secret) {
    FlowTableOptions share = options.table;
    const uint32_t count = options.thread_count;
    share.flow_count_max = std::max<uint32_t>(1, share.flow_count_max / count);
    for (uint32_t index = 0; index < count; ++index)
      shards.push_back(std::make_unique<Shard>(share, options.sweep));
  }

  // kData, kIdle (no frames: only the clock moves) or kEnd.
  Next next_batch(InputBatch& batch) {
    const Next next = input.next(batch);
    if (next != Next::kData) batch.batch.frames = {};
    return next;
  }

  void run_alone() {
    std::array<Packet, kBurstSize> packets;
    std::vector<Packet*> decoded;
    decoded.reserve(kBurstSize);
    std::vector<FlowRecord> records;
    Shard& shard = *shards.front();
    InputBatch batch;
    for (Next next = next_batch(batch); next != Next::kEnd; next = next_batch(batch)) {
      const std::span<const Frame> frames = batch.batch.frames;
      for (size_t begin = 0; begin < frames.size(); begin += kBurstSize) {
        const std::span<const Frame> burst =
            frames.subspan(begin, std::min(kBurstSize, frames.size() - begin));
        decoded.clear();
        for (size_t index = 0; index < burst.size(); ++index) {
          decoder.decode(burst[index], packets[index]);
          if (fragments.admit(packets[index])) decoded.push_back(&packets[index]);
        }
        shard.process(decoded, burst.back().clock_ns, records);
        for (size_t index = 0; index < burst.size(); ++index)
          count_verdict(statistics, packets[index]);
      }
      if (next == Next::kIdle) shard.process({}, input.now_ns(), records);
      if (next == Next::kData) input.release(batch);
      hand_out(records, options.interim, on_records);
      if (on_progress) on_progress();
    }
    shard.finish(input.now_ns(), records);
    hand_out(records, options.interim, on_records);
  }

  void run_worker(uint32_t index) {
    for (uint64_t sequence = 0;; ++sequence) {
      published.wait(sequence, std::memory_order_acquire);
      Slot& slot = slots[sequence % kSlotCount];
      std::vector<FlowRecord>& records = slot.records_of_shard[index];
      shards[index]->process(slot.packets_of_shard[index], slot.clock_ns, records);
      const bool is_last = slot.is_last;
      if (is_last) shards[index]->finish(slot.clock_ns, records);
      done[index].store(sequence + 1, std::memory_order_release);
      done[index].notify_one();
      if (is_last) return;
    }
  }

  void deal(Slot& slot) {
    const std::span<const Frame> frames = slot.input.batch.frames;
    ASSERT(frames.size() <= slot.packets.size());
    for (size_t index = 0; index < frames.size(); ++index) {
      Packet& packet = slot.packets[index];
      decoder.decode(frames[index], packet);
      if (!fragments.admit(packet)) continue;
      slot.packets_of_shard[shard_of(options.table.secret, packet.key, options.thread_count)]
          .push_back(&packet);
    }
  }

  // Waits until every worker is past the slot, then gives back what it held.
  void drain(uint64_t sequence) {
    for (auto& worker_done : done) {
      for (uint64_t at = worker_done.load(std::memory_order_acquire); at <= sequence;
           at = worker_done.load(std::memory_order_acquire)) {
        worker_done.wait(at, std::memory_order_acquire);
      }
    }
    Slot& slot = slots[sequence % kSlotCount];
    if (slot.has_batch) {
      const size_t count = slot.input.batch.frames.size();
      for (size_t index = 0; index < count; ++index) count_verdict(statistics, slot.packets[index]);
      input.release(slot.input);
      slot.has_batch = false;
    }
    for (auto& records : slot.records_of_shard) hand_out(records, options.interim, on_records);
    for (auto& packets : slot.packets_of_shard) packets.clear();
    if (on_progress) on_progress();
  }

  void run_with_workers() {
    for (Slot& slot : slots) {
      slot.packets.resize(kBatchFrameCountMax);
      slot.packets_of_shard.resize(options.thread_count);
      slot.records_of_shard.resize(options.thread_count);
    }
    done = std::vector<std::atomic<uint64_t>>(options.thread_count);
    std::vector<std::thread> workers;
    for (uint32_t index = 0; index < options.thread_count; ++index)
      workers.emplace_back([this, index] { run_worker(index); });

    uint64_t sequence = 0;
    for (bool is_last = false; !is_last; ++sequence) {
      if (sequence >= kSlotCount) drain(sequence - kSlotCount);
      Slot& slot = slots[sequence % kSlotCount];
      const Next next = next_batch(slot.input);
      slot.has_batch = next == Next::kData;
      is_last = slot.is_last = next == Next::kEnd;
      slot.clock_ns = input.now_ns();
      deal(slot);
      published.store(sequence + 1, std::memory_order_release);
      published.notify_all();
    }
    for (uint64_t left = sequence - std::min(sequence, kSlotCount); left < sequence; ++left)
      drain(left);
    for (std::thread& worker : workers) worker.join();
  }

  const EngineOptions& options;
  Input& input;
  const RecordCallback& on_records;
  const std::function<void()>& on_progress;
  Decoder decoder;
  FragmentCache fragments;
  std::vector<std::unique_ptr<Shard>> shards;
  Statistics statistics;

  std::array<Slot, kSlotCount> slots;
  std::atomic<uint64_t> published{0};
  std::vector<std::atomic<uint64_t>> done;
};

Engine::Engine(const EngineOptions& options) : options_(options) {
  ASSERT(options.thread_count >= 1 && options.thread_count <= kThreadCountMax);
  ASSERT(options.batch_size >= 1 && options.batch_size <= kBatchFrameCountMax);
}

void Engine::run(Input& input, const RecordCallback& on_records,
                 const std::function<void()>& on_progress) {
  input.set_batch_size(options_.batch_size);
  Run run(options_, input, on_records, on_progress);
  if (options_.thread_count == 1) {
    run.run_alone();
  } else {
    run.run_with_workers();
  }
  statistics_ = run.statistics;
  run.fragments.add_statistics(statistics_);
  for (const auto& shard : run.shards) shard->add_statistics(statistics_);
  const InputStatistics read = input.statistics();
  statistics_.delivered = read.delivered;
  statistics_.captured_bytes = read.captured_bytes;
  statistics_.time_outliers = read.time_outliers;
  statistics_.time_rebases = read.time_rebases;
  statistics_.time_clamped = read.time_clamped;
  statistics_.drops_reported = read.dropped_reported;
  statistics_.name_records = read.name_records;
}

Statistics Engine::statistics() const {
  return statistics_;
}

}  // namespace weir
