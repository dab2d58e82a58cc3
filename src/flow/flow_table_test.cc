// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_table.h"

#include <gtest/gtest.h>

#include <random>

#include "flow/flow_builder.h"
#include "flow/flow_model.h"

namespace weir::test {
namespace {

PacketBuilder udp(const char* src, const char* dst, uint16_t src_port, uint16_t dst_port,
                  size_t size = 10) {
  return ethernet().ipv4(src, dst).udp(src_port, dst_port).payload_of_size(size);
}

// The heart of the contract: any burst size and any sweep give what the naive model says
// (docs/decisions/001).
TEST(FlowTable, EqualsTheModelForRandomPacketsAnySweepAndAnyBurst) {
  std::mt19937 random(20240101);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    FlowTableOptions options;
    options.secret = HashSecret{random(), random()};
    options.flow_count_initial = 1;
    if (round % 5 == 1) options.timeouts.set_linger(0);
    if (round % 5 == 2) options.timeouts.set_family(FlowFamily::kUdp, 0);
    if (round % 5 == 3) options.timeouts.active_ns = 0;
    if (round % 5 == 4) options.timeouts.active_ns = kSecondNs;
    std::vector<uint8_t> bytes(4 * (random() % 200));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    PacketSequence sequence(bytes.data(), bytes.size(), options.secret);

    const std::vector<std::string> expected = run_model(options, sequence);
    for (const SweepPlan plan : {SweepPlan::kNever, SweepPlan::kAlways, SweepPlan::kAge}) {
      for (const Path path : {Path::kPackets, Path::kDigests}) {
        for (const size_t burst : {1u, 7u, 64u}) {
          const TableRun run = run_table(options, sequence, burst, plan, path);
          ASSERT_EQ(run.records, expected) << "plan " << static_cast<int>(plan) << " burst "
                                           << burst << " path " << static_cast<int>(path);
          EXPECT_EQ(run.statistics.live, 0u);
          EXPECT_EQ(run.statistics.in_ended.frames, sequence.packets().size());
        }
      }
    }
  }
}

TEST(FlowTable, TheSameNewKeyInBothDirectionsInOneBurstIsOneFlow) {
  FlowBuilder flow;
  Packet& first = flow.feed(0, udp("10.0.0.1", "10.0.0.2", 5000, 6000));
  Packet& second = flow.feed(0, udp("10.0.0.2", "10.0.0.1", 6000, 5000));
  EXPECT_TRUE(first.flow_created);
  EXPECT_FALSE(second.flow_created);
  EXPECT_EQ(first.flow_id, second.flow_id);
  EXPECT_EQ(first.flow_id, 0x0001000000000001u);
  EXPECT_EQ(flow.table().statistics(flow.clock_ns()).created, 1u);
}

TEST(FlowTable, OtherProtocolsAreEstablishedByAReplyAndActiveByTheNextPacket) {
  FlowBuilder flow;
  Packet& first = flow.feed(0, udp("10.0.0.1", "10.0.0.2", 5000, 6000));
  flow.feed(1, udp("10.0.0.1", "10.0.0.2", 5000, 6000));
  EXPECT_EQ(flow.live(first).state, FlowState::kNew);
  flow.feed(2, udp("10.0.0.2", "10.0.0.1", 6000, 5000));
  EXPECT_EQ(flow.live(first).state, FlowState::kEstablished);
  flow.feed(3, udp("10.0.0.2", "10.0.0.1", 6000, 5000));
  EXPECT_EQ(flow.live(first).state, FlowState::kActive);
}

TEST(FlowTable, ASilentFlowIsShownIdleAndTheNextPacketReturnsItToItsState) {
  FlowBuilder flow;
  Packet& first = flow.feed(0, udp("10.0.0.1", "10.0.0.2", 5000, 6000));
  flow.feed(0, udp("10.0.0.2", "10.0.0.1", 6000, 5000));
  flow.feed(0, udp("10.0.0.2", "10.0.0.1", 6000, 5000));
  flow.sweep(31);
  EXPECT_EQ(flow.live(first).state, FlowState::kIdle);
  EXPECT_EQ(
      flow.table().statistics(flow.clock_ns()).live_by_state[static_cast<size_t>(FlowState::kIdle)],
      1u);
  flow.feed(32, udp("10.0.0.2", "10.0.0.1", 6000, 5000));
  EXPECT_EQ(flow.live(first).state, FlowState::kActive);
}

TEST(FlowTable, EndsExactlyAfterTheTimeoutNotAtIt) {
  FlowBuilder flow;
  flow.feed(0, udp("10.0.0.1", "10.0.0.2", 5000, 6000));
  EXPECT_FALSE(flow.feed(60, udp("10.0.0.1", "10.0.0.2", 5000, 6000)).flow_created);
  EXPECT_TRUE(flow.feed(120.000001, udp("10.0.0.1", "10.0.0.2", 5000, 6000)).flow_created);
  ASSERT_FALSE(flow.records().empty());
  EXPECT_EQ(flow.records().back().end_reason, EndReason::kIdle);
  EXPECT_EQ(flow.records().back().state, FlowState::kTimedOut);
}

TEST(FlowTable, ThreeHourGapEndsEveryFlowOnceAndStartsNewOnes) {
  FlowBuilder flow;
  flow.feed(0, udp("10.0.0.1", "10.0.0.2", 5000, 6000));
  flow.handshake(1);
  flow.feed(3 * 3600.0, udp("10.0.0.1", "10.0.0.2", 5000, 6000));
  std::vector<FlowRecord>& records = flow.finish();
  std::erase_if(records, [](const FlowRecord& record) { return !record.is_final; });
  EXPECT_EQ(records.size(), 3u);
  const FlowStatistics statistics = flow.table().statistics(flow.clock_ns());
  EXPECT_EQ(statistics.created, 3u);
  EXPECT_EQ(statistics.ended[static_cast<size_t>(EndReason::kIdle)], 2u);
  EXPECT_EQ(statistics.ended[static_cast<size_t>(EndReason::kForced)], 1u);
}

TEST(FlowTable, InterimRecordsCarryDeltaAndTotalsAndSkipSilentIntervals) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.client(10, {.seq = 101, .ack = 501, .size = 100});
  flow.client(70, {.seq = 201, .ack = 501, .size = 50});
  // 120..180 and 180..240 are silent.
  flow.client(250, {.seq = 251, .ack = 501, .size = 1});
  const std::vector<FlowRecord>& records = flow.finish();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_FALSE(records[0].is_final);
  EXPECT_EQ(records[0].end_reason, EndReason::kActive);
  EXPECT_EQ(records[0].sequence, 0u);
  EXPECT_EQ(records[0].src.delta.packets, 3u);
  EXPECT_EQ(records[0].src.total.payload_bytes, 100u);
  EXPECT_EQ(records[1].sequence, 1u);
  EXPECT_EQ(records[1].src.delta.payload_bytes, 50u);
  EXPECT_EQ(records[1].src.total.payload_bytes, 150u);
  EXPECT_TRUE(records[2].is_final);
  EXPECT_EQ(records[2].sequence, 2u);
  EXPECT_EQ(records[2].src.total.payload_bytes, 151u);
}

