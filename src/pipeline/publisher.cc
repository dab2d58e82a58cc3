// SPDX-License-Identifier: Apache-2.0
#include "pipeline/publisher.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace weir {
namespace {

// One writer: a store is enough, and costs no bus lock.
void count(std::atomic<uint64_t>& counter, uint64_t more) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

Publisher::Publisher(const PublisherOptions& options)
    : options_(options), filled_(options.batch_count), empty_(options.batch_count) {
  ASSERT(options.batch_count > 0 && options.batch_size > 0);
  for (uint32_t index = 0; index < options.batch_count; ++index) {
    batches_.push_back(std::make_unique<UpdateBatch>());
    const bool has_room = empty_.push(batches_.back().get());
    ASSERT(has_room);
  }
}

size_t Publisher::room() const noexcept {
  const size_t used =
      current_->started.size() + current_->updates.size() + current_->records.size();
  return options_.batch_size - std::min<size_t>(used, options_.batch_size);
}

// False when the consumer has all the batches.
bool Publisher::begin_batch(int64_t clock_ns) noexcept {
  if (current_ == nullptr && !empty_.pop(current_)) return false;
  current_->clock_ns = clock_ns;
  return true;
}

void Publisher::send() noexcept {
  count(counters_.batches, 1);
  count(counters_.started, current_->started.size());
  count(counters_.updates, current_->updates.size());
  count(counters_.records, current_->records.size());
  const bool has_room = filled_.push(std::exchange(current_, nullptr));
  ASSERT(has_room);  // as many places as batches
}

void Publisher::send_waiting(int64_t clock_ns) {
  while (!waiting_.empty() && begin_batch(clock_ns)) {
    const size_t sent_count = std::min(room(), waiting_.size());
    const auto end = waiting_.begin() + static_cast<ptrdiff_t>(sent_count);
    current_->records.insert(current_->records.end(), waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    if (room() == 0) send();
  }
}

void Publisher::publish(FlowTable& table, int64_t clock_ns, std::vector<FlowRecord>& records) {
  const size_t room_waiting =
      options_.waiting_count_max - std::min<size_t>(options_.waiting_count_max, waiting_.size());
  // What waits goes first, so that the records of a flow stay in order.
  send_waiting(clock_ns);
  if (waiting_.empty()) {
    size_t at = 0;
    while (at < records.size() && begin_batch(clock_ns)) {
      const size_t sent_count = std::min(room(), records.size() - at);
      const auto begin = records.begin() + static_cast<ptrdiff_t>(at);
      current_->records.insert(current_->records.end(), begin,
                               begin + static_cast<ptrdiff_t>(sent_count));
      at += sent_count;
      if (room() == 0) send();
    }
    records.erase(records.begin(), records.begin() + static_cast<ptrdiff_t>(at));
  }
  const size_t kept_count = std::min(records.size(), room_waiting);
  waiting_.insert(waiting_.end(), records.begin(),
                  records.begin() + static_cast<ptrdiff_t>(kept_count));
  count(counters_.records_lost, records.size() - kept_count);
  records.clear();

  const bool is_due = !has_published_ || clock_ns - published_ns_ >= options_.interval_ns;
  if (!is_due && !has_more_changes_) return;
  if (is_due) {
    published_ns_ = clock_ns;
    table.begin_collection();
  }
  has_published_ = true;
  // A batch per call, so that no burst waits long; the rest comes with the next one.
  if (!waiting_.empty() || !begin_batch(clock_ns)) {
    count(counters_.deferred, 1);
    has_more_changes_ = true;
    return;
  }
  has_more_changes_ = table.collect_changes(room(), clock_ns, current_->started, current_->updates);
  if (room() < options_.batch_size) send();
}

bool Publisher::finish(int64_t clock_ns) {
  send_waiting(clock_ns);
  if (current_ != nullptr && room() < options_.batch_size) send();
  return waiting_.empty();
}

UpdateBatch* Publisher::take() noexcept {
  UpdateBatch* batch = nullptr;
  return filled_.pop(batch) ? batch : nullptr;
}

void Publisher::give_back(UpdateBatch* batch) noexcept {
  batch->started.clear();
  batch->updates.clear();
  batch->records.clear();
  const bool has_room = empty_.push(std::exchange(batch, nullptr));
  ASSERT(has_room);
}

PublisherStatistics Publisher::statistics() const noexcept {
  const auto read = [](const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  return {read(counters_.batches), read(counters_.started),  read(counters_.updates),
          read(counters_.records), read(counters_.deferred), read(counters_.records_lost)};
}

}  // namespace weir
