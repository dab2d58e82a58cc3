// SPDX-License-Identifier: Apache-2.0
#include "cli/suggestion.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr std::string_view kWords[] = {"read", "protocols", "check", "flow.timeout.tcp"};

TEST(Suggestion, FindsTheNearestWord) {
  EXPECT_EQ(nearest_word("raed", kWords), "read");
  EXPECT_EQ(nearest_word("rea", kWords), "read");
  EXPECT_EQ(nearest_word("reads", kWords), "read");
  EXPECT_EQ(nearest_word("Read", kWords), "read");
  EXPECT_EQ(nearest_word("protocol", kWords), "protocols");
  EXPECT_EQ(nearest_word("flow.timeout.tpc", kWords), "flow.timeout.tcp");
  EXPECT_EQ(nearest_word("check", kWords), "check");
}

TEST(Suggestion, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest_word("", kWords), "");
  EXPECT_EQ(nearest_word("x", kWords), "");
  EXPECT_EQ(nearest_word("query", kWords), "");
  EXPECT_EQ(nearest_word(std::string(10'000, 'r'), kWords), "");
  EXPECT_EQ(nearest_word("read", {}), "");
}

TEST(Suggestion, EndsAMessage) {
  EXPECT_EQ(did_you_mean("chekc", kWords), ", did you mean check?");
  EXPECT_EQ(did_you_mean("monitor", kWords), "");
}

}  // namespace
}  // namespace weir