TEST(FlowTable, OrdinaryFlowsHitNoLimit) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.feed(0, udp("10.0.0.1", "10.0.0.2", 5000, 6000));
  for (size_t limit = 0; limit < kLimitCount; ++limit)
    EXPECT_EQ(flow.table().limit_hits(static_cast<Limit>(limit)), 0u);
}

TEST(FlowTable, UdpTypicalSizeIsTheMajority) {
  FlowBuilder flow;
  for (const size_t size : {10u, 500u, 500u, 20u, 500u})
    flow.feed(0, udp("10.0.0.1", "10.0.0.2", 5000, 6000, size));
  EXPECT_EQ(flow.only().udp_typical_size, 528);
}

TEST(FlowTable, AGroupAddressIsNeverTheInitiator) {
  FlowBuilder flow;
  flow.feed(0, udp("10.0.0.1", "239.255.255.250", 53, 50000));
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.origin, FlowOrigin::kFirstPacket);
  EXPECT_EQ(record.src.port, 53);
}

TEST(FlowTable, IcmpErrorsOfBothEndsAreTwoFlowsAlsoWhenTypeEqualsCode) {
  for (const uint8_t code : {uint8_t{1}, uint8_t{3}}) {
    FlowBuilder flow;
    const uint64_t there =
        flow.feed(0, ethernet().ipv4("10.0.0.1", "10.0.0.2").icmp(3, code)).flow_id;
    const uint64_t back =
        flow.feed(1, ethernet().ipv4("10.0.0.2", "10.0.0.1").icmp(3, code)).flow_id;
    EXPECT_NE(there, back);
  }
}

TEST(FlowTable, MacsFollowTheDirection) {
  FlowBuilder flow;
  flow.feed(0, ethernet("02:00:00:00:00:02", "02:00:00:00:00:01")
                   .ipv4("10.0.0.9", "10.0.0.1")
                   .udp(53, 40000));
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.origin, FlowOrigin::kServicePort);
  EXPECT_EQ(record.src.mac[5], 1);
  EXPECT_EQ(record.dst.mac[5], 2);
}

