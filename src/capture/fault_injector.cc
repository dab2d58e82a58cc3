// SPDX-License-Identifier: Apache-2.0
#include "capture/fault_injector.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace weir {

namespace {

// SplitMix64 (Steele, Lea, Flood, 2014): a stream of random numbers from any seed.
class RandomStream {
 public:
  explicit RandomStream(uint64_t state) : state_(state) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t limit) { return next() % limit; }
  bool happens(double probability) {
    return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
  }

 private:
  uint64_t state_;
};

int64_t shifted(int64_t ts_ns, int64_t shift_ns) {
  int64_t sum = 0;
  if (__builtin_add_overflow(ts_ns, shift_ns, &sum)) return std::numeric_limits<int64_t>::max();
  return std::max<int64_t>(sum, 0);
}

}  // namespace

FaultInjector::FaultInjector(std::unique_ptr<CaptureSource> inner, const FaultOptions& options)
    : inner_(std::move(inner)), options_(options) {
  ASSERT(inner_ != nullptr);
  ASSERT(options_.idle_period != 1);
  ASSERT(options_.time_shift_max_ns >= 0);
  ASSERT(options_.time_shift_max_ns < std::numeric_limits<int64_t>::max() / 2);
}

Next FaultInjector::next(Batch& batch) {
  batch = Batch{};
  for (;;) {
    if (has_failed_) return Next::kError;
    if (options_.error_after.has_value() && frame_count_ >= *options_.error_after) {
      return fail(name() + ": fault injected after " + std::to_string(frame_count_) + " frames");
    }
    ++call_count_;
    // Before the first frame there is no time to report.
    if (options_.idle_period > 0 && frame_count_ > 0 && call_count_ % options_.idle_period == 0) {
      batch.idle_clock_ns = last_ts_ns_;
      return Next::kIdle;
    }
    const uint32_t token = slots_.take();
    Slot& slot = slots_[token];
    const Next outcome = inner_->next(slot.inner);
    if (outcome != Next::kData) {
      batch.idle_clock_ns = slot.inner.idle_clock_ns;
      slots_.give_back(token);
      return outcome == Next::kError ? fail(inner_->error()) : outcome;
    }
    if (spoil_batch(slot)) {
      batch.frames = slot.frames;
      batch.token = token;
      return Next::kData;
    }
    inner_->release(slot.inner);  // every frame was dropped
    slots_.give_back(token);
  }
}

// Fills the slot's frames from its inner batch. False when none is left.
bool FaultInjector::spoil_batch(Slot& slot) {
  slot.frames.clear();
  slot.copies.clear();
  for (const Frame& original : slot.inner.frames) {
    if (options_.error_after.has_value() && frame_count_ >= *options_.error_after) break;
    ++frame_count_;
    Frame frame = original;
    if (!spoil_frame(frame, slot)) {
      ++dropped_;
      continue;
    }
    delivered_.add(frame.wire_size);
    last_ts_ns_ = frame.ts_ns;
    slot.frames.push_back(frame);
  }
  slot.is_held = !slot.frames.empty();
  return slot.is_held;
}

// False when the frame is to be dropped.
bool FaultInjector::spoil_frame(Frame& frame, Slot& slot) {
  RandomStream random(RandomStream(options_.seed ^ (frame_count_ << 20)).next());
  if (random.happens(options_.drop)) return false;
  if (random.happens(options_.truncate) && frame.captured_size > 0) {
    frame.captured_size = static_cast<uint32_t>(random.below(frame.captured_size));
  }
  if (random.happens(options_.corrupt) && frame.captured_size > 0) {
    std::vector<uint8_t> copy(frame.captured_size);
    std::copy_n(frame.data, frame.captured_size, copy.begin());
    const uint64_t flip_count = 1 + random.below(8);
    for (uint64_t i = 0; i < flip_count; ++i) {
      const uint64_t bit = random.below(uint64_t{frame.captured_size} * 8);
      copy[bit / 8] = static_cast<uint8_t>(copy[bit / 8] ^ (1u << (bit % 8)));
    }
    slot.copies.push_back(std::move(copy));
    frame.data = slot.copies.back().data();  // moving the vector later does not move its bytes
  }
  if (random.happens(options_.time_shift)) {
    const uint64_t width = static_cast<uint64_t>(options_.time_shift_max_ns) * 2 + 1;
    const int64_t shift_ns = static_cast<int64_t>(random.below(width)) - options_.time_shift_max_ns;
    frame.ts_ns = shifted(frame.ts_ns, shift_ns);
  }
  return true;
}

void FaultInjector::release(Batch& batch) {
  ASSERT(batch.token < slots_.size());
  const uint32_t token = static_cast<uint32_t>(batch.token);
  Slot& slot = slots_[token];
  ASSERT(slot.is_held);
  slot.is_held = false;
  inner_->release(slot.inner);
  slots_.give_back(token);
  batch = Batch{};
}

SourceStatistics FaultInjector::statistics() const {
  SourceStatistics statistics = inner_->statistics();
  statistics.delivered = delivered_;
  statistics.dropped += dropped_;
  return statistics;
}

Next FaultInjector::fail(std::string message) {
  has_failed_ = true;
  error_ = std::move(message);
  return Next::kError;
}

}  // namespace weir
