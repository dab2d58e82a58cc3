// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1: what requests and responses say, how bodies are skipped, and what is not HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dpi/protocol_run.h"

namespace weir {
namespace {

using test::payload_of;
using test::ProtocolRun;
using testing::ElementsAre;

constexpr Side kClient = Side::kInitiator;
constexpr Side kServer = Side::kResponder;

constexpr std::string_view kRequest =
    "GET /a/b?c=d HTTP/1.1\r\n"
    "Host: www.example.org:8080\r\n"
    "User-Agent: curl/7.88.1\r\n"
    "Referer: http://example.org/\r\n"
    "X-Forwarded-For: 192.0.2.7\r\n"
    "Cookie: session=secret\r\n"
    "\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx/1.22.1\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: 5\r\n"
    "\r\n"
    "hello";
constexpr std::string_view kAll =
    R"({"http":{"version":"1.1","method":["GET"],"host":["www.example.org"],"uri":"/a/b?c=d",)"
    R"("user_agent":"curl/7.88.1","referrer":"http://example.org/","x_forwarded_for":"192.0.2.7",)"
    R"("status_code":[200],"server":"nginx/1.22.1",)"
    R"("response_content_type":["text/html; charset=utf-8"],"response_body_bytes":5,"requests":1}})";

TEST(Http, SaysWhatTheHeadersSay) {
  ProtocolRun run;
  run.send(kClient, kRequest);
  run.send(kServer, kResponse);
  run.finish();
  EXPECT_EQ(run.app(), "http");
  EXPECT_EQ(run.confidence(), AppConfidence::kCertain);
  EXPECT_EQ(run.json(), kAll);
}

TEST(Http, AMessageIsAnEvent) {
  ProtocolRun run;
  run.send(kClient, kRequest);
  run.send(kServer, kResponse);
  run.finish();
  EXPECT_THAT(
      run.events(),
      ElementsAre(
          R"({"http":{"version":"1.1","method":["GET"],"host":["www.example.org"],)"
          R"("uri":"/a/b?c=d","user_agent":"curl/7.88.1","referrer":"http://example.org/",)"
          R"("x_forwarded_for":"192.0.2.7"}})",
          R"({"http":{"version":"1.1","status_code":[200],"server":"nginx/1.22.1",)"
          R"("response_content_type":["text/html; charset=utf-8"],"response_body_bytes":5}})"));
}

TEST(Http, IsOneEventHoweverItIsCut) {
  ProtocolRun whole;
  whole.send(kClient, kRequest);
  ProtocolRun run;
  run.send_in_pieces(kClient, payload_of(kRequest), 13);
  EXPECT_EQ(run.events(), whole.events());
}

// The budget ends after 32 packets, so pieces are at least as large as lets all of it in.
TEST(Http, PiecesOfAnySizeSayTheSame) {
  for (size_t size = 17; size < kRequest.size() + 2; ++size) {
    ProtocolRun run;
    run.send_in_pieces(kClient, payload_of(kRequest), size);
    run.send_in_pieces(kServer, payload_of(kResponse), size);
    run.finish();
    EXPECT_EQ(run.json(), kAll) << size;
    EXPECT_EQ(run.confidence(), AppConfidence::kCertain);
  }
}

// Cut anywhere, the rest in another segment.
TEST(Http, TwoPiecesSayTheSame) {
  for (size_t at = 1; at < kRequest.size(); ++at) {
    ProtocolRun run;
    run.send(kClient, kRequest.substr(0, at));
    run.send(kClient, kRequest.substr(at));
    for (size_t byte = 0; byte < 12; ++byte) run.send(kServer, kResponse.substr(byte, 1));
    run.send(kServer, kResponse.substr(12));
    run.finish();
    EXPECT_EQ(run.json(), kAll) << at;
  }
}

TEST(Http, EveryTruncationIsHttpOrNothing) {
  for (size_t size = 1; size < kRequest.size(); ++size) {
    ProtocolRun run;
    run.send(kClient, kRequest.substr(0, size));
    run.finish();
    const bool is_decided = size >= 16;
    EXPECT_EQ(run.app(), is_decided ? "http" : "unknown") << size;
  }
}

TEST(Http, ACutRequestSaysWhatIsThere) {
  ProtocolRun run;
  run.send(kClient, payload_of(kRequest.substr(0, 90)), 900);
  run.send(kServer, kResponse);
  run.finish();
  EXPECT_EQ(run.attribute("http.host"), "www.example.org");
  EXPECT_EQ(run.attribute("http.user_agent"), "curl/7.88.1");
  EXPECT_EQ(run.attribute("http.status_code"), "200");
}

TEST(Http, ACutTargetIsLikelyHttp) {
  ProtocolRun run;
  run.send(kClient, payload_of("GET /images/banners/large"), 900);
  run.finish();
  EXPECT_EQ(run.app(), "http");
  EXPECT_EQ(run.confidence(), AppConfidence::kLikely);
}

TEST(Http, ResponsesComeFirstInTheMiddleOfAStream) {
  ProtocolRun run({.is_midstream = true});
  run.send(kServer, "the rest of a body, whatever it is\n");
  run.send(kClient, kRequest);
  run.send(kServer, kResponse);
  run.finish();
  EXPECT_EQ(run.app(), "http");
  EXPECT_EQ(run.attribute("http.status_code"), "200");
  EXPECT_EQ(run.attribute("http.host"), "www.example.org");
}

TEST(Http, ManyRequestsInOneSegment) {
  ProtocolRun run;
  std::string requests;
  std::string responses;
  for (int number = 0; number < 2000; ++number) {
    requests += "GET /" + std::to_string(number) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    responses += "HTTP/1.1 204 No Content\r\n\r\n";
  }
  run.send(kClient, requests);
  run.send(kServer, responses);
  run.finish();
  EXPECT_EQ(run.attribute("http.requests"), "2000");
  EXPECT_EQ(run.events().size(), 4000u);
}

// The kinds of the first 32 are remembered; no answer is taken for one of another kind.
TEST(Http, AnswersToHeadHaveNoBody) {
  for (const int before : {0, 1, 30, 31, 32, 33, 70}) {
    ProtocolRun run;
    std::string requests;
    std::string responses;
    for (int number = 0; number < before; ++number) {
      requests += "GET / HTTP/1.1\r\n\r\n";
      responses += "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    }
    run.send(kClient, requests + "HEAD / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    run.send(kServer, responses + "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" +
                          "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    run.finish();
    EXPECT_EQ(run.attribute("http.status_code"), before < 32 ? "200 404" : "200") << before;
    EXPECT_EQ(run.attribute("http.requests"), std::to_string(before + 2));
  }
}

TEST(Http, BodiesAreSkippedByTheirFraming) {
  const std::string_view next = "HTTP/1.1 418 I'm a teapot\r\n\r\n";
  for (const std::string_view body : {
           "HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\nHTTP/1.1 200 not a one\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
           "5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\ntransfer-encoding:chunked\r\nContent-Length: 999\r\n\r\n"
           "000\r\nTrailer: x\r\nAnother: y\r\n\r\n",
           "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
           "HTTP/1.1 304 Not Modified\r\nContent-Length: 4000\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 1\n\na\r\n",
           "HTTP/1.1 200 OK\r\nX-Folded: a\r\n Content-Length: 7\r\nContent-Length: 1\r\n\r\nb",
       }) {
    for (const size_t size : {size_t{1000}, size_t{11}}) {
      ProtocolRun run;
      run.send(kClient, "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
      run.send_in_pieces(kServer, payload_of(std::string(body) + std::string(next)), size);
      run.finish();
      EXPECT_THAT(run.attribute("http.status_code"), testing::EndsWith("418")) << body;
    }
  }
}

TEST(Http, ABodyUntilTheEndHidesWhatIsInIt) {
  ProtocolRun run;
  run.send(kClient, "GET / HTTP/1.0\r\n\r\n");
  run.send(kServer, "HTTP/1.0 200 OK\r\n\r\n");
  run.send(kServer, "HTTP/1.0 500 not a response\r\n\r\n");
  run.finish();
  EXPECT_EQ(run.attribute("http.status_code"), "200");
}

TEST(Http, LossInABodyIsNotMissed) {
  ProtocolRun run;
  run.send(kClient, "POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n");
  run.lose(kClient, 600);
  run.send(kClient, std::string(400, 'x') + "GET /next HTTP/1.1\r\n\r\n");
  run.finish();
  EXPECT_EQ(run.attribute("http.requests"), "2");
}

TEST(Http, GoesOnAtTheNextStartLineAfterLoss) {
  ProtocolRun run;
  run.send(kClient, "GET / HTTP/1.1\r\n\r\n");
  run.send(kServer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n");
  run.send(kServer, payload_of("ab"), 300);  // cut by the snap length
  run.send(kServer, "0\r\n\r\n");
  run.send(kServer, "HTTP/1.1 403 Forbidden\r\n\r\n");
  run.finish();
  EXPECT_EQ(run.attribute("http.status_code"), "200 403");
}

TEST(Http, UserNameButNoPassword) {
  ProtocolRun run;
  run.send(kClient,
           "GET ftp://ann:secret@files.example/x?mail=a@b HTTP/1.1\r\n"
           "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
  run.finish();
  EXPECT_EQ(run.attribute("http.username"), "Aladdin");
  EXPECT_EQ(run.attribute("http.auth_scheme"), "Basic");
  EXPECT_EQ(run.attribute("http.uri"), "ftp://files.example/x?mail=a@b");
  EXPECT_EQ(run.attribute("http.host"), "files.example");
  EXPECT_THAT(run.json(), testing::Not(testing::HasSubstr("secret")));
}

TEST(Http, HostWithoutPort) {
  const auto host = [](std::string_view header) {
    ProtocolRun run;
    run.send(kClient, "GET / HTTP/1.1\r\nHOST:" + std::string(header) + "\r\n\r\n");
    run.finish();
    return run.attribute("http.host");
  };
  EXPECT_EQ(host(" [2001:db8::1]:8080 "), "2001:db8::1");
  EXPECT_EQ(host("192.0.2.1:80"), "192.0.2.1");
  EXPECT_EQ(host("\texample.org"), "example.org");
  EXPECT_EQ(host(":80"), "");
}

TEST(Http, ATunnelIsAnUpgrade) {
  ProtocolRun run;
  run.send(kClient, "CONNECT ssh.example.org:22 HTTP/1.1\r\n\r\n");
  run.send(kServer, "HTTP/1.1 200 Connection established\r\n\r\n");
  run.send(kServer, "SSH-2.0-OpenSSH_9.2\r\n");
  run.finish();
  EXPECT_EQ(run.app(), "http");
  EXPECT_EQ(run.path(), "http.ssh");
  EXPECT_EQ(run.attribute("http.host"), "ssh.example.org");
  EXPECT_EQ(run.attribute("http.uri"), "ssh.example.org:22");
  EXPECT_EQ(run.attribute("ssh.server_software"), "OpenSSH_9.2");
}

// What the client says too early belongs to whom the tunnel is for.
TEST(Http, ATunnelUsedBeforeItIsOpen) {
  ProtocolRun run;
  run.send(kClient, "CONNECT ssh.example.org:22 HTTP/1.1\r\n\r\nSSH-2.0-a\r\n");
  run.send(kServer, "HTTP/1.1 200 OK\r\n\r\nSSH-2.0-b\r\n");
  run.send(kClient, "x");
  run.finish();
  EXPECT_EQ(run.path(), "http.ssh");
  EXPECT_EQ(run.attribute("ssh.client_software"), "a");
}

TEST(Http, ARefusedTunnelIsHttp) {
  ProtocolRun run;
  run.send(kClient, "CONNECT example.org:443 HTTP/1.1\r\n\r\n");
  run.send(kServer, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
  run.send(kClient, "CONNECT example.org:443 HTTP/1.1\r\nProxy-Authorization: NTLM abc\r\n\r\n");
  run.finish();
  EXPECT_EQ(run.attribute("http.requests"), "2");
  EXPECT_EQ(run.attribute("http.auth_scheme"), "NTLM");
}

TEST(Http, MethodsNeedNoList) {
  for (const std::string_view method :
       {"PROPFIND", "VERSION-CONTROL", "NOTIFY", "SUBSCRIBE", "M-SEARCH", "RPC_IN_DATA", "QUERY"}) {
    ProtocolRun run;
    run.send(kClient, std::string(method) + " /x HTTP/1.1\r\n\r\n");
    run.finish();
    EXPECT_EQ(run.app(), "http") << method;
    EXPECT_EQ(run.attribute("http.method"), method);
  }
}

TEST(Http, RequestsWithoutVersionAreLikely) {
  ProtocolRun run;
  run.send(kClient, "GET /x?y HTTP/1\r\nHost: example.org\r\n");
  EXPECT_EQ(run.app(), "http");
  EXPECT_EQ(run.confidence(), AppConfidence::kLikely);
  EXPECT_EQ(run.attribute("http.host"), "example.org");
  EXPECT_EQ(run.attribute("http.uri"), "/x?y");
  EXPECT_EQ(run.attribute("http.version"), "");
  run.send(kServer, "HTTP/1.0 400 Bad Request\r\n\r\n");
  EXPECT_EQ(run.confidence(), AppConfidence::kCertain);

  ProtocolRun old;
  old.send(kClient, "GET /\r\n");
  old.send(kServer, "<html></html>");
  old.finish();
  EXPECT_EQ(old.app(), "http");
}

TEST(Http, AServerSaysWhatAStrangeRequestWas) {
  ProtocolRun run;
  run.send(kClient, "OPTIONSHTTP/1.1\nHost: example.org\n\n");
  EXPECT_EQ(run.app(), "unknown");
  run.send(kServer, "HTTP/1.0 400 Bad Request\r\n\r\n");
  run.finish();
  EXPECT_EQ(run.app(), "http");
  EXPECT_EQ(run.attribute("http.status_code"), "400");
}

TEST(Http, RefusesWhatIsAnotherProtocols) {
  for (const std::string_view begin : {
           "OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n\r\n",
           "SIP/2.0 200 OK\r\n\r\n",
           "DESCRIBE rtsp://a/b RTSP/1.0\r\n\r\n",
           "RTSP/1.0 200 OK\r\n\r\n",
           "OPTIONS icap://a/b ICAP/1.0\r\n\r\n",
           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
           "GET /a/b RTSP/1.0\r\n\r\n",
           "GET / HTTP/2.0\r\n\r\n",
           "GET example.org\r\n",
           "get / HTTP/1.1\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n",
           "HTTP/2 200 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n",
           "USER anonymous\r\n",
           "EHLO example.org\r\n",
           "GNUTELLA CONNECT/0.6\r\n",
           "ICY 200 OK\r\n",
           "POST /\x01\x02 HTTP/1.1\r\n",
           "A\0B HTTP/1.1\r\n",
       }) {
    ProtocolRun run;
    run.send(kClient, begin);
    run.finish();
    EXPECT_NE(run.app(), "http") << begin;
  }
}

TEST(Http, EmptyLinesBetweenMessages) {
  ProtocolRun run;
  run.send(kClient, "GET /1 HTTP/1.1\r\n\r\n\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  run.finish();
  EXPECT_EQ(run.attribute("http.requests"), "2");
}

// Lengths at the edges of what a number holds are no reason to stop.
TEST(Http, AbsurdLengths) {
  for (const std::string_view length :
       {"18446744073709551616", "9999999999999999999", "-1", "1, 2", "x"}) {
    ProtocolRun run;
    run.send(kClient, "POST / HTTP/1.1\r\nContent-Length: " + std::string(length) + "\r\n\r\nabc");
    run.send(kClient, "more");
    run.finish();
    EXPECT_EQ(run.attribute("http.requests"), "1") << length;
  }
  ProtocolRun run;
  run.send(kClient, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc");
  run.finish();
  EXPECT_EQ(run.attribute("http.requests"), "1");
}

}  // namespace
}  // namespace weir
