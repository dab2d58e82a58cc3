// SPDX-License-Identifier: Apache-2.0
//
// With N threads, batches travel in a ring of slots used in turn. What is to be done with a slot:
//
//   read    the next batch of the input, in order, one thread at a time
//   decode  by the thread that read it, which has its bytes in its cache; several slots at once
//   admit   in order of the slots: whoever finds the next one decoded does it
//   update  by each thread for the shard it owns, in order
//   drain   when all shards are done: records handed out, batch released; never while one reads
//   finish  at the end, by each thread for its shard, some flows at a time
//
// So of a packet only its digest goes from core to core, if its flow is another thread's. A thread
// takes what is most urgent of what it may do: the later a stage, the sooner a slot is free again.
// The state of the ring is under one mutex, which is taken a few times per batch of a thousand
// packets.
#include "pipeline/engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <tuple>
#include <vector>

#include "base/assert.h"
#include "pipeline/batch_work.h"
#include "pipeline/shard.h"

namespace weir {
namespace {

// Packets decoded before they are looked up; so many fit into the first-level cache.
constexpr size_t kBurstSize = 64;
constexpr uint64_t kSlotCount = 8;     // batches in flight with several threads
constexpr uint32_t kSpinCount = 1000;  // pauses, about 20 µs

void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

struct Slot {
  explicit Slot(uint32_t shard_count)
      : work(shard_count), records(shard_count), events(shard_count) {}

  InputBatch input;
  bool has_batch = false;
  bool is_decoded = false;
  uint32_t updated_count = 0;  // shards
  int64_t clock_ns = 0;
  BatchWork work;
  std::vector<std::vector<FlowRecord>> records;  // of each shard
  std::vector<Events> events;                    // of each shard
};

}  // namespace

struct Engine::Run {
  Run(const EngineOptions& engine_options, Input& run_input, const RecordCallback& records_callback,
      const std::function<void()>& progress_callback, const EventCallback& events_callback)
      : options(engine_options),
        input(run_input),
        on_records(records_callback),
        on_progress(progress_callback),
        on_events(events_callback),
        budget(MemoryBudget::for_reading(options.memory_limit)),
        decoder(options.decode, options.table.secret),
        fragments(options.fragments, options.table.secret) {
    FlowTableOptions share = options.table;
    const uint32_t count = options.thread_count;
    MemoryPool& flows = budget.pool(Pool::kFlows);
    share.flow_count_max = std::max<uint32_t>(1, share.flow_count_max / count);
    share.makes_interim_records = options.interim;
    for (uint32_t index = 0; index < count; ++index) {
      pools.push_back(std::make_unique<MemoryPool>(flows.limit_size() / count, &flows));
      share.pool = pools.back().get();
      shards.push_back(make_shard(share));
    }
  }

  std::unique_ptr<Shard> make_shard(const FlowTableOptions& share) {
    if (options.catalog == nullptr) return std::make_unique<Shard>(share, options.sweep);
    const uint32_t count = options.thread_count;
    const auto part = [count](uint32_t all) { return std::max<uint32_t>(1, all / count); };
    MemoryPool& pool = budget.pool(Pool::kDpi);
    dpi_pools.push_back(std::make_unique<MemoryPool>(pool.limit_size() / count, &pool));
    InspectorOptions inspector = options.inspector;
    inspector.inspection_count_max = part(inspector.inspection_count_max);
    inspector.assembly_count_max = part(inspector.assembly_count_max);
    inspector.attributes_count_max = part(inspector.attributes_count_max);
    inspector.expectation_count_max = part(inspector.expectation_count_max);
    inspector.decryptions_per_second_max = part(inspector.decryptions_per_second_max);
    if (!protocols) protocols.emplace(*options.catalog);
    return std::make_unique<Shard>(share, options.sweep, *protocols, inspector, *dpi_pools.back());
  }

