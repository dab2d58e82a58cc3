// SPDX-License-Identifier: Apache-2.0
//
// The Inspector with protocols made for the purpose: lines and counted datagrams.
#include <gtest/gtest.h>

#include "dpi/expectations.h"
#include "dpi/protocol_run.h"
#include "weir/byte_reader.h"

namespace weir {
namespace {

using test::from_hex;
using test::payload_of;
using test::PayloadBytes;
using test::ProtocolRun;
using test::RunOptions;

// A protocol of lines: "HELLO name", then anything; "BODY n" is followed by n bytes nobody looks at,
// "SWITCH" by another protocol.
enum LineAttribute : uint8_t { kName, kLines, kLast, kWords, kPair, kPairFirst, kPairSecond };
constexpr Attribute kLineAttributes[] = {
    {"line.name", FieldType::kString, kName, Keep::kFirst, "Who says hello.", Unit::kNone, true},
    {"line.lines", FieldType::kU64, kLines, Keep::kCount, "Lines."},
    {"line.last", FieldType::kString, kLast, Keep::kLast, "The last line."},
    {"line.words", FieldType::kString, kWords, Keep::kList, "Different lines."},
    {"line.pair", FieldType::kObject, kPair, Keep::kList, "Two letters."},
    {"line.pair.first", FieldType::kString, kPairFirst, Keep::kFirst, "The first."},
    {"line.pair.second", FieldType::kU8, kPairSecond, Keep::kFirst, "The second, as a number."},
};

struct LineState {
  uint32_t line_count;
};

Probe probe_line(const Payload& payload) {
  const std::string_view hello = "HELLO ";
  for (size_t at = 0; at < std::min(hello.size(), payload.bytes.size()); ++at) {
    if (payload.bytes[at] != static_cast<uint8_t>(hello[at])) return Probe::no();
  }
  return payload.bytes.size() < hello.size() ? Probe::more(hello.size()) : Probe::yes();
}

Parse parse_line(Context& context, const Payload& payload) {
  if (payload.gap_before) return Parse::error("gap");
  const auto end = std::find(payload.bytes.begin(), payload.bytes.end(), '\n');
  if (end == payload.bytes.end()) return Parse::need(payload.bytes.size() + 1);
  const auto size = static_cast<size_t>(end - payload.bytes.begin());
  const std::span<const uint8_t> line = payload.bytes.first(size);
  const std::string text(line.begin(), line.end());
  ++context.state<LineState>().line_count;
  context.set(kLines, 1u);
  context.set(kLast, line);
  context.set(kWords, text);
  if (text.starts_with("HELLO ")) context.set(kName, text.substr(6));
  if (text == "TWICE") {
    context.set(kWords, "x");
    context.set(kName, "first");
    context.set(kWords, "y");
    context.set(kLast, "before");
    context.set(kName, "second");
    context.set(kLast, text);
    context.set(kLines, 4u);
  }
  if (size == 2) {
    context.begin_object(kPair);
    context.set(kPairFirst, line.first(1));
    context.set(kPairSecond, line[1]);
    context.end_object();
  }
  context.end_message();
  if (text.starts_with("BODY ")) return Parse::next(size + 1 + std::stoul(text.substr(5)));
  if (text == "SWITCH") return Parse::carry("", size + 1);
  if (text == "UPGRADE") return Parse::upgrade("count", size + 1);
  if (text == "DONE") return Parse::done();
  if (text == "EXPECT") context.expect({"count", kOverUdp, 7777});
  return Parse::next(size + 1);
}

void end_line(Context& context) {
  context.set(kLast, "end after " + std::to_string(context.state<LineState>().line_count));
}

constexpr uint16_t kLinePorts[] = {4000};
constexpr Protocol kLine{.name = "line",
                         .help = "Lines for tests.",
                         .transports = kOverTcp,
                         .ports = kLinePorts,
                         .attributes = kLineAttributes,
                         .probe = probe_line,
                         .parse = parse_line,
                         .end = end_line,
                         .state_size = sizeof(LineState),
                         .every_message = true};

// Packets that begin with their number.
enum CountAttribute : uint8_t { kNumbers };
constexpr Attribute kCountAttributes[] = {
    {"count.numbers", FieldType::kU8, kNumbers, Keep::kList, "First bytes."}};

Probe probe_count(const Payload& payload) {
  if (payload.bytes.front() != 1 && payload.notes[0] == 0) return Probe::no();
  return ++payload.notes[0] < 3 ? Probe::maybe() : Probe::likely();
}

Parse parse_count(Context& context, const Payload& payload) {
  context.set(kNumbers, payload.bytes.front());
  return payload.is_datagram() ? Parse::next() : Parse::next(1);
}

constexpr uint16_t kCountPorts[] = {4000};
constexpr Protocol kCount{.name = "count",
                          .help = "Numbers for tests.",
                          .transports = kOverTcp | kOverUdp,
                          .ports = kCountPorts,
                          .attributes = kCountAttributes,
                          .probe = probe_count,
                          .parse = parse_count,
                          .keeps_notes = true};

const Catalog& catalog() {
  static const Catalog catalog = [] {
    CatalogBuilder builder;
    builder.add(kLine).add(kCount).add(Service{"example", "test", {"example.com"}});
    return builder.freeze();
  }();
  return catalog;
}

RunOptions options(Transport transport = kOverTcp) {
  return {.transport = transport, .catalog = &catalog()};
}

constexpr char kHelloJson[] =
    R"({"line":{"name":"www.example.com","lines":2,"last":"ab","words":["HELLO www.example.com","ab"],"pair":[{"first":"a","second":98}]}})";

TEST(Inspector, KeepsWhatAProtocolFindsAsItsRowsSay) {
  ProtocolRun run(options());
  EXPECT_TRUE(run.send(Side::kInitiator, "HELLO www.example.com\nab\n"));
  EXPECT_EQ(run.app(), "line");
  EXPECT_EQ(run.confidence(), AppConfidence::kCertain);
  EXPECT_EQ(run.method(), AppMethod::kDpi);
  EXPECT_EQ(run.json(), kHelloJson);
  EXPECT_EQ(run.attribute("line.pair"), "{first=a second=98}");
  run.finish();
  EXPECT_EQ(run.attribute("line.last"), "end after 2");
}

TEST(Inspector, ACarrierIsNotFoundInItselfWhenOneSideIsNobodys) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, "HELLO a\nSWITCH\n");
  run.send(Side::kInitiator, "nobody's");
  run.send(Side::kResponder, "HELLO b\n");
  EXPECT_EQ(run.path(), "line");
}

