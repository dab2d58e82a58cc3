// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "weir/statistics.h"

namespace weir {
namespace {

TEST(Vocabulary, VerdictsHaveOneClassAndUniqueReasonsWithin) {
  std::set<std::string> seen;
  for (size_t value = 0; value < kVerdictCount; ++value) {
    const VerdictName& name = verdict_name(static_cast<Verdict>(value));
    EXPECT_TRUE(seen.insert(std::string(verdict_class_name(name.verdict_class)) + "." + name.reason)
                    .second);
    EXPECT_NE(std::string(name.help), "");
  }
}

TEST(Vocabulary, NamesFollowTheConventions) {
  EXPECT_STREQ(flow_state_name(FlowState::kTimedOut), "timed_out");
  EXPECT_STREQ(end_reason_name(EndReason::kNone), "");
  EXPECT_STREQ(end_reason_name(EndReason::kActive), "active");
  EXPECT_STREQ(conn_state_name(ConnState::kRstos0), "RSTOS0");
  EXPECT_STREQ(conn_state_name(ConnState::kOth), "OTH");
  EXPECT_STREQ(layer_name(Layer::kIcmpv6), "icmpv6");
  EXPECT_STREQ(limit_name(Limit::kHistorySize), "history_size");
}

TEST(Statistics, EachIdentityNoticesWhatIsMissingFromIt) {
  Statistics statistics;
  statistics.delivered = {3, 300};
  statistics.verdicts[1][static_cast<size_t>(Verdict::kDecoded)] = {2, 250};
  statistics.verdicts[2][static_cast<size_t>(Verdict::kErrorTruncated)] = {1, 50};
  statistics.flows.created = 2;
  statistics.flows.live = 1;
  statistics.flows.ended[static_cast<size_t>(EndReason::kIdle)] = 1;
  statistics.flows.in_live = {1, 100};
  statistics.flows.in_ended = {1, 150};
  EXPECT_TRUE(imbalance(statistics).is_zero());

  Statistics lost = statistics;
  lost.delivered.frames += 1;
  EXPECT_EQ(imbalance(lost).verdict_frames, 1);
  lost = statistics;
  lost.flows.in_ended.bytes -= 1;
  EXPECT_EQ(imbalance(lost).flow_bytes, 1);
  lost = statistics;
  lost.flows.live = 0;
  EXPECT_EQ(imbalance(lost).flows, 1);

  statistics += statistics;
  EXPECT_EQ(statistics.delivered.frames, 6u);
  EXPECT_TRUE(imbalance(statistics).is_zero()) << "sums of balanced parts balance";
}

}  // namespace
}  // namespace weir
