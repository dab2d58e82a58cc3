// SPDX-License-Identifier: Apache-2.0
#include "weir/handler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/handler_feed.h"
#include "weir/standard_catalog.h"

namespace weir::test {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

PacketBuilder dns(bool is_answer) {
  return is_answer ? from_server().payload("answer") : from_client().payload("question");
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
  frame.ts_ns = kFeedStartNs;
  handler.process(frame);
  frame.ts_ns = kFeedStartNs + int64_t{80} * 365 * 86400 * kSecond;
  handler.process(frame, kFeedStartNs + kSecond);
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

// --- Answers ---

using Calls = std::vector<std::string>;

// A handler that writes down what it is called with, and answers each kind of call as told.
struct Recorder {
  explicit Recorder(const HandlerOptions& options = {}) : handler(options) {
    handler.on_flow_start([this](const Flow&) { return note("start"); });
    handler.on_flow_update([this](const Flow&) { return note("update"); });
    handler.on_flow_end([this](const Flow&) { return note("end"); });
    handler.on_packet([this](const PacketEvent&) { return note("packet"); });
    handler.on_attribute("dns.type",
                         [this](const AttributeEvent& event) { return note(event.text()); });
  }
  Answer note(const std::string& call) {
    calls.push_back(call);
    return call == answering ? answer : Answer::kContinue;
  }
  // A query, its response, and after the active timeout a query once more.
  void run() {
    feed(handler, 0, from_client().payload(dns_query("a.example")));
    feed(handler, 1, from_server().payload(dns_answer("a.example")));
    feed(handler, 61, from_client().payload(dns_query("b.example")));
    handler.finish();
  }

  Handler handler;
  Calls calls;
  std::string answering;
  Answer answer = Answer::kContinue;
};

Calls calls_when(const std::string& answering, Answer answer) {
  Recorder recorder;
  recorder.answering = answering;
  recorder.answer = answer;
  recorder.run();
  EXPECT_TRUE(imbalance(recorder.handler.statistics()).is_zero());
  EXPECT_EQ(recorder.handler.statistics().delivered.frames, 3u);
  EXPECT_EQ(recorder.handler.paths().find("")->total.packets, 3u);
  EXPECT_EQ(recorder.handler.paths().find("")->total.flows, 1u);
  EXPECT_EQ(recorder.handler.is_stopped(), answer == Answer::kStopRun);
  return recorder.calls;
}

TEST(HandlerAnswers, ContinueCallsAllInOrder) {
  EXPECT_EQ(calls_when("", Answer::kContinue),
            (Calls{"start", "query", "packet", "response", "packet", "update", "query", "packet",
                   "end"}));
}

TEST(HandlerAnswers, StopPacketLeavesOutTheRestOfThePacket) {
  EXPECT_EQ(calls_when("start", Answer::kStopPacket),
            (Calls{"start", "response", "packet", "update", "query", "packet", "end"}));
  EXPECT_EQ(calls_when("query", Answer::kStopPacket),
            (Calls{"start", "query", "response", "packet", "update", "query", "end"}));
  EXPECT_EQ(calls_when("update", Answer::kStopPacket),
            (Calls{"start", "query", "packet", "response", "packet", "update", "end"}));
  EXPECT_EQ(calls_when("packet", Answer::kStopPacket), calls_when("", Answer::kContinue));
}

TEST(HandlerAnswers, StopFlowLeavesOutAllButItsEnd) {
  EXPECT_EQ(calls_when("start", Answer::kStopFlow), (Calls{"start", "end"}));
  EXPECT_EQ(calls_when("query", Answer::kStopFlow), (Calls{"start", "query", "end"}));
  EXPECT_EQ(calls_when("packet", Answer::kStopFlow), (Calls{"start", "query", "packet", "end"}));
  EXPECT_EQ(calls_when("update", Answer::kStopFlow),
            (Calls{"start", "query", "packet", "response", "packet", "update", "end"}));
  EXPECT_EQ(calls_when("end", Answer::kStopFlow), calls_when("", Answer::kContinue));
}

TEST(HandlerAnswers, StopRunLeavesOutEverythingAndStillCounts) {
  EXPECT_EQ(calls_when("start", Answer::kStopRun), Calls{"start"});
  EXPECT_EQ(calls_when("query", Answer::kStopRun), (Calls{"start", "query"}));
  EXPECT_EQ(calls_when("packet", Answer::kStopRun), (Calls{"start", "query", "packet"}));
  EXPECT_EQ(calls_when("update", Answer::kStopRun),
            (Calls{"start", "query", "packet", "response", "packet", "update"}));
  EXPECT_EQ(calls_when("end", Answer::kStopRun), calls_when("", Answer::kContinue));
}

TEST(HandlerAnswers, AStoppedFlowIsNotInspectedAndOthersAre) {
  for (const std::string answering : {"start", "query", "packet", "update"}) {
    Recorder recorder;
    recorder.answering = answering;
    recorder.answer = Answer::kStopFlow;
    for (const int second : {0, 59, 61})
      feed(recorder.handler, second, from_client().payload(dns_query("a.example")));
    const uint64_t before = recorder.handler.statistics().dpi.inspected_packets;
    feed(recorder.handler, 62, from_client().payload(dns_query("a.example")));
    EXPECT_EQ(recorder.handler.statistics().dpi.inspected_packets, before) << answering;
    recorder.answer = Answer::kContinue;
    feed(recorder.handler, 63, from_client(40001).payload(dns_query("b.example")));
    EXPECT_EQ(recorder.handler.statistics().dpi.inspected_packets, before + 1) << answering;
  }
}

TEST(HandlerAnswers, AnUpdateCanStopAFlowWhosePacketItIsNot) {
  Recorder recorder;
  recorder.answering = "update";
  recorder.answer = Answer::kStopFlow;
  feed(recorder.handler, 0, from_client().payload(dns_query("a.example")));
  feed(recorder.handler, 59, from_server().payload(dns_answer("a.example")));
  feed(recorder.handler, 70, from_client(40001).payload(dns_query("b.example")));
  EXPECT_EQ(std::ranges::count(recorder.calls, "update"), 1);
  recorder.calls.clear();
  recorder.answer = Answer::kContinue;
  feed(recorder.handler, 71, from_server().payload(dns_answer("a.example")));
  EXPECT_EQ(recorder.calls, Calls{});
  recorder.handler.finish();
  EXPECT_EQ(std::ranges::count(recorder.calls, "end"), 2);
}

TEST(HandlerAnswers, AFlowWithTheKeyOfAStoppedOneIsAnother) {
  Recorder recorder;
  recorder.answering = "start";
  recorder.answer = Answer::kStopFlow;
  feed(recorder.handler, 0, from_client().payload(dns_query("a.example")));
  recorder.answer = Answer::kContinue;
  feed(recorder.handler, 1000, from_client().payload(dns_query("a.example")));
  EXPECT_EQ(recorder.calls, (Calls{"start", "end", "start", "query", "packet"}));
}

TEST(HandlerAnswers, AnEndMayStopThePacketThatCausedItButNotOtherEnds) {
  Recorder recorder;
  recorder.answering = "end";
  recorder.answer = Answer::kStopPacket;
  feed(recorder.handler, 0, from_client(1).payload(dns_query("a.example")));
  feed(recorder.handler, 0, from_client(2).payload(dns_query("a.example")));
  recorder.calls.clear();
  feed(recorder.handler, 1000, from_client(3).payload(dns_query("a.example")));
  EXPECT_EQ(recorder.calls, (Calls{"update", "end", "update", "end"}))
      << "all of the others, nothing of the packet itself";
}

TEST(HandlerAnswers, AStoppedHandlerStaysStopped) {
  Recorder recorder;
  recorder.answering = "start";
  recorder.answer = Answer::kStopRun;
  recorder.run();
  recorder.run();
  EXPECT_EQ(recorder.calls, Calls{"start"});
  EXPECT_TRUE(recorder.handler.is_stopped());
  EXPECT_EQ(recorder.handler.statistics().delivered.frames, 6u);
  EXPECT_TRUE(imbalance(recorder.handler.statistics()).is_zero());
}

TEST(HandlerAnswers, AnExceptionIsAContinue) {
  Handler handler;
  int packet_count = 0;
  handler.on_flow_start([](const Flow&) { throw 1; });
  handler.on_attribute("dns.type", [](const AttributeEvent&) { throw 2; });
  handler.on_packet([&](const PacketEvent&) { ++packet_count; });
  feed(handler, 0, from_client().payload(dns_query("a.example")));
  EXPECT_EQ(packet_count, 1);
  EXPECT_EQ(handler.statistics().callback_errors, 2u);
}

// --- Packets and flows ---

TEST(Handler, AFrameWithoutAFlowHasAPacketCallbackAndNoOther) {
  Handler handler;
  Calls calls;
  handler.on_flow_start([&](const Flow&) { calls.push_back("start"); });
  handler.on_packet([&](const PacketEvent& packet) {
    calls.push_back(packet.flow == nullptr ? "no flow" : "flow");
    EXPECT_EQ(packet.flow_id == 0, packet.flow == nullptr);
    EXPECT_EQ(packet.payload, nullptr);
  });
  EXPECT_EQ(feed(handler, 0, ethernet().ipv4("192.0.2.1", "192.0.2.2").ip_protocol(17)),
            Verdict::kErrorTruncated);
  EXPECT_EQ(calls, Calls{"no flow"});
}

TEST(Handler, APacketShowsItsFlowWithIt) {
  Handler handler;
  std::vector<uint64_t> packets;
  std::vector<uint64_t> indexes;
  handler.on_packet([&](const PacketEvent& packet) {
    packets.push_back(packet.flow->record().src.total.packets);
    indexes.push_back(packet.index);
    EXPECT_EQ(packet.flow->record().id, packet.flow_id);
  });
  for (int index = 0; index < 3; ++index) feed(handler, index, dns(false));
  EXPECT_EQ(packets, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(indexes, (std::vector<uint64_t>{1, 2, 3}));
}

TEST(Handler, TheLastCallbackSetCounts) {
  Handler handler;
  int first = 0, second = 0;
  handler.on_packet([&](const PacketEvent&) { ++first; });
  handler.on_packet([&](const PacketEvent&) { ++second; });
  feed(handler, 0, dns(false));
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
}

TEST(Handler, MayBeMovedWhileFlowsLive) {
  Handler first;
  int ended = 0;
  std::string name;
  first.on_flow_end([&](const Flow& flow) {
    ++ended;
    name = flow.attribute("dns.query").value_or("");
  });
  feed(first, 0, from_client().payload(dns_query("a.example")));
  Handler second = std::move(first);
  feed(second, 1, from_server().payload(dns_answer("a.example")));
  Handler third;
  third = std::move(second);
  third.finish();
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(name, "a.example");
  EXPECT_EQ(third.statistics().delivered.frames, 2u);
}

// --- Scratch memory ---

TEST(HandlerScratch, IsEmptyAgainAfterEachFrame) {
  Handler handler;
  std::vector<size_t> granted;
  handler.on_packet([&](const PacketEvent&) {
    granted.push_back(handler.scratch(kScratchSizeMax).size());
    granted.push_back(handler.scratch(1).size());
  });
  for (int index = 0; index < 3; ++index) feed(handler, index, dns(false));
  const size_t all = kScratchSizeMax;
  EXPECT_EQ(granted, (std::vector<size_t>{all, 0, all, 0, all, 0}));
  EXPECT_EQ(handler.statistics().dpi.scratch_high_water, all);
  EXPECT_EQ(handler.statistics().dpi.scratch_size_max, all);
}

TEST(HandlerScratch, IsSharedByTheCallbacksOfAFrame) {
  Handler handler;
  std::span<uint8_t> mine;
  handler.on_flow_start([&](const Flow&) {
    mine = handler.scratch(4);
    std::ranges::fill(mine, uint8_t{7});
  });
  handler.on_packet([&](const PacketEvent&) {
    EXPECT_NE(handler.scratch(4).data(), mine.data());
    EXPECT_EQ(mine[3], 7);
  });
  feed(handler, 0, dns(false));
  ASSERT_EQ(mine.size(), 4u);
}

TEST(HandlerScratch, IsThereForEveryFlowThatEnds) {
  Handler handler;
  int granted = 0;
  handler.on_flow_end([&](const Flow&) { granted += !handler.scratch(kScratchSizeMax).empty(); });
  for (uint16_t port = 1; port <= 100; ++port) feed(handler, 0, from_client(port).payload("x"));
  feed(handler, 1000, from_client(200).payload("x"));
  EXPECT_EQ(granted, 100) << "of one frame";
  handler.finish();
  EXPECT_EQ(granted, 101);
}

TEST(HandlerScratch, NoneTakenIsNoneUsed) {
  Handler handler;
  handler.on_packet([](const PacketEvent&) {});
  feed(handler, 0, dns(false));
  EXPECT_EQ(handler.statistics().dpi.scratch_high_water, 0u);
}

// --- Threads ---

TEST(HandlerThreads, PathsMayBeReadWhileTheHandlerIsFed) {
  Handler handler;
  std::atomic<bool> is_done = false;
  uint64_t last = 0;
  std::thread reader([&] {
    bool is_last = false;
    while (!is_last) {
      is_last = is_done;
      const uint64_t packets = handler.paths().find("")->total.packets;
      EXPECT_GE(packets, last);
      last = packets;
      for (const PathNode& node : handler.paths().nodes())
        EXPECT_LE(node.own.packets, node.total.packets);
    }
  });
  for (int index = 0; index < 2000; ++index) {
    feed(handler, index * 0.01, dns(index % 2 == 1));
    feed(handler, index * 0.01, hello_packet("a.example", static_cast<uint16_t>(1000 + index)));
  }
  is_done = true;
  reader.join();
  EXPECT_EQ(last, 4000u);
  EXPECT_EQ(handler.paths().find("eth.ip.tcp.tls")->total.packets, 2000u);
}

TEST(HandlerThreads, HandlersShareAFrozenCatalogue) {
  const auto catalog = std::make_shared<const Catalog>(standard_catalog().freeze());
  constexpr size_t kThreadCount = 4;
  std::array<int, kThreadCount> names{};
  std::vector<std::thread> threads;
  for (size_t index = 0; index < kThreadCount; ++index) {
    threads.emplace_back([&, index] {
      Handler handler({}, catalog);
      handler.on_attribute(
          "tls.sni",
          [&](const AttributeEvent& event) { names[index] += event.text() == "a.example"; },
          "dst_port == 443");
      for (uint16_t port = 1; port <= 50; ++port) feed(handler, 0, hello_packet("a.example", port));
      handler.finish();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : names) EXPECT_EQ(count, 50);
}

}  // namespace
}  // namespace weir::test
