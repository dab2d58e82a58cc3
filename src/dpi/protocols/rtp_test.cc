// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dpi/protocol_run.h"

namespace weir {
namespace {

using test::from_hex;
using test::PayloadBytes;
using test::ProtocolRun;
using test::RunOptions;

const RunOptions kUdp = {.transport = kOverUdp, .src_port = 40000, .dst_port = 40002};

struct Packet {
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0x11223344;
  uint8_t payload_type = 0;
  size_t payload_size = 160;
};

PayloadBytes bytes_of(const Packet& packet) {
  PayloadBytes bytes = {0x80, packet.payload_type, static_cast<uint8_t>(packet.sequence >> 8),
                        static_cast<uint8_t>(packet.sequence)};
  for (const uint32_t number : {packet.timestamp, packet.ssrc}) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<uint8_t>(number >> shift));
  }
  bytes.resize(bytes.size() + packet.payload_size, 0xd5);
  return bytes;
}

// A flow that SIP announced, so that its first packet is counted.
class Announced : public ProtocolRun {
 public:
  Announced() : ProtocolRun({.transport = kOverUdp, .src_port = 5060, .dst_port = 5060}) {
    send(Side::kInitiator,
         "INVITE sip:a@b SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n"
         "m=audio 40000 RTP/AVP 0\r\n");
    next_flow(kOverUdp, 40000, 40002);
  }
};

constexpr int64_t kMillisecondNs = 1'000'000;

TEST(Rtp, ThreeInARowOfOneSourceAreBelieved) {
  ProtocolRun run(kUdp);
  for (uint16_t index = 0; index < 2; ++index) {
    run.send(Side::kInitiator, bytes_of({static_cast<uint16_t>(65534 + index), 160u * index}));
    EXPECT_EQ(run.app(), "unknown");
  }
  run.send(Side::kInitiator, bytes_of({0, 320}));
  EXPECT_EQ(run.app(), "rtp");
  EXPECT_EQ(run.confidence(), AppConfidence::kLikely);
}

TEST(Rtp, MirroredPacketsAreBelievedAsOne) {
  ProtocolRun run(kUdp);
  for (uint16_t index = 0; index < 5; ++index)
    run.send(Side::kInitiator, bytes_of({static_cast<uint16_t>(index / 2), 160u * (index / 2)}));
  EXPECT_EQ(run.app(), "rtp");
}

TEST(Rtp, IsNotWhatLooksLikeIt) {
  const auto app_of = [](const std::vector<PayloadBytes>& datagrams) {
    ProtocolRun run(kUdp);
    for (const PayloadBytes& datagram : datagrams) run.send(Side::kInitiator, datagram);
    return std::string(run.app());
  };
  // Another source each time; numbers that stand still or jump; times that jump; reserved payload
  // types.
  EXPECT_NE(
      app_of({bytes_of({1, 0, 1}), bytes_of({2, 0, 2}), bytes_of({3, 0, 3}), bytes_of({4, 0, 4})}),
      "rtp");
  EXPECT_NE(app_of({bytes_of({1, 0}), bytes_of({1, 0}), bytes_of({1, 0}), bytes_of({1, 0})}),
            "rtp");
  EXPECT_NE(app_of({bytes_of({1, 0}), bytes_of({3, 0}), bytes_of({5, 0}), bytes_of({7, 0})}),
            "rtp");
  EXPECT_NE(app_of({bytes_of({1, 0}), bytes_of({2, 0x70000000}), bytes_of({3, 1}),
                    bytes_of({4, 0x70000000})}),
            "rtp");
  EXPECT_NE(app_of({bytes_of({1, 0, 9, 77}), bytes_of({2, 0, 9, 77}), bytes_of({3, 0, 9, 77})}),
            "rtp");
  EXPECT_NE(
      app_of({bytes_of({1, 0, 9, 0, 0}), bytes_of({2, 0, 9, 0, 0}), bytes_of({3, 0, 9, 0, 0})}),
      "rtp");
  // BACnet/IP: 0x81, 0x0a and a size where the sequence number would be.
  EXPECT_NE(app_of({from_hex("810a001101 20ffff00ff10072c0200003d"),
                    from_hex("810a0012010800 0d013d1001c40200003d75"),
                    from_hex("810a001301 20ffff00ff10072c0200003d0000")}),
            "rtp");
}

TEST(Rtp, CountsWhatIsLostLateAndDouble) {
  Announced run;
  const uint16_t sequences[] = {65533, 65534, 65535, 1, 0, 2, 2, 5, 6};
  for (const uint16_t sequence : sequences)
    run.send(Side::kInitiator, bytes_of({sequence, 160u * static_cast<uint16_t>(sequence + 3)}));
  run.finish();
  EXPECT_EQ(run.method(), AppMethod::kExpected);
  EXPECT_EQ(run.attribute("rtp.streams.packets"), "");  // a member has no value of its own
  EXPECT_EQ(run.attribute("rtp.lost"), "2");
  EXPECT_EQ(run.attribute("rtp.reordered"), "1");
  EXPECT_EQ(run.attribute("rtp.duplicates"), "1");
  EXPECT_NE(run.json().find(R"("packets":8)"), std::string::npos);
}

