// SPDX-License-Identifier: Apache-2.0
#include "capture/source_clock.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace weir {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kYear = 365 * 24 * kHour;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

struct ClockRun {
  std::vector<int64_t> clocks;
  uint64_t outliers = 0;
  uint64_t rebases = 0;
  bool operator==(const ClockRun&) const = default;
};

ClockRun run(const std::vector<int64_t>& timestamps) {
  SourceClock clock;
  ClockRun result;
  for (size_t i = 0; i < timestamps.size(); ++i) {
    std::optional<int64_t> next;
    if (clock.needs_next(timestamps[i]) && i + 1 < timestamps.size()) next = timestamps[i + 1];
    result.clocks.push_back(clock.advance(timestamps[i], next));
    EXPECT_EQ(result.clocks.back(), clock.now_ns());
  }
  result.outliers = clock.outlier_count();
  result.rebases = clock.rebase_count();
  return result;
}

// The same through advance_run(), with a batch ending behind every index that `is_cut` names.
template <typename IsCut>
ClockRun run_in_batches(const std::vector<int64_t>& timestamps, IsCut is_cut) {
  std::vector<Frame> frames(timestamps.size());
  for (size_t i = 0; i < frames.size(); ++i) frames[i].ts_ns = timestamps[i];
  SourceClock clock;
  for (size_t begin = 0; begin < frames.size();) {
    size_t end = begin + 1;
    while (end < frames.size() && !is_cut(end - 1)) ++end;
    for (size_t i = begin; i < end; ++i) {
      i += clock.advance_run(std::span<Frame>(frames).subspan(i, end - i));
      if (i > begin) {
        EXPECT_EQ(frames[i - 1].clock_ns, clock.now_ns());
      }
      if (i == end) break;
      std::optional<int64_t> next;
      if (clock.needs_next(timestamps[i]) && i + 1 < frames.size()) next = timestamps[i + 1];
      frames[i].clock_ns = clock.advance(timestamps[i], next);
    }
    begin = end;
  }
  ClockRun result;
  for (const Frame& frame : frames) result.clocks.push_back(frame.clock_ns);
  result.outliers = clock.outlier_count();
  result.rebases = clock.rebase_count();
  return result;
}

// The rules of source_clock.h over the whole sequence at once, in 128 bits so that nothing can
// overflow, with the sum cut to 64 bits where the contract says "saturating".
ClockRun model(const std::vector<int64_t>& timestamps) {
  using Wide = __int128;
  const auto cut = [](Wide value) {
    const Wide low = std::numeric_limits<int64_t>::min();
    const Wide high = std::numeric_limits<int64_t>::max();
    return value < low ? low : value > high ? high : value;
  };
  ClockRun result;
  Wide clock = 0;
  Wide offset = 0;
  std::vector<bool> behind(timestamps.size(), false);  // … and not the one that re-based
  for (size_t i = 0; i < timestamps.size(); ++i) {
    const Wide ts = timestamps[i];
    if (i == 0) {
      clock = ts;
    } else {
      const Wide adjusted = cut(ts + offset);
      const bool is_step = adjusted > cut(clock + kHour);
      const bool is_last = i + 1 == timestamps.size();
      const bool is_confirmed = is_last || timestamps[i + 1] >= cut(ts - kHour);
      if (is_step && !is_confirmed) {
        ++result.outliers;
      } else if (adjusted < cut(clock - kHour)) {
        if (behind[i - 1]) {
          offset = cut(clock - ts);
          ++result.rebases;
        } else {
          behind[i] = true;
        }
      } else if (adjusted > clock) {
        clock = adjusted;
      }
    }
    result.clocks.push_back(static_cast<int64_t>(clock));
  }
  return result;
}

TEST(SourceClock, StartsAtFirstTimestampAndNeverStepsBack) {
  const ClockRun result = run({kStart, kStart + 5, kStart + 3, kStart - kHour, kStart + 9});
  EXPECT_EQ(result.clocks,
            (std::vector<int64_t>{kStart, kStart + 5, kStart + 5, kStart + 5, kStart + 9}));
  EXPECT_EQ(result.outliers, 0u);
  EXPECT_EQ(result.rebases, 0u);
}

TEST(SourceClock, FollowsGapOfThreeHoursThatNextFrameConfirms) {
  const int64_t after = kStart + 3 * kHour;
  const ClockRun result = run({kStart, after, after + 1});
  EXPECT_EQ(result.clocks, (std::vector<int64_t>{kStart, after, after + 1}));
  EXPECT_EQ(result.outliers, 0u);
}

TEST(SourceClock, HourExactlyIsNoStep) {
  SourceClock clock;
  clock.advance(kStart, std::nullopt);
  EXPECT_FALSE(clock.needs_next(kStart + kHour));
  EXPECT_TRUE(clock.needs_next(kStart + kHour + 1));
}

