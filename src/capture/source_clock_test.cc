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

}  // namespace
}  // namespace weir
