// SPDX-License-Identifier: Apache-2.0
#include "export/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export/record_samples.h"
#include "flow/flow_fields.h"

namespace weir {
namespace {

TEST(Summary, CountsFinalRecordsOnly) {
  Summary summary;
  summary.add(tcp_sample());
  summary.add(udp_interim_sample());
  summary.add(layer2_sample());
  EXPECT_EQ(summary.total().flows, 2u);
  EXPECT_EQ(summary.total().packets, 1263u);
  EXPECT_EQ(summary.total().bytes, 1'803'606u);
  EXPECT_EQ(summary.first_seen_ns(), layer2_sample().first_seen_ns);
  EXPECT_EQ(summary.last_seen_ns(), tcp_sample().last_seen_ns);
  ASSERT_EQ(summary.protocols().size(), 2u);
  EXPECT_EQ(summary.protocols()[0].first, "tcp") << "most bytes first";
  EXPECT_EQ(summary.protocols()[1].first, "goose");
  EXPECT_EQ(summary.states()[static_cast<size_t>(FlowState::kClosed)].flows, 1u);
  EXPECT_EQ(summary.end_reasons()[static_cast<size_t>(EndReason::kForced)].packets, 1u);
}

TEST(Summary, AddsUp) {
  Summary one;
  Summary other;
  Summary both;
  for (Summary* summary : {&one, &both}) summary->add(tcp_sample());
  for (Summary* summary : {&other, &both}) summary->add(layer2_sample());
  one += other;
  one += Summary();
  EXPECT_EQ(summary_text(one, {}), summary_text(both, {}));
  Summary empty;
  empty += both;
  EXPECT_EQ(summary_text(empty, {}), summary_text(both, {}));
}

TEST(SummaryText, IsAScreenForPeople) {
  FlowRecord second = tcp_sample();
  second.first_seen_ns += 8'500'000'000;
  second.last_seen_ns += 8'500'000'000;
  Summary summary;
  summary.add(tcp_sample());
  summary.add(second);
  Statistics statistics;
  statistics.delivered = {1300, 2'000'000};
  const auto ipv4 = static_cast<size_t>(Layer::kIpv4);
  statistics.verdicts[ipv4][static_cast<size_t>(Verdict::kErrorTruncated)] = {2, 100};
  statistics.verdicts[ipv4][static_cast<size_t>(Verdict::kErrorBadLength)] = {1, 100};
  statistics.limits_hit[static_cast<size_t>(Limit::kFlowCount)] = 7;
  EXPECT_EQ("\n" + summary_text(summary, statistics), R"(
flows      2 flows · 2.5 k packets · 3.6 MB
span       2005-07-04T09:32:20.839354000Z to 2005-07-04T09:32:30.839354000Z (10.0 s)
rate       252 packets/s · 361 kB/s
protocols  tcp 2 flows 3.6 MB
states     closed 2
ended      end 2
frames     1.3 k frames · 2.0 MB
errors     truncated 2 · bad_length 1
limits hit flow_count 7
)");
}

TEST(SummaryText, NamesAppsAndServices) {
  const Catalog& catalog = flow_catalog();
  FlowRecord large = tcp_sample();
  large.app = catalog.protocol_number("tls");
  large.service = catalog.service_of("www.youtube.com");
  Summary summary;
  summary.add(large);
  summary.add(layer2_sample());
  Statistics statistics;
  statistics.dpi.add_error("tls", "bad_length", 2);
  statistics.dpi.gaps = 1;
  const std::string text = summary_text(summary, statistics, &catalog);
  EXPECT_THAT(text, ::testing::HasSubstr("\napps       tls 1 flow 1.8 MB · "));
  EXPECT_THAT(text, ::testing::HasSubstr("\nservices   youtube 1 flow 1.8 MB\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("\npayloads   malformed 2 · gaps 1\n"));
  EXPECT_THAT(summary_text(summary, statistics), ::testing::Not(::testing::HasSubstr("apps")));
}

TEST(SummaryText, EveryLineHasRoomForItsLabel) {
  Statistics statistics;
  for (size_t verdict = 0; verdict < kVerdictCount; ++verdict) {
    statistics.add_verdict(Layer::kNone, static_cast<Verdict>(verdict), 147, 60);
  }
  for (uint64_t& count : statistics.limits_hit) count = 1;
  statistics.drops_reported = 41;
  const std::string text = summary_text({}, statistics);
  EXPECT_THAT(text, ::testing::HasSubstr("drops      reported by the capturing program 41\n"));
  EXPECT_THAT(text, ::testing::HasSubstr("limits hit "));
}

TEST(SummaryText, IsShortWithoutFlows) {
  EXPECT_EQ(summary_text({}, {}),
            "flows      0 flows · 0 packets · 0 B\nframes     0 frames · 0 B\n");
}

}  // namespace
}  // namespace weir