TEST(SourceClock, NextFrameAnHourBeforeTheStepStillConfirmsIt) {
  const int64_t step = kStart + 10 * kHour;
  EXPECT_EQ(run({kStart, step, step - kHour}).outliers, 0u);
  EXPECT_EQ(run({kStart, step, step - kHour - 1}).outliers, 1u);
}

TEST(SourceClock, SingleOutlierEightyYearsAheadKeepsOldClock) {
  const ClockRun result = run({kStart, kStart + 80 * kYear, kStart + 1, kStart + 2});
  EXPECT_EQ(result.clocks, (std::vector<int64_t>{kStart, kStart, kStart + 1, kStart + 2}));
  EXPECT_EQ(result.outliers, 1u);
  EXPECT_EQ(result.rebases, 0u);
}

TEST(SourceClock, OutlierInFirstFrameIsLeftBehindByRebase) {
  const int64_t wrong = kStart + 80 * kYear;
  const ClockRun result = run({wrong, kStart, kStart + 1, kStart + 2, kStart + kSecond});
  EXPECT_EQ(result.clocks,
            (std::vector<int64_t>{wrong, wrong, wrong, wrong + 1, wrong + kSecond - 1}));
  EXPECT_EQ(result.outliers, 0u);
  EXPECT_EQ(result.rebases, 1u);
}

TEST(SourceClock, LastFrameMayStepForwardUnconfirmed) {
  const ClockRun result = run({kStart, kStart + 5 * kHour});
  EXPECT_EQ(result.clocks.back(), kStart + 5 * kHour);
  EXPECT_EQ(result.outliers, 0u);
}

TEST(SourceClock, SingleFrameBehindDoesNotRebase) {
  const ClockRun result =
      run({kStart, kStart - 2 * kHour, kStart + 1, kStart - 2 * kHour, kStart + 2});
  EXPECT_EQ(result.clocks,
            (std::vector<int64_t>{kStart, kStart, kStart + 1, kStart + 1, kStart + 2}));
  EXPECT_EQ(result.rebases, 0u);
}

TEST(SourceClock, TwoAheadThenTwoBackAreStepAndRebase) {
  const int64_t far = kStart + 7 * kHour;
  const ClockRun result =
      run({kStart, kStart + 1, far, far + 1, kStart + 2, kStart + 3, kStart + 4});
  EXPECT_EQ(result.clocks,
            (std::vector<int64_t>{kStart, kStart + 1, far, far + 1, far + 1, far + 1, far + 2}));
  EXPECT_EQ(result.outliers, 0u);
  EXPECT_EQ(result.rebases, 1u);
}

TEST(SourceClock, OutlierBetweenTwoFramesBehindPreventsRebase) {
  const ClockRun result =
      run({kStart, kStart - 2 * kHour, kStart + 9 * kHour, kStart - 2 * kHour, kStart});
  EXPECT_EQ(result.outliers, 1u);
  EXPECT_EQ(result.rebases, 0u);
  EXPECT_EQ(result.clocks.back(), kStart);
}

TEST(SourceClock, SecondFileWithOlderTimesGoesOnFromTheClock) {
  // The first file ends at kStart, the second was recorded a year before: its first frame is
  // behind, its second re-bases.
  const int64_t old = kStart - kYear;
  const ClockRun result = run({kStart - 1, kStart, old, old + 10, old + 30});
  EXPECT_EQ(result.clocks, (std::vector<int64_t>{kStart - 1, kStart, kStart, kStart, kStart + 20}));
  EXPECT_EQ(result.rebases, 1u);
}

TEST(SourceClock, EndsOfTheRangeSaturate) {
  constexpr int64_t kLow = std::numeric_limits<int64_t>::min();
  constexpr int64_t kHigh = std::numeric_limits<int64_t>::max();
  const std::vector<std::vector<int64_t>> sequences = {
      {kLow, kHigh, kHigh, kLow, kLow, kHigh, kLow},
      {kHigh, kLow, kLow, kLow, kHigh, kHigh},
      {0, kLow, kLow, kHigh, kHigh, kLow, kLow},
      {kHigh, kLow, kHigh, kLow},
      {kLow, kLow, kHigh, 0, 0, kHigh}};
  for (const auto& sequence : sequences) EXPECT_EQ(run(sequence), model(sequence));
}

TEST(SourceClock, EqualsModelOnEverySequenceOfFiveFromNineTimes) {
  const std::vector<int64_t> times = {kStart,
                                      kStart + 1,
                                      kStart + kHour,
                                      kStart + kHour + 1,
                                      kStart + 3 * kHour,
                                      kStart - kHour - 1,
                                      kStart - 9 * kHour,
                                      std::numeric_limits<int64_t>::max(),
                                      std::numeric_limits<int64_t>::min()};
  std::vector<int64_t> sequence(5);
  for (size_t code = 0; code < 9 * 9 * 9 * 9 * 9; ++code) {
    size_t rest = code;
    for (int64_t& ts : sequence) {
      ts = times[rest % 9];
      rest /= 9;
    }
    ASSERT_EQ(run(sequence), model(sequence)) << "sequence " << code;
  }
}

