// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dpi/protocol_run.h"

namespace weir {
namespace {

using test::from_hex;
using test::PayloadBytes;
using test::ProtocolRun;
using test::RunOptions;

const RunOptions kUdp = {.transport = kOverUdp, .src_port = 40001, .dst_port = 40003};

// A sender report with the NTP time 0x1234.5678 in the middle, and a source description: CNAME
// "ann@host", TOOL "phone".
constexpr const char* kSender =
    "80c8 0006 00000007 aaaa1234 5678bbbb 00000000 00000001 000000a0"
    "81ca 0006 00000007 0108 616e6e40686f7374 0605 70686f6e65 00 0000";
// A receiver report of 1/4 lost, 5 in all, jitter 33, about that sender report, held half a second.
constexpr const char* kReceiver =
    "81c9 0007 00000009 00000007 40000005 00000064 00000021 12345678 00008000";

TEST(Rtcp, SaysWhatReportsSay) {
  ProtocolRun run(kUdp);
  run.send(Side::kInitiator, from_hex(kSender));
  run.advance_clock(520'000'000);
  run.send(Side::kResponder, from_hex(kReceiver));
  run.finish();
  EXPECT_EQ(run.app(), "rtcp");
  EXPECT_EQ(run.confidence(), AppConfidence::kCertain);
  EXPECT_EQ(
      run.json(),
      R"({"rtcp":{"packet_type":[200,202,201],"ssrc":[7,9],"cname":["ann@host"],"tool":"phone",)"
      R"("fraction_lost":64,"lost":5,"jitter":33,"round_trip":0.02}})");
  EXPECT_EQ(run.events().size(), 2u);
}

TEST(Rtcp, SaysWhyASourceLeft) {
  ProtocolRun run(kUdp);
  run.send(Side::kInitiator, from_hex("80c9 0001 00000007  81cb 0003 00000007 05 6472697665 0000"));
  EXPECT_EQ(run.attribute("rtcp.bye_reason"), "drive");
}

TEST(Rtcp, OfEncryptedReportsOnlyTheSenderIsKnown) {
  ProtocolRun run(kUdp);
  run.send(Side::kInitiator, from_hex("80c9 0001 00000007 80000001 00112233445566778899"));
  EXPECT_EQ(run.json(), R"({"rtcp":{"packet_type":[201],"ssrc":[7],"encrypted":true}})");
}

TEST(Rtcp, FeedbackMayComeFirst) {
  ProtocolRun run(kUdp);
  run.send(Side::kInitiator, from_hex("81ce 0002 00000007 00000009"));
  EXPECT_EQ(run.app(), "rtcp");
}

TEST(Rtcp, AnyTruncationIsBorne) {
  const PayloadBytes whole = from_hex(kSender);
  for (size_t size = 8; size < whole.size(); ++size) {
    ProtocolRun run(kUdp);
    run.send(Side::kInitiator,
             PayloadBytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)),
             static_cast<uint32_t>(whole.size()));
    run.finish();
    EXPECT_EQ(run.app(), "rtcp") << size;
    EXPECT_EQ(run.attribute("rtcp.ssrc"), "7") << size;
  }
}

TEST(Rtcp, IsNotWhatLooksLikeIt) {
  for (const char* datagram :
       {"80c8 0006 00000007", "80d8 0001 00000007", "40c9 0001 00000007", "80c8 0000 00000007",
        "8000 0001 00000000 00000001 ffff", "0001 0008 2112a442 000102030405060708090a0b"}) {
    ProtocolRun run(kUdp);
    run.send(Side::kInitiator, from_hex(datagram));
    EXPECT_NE(run.app(), "rtcp") << datagram;
  }
}

}  // namespace
}  // namespace weir
