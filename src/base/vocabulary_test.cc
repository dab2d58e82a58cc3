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

TEST(Statistics, IgnoredLinkTypesAreCountedByType) {
  Statistics one;
  one.add_verdict(Layer::kNone, Verdict::kIgnoredLinkType, 189, 100);
  one.add_verdict(Layer::kNone, Verdict::kIgnoredLinkType, 189, 50);
  one.add_verdict(Layer::kEthernet, Verdict::kErrorTruncated, 1, 10);
  Statistics other;
  for (uint16_t link_type = 200; link_type < 216; ++link_type)
    other.add_verdict(Layer::kNone, Verdict::kIgnoredLinkType, link_type, 1);
  one += other;
  EXPECT_EQ(one.ignored_link_types.rows[0].link_type, 189);
  EXPECT_EQ(one.ignored_link_types.rows[0].count.frames, 2u);
  EXPECT_EQ(one.ignored_link_types.rows[0].count.bytes, 150u);
  EXPECT_EQ(one.ignored_link_types.row_count, one.ignored_link_types.rows.size());
  EXPECT_EQ(one.ignored_link_types.others.frames, 1u);  // what the table has no room for

  FrameCount sum = one.ignored_link_types.others;
  for (const LinkTypeCount& row : one.ignored_link_types.rows) sum += row.count;
  EXPECT_EQ(sum.frames, one.of_class(VerdictClass::kIgnored).frames);
  EXPECT_EQ(sum.bytes, one.of_class(VerdictClass::kIgnored).bytes);
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