  // What the shards found in one batch, merged into the order of the frames.
  void hand_out_events(std::span<Events> shares) {
    Events* merged = &shares.front();
    if (shares.size() > 1) {
      merged_events.clear();
      for (Events& share : shares) {
        const auto offset = static_cast<uint32_t>(merged_events.bytes.size());
        for (MessageEvent& message : share.messages) {
          message.offset += offset;
          merged_events.messages.push_back(message);
        }
        merged_events.bytes.insert(merged_events.bytes.end(), share.bytes.begin(),
                                   share.bytes.end());
        share.clear();
      }
      // Those of one frame are of one shard, and stay in order.
      std::stable_sort(merged_events.messages.begin(), merged_events.messages.end(),
                       [](const MessageEvent& x, const MessageEvent& y) {
                         return std::tie(x.source, x.frame_number) <
                                std::tie(y.source, y.frame_number);
                       });
      merged = &merged_events;
    }
    if (!merged->messages.empty() && on_events) {
      try {
        on_events(*merged);
      } catch (...) {
        ++statistics.callback_errors;
      }
    }
    merged->clear();
  }
  void take_events(Shard& shard, Events& events) {
    if (shard.inspector() != nullptr) shard.inspector()->take_events(events);
  }

  void hand_out(std::vector<FlowRecord>& records) {
    if (records.empty()) return;
    try {
      on_records(records);
    } catch (...) {
      ++statistics.callback_errors;
    }
    records.clear();
  }

  // kData, kIdle (no frames: only the clock moves) or kEnd.
  Next next_batch(InputBatch& batch) {
    const Next next = input.next(batch);
    if (next != Next::kData) batch.batch.frames = {};
    return next;
  }

  void run_alone() {
    BatchWork work(1);
    std::vector<FlowRecord> records;
    Events events;
    Shard& shard = *shards.front();
    InputBatch batch;
    for (Next next = next_batch(batch); next != Next::kEnd; next = next_batch(batch)) {
      const std::span<const Frame> frames = batch.batch.frames;
      for (size_t begin = 0; begin < frames.size(); begin += kBurstSize) {
        const std::span<const Frame> burst =
            frames.subspan(begin, std::min(kBurstSize, frames.size() - begin));
        work.decode(decoder, burst);
        work.admit(decoder, fragments, statistics);
        shard.process(work.burst(0), burst.back().clock_ns, records);
        take_events(shard, events);
        hand_out_events({&events, 1});
        hand_out(records);
      }
      if (next == Next::kIdle) shard.process(DigestBurst{}, input.now_ns(), records);
      if (next == Next::kData) input.release(batch);
      hand_out(records);
      if (on_progress) on_progress();
    }
    while (!shard.finish_some(input.now_ns(), records)) hand_out(records);
    hand_out(records);
  }

  enum class Finish : uint8_t { kGoesOn, kHasRecords, kHasLastRecords, kDone };

  // What is done with slots, as sequence numbers: slots below have been through the stage.
  struct Progress {
    uint64_t read = 0;
    uint64_t admitted = 0;
    std::vector<uint64_t> updated;  // of each shard
    uint64_t drained = 0;
    bool is_admitting = false;
    bool is_input_in_use = false;  // somebody reads, drains or hands out
    bool has_read_last = false;
    std::vector<Finish> finish;  // of each shard
  };

  Slot& slot_of(uint64_t sequence) { return *slots[sequence % kSlotCount]; }

  bool is_drainable() {
    return progress.drained < progress.admitted &&
           slot_of(progress.drained).updated_count == options.thread_count;
  }

  bool is_all_updated(uint32_t thread) const {
    return progress.has_read_last && progress.updated[thread] == progress.read;
  }

  bool is_done() const {
    const auto is_finished = [](Finish finish) { return finish == Finish::kDone; };
    return failure != nullptr ||
           std::all_of(progress.finish.begin(), progress.finish.end(), is_finished);
  }

