// SPDX-License-Identifier: Apache-2.0
//
// TCP connections as they come: each test is a short exchange and what weir says of it.
#include "flow/tcp_state.h"

#include <gtest/gtest.h>

#include "flow/flow_builder.h"

namespace weir::test {
namespace {

constexpr uint8_t kFinAck = kTcpFin | kTcpAck;
constexpr uint8_t kSynAck = kTcpSyn | kTcpAck;

TEST(Tcp, NormalConnectionGoesThroughEveryState) {
  FlowBuilder flow;
  Packet& first = flow.client(0, {.flags = kTcpSyn, .seq = 100});
  EXPECT_EQ(flow.live(first).state, FlowState::kNew);
  flow.server(0.1, {.flags = kSynAck, .seq = 500, .ack = 101});
  EXPECT_EQ(flow.live(first).state, FlowState::kNew);
  flow.client(0.3, {.seq = 101, .ack = 501});
  EXPECT_EQ(flow.live(first).state, FlowState::kEstablished);
  flow.client(1, {.seq = 101, .ack = 501, .size = 10});
  EXPECT_EQ(flow.live(first).state, FlowState::kActive);
  flow.server(1.1, {.seq = 501, .ack = 111, .size = 20});
  flow.client(2, {.flags = kFinAck, .seq = 111, .ack = 521});
  EXPECT_EQ(flow.live(first).state, FlowState::kClosing);
  flow.server(2.1, {.flags = kFinAck, .seq = 521, .ack = 112});
  EXPECT_EQ(flow.live(first).state, FlowState::kClosing);
  flow.client(2.2, {.seq = 112, .ack = 522});
  EXPECT_EQ(flow.live(first).state, FlowState::kClosed);

  const FlowRecord record = flow.only();
  EXPECT_EQ(record.end_reason, EndReason::kEnd)
      << "the linger is cut short, the connection was over";
  EXPECT_EQ(record.conn_state, ConnState::kSf);
  EXPECT_EQ(history(record), "ShADdFf") << "the last ACK is an A again, and letters are given once";
  EXPECT_EQ(record.origin, FlowOrigin::kSyn);
  EXPECT_EQ(record.rtt_ns, 300'000'000);
  EXPECT_EQ(record.src.tcp_isn, 100u);
  EXPECT_EQ(record.dst.tcp_isn, 500u);
  EXPECT_EQ(record.src.total.payload_bytes, 10u);
  EXPECT_EQ(record.dst.total.payload_bytes, 20u);
  EXPECT_EQ(record.src.retransmits + record.dst.retransmits + record.src.out_of_order +
                record.dst.out_of_order,
            0u);
}

TEST(Tcp, AttemptWithoutReplyIsS0AndItsRepeatedSynsAreRetransmits) {
  FlowBuilder flow;
  flow.client(0, {.flags = kTcpSyn, .seq = 100});
  flow.client(1, {.flags = kTcpSyn, .seq = 100});
  flow.client(3, {.flags = kTcpSyn, .seq = 100});
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.conn_state, ConnState::kS0);
  EXPECT_EQ(record.state, FlowState::kNew);
  EXPECT_EQ(record.end_reason, EndReason::kForced);
  EXPECT_EQ(record.src.retransmits, 2u);
  EXPECT_EQ(history(record), "S");
  EXPECT_EQ(record.rtt_ns, -1);
  EXPECT_FALSE(record.dst.has_tcp_isn);
}

TEST(Tcp, RttIsMeasuredFromTheLastSyn) {
  FlowBuilder flow;
  flow.client(0, {.flags = kTcpSyn, .seq = 100});
  flow.handshake(3);
  EXPECT_EQ(flow.only().rtt_ns, 300'000'000);
}

TEST(Tcp, RefusedConnectionIsRej) {
  FlowBuilder flow;
  flow.client(0, {.flags = kTcpSyn, .seq = 100});
  flow.server(0.1, {.flags = kTcpRst | kTcpAck, .seq = 0, .ack = 101});
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.conn_state, ConnState::kRej);
  EXPECT_EQ(record.state, FlowState::kClosed);
  EXPECT_EQ(record.end_reason, EndReason::kEnd);
  EXPECT_EQ(history(record), "Sr");
  EXPECT_FALSE(record.dst.has_tcp_isn);
}

TEST(Tcp, ResetsAreNamedByWhoSentThem) {
  FlowBuilder by_client;
  by_client.handshake(0);
  by_client.client(1, {.flags = kTcpRst, .seq = 101});
  EXPECT_EQ(by_client.only().conn_state, ConnState::kRsto);

  FlowBuilder by_server;
  by_server.handshake(0);
  by_server.server(1, {.flags = kTcpRst, .seq = 501});
  EXPECT_EQ(by_server.only().conn_state, ConnState::kRstr);

  FlowBuilder syn_then_reset;
  syn_then_reset.client(0, {.flags = kTcpSyn, .seq = 100});
  syn_then_reset.client(1, {.flags = kTcpRst, .seq = 101});
  EXPECT_EQ(syn_then_reset.only().conn_state, ConnState::kRstos0);

  FlowBuilder syn_ack_then_reset;
  syn_ack_then_reset.server(0, {.flags = kSynAck, .seq = 500, .ack = 101});
  syn_ack_then_reset.server(1, {.flags = kTcpRst, .seq = 501});
  const FlowRecord record = syn_ack_then_reset.only();
  EXPECT_EQ(record.conn_state, ConnState::kRstrh);
  EXPECT_EQ(record.src.port, 50000) << "the SYN-ACK's receiver sent the SYN";
  EXPECT_EQ(record.src.total.packets, 0u);
  EXPECT_EQ(record.src.tcp_isn, 100u) << "what the SYN-ACK acknowledged";
}