TEST(Inspector, AMessageHasOneValueOfWhatIsNoList) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, "HELLO a\n");
  run.send(Side::kInitiator, "TWICE\n");
  ASSERT_EQ(run.events().size(), 2u);
  EXPECT_EQ(run.events()[1],
            R"({"line":{"name":"first","lines":5,"last":"TWICE","words":["TWICE","x","y"]}})");
}

TEST(Inspector, PiecesOfAnySizeGiveTheSame) {
  for (size_t size = 1; size < 30; ++size) {
    ProtocolRun run(options());
    run.send_in_pieces(Side::kInitiator, payload_of("HELLO www.example.com\nab\n"), size);
    EXPECT_EQ(run.json(), kHelloJson) << size;
    EXPECT_EQ(run.events().size(), 2u);
  }
}

TEST(Inspector, SegmentsComeInOrderAndOnce) {
  ProtocolRun run(options());
  run.send_at(Side::kInitiator, 22, payload_of("ab\n"));
  run.send_at(Side::kInitiator, 11, payload_of("xample.com\nXXX"));
  EXPECT_EQ(run.app(), "unknown");
  run.send_at(Side::kInitiator, 0, payload_of("HELLO www.e"));
  EXPECT_EQ(run.attribute("line.lines"), "2");
  EXPECT_EQ(run.attribute("line.words"), "HELLO www.example.com ab")
      << "what was there first counts";
  run.send_at(Side::kInitiator, 0, payload_of("HELLO www.e"));
  EXPECT_EQ(run.attribute("line.lines"), "2");
  EXPECT_EQ(run.statistics().dpi.reordered, 2u);
  EXPECT_EQ(run.statistics().dpi.gaps, 0u);
}