TEST(Rtp, ASourceThatJumpsBeginsAnew) {
  Announced run;
  for (const int sequence : {1, 2, 3, 30000, 30001, 30002, 30004})
    run.send(Side::kInitiator, bytes_of({static_cast<uint16_t>(sequence), 0}));
  run.finish();
  EXPECT_EQ(run.attribute("rtp.lost"), "1");
}

TEST(Rtp, OneStrayPacketLosesNothing) {
  Announced run;
  for (const int sequence : {1, 2, 3, 30000, 4, 5})
    run.send(Side::kInitiator, bytes_of({static_cast<uint16_t>(sequence), 0}));
  run.finish();
  EXPECT_EQ(run.attribute("rtp.lost"), "0");
}

// Appendix A.8 by hand: a packet 16 ms late, then one in time: |D| = 128 twice; J = 8, then 15.5.
TEST(Rtp, JitterIsThatOfTheAppendix) {
  Announced run;
  run.send(Side::kInitiator, bytes_of({1, 0}));
  run.advance_clock(36 * kMillisecondNs);
  run.send(Side::kInitiator, bytes_of({2, 160}));
  run.advance_clock(4 * kMillisecondNs);
  run.send(Side::kInitiator, bytes_of({3, 320}));
  run.finish();
  EXPECT_EQ(run.attribute("rtp.jitter"), "0.001937500");
}

TEST(Rtp, EstimatesTheClockOfNegotiatedPayloadTypes) {
  Announced run;
  for (uint16_t index = 0; index < 100; ++index) {
    run.send(Side::kInitiator, bytes_of({index, 960u * index, 7, 111}));
    run.advance_clock(20 * kMillisecondNs);
  }
  run.finish();
  EXPECT_NE(run.json().find(R"("clock_rate":48000)"), std::string::npos);
  EXPECT_EQ(run.attribute("rtp.jitter"), "0.000000000");
}

TEST(Rtp, SaysSourcesAndCodecsOnce) {
  Announced run;
  for (uint16_t index = 0; index < 10; ++index) {
    run.send(Side::kInitiator,
             bytes_of({index, 160u * index, 1, static_cast<uint8_t>(index == 5 ? 0x80 | 8 : 0)}));
    run.send(Side::kResponder, bytes_of({index, 160u * index, 2, 18, 20}));
  }
  EXPECT_EQ(run.events().size(), 4u);  // the INVITE, two sources and a payload type
  run.finish();
  EXPECT_EQ(run.attribute("rtp.ssrc"), "1 2");
  EXPECT_EQ(run.attribute("rtp.payload_type"), "0 18 8");
  EXPECT_EQ(run.attribute("rtp.codec"), "PCMU/8000 G729/8000 PCMA/8000");
}

TEST(Rtp, OthersOnItsPortsArePassedOver) {
  Announced run;
  run.send(Side::kInitiator, bytes_of({1, 0}));
  run.send(Side::kInitiator, from_hex("0001 0000 2112a442 000102030405060708090a0b"));  // STUN
  run.send(Side::kInitiator, from_hex("16fefd 0000 000000000001 0001 00"));             // DTLS
  run.send(Side::kInitiator, from_hex("80c9 0001 00000001"));                           // RTCP
  run.send(Side::kInitiator, from_hex("80"));
  run.send(Side::kInitiator, bytes_of({2, 160}));
  run.finish();
  EXPECT_EQ(run.attribute("rtp.ssrc"), "287454020");
  EXPECT_EQ(run.attribute("rtp.lost"), "0");
}

TEST(Rtp, ManySourcesAreNotAllCounted) {
  Announced run;
  for (uint32_t ssrc = 1; ssrc < 1000; ++ssrc) run.send(Side::kInitiator, bytes_of({1, 0, ssrc}));
  run.finish();
  EXPECT_EQ(run.attribute("rtp.ssrc"), "1 2 3 4");
}

TEST(Rtp, AnyTruncationIsBorne) {
  for (size_t size = 1; size < 40; ++size) {
    ProtocolRun run(kUdp);
    for (uint16_t index = 0; index < 5; ++index) {
      PayloadBytes bytes = bytes_of({index, 160u * index});
      bytes[0] = static_cast<uint8_t>(0x80 | (index % 2 == 0 ? 0x10 : 0));
      bytes[14] = 0;
      bytes[15] = 2;
      bytes.resize(size);
      run.send(Side::kInitiator, bytes, 172);
    }
    run.finish();
    EXPECT_EQ(run.app(), size >= 12 ? "rtp" : "unknown") << size;
  }
}

}  // namespace
}  // namespace weir