TEST(Tcp, HalfConnectionsWithFinAreShAndShr) {
  FlowBuilder half;
  half.client(0, {.flags = kTcpSyn, .seq = 100});
  half.client(1, {.flags = kTcpFin, .seq = 101});
  EXPECT_EQ(half.only().conn_state, ConnState::kSh);

  FlowBuilder other_half;
  other_half.server(0, {.flags = kSynAck, .seq = 500, .ack = 101});
  other_half.server(1, {.flags = kFinAck, .seq = 501, .ack = 101});
  EXPECT_EQ(other_half.only().conn_state, ConnState::kShr);
}

TEST(Tcp, HalfCloseStaysClosingWhileTheOtherSideSends) {
  FlowBuilder flow;
  flow.handshake(0);
  Packet& fin = flow.client(1, {.flags = kFinAck, .seq = 101, .ack = 501});
  flow.server(1.1, {.seq = 501, .ack = 102, .size = 100});
  flow.server(2, {.seq = 601, .ack = 102, .size = 100});
  EXPECT_EQ(flow.live(fin).state, FlowState::kClosing);
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.conn_state, ConnState::kS2);
  EXPECT_EQ(record.end_reason, EndReason::kForced);
}

TEST(Tcp, ClosingByTheResponderIsS3) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.server(1, {.flags = kFinAck, .seq = 501, .ack = 101});
  EXPECT_EQ(flow.only().conn_state, ConnState::kS3);
}

TEST(Tcp, RepeatedFinIsARetransmitAndClosesOnce) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.client(1, {.flags = kFinAck, .seq = 101, .ack = 501});
  flow.client(2, {.flags = kFinAck, .seq = 101, .ack = 501});
  flow.server(2.1, {.flags = kFinAck, .seq = 501, .ack = 102});
  Packet& last = flow.client(2.2, {.seq = 102, .ack = 502});
  EXPECT_EQ(flow.live(last).state, FlowState::kClosed);
  EXPECT_EQ(flow.only().src.retransmits, 1u);
}

TEST(Tcp, SimultaneousOpenIsEstablishedByBothSynAcks) {
  FlowBuilder flow;
  flow.client(0, {.flags = kTcpSyn, .seq = 100});
  flow.server(0.01, {.flags = kTcpSyn, .seq = 500});
  flow.client(0.1, {.flags = kSynAck, .seq = 100, .ack = 501});
  Packet& last = flow.server(0.11, {.flags = kSynAck, .seq = 500, .ack = 101});
  EXPECT_EQ(flow.live(last).state, FlowState::kEstablished);
  EXPECT_EQ(flow.only().conn_state, ConnState::kS1);
}

TEST(Tcp, MidstreamPickUpStartsEstablishedAndServiceTellsTheResponder) {
  FlowBuilder flow;
  Packet& first = flow.server(0, {.seq = 9000, .ack = 7000, .size = 100});
  EXPECT_EQ(flow.live(first).state, FlowState::kActive);
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.origin, FlowOrigin::kServicePort);
  EXPECT_EQ(record.src.port, 50000);
  EXPECT_EQ(record.dst.total.packets, 1u);
  EXPECT_EQ(history(record), "^d");
  EXPECT_EQ(record.conn_state, ConnState::kOth);
  EXPECT_EQ(record.src.tcp_isn, 6999u) << "first acknowledgement − 1";
  EXPECT_FALSE(record.dst.has_tcp_isn);
}

TEST(Tcp, OneSidedCaptureIsEstablishedByTheInitiatorsAck) {
  FlowBuilder flow;
  flow.client(0, {.flags = kTcpSyn, .seq = 100});
  Packet& ack = flow.client(0.2, {.seq = 101, .ack = 501});
  EXPECT_EQ(flow.live(ack).state, FlowState::kEstablished);
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.rtt_ns, -1) << "no SYN-ACK, no round trip";
  EXPECT_EQ(record.dst.tcp_isn, 500u);
}

TEST(Tcp, PortReuseInLingerStartsANewFlowAtOnce) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.client(1, {.flags = kTcpRst, .seq = 101});
  const uint64_t first_id = flow.client(2, {.flags = kTcpSyn, .seq = 100}).flow_id;
  EXPECT_TRUE(flow.records().empty()) << "the same initial sequence number: a late copy";
  Packet& again = flow.client(3, {.flags = kTcpSyn, .seq = 77777});
  EXPECT_NE(again.flow_id, first_id);
  EXPECT_TRUE(again.flow_created);
  ASSERT_EQ(flow.records().size(), 1u);
  EXPECT_EQ(flow.records()[0].end_reason, EndReason::kEnd);
  EXPECT_EQ(flow.records()[0].state, FlowState::kClosed);
}

