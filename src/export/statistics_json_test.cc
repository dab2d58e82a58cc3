// SPDX-License-Identifier: Apache-2.0
#include "export/statistics_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export/record_samples.h"
#include "flow/flow_fields.h"

namespace weir {
namespace {

using testing::HasSubstr;

TEST(StatisticsJson, WritesEveryPart) {
  Statistics statistics;
  statistics.delivered = {1265, 1'803'806};
  statistics.captured_bytes = 1'000'000;
  const auto set = [&](Layer layer, Verdict verdict, FrameCount count) {
    statistics.verdicts[static_cast<size_t>(layer)][static_cast<size_t>(verdict)] = count;
  };
  set(Layer::kTcp, Verdict::kDecoded, {1262, 1'803'456});
  set(Layer::kUdp, Verdict::kUnflowedFragment, {1, 100});
  set(Layer::kPpp, Verdict::kIgnoredControl, {1, 60});
  set(Layer::kIpv4, Verdict::kErrorTruncated, {1, 190});
  statistics.flows.created = 1;
  statistics.flows.ended[static_cast<size_t>(EndReason::kEnd)] = 1;
  statistics.flows.ended_by_state[static_cast<size_t>(FlowState::kClosed)] = 1;
  statistics.flows.in_ended = {1262, 1'803'456};
  statistics.limits_hit[static_cast<size_t>(Limit::kHistorySize)] = 3;
  statistics.time_outliers = 4;
  statistics.drops_reported = 17;
  Summary summary;
  summary.add(tcp_sample());
  const Timing timings[] = {{"read", 1'500'000'000}};
  ASSERT_TRUE(imbalance(statistics).is_zero());

  const std::string text = statistics_json(statistics, summary, timings);
  EXPECT_TRUE(text.starts_with(
      "{\n  \"frames\": 1265,\n  \"wire_bytes\": 1803806,\n  \"captured_bytes\": 1000000,\n"
      "  \"decoded\": 1263,\n  \"ignored\": {\n    \"link_type\": 0,\n    \"family\": 0,\n"
      "    \"control\": 1,\n"))
      << text;
  EXPECT_TRUE(text.ends_with("\"timings\": {\n    \"read\": 1.5\n  }\n}\n")) << text;
  EXPECT_THAT(text, HasSubstr("  \"unflowed\": {\n    \"fragment\": 1,\n"));
  EXPECT_THAT(text, HasSubstr("  \"verdict_bytes\": {\n    \"decoded\": 1803556,\n"));
  EXPECT_THAT(text, HasSubstr("  \"by_layer\": {\n"
                              "    \"ip\": {\n      \"truncated\": 1\n    },\n"
                              "    \"tcp\": {\n      \"decoded\": 1262\n    },\n"
                              "    \"udp\": {\n      \"fragment\": 1\n    },\n"
                              "    \"ppp\": {\n      \"control\": 1\n    }\n  },\n"));
  EXPECT_THAT(
      text, HasSubstr("\"ended\": {\n      \"idle\": 0,\n      \"end\": 1,\n      \"forced\": 0,\n"
                      "      \"resources\": 0\n    }"));
  EXPECT_THAT(text, HasSubstr("\"closed\": 1,\n"));
  EXPECT_THAT(
      text,
      HasSubstr("\"protocols\": {\n    \"tcp\": {\n      \"flows\": 1,\n      \"packets\": 1262,\n"
                "      \"bytes\": 1803456\n    }\n  }"));
  EXPECT_THAT(text, HasSubstr("\"first_seen\": \"2005-07-04T09:32:20.839354000Z\""));
  EXPECT_THAT(text, HasSubstr("\"imbalance\": {\n    \"verdict_frames\": 0,\n"));
  EXPECT_THAT(text, HasSubstr("\"limits_hit\": [\"history_size\"]"));
  EXPECT_THAT(text, HasSubstr("\"outliers\": 4"));
  EXPECT_THAT(text, HasSubstr("\"drops_reported\": 17"));
}

// The order of first sight is that of threads; names are not.
TEST(StatisticsJson, SaysWhatWasLookedInto) {
  Statistics statistics;
  statistics.dpi.inspected_flows = 5;
  statistics.dpi.inspected_packets = 40;
  statistics.dpi.classified_flows = 4;
  statistics.dpi.gaps = 3;
  statistics.dpi.overlaps = 2;
  statistics.dpi.reordered = 1;
  statistics.dpi.add_error("tls", "bad_length", 2);
  statistics.dpi.add_error("dns", "loop", 1);
  statistics.dpi.add_error("tls", "bad_extension", 4);
  EXPECT_THAT(
      statistics_json(statistics, {}, {}),
      HasSubstr("  \"dpi\": {\n    \"inspected_flows\": 5,\n    \"inspected_packets\": 40,\n"
                "    \"classified_flows\": 4,\n    \"gaps\": 3,\n    \"overlaps\": 2,\n"
                "    \"reordered\": 1,\n    \"refused\": 0,\n    \"scratch\": {\n"
                "      \"limit\": 0,\n      \"peak\": 0\n    },\n    \"errors\": {\n"
                "      \"dns\": {\n        \"loop\": 1\n      },\n"
                "      \"tls\": {\n        \"bad_extension\": 4,\n"
                "        \"bad_length\": 2\n      }\n    },\n    \"other_errors\": 0\n  },\n"));
}

TEST(StatisticsJson, AddsUpAppsAndServices) {
  const Catalog& catalog = flow_catalog();
  FlowRecord record = tcp_sample();
  record.app = catalog.protocol_number("tls");
  record.service = catalog.service_of("www.youtube.com");
  Summary summary;
  summary.add(record);
  const std::string sum =
      "      \"flows\": 1,\n      \"packets\": 1262,\n      \"bytes\": 1803456\n    }\n  },\n";
  EXPECT_THAT(statistics_json({}, summary, {}, &catalog),
              HasSubstr("  \"apps\": {\n    \"tls\": {\n" + sum +
                        "  \"services\": {\n    \"youtube\": {\n" + sum));
  EXPECT_THAT(statistics_json({}, summary, {}), HasSubstr("\"apps\": {},\n  \"services\": {},\n"));
}

TEST(StatisticsJson, NamesIgnoredLinkTypesByNumber) {
  Statistics statistics;
  statistics.add_verdict(Layer::kNone, Verdict::kIgnoredLinkType, 189, 100);
  statistics.add_verdict(Layer::kNone, Verdict::kIgnoredLinkType, 160, 100);
  statistics.add_verdict(Layer::kNone, Verdict::kIgnoredLinkType, 189, 100);
  statistics.add_verdict(Layer::kNone, Verdict::kIgnoredLinkType, 9999, 100);
  EXPECT_THAT(statistics_json(statistics, {}, {}),
              HasSubstr("\"ignored_link_types\": {\n    \"USER13\": 1,\n    \"USB_LINUX\": 2,\n"
                        "    \"link-type-9999\": 1\n  },\n"));
  for (uint16_t link_type = 1000; link_type < 1020; ++link_type)
    statistics.ignored_link_types.add(link_type, {1, 1});
  EXPECT_THAT(statistics_json(statistics, {}, {}), HasSubstr("\"others\": 7\n  },\n"));
}

// Every reason is there even when nothing happened, so a reader never has to ask whether a key
// exists.
TEST(StatisticsJson, HasEveryReasonWhenNothingHappened) {
  const std::string text = statistics_json({}, {}, {});
  for (size_t verdict = 0; verdict < kVerdictCount; ++verdict) {
    const std::string reason = verdict_name(static_cast<Verdict>(verdict)).reason;
    EXPECT_THAT(text, HasSubstr("\"" + reason + "\": 0"));
  }
  EXPECT_THAT(text, HasSubstr("\"by_layer\": {},"));
  EXPECT_THAT(text, HasSubstr("\"span\": {},"));
  EXPECT_THAT(text, HasSubstr("\"limits_hit\": [],"));
}

TEST(StatisticsJson, ShowsAnImbalance) {
  Statistics statistics;
  statistics.flows.ended[static_cast<size_t>(EndReason::kIdle)] = 1;
  EXPECT_THAT(statistics_json(statistics, {}, {}), HasSubstr("\"flows\": -1\n  }"));
}

}  // namespace
}  // namespace weir