TEST(Inspector, AHoleThatIsNotFilledIsAGap) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, "HELLO a\n");
  run.lose(Side::kInitiator, 100);
  for (uint32_t count = 0; count < kHeldSegmentsMax; ++count) run.send(Side::kInitiator, "x\n");
  EXPECT_FALSE(run.is_inspected());
  EXPECT_EQ(run.statistics().dpi.gaps, 1u);
  EXPECT_EQ(run.statistics().dpi.errors[0].reason, "gap");
  EXPECT_EQ(run.attribute("line.lines"), "1");
}

TEST(Inspector, SkippedBytesAreNeitherHeldNorMissed) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, "HELLO a\nBODY 100000\nabc");
  run.lose(Side::kInitiator, 50'000);
  run.send(Side::kInitiator, PayloadBytes(49'997, 'z'));
  run.send(Side::kInitiator, "after\n");
  EXPECT_EQ(run.attribute("line.last"), "after");
  EXPECT_EQ(run.statistics().dpi.gaps, 0u);
}

TEST(Inspector, ACutSegmentIsAGapUnlessItIsSkipped) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, payload_of("HELLO a\nBODY 10\n123"), 16 + 10);
  run.send(Side::kInitiator, "b\n");
  EXPECT_EQ(run.attribute("line.last"), "b");
  run.send(Side::kInitiator, payload_of("c\nd"), 40);
  run.send(Side::kInitiator, "e\n");
  EXPECT_EQ(run.statistics().dpi.gaps, 1u);
  EXPECT_FALSE(run.is_inspected());
}

TEST(Inspector, WhatDoesNotBeginAFlowDoesIfItsBeginWasNotSeen) {
  for (const bool is_midstream : {false, true}) {
    RunOptions run_options = options();
    run_options.is_midstream = is_midstream;
    ProtocolRun run(run_options);
    run.send(Side::kInitiator, "rest of a line\n");
    run.send(Side::kInitiator, "HELLO a\n");
    EXPECT_EQ(run.app(), is_midstream ? "line" : "unknown");
  }
}

TEST(Inspector, HandoverToACarriedProtocolGivesItTheFlow) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, "HELLO a\nSWITCH\n\x01\x02");
  run.send(Side::kInitiator, "\x01");
  run.send(Side::kInitiator, "\x01");
  EXPECT_EQ(run.app(), "count");
  EXPECT_EQ(run.path(), "line.count");
  EXPECT_EQ(run.method(), AppMethod::kHandover);
  EXPECT_EQ(run.confidence(), AppConfidence::kLikely);
  EXPECT_EQ(run.attribute("line.last"), "end after 2") << "the end of its part";
  EXPECT_EQ(run.attribute("count.numbers"), "1 2");
}

TEST(Inspector, AnUpgradeKeepsTheName) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, "HELLO a\nUPGRADE\n\x09");
  EXPECT_EQ(run.app(), "line");
  EXPECT_EQ(run.path(), "line.count");
  EXPECT_EQ(run.method(), AppMethod::kDpi);
  EXPECT_EQ(run.attribute("count.numbers"), "9");
}

TEST(Inspector, AnAnnouncedFlowIsExpected) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, "HELLO a\nEXPECT\n");
  run.next_flow(kOverUdp, 7777, 5000);
  run.send(Side::kInitiator, from_hex("40"));
  EXPECT_EQ(run.app(), "count");
  EXPECT_EQ(run.method(), AppMethod::kExpected);
  run.next_flow(kOverUdp, 7778, 5000);
  run.send(Side::kInitiator, from_hex("40"));
  EXPECT_EQ(run.app(), "unknown");
  run.next_flow(kOverUdp, 7777, 5000);
  run.advance_clock(kExpectationLifetimeNs + 1);
  run.send(Side::kInitiator, from_hex("40"));
  EXPECT_EQ(run.app(), "unknown") << "too late";
}