TEST(FlowTable, FullTableRefusesNewFlowsAndStillBalances) {
  FlowTableOptions options;
  options.flow_count_max = 1;
  options.eviction = Eviction::kNone;
  FlowBuilder flow(options);
  EXPECT_EQ(flow.feed(0, udp("10.0.0.1", "10.0.0.2", 1, 2)).verdict, Verdict::kDecoded);
  EXPECT_EQ(flow.feed(1, udp("10.0.0.1", "10.0.0.2", 3, 4)).verdict, Verdict::kUnflowedFlowLimit);
  EXPECT_EQ(flow.feed(1, udp("10.0.0.2", "10.0.0.1", 2, 1)).verdict, Verdict::kDecoded);
  EXPECT_EQ(flow.feed(62, udp("10.0.0.1", "10.0.0.2", 3, 4)).verdict, Verdict::kUnflowedFlowLimit)
      << "look-ups end flows of their own key only";
  flow.sweep(62);
  EXPECT_EQ(flow.feed(62, udp("10.0.0.1", "10.0.0.2", 3, 4)).verdict, Verdict::kDecoded);
  EXPECT_EQ(flow.table().limit_hits(Limit::kFlowCount), 2u);
  flow.finish();
  const FlowStatistics statistics = flow.table().statistics(flow.clock_ns());
  EXPECT_EQ(statistics.in_ended.frames, 3u);
  EXPECT_EQ(statistics.created, 2u);
}

TEST(FlowTable, TwoThousandRequestsInOneFlowStayOneFlow) {
  FlowBuilder flow;
  flow.handshake(0);
  uint32_t seq = 101;
  uint32_t ack = 501;
  for (int request = 0; request < 2000; ++request) {
    flow.client(1 + request * 0.01, {.seq = seq, .ack = ack, .size = 100});
    seq += 100;
    flow.server(1 + request * 0.01, {.seq = ack, .ack = seq, .size = 1000});
    ack += 1000;
  }
  const FlowRecord record = flow.finish().back();
  EXPECT_EQ(record.src.total.payload_bytes, 200'000u);
  EXPECT_EQ(record.dst.total.payload_bytes, 2'000'000u);
  EXPECT_EQ(record.src.retransmits + record.dst.retransmits, 0u);
  EXPECT_EQ(flow.table().statistics(flow.clock_ns()).created, 1u);
}

TEST(FlowTable, ManyFlowsGrowTheTableAndAllEnd) {
  FlowTableOptions options;
  options.flow_count_initial = 1;
  options.secret = HashSecret::random();
  FlowTable table(options);
  std::vector<FlowRecord> records;
  Frame frame;
  frame.wire_size = 60;
  frame.source = 1;
  Packet packet;
  packet.frame = &frame;
  packet.key.kind = AddressKind::kIpv4;
  packet.key.proto_number = 17;
  packet.key.zone_kind = ZoneKind::kVni;
  for (uint32_t index = 0; index < 20000; ++index) {
    frame.number = index + 1;
    frame.clock_ns = frame.ts_ns = index;
    packet.key.zone = index;
    packet.hash = hash_key(options.secret, packet.key);
    Packet* const one = &packet;
    table.update({&one, 1}, records);
    EXPECT_TRUE(packet.flow_created);
  }
  EXPECT_EQ(table.live_count(), 20000u);
  table.sweep(61 * kSecondNs, records);
  EXPECT_EQ(table.live_count(), 0u);
  EXPECT_EQ(records.size(), 20000u + 20000u) << "an interim record at 60 s, then the final one";
}

// Fragments: all pieces count to their datagram's flow, whatever order they come in.

PacketBuilder first_piece(uint16_t id, const char* src = "10.0.0.1", const char* dst = "10.0.0.2") {
  return ethernet()
      .ipv4(src, dst, {.id = id, .more_fragments = true})
      .udp(5000, 6000, {.length = 3008})
      .payload_of_size(1472);
}
PacketBuilder later_piece(uint16_t id, const char* src = "10.0.0.1", const char* dst = "10.0.0.2") {
  return ethernet()
      .ipv4(src, dst, {.protocol = 17, .id = id, .fragment_offset = 1480})
      .payload_of_size(1528);
}

TEST(Fragments, PiecesInOrderCountToTheFlow) {
  FlowBuilder flow;
  flow.feed(0, first_piece(7));
  Packet& later = flow.feed(1, later_piece(7));
  EXPECT_EQ(later.verdict, Verdict::kDecoded);
  EXPECT_NE(later.flow_id, 0u);
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.src.total.packets, 2u);
  EXPECT_EQ(record.src.total.payload_bytes, 1472u + 1528u);
  EXPECT_EQ(record.src.port, 5000);
}

