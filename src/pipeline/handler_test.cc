// SPDX-License-Identifier: Apache-2.0
#include "weir/handler.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStartNs = 1'700'000'000 * kSecond;

Verdict feed(Handler& handler, double second, const PacketBuilder& builder) {
  const Bytes bytes = builder.bytes();
  Frame frame;
  frame.data = bytes.data();
  frame.captured_size = frame.wire_size = static_cast<uint32_t>(bytes.size());
  frame.link_type = builder.link_type();
  frame.ts_ns = kStartNs + static_cast<int64_t>(second * 1e9);
  return handler.process(frame);
}

PacketBuilder dns(bool is_answer) {
  return is_answer ? ethernet().ipv4("192.0.2.53", "192.0.2.1").udp(53, 40000).payload("answer")
                   : ethernet().ipv4("192.0.2.1", "192.0.2.53").udp(40000, 53).payload("question");
}

TEST(Handler, CallsBackStartPacketsUpdateAndEndInOrder) {
  Handler handler;
  std::vector<std::string> calls;
  handler.on_flow_start([&](const Flow& flow) { calls.push_back("start " + flow.text("src_ip")); });
  handler.on_packet([&](const PacketEvent& packet) {
    calls.push_back("packet " + std::to_string(packet.payload_captured));
  });
  handler.on_flow_update([&](const Flow& flow) {
    calls.push_back("update " + std::to_string(flow.record().src.delta.packets));
  });
  handler.on_flow_end([&](const Flow& flow) { calls.push_back("end " + flow.text("end_reason")); });
  feed(handler, 0, dns(false));
  feed(handler, 1, dns(true));
  feed(handler, 61, dns(true));
  handler.finish();
  const std::vector<std::string> expected = {"start 192.0.2.1", "packet 8", "packet 6",
                                             "update 1",        "packet 6", "end forced"};
  EXPECT_EQ(calls, expected);
  EXPECT_TRUE(imbalance(handler.statistics()).is_zero());
}

TEST(Handler, AnswersEveryFrameWithItsVerdict) {
  Handler handler;
  EXPECT_EQ(feed(handler, 0, dns(false)), Verdict::kDecoded);
  EXPECT_EQ(feed(handler, 0, ethernet().ipv4("192.0.2.1", "192.0.2.2").ip_protocol(17)),
            Verdict::kErrorTruncated);
  PacketBuilder strange(147);
  EXPECT_EQ(feed(handler, 0, strange.payload("?")), Verdict::kIgnoredLinkType);
  const Statistics statistics = handler.statistics();
  EXPECT_EQ(statistics.delivered.frames, 3u);
  EXPECT_EQ(statistics.flows.live, 1u);
  EXPECT_TRUE(imbalance(statistics).is_zero()) << "also while flows live";
}

TEST(Handler, AnExceptionInACallbackIsCountedAndNothingStops) {
  Handler handler;
  int ended = 0;
  handler.on_packet([](const PacketEvent&) { throw std::runtime_error("mine"); });
  handler.on_flow_end([&](const Flow&) {
    ++ended;
    throw 42;
  });
  feed(handler, 0, dns(false));
  feed(handler, 1, dns(true));
  handler.finish();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(handler.statistics().callback_errors, 3u);
}

TEST(Handler, TwoHandlersInOneProcessShareNothing) {
  const auto run = [](int packets, std::string& json, Statistics& statistics) {
    Handler handler;
    handler.on_flow_end([&](const Flow& flow) { json = flow.json(); });
    for (int index = 0; index < packets; ++index) feed(handler, index, dns(index % 2 == 1));
    handler.finish();
    statistics = handler.statistics();
  };
  std::string one_json, other_json;
  Statistics one, other;
  std::thread first([&] { run(10, one_json, one); });
  std::thread second([&] { run(20, other_json, other); });
  first.join();
  second.join();
  EXPECT_EQ(one.delivered.frames, 10u);
  EXPECT_EQ(other.delivered.frames, 20u);
  EXPECT_NE(one_json.find("\"src_packets\":5,"), std::string::npos) << one_json;
  EXPECT_NE(other_json.find("\"src_packets\":10,"), std::string::npos) << other_json;
}

TEST(Handler, AWrongTimestampMovesNoClockWhenTheNextOneIsKnown) {
  Handler handler;
  int ended = 0;
  handler.on_flow_end([&](const Flow&) { ++ended; });
  const Bytes bytes = dns(false).bytes();
  Frame frame;
  frame.data = bytes.data();
  frame.captured_size = frame.wire_size = static_cast<uint32_t>(bytes.size());
  frame.link_type = 1;
  frame.ts_ns = kStartNs;
  handler.process(frame);
  frame.ts_ns = kStartNs + int64_t{80} * 365 * 86400 * kSecond;
  handler.process(frame, kStartNs + kSecond);
  EXPECT_EQ(ended, 0);
  EXPECT_EQ(handler.statistics().time_outliers, 1u);
  handler.process(frame);
  EXPECT_EQ(ended, 1) << "nothing said otherwise: a gap";
}

TEST(Handler, MayBeFedAgainAfterFinish) {
  Handler handler;
  int ended = 0;
  handler.on_flow_end([&](const Flow&) { ++ended; });
  for (int round = 0; round < 3; ++round) {
    feed(handler, round, dns(false));
    handler.finish();
  }
  EXPECT_EQ(ended, 3);
  EXPECT_TRUE(imbalance(handler.statistics()).is_zero());
}

}  // namespace
}  // namespace weir::test