TEST(Tcp, PortReuseByTheOtherEndTurnsTheDirection) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.client(1, {.flags = kFinAck, .seq = 101, .ack = 501});
  flow.server(2, {.flags = kTcpSyn, .seq = 4242});
  std::vector<FlowRecord>& records = flow.finish();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].state, FlowState::kClosing);
  EXPECT_EQ(records[0].end_reason, EndReason::kEnd);
  EXPECT_EQ(records[1].src.port, 80);
}

TEST(Tcp, KeepAlivesAreNeitherRetransmitNorOutOfOrder) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.client(1, {.seq = 101, .ack = 501, .size = 10});
  flow.server(1.1, {.seq = 501, .ack = 111});
  flow.client(60, {.seq = 110, .ack = 501});              // no data
  flow.client(120, {.seq = 110, .ack = 501, .size = 1});  // one byte
  const FlowRecord record = flow.finish().back();
  EXPECT_EQ(record.src.retransmits, 0u);
  EXPECT_EQ(record.src.out_of_order, 0u);
}

TEST(Tcp, FillingTheHoleIsOutOfOrderAndOtherOldDataARetransmit) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.client(1, {.seq = 101, .ack = 501, .size = 10});
  flow.client(1.1, {.seq = 121, .ack = 501, .size = 10});  // hole 111..121
  flow.client(1.2, {.seq = 111, .ack = 501, .size = 10});  // fills it
  flow.client(1.3, {.seq = 111, .ack = 501, .size = 10});  // and again
  flow.client(1.4, {.seq = 101, .ack = 501, .size = 10});
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.src.out_of_order, 1u);
  EXPECT_EQ(record.src.retransmits, 2u);
  EXPECT_EQ(history(record), "ShADT");
}

TEST(Tcp, AHoleFilledFromBothEndsClosesWithoutRetransmit) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.client(1.0, {.seq = 131, .ack = 501, .size = 10});  // hole 101..131
  flow.client(1.1, {.seq = 121, .ack = 501, .size = 10});
  flow.client(1.2, {.seq = 101, .ack = 501, .size = 10});
  flow.client(1.3, {.seq = 111, .ack = 501, .size = 10});
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.src.out_of_order, 3u);
  EXPECT_EQ(record.src.retransmits, 0u);
}

TEST(Tcp, AGapThePeerAcknowledgesIsMissingFromTheCapture) {
  FlowBuilder flow;
  flow.handshake(0);
  flow.client(1, {.seq = 201, .ack = 501, .size = 10});  // 101..201 not captured
  flow.server(1.1, {.seq = 501, .ack = 211});
  EXPECT_EQ(history(flow.only()), "ShADGa");
}

TEST(Tcp, SequenceNumbersWrap) {
  FlowBuilder flow;
  flow.client(0, {.flags = kTcpSyn, .seq = 0xffffffff});
  flow.server(0.1, {.flags = kSynAck, .seq = 0xfffffff0, .ack = 0});
  flow.client(0.2, {.seq = 0, .ack = 0xfffffff1});
  flow.server(1, {.seq = 0xfffffff1, .ack = 0, .size = 20});
  flow.server(1.1, {.seq = 5, .ack = 0, .size = 20});
  Packet& last = flow.server(1.2, {.seq = 0xfffffff1, .ack = 0, .size = 20});
  EXPECT_EQ(flow.live(last).state, FlowState::kActive);
  const FlowRecord record = flow.only();
  EXPECT_EQ(record.dst.retransmits, 1u);
  EXPECT_EQ(record.dst.out_of_order, 0u);
}

TEST(Tcp, OddFlagsAreMarkedAndZeroWindowsCountedByTens) {
  FlowBuilder flow;
  flow.client(0, {.flags = kTcpSyn | kTcpFin, .seq = 100});
  EXPECT_EQ(history(flow.only()), "QSF");

  FlowBuilder windows;
  windows.handshake(0);
  for (int index = 0; index < 10; ++index) windows.server(1, {.seq = 501, .ack = 101, .window = 0});
  EXPECT_EQ(history(windows.only()), "ShAwaw");
}

TEST(Tcp, PayloadInTheSynDoesNotEstablish) {
  FlowBuilder flow;
  Packet& syn = flow.client(0, {.flags = kTcpSyn, .seq = 100, .size = 10});
  EXPECT_EQ(flow.live(syn).state, FlowState::kNew);
  flow.server(0.1, {.flags = kSynAck, .seq = 500, .ack = 111});
  flow.client(0.2, {.seq = 111, .ack = 501, .size = 5});
  EXPECT_EQ(flow.live(syn).state, FlowState::kActive);
  EXPECT_EQ(flow.only().src.retransmits, 0u);
}

}  // namespace
}  // namespace weir::test