TEST(SourceClock, EqualsModelOnRandomWalks) {
  constexpr uint64_t kSeed = 20240607;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  const std::vector<int64_t> steps = {1,         kSecond,    kHour - 1,  kHour,
                                      kHour + 1, 2 * kHour,  80 * kYear, -1,
                                      -kHour,    -kHour - 1, -5 * kHour, -kYear};
  for (int round = 0; round < 3000; ++round) {
    std::vector<int64_t> sequence = {kStart};
    for (int i = 0; i < 30; ++i) {
      const int64_t step = random() % 3 == 0 ? steps[random() % steps.size()] : kSecond;
      // From the last one, or from the start: single outliers and lasting steps.
      const bool is_lasting = random() % 2 == 0 && sequence.back() < kStart + 80 * kYear;
      sequence.push_back((is_lasting ? sequence.back() : kStart) + step);
    }
    ASSERT_EQ(run(sequence), model(sequence)) << "round " << round;
  }
}

TEST(SourceClock, RunTakesOrdinaryFramesAndLeavesTheFirstOther) {
  const std::vector<int64_t> times = {
      kStart + kHour, kStart, kStart + 5, kStart + 2 * kHour, kStart + 3 * kHour + 1, kStart};
  std::vector<Frame> frames(times.size());
  for (size_t i = 0; i < times.size(); ++i) frames[i].ts_ns = times[i];
  SourceClock clock;
  EXPECT_EQ(clock.advance_run(frames), 0u);
  clock.advance(kStart, std::nullopt);
  EXPECT_EQ(clock.advance_run({}), 0u);
  EXPECT_EQ(clock.advance_run(frames), 4u);
  EXPECT_EQ(clock.now_ns(), kStart + 2 * kHour);
  EXPECT_EQ(frames[2].clock_ns, kStart + kHour);
  EXPECT_EQ(frames[4].clock_ns, 0);
}

TEST(SourceClock, RunsEqualModelForEveryCutOfHostileSequences) {
  constexpr uint64_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  constexpr int64_t kLow = std::numeric_limits<int64_t>::min();
  constexpr int64_t kHigh = std::numeric_limits<int64_t>::max();
  constexpr int64_t kFarthest = int64_t{1} << 62;  // where advance_run() gives up
  const std::vector<int64_t> places = {kStart, 0, kLow, kHigh, kFarthest, -kFarthest};
  const std::vector<int64_t> steps = {0,         1,      kHour,      kHour + 1, 2 * kHour,
                                      kHour * 9, -kHour, -kHour - 1, -1,        -2 * kHour};
  for (int round = 0; round < 4000; ++round) {
    const int64_t place = places[random() % places.size()];
    std::vector<int64_t> sequence;
    while (sequence.size() < 6) {
      const bool is_wild = random() % 8 == 0;
      const int64_t from = is_wild ? places[random() % places.size()] : place;
      int64_t ts = 0;
      if (__builtin_add_overflow(from, steps[random() % steps.size()], &ts)) ts = from;
      if (random() % 64 == 0) ts = static_cast<int64_t>(random());
      sequence.push_back(ts);
    }
    const ClockRun expected = model(sequence);
    for (uint32_t cuts = 0; cuts < 32; ++cuts) {
      const auto is_cut = [cuts](size_t i) { return (cuts >> i & 1) != 0; };
      ASSERT_EQ(run_in_batches(sequence, is_cut), expected) << "round " << round << " " << cuts;
    }
  }
}

TEST(SourceClock, RunsEqualModelOnRandomWalks) {
  constexpr uint64_t kSeed = 20240608;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 500; ++round) {
    std::vector<int64_t> sequence = {kStart};
    for (int i = 0; i < 300; ++i) {
      int64_t step = static_cast<int64_t>(random() % (2 * kSecond)) - kSecond / 2;
      if (random() % 50 == 0) step = static_cast<int64_t>(random() % (6 * kHour)) - 3 * kHour;
      sequence.push_back(sequence.back() + step);
    }
    const uint64_t period = 1 + random() % 100;
    const auto is_cut = [period](size_t i) { return i % period == 0; };
    ASSERT_EQ(run_in_batches(sequence, is_cut), model(sequence)) << "round " << round;
  }
}

// The clock is compared without overflow checks in a run, so a run must not leave the middle of the
// range however long it is and however fast the clock goes.
TEST(SourceClock, LongRunEqualsModelWhereTheRangeEnds) {
  for (const int64_t start : {-(int64_t{1} << 62), (int64_t{1} << 62) - 5 * kHour}) {
    std::vector<int64_t> sequence((1 << 20) + 5);
    for (size_t i = 0; i < sequence.size(); ++i) {
      sequence[i] = start + static_cast<int64_t>(i) * kHour;
    }
    // Not ASSERT_EQ: it would print them.
    ASSERT_TRUE(run_in_batches(sequence, [](size_t) { return false; }) == model(sequence));
  }
}

}  // namespace
}  // namespace weir
