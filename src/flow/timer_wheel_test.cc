// SPDX-License-Identifier: Apache-2.0
#include "flow/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <vector>

namespace weir::test {
namespace {

using Random = std::independent_bits_engine<std::mt19937, 32, uint32_t>;
using Colds = std::vector<ColdFlow>;
using Wheel = TimerWheel<Colds>;

constexpr int64_t kTickNs = int64_t{1} << Wheel::kTickShift;
constexpr uint32_t kUnlimited = UINT32_MAX;
constexpr int64_t kStartNs = 1'700'000'000 * kSecondNs;

int64_t tick_of(int64_t clock_ns) {
  return clock_ns >> Wheel::kTickShift;
}

// The slots looked at by one fire(), in no particular order.
std::vector<uint32_t> fired(Wheel& wheel, int64_t now_ns, uint32_t count_max = kUnlimited) {
  std::vector<uint32_t> slots;
  const uint32_t count =
      wheel.fire(now_ns, count_max, [&](uint32_t slot) { slots.push_back(slot); });
  EXPECT_EQ(count, slots.size());
  std::sort(slots.begin(), slots.end());
  return slots;
}

TEST(TimerWheel, LooksWhenTheTickIsOverAndNotBefore) {
  Colds colds(2);
  Wheel wheel(colds);
  const int64_t start_ns = kStartNs / kTickNs * kTickNs;
  wheel.fire(start_ns, kUnlimited, [](uint32_t) {});
  wheel.arm(0, start_ns + 10 * kTickNs, start_ns);
  wheel.arm(1, start_ns + 11 * kTickNs - 1, start_ns);
  EXPECT_TRUE(fired(wheel, start_ns + 10 * kTickNs).empty());
  EXPECT_TRUE(fired(wheel, start_ns + 11 * kTickNs - 1).empty());
  EXPECT_EQ(fired(wheel, start_ns + 11 * kTickNs), (std::vector<uint32_t>{0, 1}));
  EXPECT_TRUE(fired(wheel, start_ns + 50 * kTickNs).empty()) << "once";
}

// The first burst of a capture may cover any time; the table asks for due flows only after it.
TEST(TimerWheel, WhatWasArmedBeforeTheFirstLookIsFoundByIt) {
  Colds colds(2);
  Wheel wheel(colds);
  wheel.arm(0, kStartNs + 60 * kSecondNs, kStartNs);
  wheel.arm(1, kStartNs + 3600 * kSecondNs, kStartNs + 3590 * kSecondNs);
  EXPECT_EQ(fired(wheel, kStartNs + 3590 * kSecondNs), (std::vector<uint32_t>{0}));
  EXPECT_EQ(fired(wheel, kStartNs + 3602 * kSecondNs), (std::vector<uint32_t>{1}));
}

TEST(TimerWheel, ADueTimeInThePastIsTheTickOfNow) {
  Colds colds(1);
  Wheel wheel(colds);
  wheel.arm(0, kStartNs - 3600 * kSecondNs, kStartNs);
  EXPECT_TRUE(fired(wheel, kStartNs).empty());
  EXPECT_EQ(fired(wheel, kStartNs + kTickNs).size(), 1u);
}

TEST(TimerWheel, WhatIsBeyondTheHorizonIsLookedAtThere) {
  for (const int64_t due_ns :
       {kStartNs + 100 * 3600 * kSecondNs, std::numeric_limits<int64_t>::max()}) {
    Colds colds(1);
    Wheel wheel(colds);
    wheel.arm(0, due_ns, kStartNs);
    EXPECT_TRUE(fired(wheel, kStartNs + Wheel::kHorizonNs).empty());
    EXPECT_EQ(fired(wheel, kStartNs + Wheel::kHorizonNs + kTickNs).size(), 1u);
  }
}

TEST(TimerWheel, TheEndOfTimeIsNoOverflow) {
  Colds colds(1);
  Wheel wheel(colds);
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  wheel.arm(0, kEnd, kEnd - kSecondNs);
  EXPECT_TRUE(fired(wheel, kEnd - kSecondNs).empty());
  wheel.disarm(0);
  EXPECT_TRUE(fired(wheel, kEnd).empty());
}

TEST(TimerWheel, ADisarmedFlowIsNotLookedAtWhereverItStoodInItsList) {
  for (const uint32_t gone : {0u, 1u, 2u}) {
    Colds colds(3);
    Wheel wheel(colds);
    for (uint32_t slot = 0; slot < 3; ++slot) wheel.arm(slot, kStartNs + kSecondNs, kStartNs);
    wheel.disarm(gone);
    std::vector<uint32_t> expected{0, 1, 2};
    std::erase(expected, gone);
    EXPECT_EQ(fired(wheel, kStartNs + 3 * kSecondNs), expected);
  }
}

TEST(TimerWheel, ASliceHoldsUnlessItIsTwoTicksLate) {
  Colds colds(100);
  Wheel wheel(colds);
  const int64_t start_ns = kStartNs / kTickNs * kTickNs;
  for (uint32_t slot = 0; slot < 100; ++slot) wheel.arm(slot, start_ns, start_ns);
  EXPECT_EQ(fired(wheel, start_ns + kTickNs, 30).size(), 30u);
  EXPECT_FALSE(wheel.is_quiet(start_ns + kTickNs));
  EXPECT_EQ(fired(wheel, start_ns + 2 * kTickNs, 30).size(), 30u);
  EXPECT_EQ(fired(wheel, start_ns + 3 * kTickNs, 30).size(), 40u) << "late: all that is left";
  EXPECT_TRUE(wheel.is_quiet(start_ns + 3 * kTickNs));
}

TEST(TimerWheel, ClearForgetsAll) {
  Colds colds(3);
  Wheel wheel(colds);
  for (uint32_t slot = 0; slot < 3; ++slot) wheel.arm(slot, kStartNs + slot * kSecondNs, kStartNs);
  fired(wheel, kStartNs + kTickNs, 0);
  wheel.clear();
  EXPECT_TRUE(fired(wheel, kStartNs + 100 * kSecondNs).empty());
  wheel.arm(1, kStartNs + 101 * kSecondNs, kStartNs + 100 * kSecondNs);
  EXPECT_EQ(fired(wheel, kStartNs + 102 * kSecondNs), (std::vector<uint32_t>{1}));
}

// The naive wheel: a map of what is armed. Everything the table may do, also from inside look(),
// while the clock makes steps of any size.
class RandomWheel {
 public:
  // is_table_like: arms happen at a new clock before the wheel hears of it, as when a burst is
  // taken first and aged then; else the wheel is always as far as the clock.
  RandomWheel(uint32_t seed, bool is_table_like, bool has_slices)
      : random_(seed),
        is_table_like_(is_table_like),
        has_slices_(has_slices),
        colds_(kSlotCount),
        wheel_(colds_) {}

