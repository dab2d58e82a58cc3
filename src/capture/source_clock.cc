// SPDX-License-Identifier: Apache-2.0
#include "capture/source_clock.h"

#include <algorithm>

#include "base/saturating.h"

namespace weir {

bool SourceClock::needs_next(int64_t ts_ns) const noexcept {
  return has_started_ && saturating_add(ts_ns, offset_ns_) > saturating_add(clock_ns_, kStepMaxNs);
}

int64_t SourceClock::advance(int64_t ts_ns, std::optional<int64_t> next_ts_ns) noexcept {
  if (!has_started_) {
    has_started_ = true;
    clock_ns_ = ts_ns;
    return clock_ns_;
  }
  if (needs_next(ts_ns) && next_ts_ns.has_value() &&
      *next_ts_ns < saturating_subtract(ts_ns, kStepMaxNs)) {
    ++outlier_count_;
    is_behind_ = false;
    return clock_ns_;
  }
  const int64_t adjusted_ns = saturating_add(ts_ns, offset_ns_);
  if (adjusted_ns >= saturating_subtract(clock_ns_, kStepMaxNs)) {
    is_behind_ = false;
    if (adjusted_ns > clock_ns_) clock_ns_ = adjusted_ns;
    return clock_ns_;
  }
  if (is_behind_) {
    offset_ns_ = saturating_subtract(clock_ns_, ts_ns);
    ++rebase_count_;
  }
  is_behind_ = !is_behind_;
  return clock_ns_;
}

// The loop works in the time of the frames, in which the clock is base_ns, and one comparison does
// for both directions. The subtraction may wrap: as base_ns is far from both ends of the range, and
// kRunCountMax steps do not bring it there, nothing wraps into the window that is not in it. Clocks
// for which that does not hold (before 1824, after 2116) are left to advance().
size_t SourceClock::advance_run(std::span<Frame> frames) noexcept {
  constexpr int64_t kFarthestNs = int64_t{1} << 62;
  constexpr size_t kRunCountMax = 1 << 20;
  static_assert(kStepMaxNs < kFarthestNs / static_cast<int64_t>(kRunCountMax + 1));
  int64_t base_ns = 0;
  if (!has_started_ || __builtin_sub_overflow(clock_ns_, offset_ns_, &base_ns)) return 0;
  if (base_ns < -kFarthestNs || base_ns > kFarthestNs || clock_ns_ > kFarthestNs) return 0;
  const int64_t offset_ns = offset_ns_;
  const size_t count_max = std::min(frames.size(), kRunCountMax);
  size_t count = 0;
  for (; count < count_max; ++count) {
    Frame& frame = frames[count];
    const uint64_t above_lowest =
        static_cast<uint64_t>(frame.ts_ns) - static_cast<uint64_t>(base_ns - kStepMaxNs);
    if (above_lowest > uint64_t{2 * kStepMaxNs}) break;
    base_ns = std::max(base_ns, frame.ts_ns);
    frame.clock_ns = base_ns + offset_ns;
  }
  if (count > 0) is_behind_ = false;
  clock_ns_ = base_ns + offset_ns;
  return count;
}

}  // namespace weir