TEST(Fragments, PiecesBeforeTheFirstWaitForIt) {
  FlowBuilder flow;
  flow.feed(0, later_piece(7));
  EXPECT_EQ(flow.fragments_without_flow(), 1u);
  flow.feed(1, first_piece(7));
  EXPECT_EQ(flow.fragments_without_flow(), 0u);
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.src.total.packets, 2u);
  EXPECT_EQ(record.first_seen_ns, FlowBuilder::kStartNs) << "the waiting piece was the first seen";
  EXPECT_EQ(record.id, 0x0001000000000002u) << "the flow begins with the piece that names it";
}

TEST(Fragments, APieceWithoutItsFirstStaysWithoutFlow) {
  FlowBuilder flow;
  flow.feed(0, later_piece(7));
  flow.feed(30.1, first_piece(7));
  flow.finish();
  EXPECT_EQ(flow.fragments_without_flow(), 1u);
  EXPECT_EQ(flow.records().back().src.total.packets, 1u);
}

TEST(Fragments, AnIdentificationUsedAgainHasItsOwnTime) {
  FlowBuilder flow;
  flow.feed(0, first_piece(7));
  flow.feed(29, first_piece(7));
  EXPECT_EQ(flow.feed(50, later_piece(7)).flow_id, 0x0001000000000001u);
}

TEST(Fragments, TheOppositeDirectionAndOtherIdsAreOtherDatagrams) {
  FlowBuilder flow;
  flow.feed(0, first_piece(7));
  EXPECT_EQ(flow.feed(1, later_piece(8)).flow_id, 0u);
  EXPECT_EQ(flow.feed(1, later_piece(7, "10.0.0.2", "10.0.0.1")).flow_id, 0u);
  EXPECT_EQ(flow.fragments_without_flow(), 2u);
}

TEST(Fragments, LaterIpv6PiecesNeedNotNameTheTransport) {
  FlowBuilder flow;
  flow.feed(0, ethernet()
                   .ipv6("2001:db8::1", "2001:db8::2")
                   .ipv6_fragment(5, 0, true)
                   .extension(60)
                   .udp(5000, 6000, {.length = 2000})
                   .payload_of_size(1000));
  Packet& later = flow.feed(1, ethernet()
                                   .ipv6("2001:db8::1", "2001:db8::2")
                                   .ipv6_fragment(5, 1024, false, 60)
                                   .payload_of_size(900));
  EXPECT_EQ(later.flow_id, 0x0001000000000001u);
  EXPECT_EQ(flow.only().src.total.packets, 2u);
}

// The pieces are those of the datagram between the tunnel's ends; the flow is that of the packet
// inside, whose length the first piece has counted already.
TEST(Fragments, PiecesOfATunnelCountToTheFlowInside) {
  const auto first = ethernet()
                         .ipv4("192.0.2.1", "192.0.2.2", {.id = 7, .more_fragments = true})
                         .udp(49152, 4789, {.length = 2008})
                         .vxlan(5)
                         .ethernet()
                         .ipv4("10.0.0.1", "10.0.0.2", {.total_length = 1978})
                         .udp(5000, 6000, {.length = 1958})
                         .payload_of_size(1422);
  const auto later =
      ethernet()
          .ipv4("192.0.2.1", "192.0.2.2", {.protocol = 17, .id = 7, .fragment_offset = 1480})
          .payload_of_size(528);
  for (const bool is_first_late : {false, true}) {
    FlowBuilder flow;
    flow.feed(0, is_first_late ? later : first);
    flow.feed(1, is_first_late ? first : later);
    EXPECT_EQ(flow.fragments_without_flow(), 0u);
    const FlowRecord record = flow.only();
    EXPECT_EQ(record.src.address[0], 10);
    EXPECT_EQ(record.src.port, 5000);
    EXPECT_EQ(record.src.total.packets, 2u);
    EXPECT_EQ(record.src.total.bytes, first.bytes().size() + later.bytes().size());
    EXPECT_EQ(record.src.total.ip_bytes, 1978u);
    EXPECT_EQ(record.src.total.payload_bytes, 1950u);
  }
}

