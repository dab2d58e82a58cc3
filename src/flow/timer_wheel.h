// SPDX-License-Identifier: Apache-2.0
//
// TimerWheel: which flows may be due. Every flow is in one list, that of the tick in which it is
// due at the earliest it was when it was put there; packets never move it. When the clock passes
// the tick, the table looks what really is due, and puts the flow into a later list if nothing is.
// So a flow is looked at about once per timeout, however many packets it has, and the work is in
// proportion to the flows that are due, not to the size of the table (docs/decisions/003 compares
// it with a pass over all flows).
//
// The lists are linked through the ColdFlow of each flow, both ways, so that any flow can leave at
// once. Ticks are 2^28 ns (0.27 s) of the clock; a due time lies at most kHorizonNs ahead. What is
// due is looked at within a tick after its own; within three (0.81 s) when very much is due at once.
//
// Threads: one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "flow/live_flow.h"

namespace weir {

// `Colds` gives the ColdFlow of a slot: colds[slot].
template <typename Colds>
class TimerWheel {
 public:
  static constexpr int kTickShift = 28;
  static constexpr uint32_t kTickCount = 16384;
  // A flow armed now is reached before its list comes round again.
  static constexpr int64_t kHorizonNs = int64_t{kTickCount - 2} << kTickShift;  // 73 min
  static constexpr uint32_t kNone = UINT32_MAX;

  explicit TimerWheel(Colds& colds) : colds_(colds), heads_(kTickCount + 1, kNone) {}

  // Not before due_ns (or now_ns, whichever is later) shall the flow be looked at.
  void arm(uint32_t slot, int64_t due_ns, int64_t now_ns) noexcept {
    if (!has_started_) start(now_ns);
    const int64_t farthest_ns = saturating_add(now_ns, kHorizonNs);
    const int64_t tick = std::clamp(due_ns, now_ns, farthest_ns) >> kTickShift;
    link(slot, static_cast<uint32_t>(tick & (kTickCount - 1)));
  }
  void disarm(uint32_t slot) noexcept {
    ColdFlow& cold = colds_[slot];
    if ((cold.timer_previous & kIsHead) != 0) {
      heads_[cold.timer_previous & ~kIsHead] = cold.timer_next;
    } else {
      colds_[cold.timer_previous].timer_next = cold.timer_next;
    }
    if (cold.timer_next != kNone) colds_[cold.timer_next].timer_previous = cold.timer_previous;
  }

  // What disarm() will write, asked of memory.
  [[gnu::always_inline]] void prefetch_neighbours(uint32_t slot) const noexcept {
    const ColdFlow& cold = colds_[slot];
    if ((cold.timer_previous & kIsHead) == 0)
      __builtin_prefetch(&colds_[cold.timer_previous].timer_next, 1);
    if (cold.timer_next != kNone) __builtin_prefetch(&colds_[cold.timer_next].timer_previous, 1);
  }

  // The clock is at now_ns: calls look(slot) for flows whose tick is over, each taken off its list
  // first; look() arms it again or ends it. Stops after `count_max` flows unless they are late by
  // two ticks: those are all looked at. Returns how many were.
  // `ahead(slot)` is told of the flow that will be looked at next.
  template <typename Look, typename Ahead>
  uint32_t fire(int64_t now_ns, uint32_t count_max, const Look& look, const Ahead& ahead) {
    const int64_t now_tick = now_ns >> kTickShift;
    if (!has_started_) start(now_ns);
    // After a turn of the wheel every list has come up once; two ticks more, and as a late one.
    tick_ = std::max(tick_, now_tick - kTickCount - kLateTickCount);
    uint32_t count = 0;
    while (true) {
      // tick_ is one beyond the list being looked at.
      const bool is_late = now_tick - tick_ >= kLateTickCount;
      while (heads_[kFiring] != kNone && (is_late || count < count_max)) {
        const uint32_t slot = heads_[kFiring];
        disarm(slot);
        ++count;
        if (heads_[kFiring] != kNone) ahead(heads_[kFiring]);
        look(slot);
      }
      if (heads_[kFiring] != kNone || tick_ >= now_tick) return count;
      take_list(static_cast<uint32_t>(tick_ & (kTickCount - 1)));
      ++tick_;
    }
  }
  template <typename Look>
  uint32_t fire(int64_t now_ns, uint32_t count_max, const Look& look) {
    return fire(now_ns, count_max, look, [](uint32_t) {});
  }
  // Forgets all flows; they need not be disarmed.
  void clear() noexcept { std::fill(heads_.begin(), heads_.end(), kNone); }
  // True when fire() has nothing to do at now_ns.
  bool is_quiet(int64_t now_ns) const noexcept {
    return has_started_ && now_ns >> kTickShift == tick_ && heads_[kFiring] == kNone;
  }

 private:
  static constexpr uint32_t kIsHead = 0x8000'0000;  // timer_previous: the number of a list follows
  static constexpr uint32_t kFiring = kTickCount;   // the list being looked at
  static constexpr int64_t kLateTickCount = 2;

  // With whatever comes first: a first burst may hold more time than a timeout.
  void start(int64_t now_ns) noexcept {
    has_started_ = true;
    tick_ = now_ns >> kTickShift;
  }
  void link(uint32_t slot, uint32_t list) noexcept {
    ColdFlow& cold = colds_[slot];
    cold.timer_next = heads_[list];
    cold.timer_previous = kIsHead | list;
    if (cold.timer_next != kNone) colds_[cold.timer_next].timer_previous = slot;
    heads_[list] = slot;
  }
  void take_list(uint32_t list) noexcept {
    DASSERT(heads_[kFiring] == kNone);
    heads_[kFiring] = heads_[list];
    heads_[list] = kNone;
    if (heads_[kFiring] != kNone) colds_[heads_[kFiring]].timer_previous = kIsHead | kFiring;
  }

  Colds& colds_;
  std::vector<uint32_t> heads_;
  int64_t tick_ = 0;  // the first tick whose list has not been taken
  bool has_started_ = false;
};

}  // namespace weir
