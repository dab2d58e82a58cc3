// SPDX-License-Identifier: Apache-2.0
//
// The flow table over time: what happens to a key within one burst, when sweeps fail or have much
// to do, and what those hear who listen to changes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "flow/flow_builder.h"
#include "flow/flow_traffic.h"
#include "tests/support/scale.h"

namespace weir::test {
namespace {

// --- Within one burst

TEST(FlowBurst, ANewKeyManyTimesAndBothWaysIsOneFlow) {
  for (const Path path : {Path::kPackets, Path::kDigests}) {
    for (const int kind : {0, 1, 2}) {
      Traffic traffic(options_of(100), path);
      for (int number = 0; number < 64; ++number) {
        const bool is_answer = number % 3 == 1;
        const char* const ends[] = {"2001:db8::1", "2001:db8::2"};
        const uint16_t ports[] = {50000, 60000};
        PacketBuilder packet = is_answer ? ethernet(kMacB, kMacA) : ethernet(kMacA, kMacB);
        if (kind == 1) packet.ipv6(ends[is_answer], ends[!is_answer]);
        if (kind == 1) packet.udp(ports[is_answer], ports[!is_answer]);
        if (kind == 2) packet.ethertype(0x88b5).payload("text");
        traffic.send(at_second(0), kind == 0 ? udp(1, is_answer) : packet.bytes());
      }
      traffic.expect_balance();
      EXPECT_EQ(traffic.statistics().flows.created, 1u);
      EXPECT_EQ(traffic.statistics().flows.in_live.frames, 64u);
    }
  }
}

// Every round opens a connection between the same ports and closes it, eight rounds a burst; what
// is asked of memory ahead is never what will be there. Another flow takes the slot in between.
TEST(FlowBurst, CreateCloseRecreateGivesOneFlowForEachConnection) {
  for (const Path path : {Path::kPackets, Path::kDigests}) {
    for (const uint32_t flow_count_max : {1u, 2u, 100u}) {
      SCOPED_TRACE(flow_count_max);
      Traffic traffic(options_of(flow_count_max), path);
      constexpr uint32_t kRounds = 64;
      for (uint32_t round = 0; round < kRounds; ++round) {
        const uint32_t isn = 1000 * (round + 1);
        const auto send = [&](bool is_answer, const TcpFields& fields) {
          traffic.send(at_second(0),
                       is_answer
                           ? ethernet().ipv4("10.0.0.2", "10.0.0.1").tcp(60000, 50000, fields)
                           : ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(50000, 60000, fields));
        };
        send(false, {.flags = kTcpSyn, .seq = isn});
        send(true, {.flags = kTcpSyn | kTcpAck, .seq = isn + 500, .ack = isn + 1});
        send(false, {.flags = kTcpAck, .seq = isn + 1, .ack = isn + 501});
        send(false, {.flags = kTcpFin | kTcpAck, .seq = isn + 1, .ack = isn + 501});
        send(true, {.flags = kTcpFin | kTcpAck, .seq = isn + 501, .ack = isn + 2});
        send(false, {.flags = kTcpAck, .seq = isn + 2, .ack = isn + 502});
        if (flow_count_max != 2) traffic.send(at_second(0), udp(round));
        if (flow_count_max == 1) traffic.send(at_second(0), udp(round, true));
      }
      traffic.finish();
      traffic.expect_balance();
      uint32_t connections = 0;
      for (const FlowRecord& record : traffic.records()) {
        if (record.proto_number != 6) continue;
        ++connections;
        EXPECT_EQ(history(record), "ShAFf");
        EXPECT_EQ(record.src.total.packets, 4u);
        EXPECT_EQ(record.dst.total.packets, 2u);
      }
      EXPECT_EQ(connections, kRounds);
    }
  }
}

// --- Sweeps

// A step that fails is counted and made up for: the records are those of a table that never sweeps.
TEST(FlowSweep, FailingStepsAreCountedAndLoseNothing) {
  Random random(41);
  for (int round = 0; round < 30; ++round) {
    SCOPED_TRACE(round);
    FlowTableOptions options = options_of(1000);
    if (round % 3 == 1) options.timeouts.active_ns = kSecondNs;
    std::vector<uint8_t> bytes(4 * 200);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    const PacketSequence sequence(bytes.data(), bytes.size(), options.secret);
    const std::vector<std::string> expected = run_model(options, sequence);
    for (const uint64_t one_in : {1u, 2u, 7u}) {
      for (const bool is_whole : {false, true}) {
        uint64_t steps = 0;
        uint64_t failures = 0;
        options.before_sweep_step = [&] {
          if (++steps % one_in != 0) return;
          ++failures;
          throw std::runtime_error("no luck");
        };
        FlowTable table(options);
        std::vector<FlowRecord> records;
        int64_t clock_ns = 0;
        for (const Packet& original : sequence.packets()) {
          Packet packet = original;
          Packet* const one = &packet;
          clock_ns = packet.frame->clock_ns;
          if (is_whole) table.sweep(clock_ns, records);
          table.update({&one, 1}, records);
          table.maintain();
          if (!is_whole) table.age(clock_ns, records);
        }
        EXPECT_GT(failures, 0u);
        EXPECT_EQ(table.sweep_error_count(), failures);
        table.finish(clock_ns, records);
        const FlowStatistics statistics = table.statistics(clock_ns);
        EXPECT_EQ(statistics.live, 0u);
        EXPECT_EQ(statistics.in_ended.frames, sequence.packets().size());
        ASSERT_EQ(describe_sorted(std::move(records)), expected);
      }
    }
  }
}

TEST(FlowSweep, AFailedStepIsTriedAgainWithinASecond) {
  FlowTableOptions options = options_of(100);
  int failures_left = 1;
  options.before_sweep_step = [&] {
    if (failures_left-- > 0) throw std::runtime_error("no luck");
  };
  Traffic traffic(options);
  traffic.send(at_second(0), udp(1));
  traffic.flush();
  traffic.sweep(at_second(60.5));
  EXPECT_EQ(traffic.table().live_count(), 1u);
  EXPECT_EQ(traffic.table().sweep_error_count(), 1u);
  traffic.age(at_second(61.5));
  EXPECT_EQ(traffic.table().live_count(), 0u);
  EXPECT_EQ(traffic.table().swept_count(), 1u);
  EXPECT_EQ(traffic.records().back().end_reason, EndReason::kIdle);
}

// A flow of one packet has its interim record and its end due 60 s after it. No record comes more
// than a second of packet time after that, however many are due at once.
TEST(FlowSweep, NoRecordComesMoreThanASecondLate) {
  constexpr uint32_t kFlows = 20'000 / kScale;
  Traffic traffic(options_of(100'000), Path::kDigests, 1);
  int64_t latest_ns = 0;
  uint32_t count = 0;
  traffic.on_record = [&](const FlowRecord& record) {
    latest_ns = std::max(latest_ns, traffic.clock_ns() - (record.last_seen_ns + 60 * kSecondNs));
    ++count;
  };
  // Half of them at once, the other half within two seconds.
  for (uint32_t flow = 0; flow < kFlows / 2; ++flow) traffic.send(at_second(0), udp(flow));
  for (uint32_t flow = 0; flow < kFlows / 2; ++flow)
    traffic.send(kStartNs + int64_t{flow} * 4 * kSecondNs / kFlows, udp(kFlows / 2 + flow));
  for (int64_t clock_ns = at_second(59); clock_ns < at_second(70); clock_ns += 10 * kMillisecondNs)
    traffic.age(clock_ns);
  EXPECT_EQ(count, 2 * kFlows);
  EXPECT_EQ(traffic.ended(EndReason::kIdle), kFlows);
  EXPECT_LE(latest_ns, kSecondNs);
}

// A first burst over minutes, as of a slow link: what it leaves due is found right after it.
TEST(FlowSweep, AFirstBurstLongerThanATimeoutLeavesNothingBehind) {
  Traffic traffic(options_of(100));
  traffic.send(at_second(0), udp(1));
  traffic.send(at_second(600), udp(2));
  traffic.flush();
  for (int turn = 0; turn < 20; ++turn) traffic.age(at_second(600 + turn * 0.1));
  EXPECT_EQ(traffic.ended(EndReason::kIdle), 1u);
  EXPECT_EQ(traffic.table().live_count(), 1u);
}

// --- Changes

// What somebody who listens to collect_changes() knows.
class Listener {
 public:
  explicit Listener(FlowTable& table) : table_(table) {}

  // The next portion of the running collection, or the first of a new one. False when it was the
  // last.
  bool listen(size_t count_max, int64_t clock_ns) {
    table_.begin_collection();
    std::vector<FlowRecord> started;
    std::vector<FlowUpdate> updates;
    const bool is_more = table_.collect_changes(count_max, clock_ns, started, updates);
    EXPECT_LE(started.size() + updates.size(), count_max);
    for (const FlowRecord& record : started) {
      EXPECT_EQ(record.end_reason, EndReason::kNone);
      EXPECT_FALSE(record.is_final);
      const bool is_new = told_.emplace(record.id, Told{record.src.total, record.dst.total}).second;
      EXPECT_TRUE(is_new) << "started twice";
    }
    for (const FlowUpdate& update : updates) {
      const auto found = told_.find(update.id);
      EXPECT_NE(found, told_.end()) << "an update of a flow that was not announced";
      if (found == told_.end()) continue;
      EXPECT_GT(update.src.packets + update.dst.packets, found->second.packets()) << "no news";
      found->second = {update.src, update.dst};
    }
    news_count_ += started.size() + updates.size();
    return is_more;
  }
  // All that is known now: the rest of what began earlier, and what has changed since.
  void listen_to_all(int64_t clock_ns) {
    for (int collection = 0; collection < 2; ++collection) {
      while (listen(3, clock_ns)) {
      }
    }
  }
  size_t count() const { return told_.size(); }
  uint64_t news_count() const { return news_count_; }
  // The last that was told is what the record of the flow says.
  void expect_equal(const FlowRecord& record) const {
    const auto found = told_.find(record.id);
    ASSERT_NE(found, told_.end()) << "never told";
    for (const bool is_src : {true, false}) {
      const FlowCounters& told = is_src ? found->second.src : found->second.dst;
      const FlowCounters& final = is_src ? record.src.total : record.dst.total;
      EXPECT_EQ(told.packets, final.packets);
      EXPECT_EQ(told.bytes, final.bytes);
      EXPECT_EQ(told.ip_bytes, final.ip_bytes);
      EXPECT_EQ(told.payload_bytes, final.payload_bytes);
    }
  }

 private:
  struct Told {
    FlowCounters src;
    FlowCounters dst;

    uint64_t packets() const { return src.packets + dst.packets; }
  };

  FlowTable& table_;
  std::map<uint64_t, Told> told_;  // by id
  uint64_t news_count_ = 0;
};

TEST(FlowChanges, EveryLiveFlowIsAnnouncedOnceAndEndsWithItsLastUpdate) {
  for (const Path path : {Path::kPackets, Path::kDigests}) {
    for (const uint32_t flow_count_max : {5u, 1000u}) {
      Random random(77);
      FlowTableOptions options = options_of(flow_count_max);
      options.tracks_changes = true;
      Traffic traffic(options, path, 7);
      Listener listener(traffic.table());
      int64_t clock_ns = kStartNs;
      for (int number = 0; number < 5000; ++number) {
        clock_ns += random() % 16 == 0 ? random() % 20 * kSecondNs : random() % 1000;
        traffic.send(clock_ns,
                     random() % 2 == 0 ? udp(random() % 8, random() % 2 == 0) : any_packet(random));
        if (random() % 10 == 0) listener.listen(1 + random() % 5, clock_ns);
      }
      traffic.flush();
      traffic.is_aging = false;
      listener.listen_to_all(clock_ns);
      const uint64_t news_count = listener.news_count();
      listener.listen_to_all(clock_ns);
      EXPECT_EQ(listener.news_count(), news_count) << "nothing is told twice";
      traffic.records().clear();
      traffic.finish();
      EXPECT_FALSE(traffic.records().empty());
      for (const FlowRecord& record : traffic.records()) {
        if (record.is_final) listener.expect_equal(record);
      }
    }
  }
}

// The list of changed flows is bounded: who finds it full is told of when it changes again.
TEST(FlowChanges, WhatFindsTheListFullIsToldWithItsNextChange) {
  constexpr uint32_t kFlows = 70'000;
  constexpr uint32_t kListed = 65'536;
  FlowTableOptions options = options_of(100'000);
  options.tracks_changes = true;
  Traffic traffic(options);
  Listener listener(traffic.table());
  for (uint32_t flow = 0; flow < kFlows; ++flow) traffic.send(at_second(0), udp(flow));
  traffic.flush();
  listener.listen_to_all(at_second(0));
  EXPECT_EQ(listener.count(), kListed);
  for (uint32_t flow = kListed - 100; flow < kFlows; ++flow)
    traffic.send(at_second(1), udp(flow, true));
  traffic.flush();
  listener.listen_to_all(at_second(1));
  EXPECT_EQ(listener.count(), kFlows);
  traffic.finish();
  for (const FlowRecord& record : traffic.records()) listener.expect_equal(record);
}

}  // namespace
}  // namespace weir::test