TEST(Fragments, AFullCacheRefusesAndCounts) {
  FlowBuilder flow({}, {.entry_count_max = 1});
  flow.feed(0, first_piece(1));
  EXPECT_EQ(flow.feed(0, later_piece(2)).verdict, Verdict::kUnflowedFragmentLimit);
  EXPECT_EQ(flow.feed(0, first_piece(3)).verdict, Verdict::kDecoded)
      << "a first piece knows its flow by itself";
  EXPECT_EQ(flow.feed(0, later_piece(1)).verdict, Verdict::kDecoded);
  EXPECT_EQ(flow.fragment_limit_hits(), 2u);
  EXPECT_EQ(flow.feed(31, later_piece(2)).verdict, Verdict::kDecoded) << "time makes room";
}

TEST(Fragments, AFragmentedSegmentIsNoGapInItsConnection) {
  FlowBuilder flow;
  flow.handshake(0);
  PacketBuilder segment =
      ethernet().ipv4("10.0.0.1", "10.0.0.2", {.id = 9, .more_fragments = true});
  flow.feed(
      1, segment.tcp(50000, 80, {.flags = kTcpAck, .seq = 101, .ack = 501}).payload_of_size(1460));
  flow.feed(1, ethernet()
                   .ipv4("10.0.0.1", "10.0.0.2", {.protocol = 6, .id = 9, .fragment_offset = 1480})
                   .payload_of_size(500));
  flow.client(2, {.seq = 101 + 1960, .ack = 501, .size = 10});
  flow.server(2.1, {.seq = 501, .ack = 101 + 1970});
  const FlowRecord record = flow.only();
  EXPECT_EQ(history(record), "ShADa") << "no G";
  EXPECT_EQ(record.src.total.payload_bytes, 1970u);
}

// The two example entries of the Aegis seed.

TEST(AegisGoldens, TcpEntry) {
  FlowBuilder flow;
  const uint32_t seq = 1234567890;
  const uint32_t ack = static_cast<uint32_t>(9876543210);  // the seed's number does not fit 32 bits
  const auto packet = [&](double second, const TcpFields& fields, size_t size) -> Packet& {
    return flow.feed(
        second,
        raw().ipv4("192.168.1.100", "93.184.216.34").tcp(54321, 443, fields).payload_of_size(size));
  };
  packet(0, {.flags = kTcpSyn, .seq = seq}, 0);
  // 126 more packets, 184,320 IP octets in all.
  uint32_t next = seq + 1;
  uint64_t left = 184'320 - 40;
  for (int index = 0; index < 126; ++index) {
    const size_t size = index < 125 ? 1460 - 38 : static_cast<size_t>(left) - 40;
    packet(50.0 * (index + 1) / 126, {.flags = kTcpAck, .seq = next, .ack = ack}, size);
    next += static_cast<uint32_t>(size);
    left -= size + 40;
  }
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.proto_number, 6);
  EXPECT_EQ(record.src.port, 54321);
  EXPECT_EQ(record.dst.port, 443);
  EXPECT_EQ(record.last_seen_ns - record.first_seen_ns, 50 * kSecondNs);
  EXPECT_EQ(record.src.total.packets + record.dst.total.packets, 127u);
  EXPECT_EQ(record.src.total.ip_bytes, 184'320u);
  EXPECT_EQ(record.src.tcp_isn, seq);
  EXPECT_EQ(record.dst.tcp_isn, ack - 1);
  EXPECT_TRUE((record.src.tcp_flags & kTcpSyn) != 0);
  EXPECT_TRUE((record.src.tcp_flags & (kTcpFin | kTcpRst)) == 0);
  EXPECT_EQ(record.uid, -1);
  EXPECT_EQ(record.decision, Decision::kUndecided);
}

TEST(AegisGoldens, UdpEntry) {
  FlowBuilder flow;
  flow.feed(0, raw().ipv4("10.0.0.5", "8.8.8.8").udp(12345, 53).payload_of_size(36));
  flow.feed(5, raw().ipv4("8.8.8.8", "10.0.0.5").udp(53, 12345).payload_of_size(36));
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.src.port, 12345);
  EXPECT_EQ(record.last_seen_ns - record.first_seen_ns, 5 * kSecondNs);
  EXPECT_EQ(record.src.total.packets + record.dst.total.packets, 2u);
  EXPECT_EQ(record.src.total.ip_bytes + record.dst.total.ip_bytes, 128u);
  EXPECT_EQ(record.udp_typical_size, 64);
  EXPECT_EQ(record.uid, -1);
  EXPECT_EQ(record.decision, Decision::kUndecided);
}

}  // namespace
}  // namespace weir::test