  // Does one piece of work; false when there is none for this thread now. The lock is held on entry
  // and exit, and not during the work.
  bool work_once(uint32_t thread, std::unique_lock<std::mutex>& lock) {
    const bool may_use_input = !progress.is_input_in_use;
    if (may_use_input && is_drainable()) return drain(lock);
    if (progress.updated[thread] < progress.admitted) return update(thread, lock);
    if (!progress.is_admitting && progress.admitted < progress.read &&
        slot_of(progress.admitted).is_decoded)
      return admit(lock);
    const bool has_slot = progress.read - progress.drained < kSlotCount;
    if (may_use_input && !progress.has_read_last && has_slot) return read_and_decode(lock);
    if (may_use_input && progress.has_read_last && progress.drained == progress.read) {
      for (uint32_t shard = 0; shard < options.thread_count; ++shard) {
        const Finish state = progress.finish[shard];
        if (state == Finish::kHasRecords || state == Finish::kHasLastRecords)
          return hand_out_finished(shard, lock);
      }
    }
    if (is_all_updated(thread) && progress.finish[thread] == Finish::kGoesOn)
      return finish_some(thread, lock);
    return false;
  }

  bool finish_some(uint32_t thread, std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    const bool is_last = shards[thread]->finish_some(final_clock_ns, finished_records[thread]);
    lock.lock();
    progress.finish[thread] = is_last ? Finish::kHasLastRecords : Finish::kHasRecords;
    return true;
  }

  bool hand_out_finished(uint32_t shard, std::unique_lock<std::mutex>& lock) {
    progress.is_input_in_use = true;
    lock.unlock();
    hand_out(finished_records[shard]);
    lock.lock();
    progress.is_input_in_use = false;
    Finish& state = progress.finish[shard];
    state = state == Finish::kHasLastRecords ? Finish::kDone : Finish::kGoesOn;
    return true;
  }

  bool read_and_decode(std::unique_lock<std::mutex>& lock) {
    progress.is_input_in_use = true;
    Slot& slot = slot_of(progress.read);
    lock.unlock();
    const Next next = next_batch(slot.input);
    slot.has_batch = next == Next::kData;
    slot.is_decoded = false;
    slot.updated_count = 0;
    slot.clock_ns = input.now_ns();
    lock.lock();
    progress.is_input_in_use = false;
    ++progress.read;
    progress.has_read_last = next == Next::kEnd;
    final_clock_ns = slot.clock_ns;
    note_change();
    lock.unlock();
    slot.work.decode(decoder, slot.input.batch.frames);
    lock.lock();
    slot.is_decoded = true;
    return true;
  }

  bool admit(std::unique_lock<std::mutex>& lock) {
    progress.is_admitting = true;
    Slot& slot = slot_of(progress.admitted);
    lock.unlock();
    slot.work.admit(decoder, fragments, statistics);
    lock.lock();
    progress.is_admitting = false;
    ++progress.admitted;
    return true;
  }

  bool update(uint32_t thread, std::unique_lock<std::mutex>& lock) {
    Slot& slot = slot_of(progress.updated[thread]);
    lock.unlock();
    shards[thread]->process(slot.work.burst(thread), slot.clock_ns, slot.records[thread]);
    take_events(*shards[thread], slot.events[thread]);
    lock.lock();
    ++slot.updated_count;
    ++progress.updated[thread];
    return true;
  }

  bool drain(std::unique_lock<std::mutex>& lock) {
    progress.is_input_in_use = true;
    Slot& slot = slot_of(progress.drained);
    lock.unlock();
    if (slot.has_batch) input.release(slot.input);
    slot.has_batch = false;
    hand_out_events(slot.events);
    for (auto& records : slot.records) hand_out(records);
    if (on_progress) on_progress();
    lock.lock();
    progress.is_input_in_use = false;
    ++progress.drained;
    return true;
  }

