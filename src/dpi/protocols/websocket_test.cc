// SPDX-License-Identifier: Apache-2.0
//
// WebSocket behind an upgrade of HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dpi/protocol_run.h"

namespace weir {
namespace {

using test::from_hex;
using test::payload_of;
using test::PayloadBytes;
using test::ProtocolRun;

constexpr Side kClient = Side::kInitiator;
constexpr Side kServer = Side::kResponder;

constexpr std::string_view kRequest =
    "GET /chat HTTP/1.1\r\nHost: example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
    "Server: test\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

// Text "Hello" masked, close 1001 masked; text, ping, binary of 300 bytes, continuation, close 1000.
const PayloadBytes& client_frames() {
  static const PayloadBytes frames = from_hex("818537fa213d7f9f4d5158 8882 01020304 02eb");
  return frames;
}
PayloadBytes server_frames() {
  PayloadBytes frames = from_hex("810548656c6c6f 8900 027e012c");
  frames.insert(frames.end(), 300, 0x81);
  const PayloadBytes rest = from_hex("8000 880203e8");
  frames.insert(frames.end(), rest.begin(), rest.end());
  return frames;
}

constexpr std::string_view kAll =
    R"({"http":{"version":"1.1","method":["GET"],"host":["example.org"],"uri":"/chat",)"
    R"("status_code":[101],"server":"test","upgrade":"websocket","requests":1},)"
    R"("websocket":{"subprotocol":"chat","extensions":"permessage-deflate",)"
    R"("opcodes":["text","close","ping","binary","continuation"],"masked":true,)"
    R"("close_code":1001,"text_frames":2,"binary_frames":1,"continuation_frames":1,)"
    R"("ping_frames":1}})";

TEST(Websocket, IsTheAppOfTheFlow) {
  ProtocolRun run;
  run.send(kClient, kRequest);
  run.send(kServer, kResponse);
  run.send(kClient, client_frames());
  run.send(kServer, server_frames());
  run.finish();
  EXPECT_EQ(run.app(), "websocket");
  EXPECT_EQ(run.path(), "http.websocket");
  EXPECT_EQ(run.method(), AppMethod::kHandover);
  EXPECT_EQ(run.json(), kAll);
}

TEST(Websocket, PiecesOfAnySizeSayTheSame) {
  PayloadBytes answer = payload_of(kResponse);
  const PayloadBytes frames = server_frames();
  for (size_t size = 1; size <= answer.size(); ++size) {
    ProtocolRun run;
    run.send(kClient, kRequest);
    run.send(kServer, PayloadBytes(answer.begin(), answer.begin() + static_cast<long>(size)));
    run.send(kServer, PayloadBytes(answer.begin() + static_cast<long>(size), answer.end()));
    run.send_in_pieces(kClient, client_frames(), 2);
    run.send_in_pieces(kServer, frames, size + 30);
    run.finish();
    EXPECT_EQ(run.json(), kAll) << size;
  }
}

TEST(Websocket, FramesRightBehindTheResponse) {
  ProtocolRun run;
  run.send(kClient, kRequest);
  run.send(kServer, std::string(kResponse) + "\x81\x02hi");
  run.finish();
  EXPECT_EQ(run.attribute("websocket.text_frames"), "1");
}

TEST(Websocket, RefusesWhatIsNoFrame) {
  for (const std::string_view frame :
       {"8300", "8b00", "0900", "89fe010000000000", "817fffffffffffffffff"}) {
    ProtocolRun run;
    run.send(kClient, kRequest);
    run.send(kServer, kResponse);
    run.send(kClient, from_hex(frame));
    EXPECT_FALSE(run.is_inspected()) << frame;
    EXPECT_EQ(run.app(), "websocket");
  }
}

TEST(Websocket, OtherUpgradesStayHttp) {
  ProtocolRun run;
  run.send(kClient, "GET / HTTP/1.1\r\nUpgrade: something\r\n\r\n");
  run.send(kServer, "HTTP/1.1 101 Switching\r\nUpgrade: something\r\n\r\n");
  run.send(kServer, "SSH-2.0-a\r\n");
  run.finish();
  EXPECT_EQ(run.path(), "http.ssh");
}

TEST(Websocket, ARefusedUpgradeGoesOnAsHttp) {
  ProtocolRun run;
  run.send(kClient, "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
  run.send(kServer, "HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n");
  run.send(kClient, "GET /2 HTTP/1.1\r\n\r\n");
  run.finish();
  EXPECT_EQ(run.app(), "http");
  EXPECT_EQ(run.attribute("http.requests"), "2");
}

}  // namespace
}  // namespace weir
