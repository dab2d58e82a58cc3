// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dpi/protocols/conversation.h"

namespace weir {
namespace {

using test::client;
using test::deliver;
using test::payload_of;
using test::ProtocolRun;
using test::RunOptions;
using test::server;
using test::Turn;

const std::string kSdp =
    "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
    "m=audio 30000 RTP/AVP 0 97\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:97 "
    "opus/48000/2\r\na=sendrecv\r\n"
    "m=video 30002 RTP/AVP 34\r\nc=IN IP6 2001:db8::1\r\na=rtcp:30010\r\na=sendonly";

std::string invite(const std::string& body) {
  return "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
         "From: \"Ann\" <sip:ann@example.com>;tag=1\r\nt: <sip:bob@example.org>\r\ni: "
         "1@10.0.0.1\r\n"
         "CSeq: 1 INVITE\r\nm: <sip:ann@10.0.0.1>;x=y\r\nUser-Agent: phone 1.0\r\n"
         "Authorization: Digest username=\"ann\", realm=\"r\"\r\nc: application/sdp\r\nl: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}
const std::string kRinging =
    "SIP/2.0 180 Ringing\r\nServer: exchange 2\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";

constexpr const char* kCallJson =
    R"({"sip":{"method":["INVITE"],"uri":"sip:bob@example.org","status_code":[180],"reason":"Ringing",)"
    R"("from":"\"Ann\" <sip:ann@example.com>","to":"<sip:bob@example.org>","call_id":["1@10.0.0.1"],)"
    R"("cseq":"1 INVITE","user_agent":"phone 1.0","server":"exchange 2","contact":"<sip:ann@10.0.0.1>",)"
    R"("auth_user":"ann","content_type":["application/sdp"],)"
    R"("codec":["PCMU/8000","opus/48000/2","H263/90000"],)"
    R"("media":[{"type":"audio","address":"10.0.0.1","port":30000,"protocol":"RTP/AVP","direction":"sendrecv"},)"
    R"({"type":"video","address":"2001:db8::1","port":30002,"protocol":"RTP/AVP","direction":"sendonly"}]}})";

const RunOptions kUdp = {.transport = kOverUdp, .src_port = 5060, .dst_port = 5060};

TEST(Sip, SaysWhoCallsWhomWithWhatMedia) {
  ProtocolRun run(kUdp);
  deliver(run, {client(invite(kSdp)), server(kRinging)});
  EXPECT_EQ(run.app(), "sip");
  EXPECT_EQ(run.json(), kCallJson);
  EXPECT_EQ(run.events().size(), 2u);
}

TEST(Sip, StreamsOfPiecesSayTheSame) {
  for (const size_t size : {SIZE_MAX, size_t{1}, size_t{2}, size_t{7}, size_t{100}}) {
    ProtocolRun run;
    const std::string call = invite(kSdp);
    deliver(run, {client(call.substr(0, 40)), client(call.substr(40)), server(kRinging)}, size);
    EXPECT_EQ(run.json(), kCallJson) << size;
  }
}

TEST(Sip, AnyTruncationOfADatagramIsSip) {
  const std::string message = invite(kSdp);
  for (size_t size = 12; size < message.size(); ++size) {
    ProtocolRun run(kUdp);
    run.send(Side::kInitiator, payload_of(message.substr(0, size)),
             static_cast<uint32_t>(message.size()));
    run.finish();
    EXPECT_EQ(run.app(), "sip") << size;
    EXPECT_EQ(run.attribute("sip.method"), "INVITE") << size;
  }
}

TEST(Sip, AnyTruncationOfAStreamIsSipOrUndecided) {
  const std::vector<Turn> turns = {client(invite(kSdp)), server(kRinging)};
  for (size_t size = 0; size < test::size_of(turns); ++size) {
    ProtocolRun run;
    deliver(run, turns, SIZE_MAX, size);
    run.finish();
    EXPECT_TRUE(run.app() == "sip" || run.app() == "unknown") << size;
  }
}

TEST(Sip, MessagesFollowEachOtherInAStream) {
  ProtocolRun run;
  const std::string message =
      "MESSAGE sip:bob@example.org SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: "
      "20000\r\n\r\n" +
      std::string(20000, 'z');
  deliver(run,
          {client("\r\n\r\n" + invite(kSdp) + message + "BYE sip:bob@example.org SIP/2.0\r\n\r\n")},
          1400);
  EXPECT_EQ(run.attribute("sip.method"), "INVITE MESSAGE BYE");
  EXPECT_EQ(run.attribute("sip.content_type"), "application/sdp text/plain");
}

TEST(Sip, AnnouncesMedia) {
  for (const uint16_t port : {uint16_t{30000}, uint16_t{30002}}) {
    ProtocolRun run(kUdp);
    deliver(run, {client(invite(kSdp))});
    run.next_flow(kOverUdp, port, 40000);
    run.send(Side::kInitiator, test::from_hex("80 00 0001 00000000 00000001 ff"));
    EXPECT_EQ(run.app(), "rtp") << port;
    EXPECT_EQ(run.method(), AppMethod::kExpected);
  }
  for (const uint16_t port : {uint16_t{30001}, uint16_t{30010}}) {
    ProtocolRun run(kUdp);
    deliver(run, {client(invite(kSdp))});
    run.next_flow(kOverUdp, 40000, port);
    run.send(Side::kInitiator, test::from_hex("80 c9 0001 00000001"));
    EXPECT_EQ(run.app(), "rtcp") << port;
  }
}

TEST(Sip, RefusedMediaIsNotAnnounced) {
  ProtocolRun run(kUdp);
  deliver(
      run,
      {client(invite("c=IN IP4 10.0.0.1\r\nm=audio 0 RTP/AVP 0\r\nm=image 30000 udptl t38\r\n"))});
  EXPECT_EQ(run.attribute("sip.codec"), "PCMU/8000");
  run.next_flow(kOverUdp, 30000, 40000);
  run.send(Side::kInitiator, "no media");
  EXPECT_EQ(run.app(), "unknown");
}

TEST(Sip, KeepAlivesAreNoMessages) {
  ProtocolRun run(kUdp);
  deliver(run, {client("\r\n\r\n")});
  EXPECT_EQ(run.app(), "unknown");
  deliver(run, {client("OPTIONS sip:a@b SIP/2.0\r\n\r\n"), client("\r\n\r\n"), server("\r\n"),
                server("SIP/2.0 200\r\n\r\n")});
  EXPECT_EQ(run.app(), "sip");
  EXPECT_EQ(run.json(), R"({"sip":{"method":["OPTIONS"],"uri":"sip:a@b","status_code":[200]}})");
}

TEST(Sip, AfterAGapTheNextMessageIsRead) {
  ProtocolRun run;
  deliver(run, {client("OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\n")});
  run.lose(Side::kInitiator, 100);
  for (int message = 0; message < 20; ++message)
    deliver(run, {client("x: y\r\n\r\nBYE sip:a@b SIP/2.0\r\nCall-ID: 2\r\n\r\n")});
  EXPECT_EQ(run.attribute("sip.method"), "OPTIONS BYE");
  EXPECT_EQ(run.attribute("sip.call_id"), "1 2");
}

TEST(Sip, IsNotWhatLooksLikeIt) {
  for (const char* text :
       {"OPTIONS rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n\r\n", "NOTIFY * HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
        "SIP/3.0 200 OK\r\n", "SIP", "sip:ann@example.com\r\n", "REGISTER\r\n"}) {
    ProtocolRun run(kUdp);
    deliver(run, {client(text)});
    EXPECT_EQ(run.app(), "unknown") << text;
  }
}

}  // namespace
}  // namespace weir