  // Waits until something has been done. First awake, for as long as a piece of work takes or so:
  // to be woken costs as much, and the other thread pays for it.
  void wait_for_change(std::unique_lock<std::mutex>& lock) {
    const uint64_t seen = change_count.load(std::memory_order_relaxed);
    lock.unlock();
    for (uint32_t turn = 0; turn < kSpinCount; ++turn) {
      if (change_count.load(std::memory_order_relaxed) != seen) break;
      pause_processor();
    }
    lock.lock();
    ++waiting_count;
    changed.wait(lock, [&] { return change_count.load(std::memory_order_relaxed) != seen; });
    --waiting_count;
  }

  void note_change() {
    change_count.store(change_count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (waiting_count > 0) changed.notify_all();
  }

  // What a thread throws (no memory) ends the run: all threads stop, run() throws it.
  void run_thread(uint32_t thread) {
    std::unique_lock<std::mutex> lock(mutex);
    try {
      while (!is_done()) {
        if (work_once(thread, lock)) {
          note_change();
        } else {
          wait_for_change(lock);
        }
      }
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      failure = std::current_exception();
    }
    note_change();
  }

  void run_with_workers() {
    for (uint64_t slot = 0; slot < kSlotCount; ++slot)
      slots.push_back(std::make_unique<Slot>(options.thread_count));
    progress.updated.resize(options.thread_count);
    progress.finish.resize(options.thread_count, Finish::kGoesOn);
    finished_records.resize(options.thread_count);
    std::vector<std::thread> workers;
    try {
      for (uint32_t thread = 1; thread < options.thread_count; ++thread)
        workers.emplace_back([this, thread] { run_thread(thread); });
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      failure = std::current_exception();
    }
    run_thread(0);
    for (std::thread& worker : workers) worker.join();
    if (failure != nullptr) std::rethrow_exception(failure);
  }

  const EngineOptions& options;
  Input& input;
  const RecordCallback& on_records;
  const std::function<void()>& on_progress;
  const EventCallback& on_events;
  MemoryBudget budget;
  Decoder decoder;
  FragmentCache fragments;  // and statistics: by whoever admits
  Statistics statistics;
  std::vector<std::unique_ptr<MemoryPool>> pools;  // number n is shard n's part of the flows' one
  std::vector<std::unique_ptr<MemoryPool>> dpi_pools;
  std::optional<ProtocolTable> protocols;
  Events merged_events;
  std::vector<std::unique_ptr<Shard>> shards;  // number n is thread n's

  std::mutex mutex;  // guards what follows, and of a slot is_decoded and updated_count
  std::condition_variable changed;
  uint32_t waiting_count = 0;
  std::atomic<uint64_t> change_count = 0;  // written under the mutex
  Progress progress;
  std::exception_ptr failure;
  std::vector<std::unique_ptr<Slot>> slots;
  int64_t final_clock_ns = 0;                             // when all is read
  std::vector<std::vector<FlowRecord>> finished_records;  // of each shard
};

Engine::Engine(const EngineOptions& options) : options_(options) {
  ASSERT(options.thread_count >= 1 && options.thread_count <= kThreadCountMax);
  ASSERT(options.batch_size >= 1 && options.batch_size <= kBatchFrameCountMax);
}

void Engine::run(Input& input, const RecordCallback& on_records,
                 const std::function<void()>& on_progress) {
  input.set_batch_size(options_.batch_size);
  Run run(options_, input, on_records, on_progress, on_events_);
  if (options_.thread_count == 1) {
    run.run_alone();
  } else {
    run.run_with_workers();
  }
  statistics_ = run.statistics;
  run.fragments.add_statistics(statistics_);
  for (const auto& shard : run.shards) shard->add_statistics(statistics_);
  const MemoryStatistics memory = run.budget.statistics();
  for (size_t pool = 0; pool < kMemoryPoolCount; ++pool) {
    const PoolStatistics& use = memory.pools[pool];
    statistics_.memory[pool] = {use.limit_size, use.used_size, use.peak_size, use.refused_count};
  }
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