  void run() {
    if (!is_table_like_) fire();
    for (int step = 0; step < 1000; ++step) {
      now_ns_ += random_step();
      if (!is_table_like_) fire();
      for (uint32_t count = random_() % 20; count > 0; --count) change_any();
      fire();
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_GT(looked_at_, 500u);
  }

 private:
  static constexpr uint32_t kSlotCount = 300;

  struct Armed {
    int64_t tick;
    bool may_be_early;  // armed a turn ahead of where the wheel stands, which is behind the clock
  };

  // From nothing to 10 h, each magnitude as likely.
  int64_t random_step() {
    constexpr int64_t kLongest = 10 * 3600 * kSecondNs;
    const uint32_t bits = random_() % 46;
    const uint64_t any = uint64_t{random_()} << 32 | random_();
    return std::min(static_cast<int64_t>(any & ((uint64_t{1} << bits) - 1)), kLongest);
  }

  void arm(uint32_t slot) {
    // Most timeouts are seconds to minutes; some due times are past, or beyond the horizon.
    int64_t due_ns = now_ns_ + random_step();
    if (random_() % 10 == 0) due_ns = now_ns_ - random_step();
    if (random_() % 50 == 0) due_ns = std::numeric_limits<int64_t>::max();
    wheel_.arm(slot, due_ns, now_ns_);
    const int64_t tick = tick_of(std::clamp(due_ns, now_ns_, now_ns_ + Wheel::kHorizonNs));
    if (!wheel_tick_) wheel_tick_ = tick_of(now_ns_);
    const int64_t wheel_tick = has_slices_ ? *wheel_tick_ - 1 : *wheel_tick_;
    armed_[slot] = {tick, tick >= wheel_tick + Wheel::kTickCount};
  }

  void change_any() {
    const uint32_t slot = random_() % kSlotCount;
    if (armed_.erase(slot) > 0) {
      wheel_.disarm(slot);
      if (random_() % 2 == 0) return;
    }
    arm(slot);
  }

  void fire() {
    const int64_t now_tick = tick_of(now_ns_);
    const uint32_t count_max = has_slices_ ? random_() % 8 : kUnlimited;
    const bool is_quiet = wheel_.is_quiet(now_ns_);
    uint32_t count = 0;
    const uint32_t returned = wheel_.fire(now_ns_, count_max, [&](uint32_t slot) {
      ++count;
      const auto found = armed_.find(slot);
      ASSERT_NE(found, armed_.end()) << "not armed";
      const auto [tick, may_be_early] = found->second;
      armed_.erase(found);
      if (!may_be_early) {
        EXPECT_LT(tick, now_tick) << "before its tick is over";
        if (count > count_max) {
          EXPECT_LT(tick, now_tick - 2) << "beyond the slice, and not late";
        }
      }
      for (uint32_t others = random_() % 3; others > 0; --others) change_any();
      if (random_() % 2 == 0 && !armed_.contains(slot)) arm(slot);
    });
    ASSERT_EQ(returned, count);
    EXPECT_TRUE(!is_quiet || count == 0);
    looked_at_ += count;
    wheel_tick_ = now_tick;
    for (const auto& [slot, armed] : armed_)
      ASSERT_GE(armed.tick, has_slices_ ? now_tick - 2 : now_tick) << "forgotten";
    EXPECT_TRUE(has_slices_ || wheel_.is_quiet(now_ns_));
  }

  Random random_;
  const bool is_table_like_;
  const bool has_slices_;
  Colds colds_;
  Wheel wheel_;
  std::map<uint32_t, Armed> armed_;  // by slot
  int64_t now_ns_ = kStartNs;
  std::optional<int64_t> wheel_tick_;  // the clock when the wheel was last asked, or began
  uint64_t looked_at_ = 0;
};

TEST(TimerWheel, RandomWalkEqualsAMapOfDueTimes) {
  for (uint32_t round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    RandomWheel(100 + round, round % 2 == 1, round % 4 >= 2).run();
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
}

}  // namespace
}  // namespace weir::test
