// SPDX-License-Identifier: Apache-2.0
//
// The flow table at its limits: too many flows, too little memory, counters and histories at their
// edges. What holds everywhere: every frame and every flow is accounted for, and both update() give
// the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <set>

#include "flow/flow_builder.h"
#include "flow/flow_traffic.h"
#include "tests/support/scale.h"

namespace weir::test {
namespace {

constexpr uint64_t kAmple = uint64_t{1} << 32;

// What a table takes of memory once it has one IPv4 flow. A pool of that size refuses whatever else
// it could want: rare parts, wide addresses, more flows than the first step has.
uint64_t size_with_one_flow(FlowTableOptions options) {
  MemoryPool pool(kAmple);
  options.pool = &pool;
  Traffic traffic(options);
  traffic.send(kStartNs, udp(1));
  traffic.flush();
  return pool.used_size();
}

// --- Who makes room

// What one sort of flows in a full table did last.
struct Sort {
  double last_second;
  size_t size;  // of the packet before it
  bool is_answered;
};

// Fills one window of the eviction, every fourth flow with the one sort and the others with the
// other, and brings a flow too many at second 55. Which flows had to go?
std::set<uint32_t> victims(Eviction eviction, const Sort& three_quarters, const Sort& one_quarter) {
  constexpr uint32_t kFlowCount = 64;
  Traffic traffic(options_of(kFlowCount, eviction));
  traffic.is_aging = false;  // there would be pressure
  for (uint32_t flow = 0; flow < kFlowCount; ++flow) traffic.send(at_second(0), udp(flow));
  const bool is_first_older = three_quarters.last_second < one_quarter.last_second;
  for (const bool is_quarter : {is_first_older ? false : true, is_first_older}) {
    const Sort& sort = is_quarter ? one_quarter : three_quarters;
    for (uint32_t flow = 0; flow < kFlowCount; ++flow) {
      if ((flow % 4 == 3) != is_quarter) continue;
      traffic.send(at_second(sort.last_second), udp(flow, false, sort.size));
      traffic.send(at_second(sort.last_second), udp(flow, sort.is_answered));
    }
  }
  traffic.flush();
  EXPECT_EQ(traffic.table().live_count(), kFlowCount);
  EXPECT_TRUE(traffic.records().empty());
  traffic.send(at_second(55), udp(kFlowCount));
  traffic.flush();
  traffic.expect_balance();
  std::set<uint32_t> gone;
  for (const FlowRecord& record : traffic.records()) {
    EXPECT_EQ(record.end_reason, EndReason::kResources);
    gone.insert(client_of(record));
  }
  EXPECT_EQ(traffic.table().live_count() + gone.size(), kFlowCount + 1);
  return gone;
}

std::set<uint32_t> every_fourth() {
  std::set<uint32_t> flows;
  for (uint32_t flow = 3; flow < 64; flow += 4) flows.insert(flow);
  return flows;
}

constexpr Sort kSmall{50, 60, true};
constexpr Sort kLarge{50, 1400, true};

TEST(FlowEviction, UnansweredFlowsGoFirstWhateverTheySent) {
  EXPECT_EQ(victims(Eviction::kValue, kSmall, {50, 1400, false}), every_fourth());
}

TEST(FlowEviction, LittleTrafficGoesBeforeMuch) {
  EXPECT_EQ(victims(Eviction::kValue, kLarge, kSmall), every_fourth());
}

TEST(FlowEviction, RecentFlowsWithMuchTrafficOutliveOldOnesWithLittle) {
  EXPECT_EQ(victims(Eviction::kValue, kLarge, {5, 60, true}), every_fourth());
}

TEST(FlowEviction, TrafficOfLongAgoCountsLess) {
  EXPECT_EQ(victims(Eviction::kValue, {50, 400, true}, {5, 1400, true}), every_fourth());
}

TEST(FlowEviction, OfEqualsTheLongestSilentGoesFirst) {
  EXPECT_EQ(victims(Eviction::kValue, kSmall, {49.9, 60, true}), every_fourth());
  // Of flows that are worth nothing more may go, but not before these.
  const std::set<uint32_t> gone = victims(Eviction::kValue, {50, 60, false}, {49.9, 60, false});
  const std::set<uint32_t> oldest = every_fourth();
  EXPECT_TRUE(std::includes(gone.begin(), gone.end(), oldest.begin(), oldest.end()));
}

TEST(FlowEviction, LruAsksForNothingButSilence) {
  EXPECT_EQ(victims(Eviction::kLru, {50, 60, false}, {49.9, 1400, true}), every_fourth());
}

TEST(FlowEviction, AFlowThatIsOverAnywayEndsAsItWouldHave) {
  Traffic traffic(options_of(4));
  traffic.is_aging = false;
  for (uint32_t flow = 0; flow < 4; ++flow) traffic.send(at_second(0), udp(flow));
  traffic.send(at_second(61), udp(4));
  traffic.flush();
  EXPECT_GE(traffic.ended(EndReason::kIdle), 1u);
  EXPECT_EQ(traffic.ended(EndReason::kResources), 0u);
  EXPECT_EQ(traffic.table().limit_hits(Limit::kFlowCount), 1u);
}

TEST(FlowEviction, NoneRefusesWithItsVerdictAndBalances) {
  for (const Path path : {Path::kPackets, Path::kDigests}) {
    Traffic traffic(options_of(10, Eviction::kNone), path);
    for (uint32_t flow = 0; flow < 100; ++flow) {
      traffic.send(at_second(1), udp(flow));
      traffic.send(at_second(1), udp(flow, true));
    }
    traffic.flush();
    traffic.expect_balance();
    EXPECT_EQ(traffic.table().live_count(), 10u);
    EXPECT_EQ(traffic.refused().frames, 180u);
    EXPECT_EQ(traffic.table().limit_hits(Limit::kFlowCount), 180u);
    traffic.finish();
    traffic.expect_balance();
    EXPECT_EQ(traffic.ended(EndReason::kForced), 10u);
  }
}

// --- Pressure

TEST(FlowPressure, HalfOpenFlowsEndEarlyOnlyAboveTheHighWaterMark) {
  Traffic traffic(options_of(100));
  constexpr uint32_t kAnswered = 30;
  for (uint32_t flow = 0; flow < 80; ++flow) {
    traffic.send(at_second(0), udp(flow));
    if (flow < kAnswered) traffic.send(at_second(0), udp(flow, true));
  }
  traffic.flush();
  for (int turn = 0; turn < 10; ++turn) traffic.age(at_second(20));
  EXPECT_EQ(traffic.table().live_count(), 80u) << "at the mark, and 20 s old";

  constexpr uint32_t kYoung = 80;
  for (uint32_t flow = kYoung; flow < 95; ++flow) traffic.send(at_second(20), udp(flow));
  traffic.flush();
  for (int turn = 0; turn < 10; ++turn) traffic.age(at_second(24.9));
  EXPECT_LE(traffic.table().live_count(), 80u);
  const uint64_t ended = traffic.ended(EndReason::kResources);
  EXPECT_GE(ended, 15u);
  EXPECT_EQ(traffic.table().limit_hits(Limit::kFlowPressure), ended);
  for (const FlowRecord& record : traffic.records()) {
    EXPECT_EQ(record.state, FlowState::kNew);
    EXPECT_GE(client_of(record), kAnswered);
    EXPECT_LT(client_of(record), kYoung);
  }
  for (int turn = 0; turn < 10; ++turn) traffic.age(at_second(40));
  EXPECT_EQ(traffic.ended(EndReason::kResources), ended) << "below the mark again";
  traffic.finish();
  traffic.expect_balance();
}

TEST(FlowPressure, LeavesHalfOpenFlowsTheirPressureTimeout) {
  Traffic traffic(options_of(100));
  for (uint32_t flow = 0; flow < 100; ++flow) traffic.send(at_second(0), udp(flow));
  traffic.flush();
  for (int turn = 0; turn < 10; ++turn) traffic.age(at_second(5));
  EXPECT_EQ(traffic.table().live_count(), 100u);
  for (int turn = 0; turn < 10; ++turn) traffic.age(at_second(5.1));
  EXPECT_LE(traffic.table().live_count(), 80u);
}

TEST(FlowPressure, ATimeoutThatIsDueIsNotPressure) {
  FlowTableOptions options = options_of(100);
  options.timeouts.set_family(FlowFamily::kUdp, 2 * kSecondNs);
  Traffic traffic(options);
  for (uint32_t flow = 0; flow < 100; ++flow) traffic.send(at_second(0), udp(flow));
  traffic.flush();
  for (int turn = 0; turn < 10; ++turn) traffic.age(at_second(10));
  EXPECT_EQ(traffic.ended(EndReason::kIdle), 100u);
  EXPECT_EQ(traffic.table().limit_hits(Limit::kFlowPressure), 0u);
}

TEST(FlowPressure, NoneEndsNothingEarly) {
  Traffic traffic(options_of(100, Eviction::kNone));
  for (uint32_t flow = 0; flow < 100; ++flow) traffic.send(at_second(0), udp(flow));
  traffic.flush();
  for (int turn = 0; turn < 10; ++turn) traffic.age(at_second(30));
  EXPECT_EQ(traffic.table().live_count(), 100u);
}

TEST(FlowEviction, AFlowThatWasSilentForHalfItsTimeoutEndsIdle) {
  Traffic traffic(options_of(1));
  traffic.send(at_second(0), udp(0));
  traffic.send(at_second(31), udp(1));
  traffic.send(at_second(32), udp(2));
  traffic.flush();
  ASSERT_EQ(traffic.records().size(), 2u);
  EXPECT_EQ(traffic.records()[0].state, FlowState::kIdle);
  EXPECT_EQ(traffic.records()[1].state, FlowState::kNew);
  for (const FlowRecord& record : traffic.records())
    EXPECT_EQ(record.end_reason, EndReason::kResources);
}

// --- Floods

// Packets of flows that nobody answers fill the table several times a second; a thousand flows in
// between send one packet a second, in turn from both ends. Half of these begin before the flood
// and half in it; each is to be one record.
TEST(FlowFlood, LegitimateFlowsStayWhole) {
  constexpr uint32_t kLegitimate = 1000;
  constexpr uint32_t kFlood = 3'000'000 / kScale;
  constexpr uint32_t kFloodPerSecond = 60'000;
  constexpr uint32_t kFloodPerLegitimate = kFloodPerSecond / kLegitimate;
  FlowTableOptions options = options_of(20'000);
  options.makes_interim_records = false;
  Traffic traffic(options);
  std::vector<uint32_t> records(kLegitimate);
  std::vector<uint64_t> packets(kLegitimate);
  traffic.on_record = [&](const FlowRecord& record) {
    const uint32_t client = client_of(record);
    if (client >= kLegitimate) return;
    ++records[client];
    packets[client] += record.src.total.packets + record.dst.total.packets;
  };
  std::vector<uint64_t> sent(kLegitimate);
  const auto legitimate = [&](int64_t clock_ns, uint32_t client) {
    traffic.send(clock_ns, udp(client, sent[client] % 2 == 1, 100));
    ++sent[client];
  };
  for (uint32_t client = 0; client < kLegitimate / 2; ++client) {
    legitimate(at_second(0), client);
    legitimate(at_second(0), client);
  }
  for (uint32_t number = 0; number < kFlood; ++number) {
    const int64_t clock_ns = kStartNs + int64_t{number} * kSecondNs / kFloodPerSecond;
    traffic.send(clock_ns, udp(kLegitimate + number));
    if (number % kFloodPerLegitimate == 0) {
      const uint32_t client = number / kFloodPerLegitimate % kLegitimate;
      legitimate(clock_ns, client);
      if (sent[client] == 1) legitimate(clock_ns, client);  // the answer to its first packet
    }
  }
  traffic.flush();
  traffic.expect_balance();
  EXPECT_LE(traffic.table().live_count(), 20'000u);
  EXPECT_EQ(traffic.refused().frames, 0u);
  EXPECT_GT(traffic.ended(EndReason::kResources), kFlood / 2);
  traffic.finish();
  traffic.expect_balance();
  EXPECT_EQ(packets, sent);
  const auto unbroken = std::count(records.begin(), records.end(), 1u);
  EXPECT_GE(unbroken, kLegitimate * 999 / 1000);
}

// --- Limits of one

// The order in which a full table ends flows depends on nothing but the packets, so all bursts give
// the same records, although flows come, go and change their slots within each.
TEST(FlowLimits, TablesOfOneToThreeFlowsBalanceAndBurstsChangeNothing) {
  for (const uint32_t flow_count_max : {1u, 2u, 3u, 7u}) {
    for (const Eviction eviction : {Eviction::kValue, Eviction::kLru, Eviction::kNone}) {
      for (const bool is_aging : {false, true}) {
        SCOPED_TRACE(flow_count_max * 100 + static_cast<uint32_t>(eviction) * 10 + is_aging);
        std::vector<std::string> expected;
        for (const Path path : {Path::kPackets, Path::kDigests}) {
          for (const size_t burst_size : {1u, 3u, 64u}) {
            Random random(flow_count_max);
            Traffic traffic(options_of(flow_count_max, eviction), path, burst_size);
            traffic.is_aging = is_aging;
            int64_t clock_ns = kStartNs;
            for (uint32_t number = 0; number < 4000 / kScale; ++number) {
              clock_ns += random() % 8 == 0 ? random() % 20 * kSecondNs : random() % 1000;
              traffic.send(clock_ns, any_packet(random));
              ASSERT_LE(traffic.table().live_count(), flow_count_max);
            }
            traffic.flush();
            traffic.expect_balance();
            EXPECT_GT(traffic.table().limit_hits(Limit::kFlowCount), 0u);
            EXPECT_EQ(traffic.refused().frames > 0, eviction == Eviction::kNone);
            traffic.finish();
            traffic.expect_balance();
            EXPECT_EQ(traffic.table().live_count(), 0u);
            // Ageing makes room at the end of a burst, so there the burst's size is seen.
            if (is_aging) continue;
            const std::vector<std::string> records = describe_sorted(traffic.records());
            if (expected.empty()) expected = records;
            ASSERT_EQ(records, expected);
          }
        }
      }
    }
  }
}

// --- Memory that is refused

TEST(FlowMemory, APoolOfAnySizeIsKeptAndBalances) {
  FlowTableOptions options = options_of(20'000);
  options.flow_count_initial = 100;
  uint32_t tables = 0;
  uint64_t refused = 0;
  for (uint64_t limit_size = 0; limit_size <= 2048 * 1024; limit_size += 56 * 1024) {
    for (const Eviction eviction : {Eviction::kValue, Eviction::kNone}) {
      SCOPED_TRACE(limit_size);
      MemoryPool pool(limit_size);
      options.pool = &pool;
      options.eviction = eviction;
      options.timeouts.active_ns = kSecondNs;  // interim records want rare parts
      try {
        Random random(static_cast<uint32_t>(limit_size));
        Traffic traffic(options);
        traffic.on_record = [](const FlowRecord&) {};
        ++tables;
        for (uint32_t number = 0; number < 4000; ++number) {
          const int64_t clock_ns = kStartNs + int64_t{number} * kMillisecondNs;
          traffic.send(clock_ns, udp(number));
          if (number % 4 == 0) traffic.send(clock_ns, udp(random() % (number + 1), true));
          if (number % 5 == 0) traffic.send(clock_ns, any_packet(random));
        }
        traffic.flush();
        EXPECT_LE(pool.used_size(), limit_size);
        traffic.expect_balance();
        if (traffic.refused().frames > 0 || traffic.ended(EndReason::kResources) > 0) {
          EXPECT_GT(traffic.table().limit_hits(Limit::kFlowCount) +
                        traffic.table().limit_hits(Limit::kFlowProbe),
                    0u);
        }
        refused += traffic.refused().frames;
        traffic.finish();
        traffic.expect_balance();
      } catch (const std::bad_alloc&) {
        EXPECT_LT(limit_size, 64 * 1024u) << "enough for the first index";
      }
      EXPECT_EQ(pool.used_size(), 0u);
    }
  }
  EXPECT_GT(tables, 0u);
  EXPECT_GT(refused, 0u);
}

// Wide addresses, rare parts and shapes of flows that ended are there for the next ones.
TEST(FlowMemory, PartsOfEndedFlowsAreUsedAgain) {
  Traffic traffic(options_of(3), Path::kDigests, 3);
  for (uint32_t round = 0; round < 1000; ++round) {
    const int64_t clock_ns = at_second(20.0 * round);
    const auto port = static_cast<uint16_t>(10'000 + round);
    const auto send = [&](const TcpFields& fields) {
      traffic.send(clock_ns, ethernet()
                                 .vlan(static_cast<uint16_t>(round))
                                 .ipv6("2001:db8::1", "2001:db8::2")
                                 .tcp(port, 60000, fields)
                                 .payload("data"));
    };
    send({.flags = kTcpAck, .seq = 100});
    send({.flags = kTcpAck, .seq = 100});
    send({.flags = kTcpRst, .seq = 104});
  }
  traffic.finish();
  traffic.expect_balance();
  EXPECT_EQ(traffic.records().size(), 1000u);
  for (const FlowRecord& record : traffic.records())
    EXPECT_EQ(record.src.retransmits + record.dst.retransmits, 1u);
  for (size_t limit = 0; limit < kLimitCount; ++limit)
    EXPECT_EQ(traffic.table().limit_hits(static_cast<Limit>(limit)), 0u) << limit;
}

// Wide addresses are refused for want of memory that no ended flow gives back; with slots to spare,
// and with none.
TEST(FlowMemory, NobodyEndsForAFlowThatFindsNoRoomAllTheSame) {
  for (const uint32_t flow_count_max : {20'000u, 300u}) {
    SCOPED_TRACE(flow_count_max);
    FlowTableOptions options = options_of(flow_count_max);
    MemoryPool pool(size_with_one_flow(options));
    options.pool = &pool;
    Traffic traffic(options);
    constexpr uint32_t kFlows = 300;
    for (uint32_t flow = 0; flow < kFlows; ++flow) {
      traffic.send(at_second(0), udp(flow));
      traffic.send(at_second(0), udp(flow, true));
    }
    for (uint16_t port = 1; port <= 100; ++port)
      traffic.send(at_second(1), ethernet().ipv6("2001:db8::1", "2001:db8::2").udp(50000, port));
    traffic.flush();
    traffic.expect_balance();
    EXPECT_EQ(traffic.refused().frames, 100u);
    EXPECT_EQ(traffic.table().limit_hits(Limit::kFlowCount), 100u);
    EXPECT_EQ(traffic.table().live_count(), kFlows);
  }
}

// --- Counters beyond 32 bits

struct HugeRun {
  uint64_t bytes = 0;  // sent
  uint64_t packets = 0;
};
// Packets that claim to have been almost 4 GiB long, from both ends, plain ones and tagged ones.
HugeRun send_huge(Traffic& traffic, bool has_tags) {
  HugeRun run;
  Random random(5);
  for (int number = 0; number < 500; ++number) {
    const bool is_answer = number % 3 == 1;
    const uint32_t wire_size = UINT32_MAX - random() % 1000;
    Bytes bytes = udp(7, is_answer);
    if (has_tags && number % 2 == 0) {
      const Bytes tag = {0x81, 0x00, 0x00, 0x07};
      bytes.insert(bytes.begin() + 12, tag.begin(), tag.end());
    }
    traffic.send(at_second(number * 2), std::move(bytes), wire_size);
    run.bytes += wire_size;
    ++run.packets;
  }
  traffic.finish();
  traffic.expect_balance();
  return run;
}

TEST(FlowCounting, TotalsBeyond32BitsAreExactInEveryRecord) {
  for (const Path path : {Path::kPackets, Path::kDigests}) {
    for (const bool has_tags : {false, true}) {
      Traffic traffic(options_of(100), path);
      const HugeRun run = send_huge(traffic, has_tags);
      const FlowRecord& last = traffic.records().back();
      EXPECT_TRUE(last.is_final);
      EXPECT_EQ(last.src.total.bytes + last.dst.total.bytes, run.bytes);
      EXPECT_EQ(last.src.total.packets + last.dst.total.packets, run.packets);
      EXPECT_EQ(last.sequence, 16u) << "interim records, one a minute";
      FlowCounters deltas;
      for (const FlowRecord& record : traffic.records()) {
        if (record.is_final) break;
        add(deltas, record.src.delta);
        EXPECT_EQ(deltas.bytes, record.src.total.bytes);
        EXPECT_EQ(deltas.packets, record.src.total.packets);
      }
      EXPECT_EQ(traffic.table().limit_hits(Limit::kFlowDetail), 0u);
    }
  }
}

TEST(FlowCounting, WithoutRoomForMoreThan32BitsTheFlowIsCutAndTheSumIsExact) {
  for (const Path path : {Path::kPackets, Path::kDigests}) {
    for (const bool has_tags : {false, true}) {
      FlowTableOptions options = options_of(100);
      MemoryPool pool(size_with_one_flow(options));
      options.pool = &pool;
      Traffic traffic(options, path);
      const HugeRun run = send_huge(traffic, has_tags);
      uint64_t bytes = 0;
      uint64_t packets = 0;
      for (const FlowRecord& record : traffic.records()) {
        EXPECT_TRUE(record.is_final) << "an interim record has no room either";
        bytes += record.src.total.bytes + record.dst.total.bytes;
        packets += record.src.total.packets + record.dst.total.packets;
      }
      EXPECT_EQ(bytes, run.bytes);
      EXPECT_EQ(packets, run.packets);
      EXPECT_GT(traffic.ended(EndReason::kResources), 100u);
      EXPECT_GT(traffic.table().limit_hits(Limit::kFlowDetail), 0u);
    }
  }
}

// --- Long histories

// A connection that is given every letter that repeats, up to the thousandth time, by both ends:
// 32 letters and one more.
void live_through_everything(FlowBuilder& flow, bool is_client_b) {
  const char* const client_address = is_client_b ? "10.0.0.9" : "10.0.0.1";
  uint32_t next[2] = {101, 501};
  const auto send = [&](int sender, uint8_t flags, uint32_t seq, size_t size, uint16_t window) {
    const TcpFields fields{.flags = flags, .seq = seq, .ack = next[1 - sender], .window = window};
    PacketBuilder packet = ethernet();
    if (sender == 0) {
      packet.ipv4(client_address, "10.0.0.5").tcp(50000, 60000, fields);
    } else {
      packet.ipv4("10.0.0.5", client_address).tcp(60000, 50000, fields);
    }
    flow.feed(0, packet.payload_of_size(size));
  };
  const auto data = [&](int sender) {
    send(sender, kTcpAck, next[sender], 10, 1000);
    next[sender] += 10;
  };
  send(0, kTcpSyn, 100, 0, 1000);
  send(1, kTcpSyn | kTcpAck, 500, 0, 1000);
  send(0, kTcpAck, 101, 0, 1000);
  data(0);
  data(1);
  send(1, kTcpAck, next[1], 0, 1000);
  for (const int sender : {0, 1}) {
    for (int count = 0; count < 1000; ++count) send(sender, kTcpAck, next[sender], 0, 0);
  }
  for (const int sender : {0, 1}) {
    for (int count = 0; count < 1000; ++count) send(sender, kTcpAck, next[sender] - 10, 10, 1000);
  }
  for (const int sender : {0, 1}) {
    for (int count = 0; count < 1000; ++count) {
      next[sender] += 10;  // sent, and not captured
      data(sender);
      send(1 - sender, kTcpAck, next[1 - sender], 0, 1000);
    }
  }
  for (const int sender : {0, 1}) {
    send(sender, kTcpFin | kTcpAck, next[sender], 0, 1000);
    ++next[sender];
  }
  send(0, kTcpRst, next[0], 0, 1000);
}

TEST(FlowHistory, HasThirtyTwoLettersAndCountsTheOneTooMany) {
  for (const bool is_client_b : {false, true}) {
    FlowBuilder flow(options_of(100));
    live_through_everything(flow, is_client_b);
    EXPECT_EQ(flow.table().limit_hits(Limit::kHistorySize), 1u);
    EXPECT_EQ(flow.table().limit_hits(Limit::kFlowDetail), 0u);
    const FlowRecord record = flow.only();
    EXPECT_EQ(record.src.port, 50000);
    EXPECT_EQ(history(record),
              "ShADda"
              "WWWW"
              "wwww"
              "TTTT"
              "tttt"
              "GGGG"
              "gggg"
              "Ff");
    EXPECT_EQ(record.src.retransmits, 1000u);
    EXPECT_EQ(record.dst.retransmits, 1000u);
  }
}

TEST(FlowHistory, WithoutRoomItHasItsFirstLettersAndTheCountersAreRight) {
  FlowTableOptions options = options_of(100);
  MemoryPool pool(size_with_one_flow(options));
  options.pool = &pool;
  FlowBuilder flow(options);
  live_through_everything(flow, false);
  EXPECT_GT(flow.table().limit_hits(Limit::kFlowDetail), 0u);
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.history_size, kHotHistorySize);
  EXPECT_EQ(history(record).substr(0, 6), "ShADda");
  EXPECT_EQ(record.src.total.packets + record.dst.total.packets, 8009u);
  EXPECT_EQ(record.state, FlowState::kClosed);
}

}  // namespace
}  // namespace weir::test
