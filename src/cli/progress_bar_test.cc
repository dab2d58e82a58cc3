// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace weir {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

TEST(ProgressBar, SaysHowFarHowFastAndHowLong) {
  EXPECT_EQ(progress_line(500'000'000, 1'000'000'000, 2 * kSecondNs),
            "[###############---------------]  50 %  500 MB of 1.0 GB  250 MB/s  2.0 s left");
}

TEST(ProgressBar, SaysWhatItKnowsOfAStream) {
  EXPECT_EQ(progress_line(500'000'000, 0, 2 * kSecondNs), "500 MB  250 MB/s");
}

TEST(ProgressBar, AnEstimateNeverExceedsTheWhole) {
  const std::string line = progress_line(2'000, 1'000, kSecondNs);
  EXPECT_NE(line.find(" 100 %"), std::string::npos) << line;
  EXPECT_EQ(line.find('-'), std::string::npos) << line;
}

TEST(ProgressBar, FitsATerminalAndHasNoSillyNumbers) {
  for (uint64_t total : {uint64_t{0}, uint64_t{1}, uint64_t{999'999}, UINT64_MAX}) {
    for (uint64_t done : {uint64_t{0}, uint64_t{1}, total / 3, total}) {
      for (int64_t elapsed_ns : {int64_t{0}, int64_t{1}, 3 * kSecondNs, 400'000 * kSecondNs}) {
        const std::string line = progress_line(done, total, elapsed_ns);
        EXPECT_LE(column_count(line), 89u) << line;
        EXPECT_EQ(line.find("nan"), std::string::npos) << line;
      }
    }
  }
}

}  // namespace
}  // namespace weir