TEST(Inspector, ProbesMayLookAtSeveralPayloads) {
  ProtocolRun run(options(kOverUdp));
  for (int count = 0; count < 3; ++count) {
    EXPECT_EQ(run.app(), "unknown");
    run.send(Side::kInitiator, from_hex("01"));
  }
  EXPECT_EQ(run.app(), "count");
  EXPECT_EQ(run.confidence(), AppConfidence::kLikely);
}

TEST(Inspector, BudgetsEndClassificationAndExtraction) {
  ProtocolRun run(options(kOverUdp));
  uint32_t count = 0;
  while (run.send(Side::kInitiator, from_hex("77"))) ++count;
  EXPECT_EQ(count + 1, kClassifyPacketsMax);
  ProtocolRun other(options(kOverUdp));
  count = 0;
  while (other.send(Side::kInitiator, from_hex("01"))) ++count;
  EXPECT_EQ(count + 1, 2 + kExtractPacketsMax);
}

TEST(Inspector, AMessageThatNeverEndsIsGivenUp) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, "HELLO a\n");
  uint32_t count = 0;
  while (run.send(Side::kInitiator, PayloadBytes(1000, 'z')) && count < 100) ++count;
  EXPECT_EQ(count, kAssemblySizeMax / 1000);
  EXPECT_GT(run.statistics().limits_hit[static_cast<size_t>(Limit::kDpiAssembly)], 0u);
}

TEST(Inspector, AttributesHaveRoomForSomeAndTheFirstStay) {
  ProtocolRun run(options());
  run.send(Side::kInitiator, "HELLO a\n");
  for (int number = 0; number < 20; ++number)
    run.send(Side::kInitiator, std::string(200, static_cast<char>('a' + number)) + "\n");
  EXPECT_EQ(run.attribute("line.name"), "a");
  EXPECT_EQ(run.attribute("line.lines"), "21");
  EXPECT_LE(run.json().size(), kAttributesSizeMax + 200);
  EXPECT_GT(run.statistics().limits_hit[static_cast<size_t>(Limit::kAttributes)], 0u);
}

TEST(Inspector, WhoSaidMaybeHasTheFlowInTheEndIfItIsItsPort) {
  for (const uint16_t port : {uint16_t{4000}, uint16_t{4001}}) {
    RunOptions run_options = options();
    run_options.dst_port = port;
    ProtocolRun run(run_options);
    run.send(Side::kInitiator, "\x01");
    EXPECT_EQ(run.app(), "unknown");
    run.finish();
    EXPECT_EQ(run.app(), port == 4000 ? "count" : "unknown");
    EXPECT_EQ(run.confidence(), port == 4000 ? AppConfidence::kLikely : AppConfidence::kNone);
  }
}

TEST(Inspector, EveryLimitAtOneStillAnswers) {
  RunOptions run_options = options();
  ProtocolRun run(run_options);
  MemoryPool none(1);
  ProtocolTable table(catalog());
  Inspector inspector(
      table, {.inspection_count_max = 1, .assembly_count_max = 1, .attributes_count_max = 1}, none);
  FlowDpi flow;
  Segment segment;
  const PayloadBytes bytes = payload_of("HELLO a\n");
  segment.payload.bytes = bytes;
  EXPECT_FALSE(inspector.inspect(flow, segment)) << "the pool refuses";
  inspector.end(flow, 0);
  inspector.release(flow);
  Statistics statistics;
  inspector.add_statistics(statistics);
  EXPECT_EQ(statistics.limits_hit[static_cast<size_t>(Limit::kDpiFlows)], 1u);
}

}  // namespace
}  // namespace weir
