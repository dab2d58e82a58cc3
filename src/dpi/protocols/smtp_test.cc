// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dpi/protocols/conversation.h"

namespace weir {
namespace {

using test::client;
using test::deliver;
using test::ProtocolRun;
using test::server;
using test::Turn;

const std::vector<Turn> kSession = {
    server("220 mx.example.org ESMTP Postfix\r\n"),
    client("EHLO laptop.example.com\r\n"),
    server("250-mx.example.org\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n"),
    client("AUTH PLAIN AGFubgBzZWNyZXQ=\r\n"),
    server("235 2.7.0 Authentication successful\r\n"),
    client("MAIL FROM:<ann@example.com> SIZE=100\r\nRCPT TO:<bob@example.org>\r\n"
           "RCPT TO: <carl@example.org>\r\nDATA\r\n"),
    server(
        "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n"),
    client("Received: by x; now\r\nFrom: Ann <ann@example.com>\r\nTo: bob@example.org,\r\n "
           "carl@example.org\r\n"
           "Subject: Lunch\r\n at noon\r\nMessage-ID: <1@example.com>\r\nDate: Fri, 1 Mar 2024 "
           "12:00:00 +0000\r\n"
           "\r\nSubject: not this\r\n..\r\n.x\r\n\r\r\n.\r\n"),
    server("250 2.0.0 Ok: queued as 1234\r\n"),
    client("QUIT\r\n"),
    server("221 2.0.0 Bye\r\n"),
};
constexpr const char* kSessionJson =
    R"({"smtp":{"server":"mx.example.org","greeting":"ESMTP Postfix","helo":"laptop.example.com",)"
    R"("command":["EHLO","AUTH","MAIL","RCPT","DATA","QUIT"],"mail_from":"ann@example.com",)"
    R"("rcpt_to":["bob@example.org","carl@example.org"],"auth_mechanism":"PLAIN","user":"ann",)"
    R"("from":"Ann <ann@example.com>","to":"bob@example.org, carl@example.org","subject":"Lunch at noon",)"
    R"("message_id":"<1@example.com>","date":"Fri, 1 Mar 2024 12:00:00 +0000","reply_code":221,)"
    R"("reply":"2.0.0 Bye","messages":1}})";

TEST(Smtp, SaysWhoSendsWhatToWhom) {
  ProtocolRun run;
  deliver(run, kSession);
  EXPECT_EQ(run.app(), "smtp");
  EXPECT_EQ(run.confidence(), AppConfidence::kCertain);
  EXPECT_EQ(run.json(), kSessionJson);
}

TEST(Smtp, PiecesOfAnySizeSayTheSame) {
  for (const size_t size : {1u, 2u, 3u, 5u, 7u, 16u, 33u}) {
    ProtocolRun run;
    deliver(run, kSession, size);
    EXPECT_EQ(run.json(), kSessionJson) << size;
  }
}

TEST(Smtp, AnyTruncationIsSmtpOrUndecided) {
  for (size_t size = 0; size < test::size_of(kSession); ++size) {
    ProtocolRun run;
    deliver(run, kSession, SIZE_MAX, size);
    run.finish();
    EXPECT_TRUE(run.app() == "smtp" || run.app() == "unknown") << size;
  }
}

TEST(Smtp, HasAnEventOfEachCommandAndReply) {
  ProtocolRun run;
  deliver(run, {server("220 mx.example.org ESMTP\r\n"), client("HELO a\r\nMAIL FROM:<b>\r\n")});
  EXPECT_EQ(
      run.events(),
      (std::vector<std::string>{
          R"({"smtp":{"server":"mx.example.org","greeting":"ESMTP","reply_code":220,"reply":"mx.example.org ESMTP"}})",
          R"({"smtp":{"helo":"a","command":["HELO"]}})",
          R"({"smtp":{"command":["MAIL"],"mail_from":"b"}})"}));
}

TEST(Smtp, CountsMessagesOfASessionAndKeepsTheFirst) {
  ProtocolRun run;
  deliver(run, {server("220 a ESMTP\r\n"), client("LHLO b\r\n"), server("250 a\r\n")});
  for (int message = 0; message < 40; ++message) {
    deliver(run, {client("MAIL FROM:<>\r\n"), server("250 ok\r\n"), client("RCPT TO:<c@d>\r\n"),
                  server("250 ok\r\n"), client("DATA\r\n"), server("354 go\r\n"),
                  client("Subject: " + std::to_string(message) + "\r\n\r\n" +
                         std::string(5000, 'x') + "\r\n.\r\n"),
                  server("250 ok\r\n")});
  }
  EXPECT_EQ(run.attribute("smtp.messages"), "40");
  EXPECT_EQ(run.attribute("smtp.subject"), "0");
  EXPECT_EQ(run.attribute("smtp.mail_from"), "<>");
}

TEST(Smtp, AMessageWithoutAnythingEnds) {
  ProtocolRun run;
  deliver(run, {server("220 a ESMTP\r\n"), client("HELO b\r\nDATA\r\n"), server("354 go\r\n"),
                client(".\r\n"), server("250 ok\r\n"), client("VRFY ann\r\n")});
  EXPECT_EQ(run.attribute("smtp.messages"), "1");
  EXPECT_EQ(run.attribute("smtp.command"), "HELO DATA VRFY");
}

TEST(Smtp, RefusedDataIsNoMessage) {
  ProtocolRun run;
  deliver(run, {server("220 a ESMTP\r\n"), client("HELO b\r\n"), server("250 a\r\n"),
                client("DATA\r\n"), server("503 no recipients\r\n"), client("RSET\r\n")});
  EXPECT_EQ(run.attribute("smtp.messages"), "");
  EXPECT_EQ(run.attribute("smtp.command"), "HELO DATA RSET");
}

TEST(Smtp, ChunksAreSkippedBySize) {
  ProtocolRun run;
  const std::string head = "Subject: chunks\r\nFrom: a@b\r\n\r\n";
  const std::string body(100'000, 'y');
  deliver(run,
          {server("220 a ESMTP\r\n"), client("EHLO b\r\n"), server("250 CHUNKING\r\n"),
           client("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"), server("250 ok\r\n250 ok\r\n"),
           client("BDAT " + std::to_string(head.size()) + "\r\n" + head)},
          11);
  deliver(run,
          {server("250 ok\r\n"), client("BDAT " + std::to_string(body.size()) + " LAST\r\n" + body),
           server("250 ok\r\n"), client("BDAT 0 LAST\r\nQUIT\r\n")},
          1400);
  EXPECT_EQ(run.attribute("smtp.subject"), "chunks");
  EXPECT_EQ(run.attribute("smtp.from"), "a@b");
  EXPECT_EQ(run.attribute("smtp.messages"), "2");
  EXPECT_EQ(run.attribute("smtp.command"), "EHLO MAIL RCPT BDAT QUIT");
}

TEST(Smtp, PasswordsAreNotKept) {
  ProtocolRun run;
  deliver(run, {server("220 a ESMTP\r\n"), client("EHLO b\r\n"), server("250 AUTH LOGIN\r\n"),
                client("AUTH LOGIN\r\n"), server("334 VXNlcm5hbWU6\r\n"), client("YW5u\r\n"),
                server("334 UGFzc3dvcmQ6\r\n"), client("c2VjcmV0\r\n"), server("535 5.7.8 no\r\n"),
                client("QUIT\r\n")});
  EXPECT_EQ(run.attribute("smtp.user"), "ann");
  EXPECT_EQ(run.json().find("secret"), std::string::npos);
  EXPECT_EQ(run.json().find("c2VjcmV0"), std::string::npos);
  EXPECT_EQ(run.attribute("smtp.command"), "EHLO AUTH QUIT");
}

TEST(Smtp, StarttlsIsAnUpgrade) {
  ProtocolRun run;
  deliver(run,
          {server("220 mx.example.org ESMTP\r\n"), client("EHLO b\r\n"), server("250 STARTTLS\r\n"),
           client("STARTTLS\r\n"), server("220 2.0.0 Ready to start TLS\r\n")});
  EXPECT_EQ(run.app(), "smtp");
  EXPECT_EQ(run.attribute("smtp.tls"), "true");
  EXPECT_EQ(run.attribute("smtp.server"), "mx.example.org");
}

TEST(Smtp, LostBytesOfABodyDoNotLoseTheNextMessage) {
  ProtocolRun run;
  deliver(run, {server("220 a ESMTP\r\n"), client("HELO b\r\n"), server("250 a\r\n"),
                client("DATA\r\n"), server("354 go\r\n"), client("Subject: x\r\n\r\nbody\r\n")});
  run.lose(Side::kInitiator, 5000);
  for (int line = 0; line < 20; ++line) deliver(run, {client("more\r\n")});
  deliver(run, {client(".\r\n"), server("250 ok\r\n"), client("VRFY c\r\n")});
  EXPECT_EQ(run.attribute("smtp.messages"), "1");
  EXPECT_EQ(run.attribute("smtp.command"), "HELO DATA VRFY");
}

TEST(Smtp, AnEndOfMessageThatWasLostIsKnownByItsReply) {
  ProtocolRun run;
  deliver(run, {server("220 a ESMTP\r\n"), client("HELO b\r\n"), server("250 a\r\n"),
                client("DATA\r\n"), server("354 go\r\n"), client("Subject: x\r\n\r\nbody\r\n")});
  run.lose(Side::kInitiator, 5000);
  deliver(run, {server("250 ok\r\n")});
  for (int line = 0; line < 20; ++line) deliver(run, {client("NOOP\r\n")});
  EXPECT_EQ(run.attribute("smtp.messages"), "1");
  EXPECT_EQ(run.attribute("smtp.command"), "HELO DATA NOOP");
}

// Half of an end of line is no reason to refuse.
TEST(Smtp, AGreetingMayEndAnywhere) {
  const std::string greeting = "220 mx.example.org ESMTP\r\n";
  for (size_t size = 1; size <= greeting.size(); ++size) {
    ProtocolRun run;
    deliver(run, {server(greeting.substr(0, size)), server(greeting.substr(size)),
                  client("EHLO a\r\n")});
    EXPECT_EQ(run.app(), "smtp") << size;
    EXPECT_EQ(run.attribute("smtp.server"), "mx.example.org") << size;
  }
}

TEST(Smtp, IsKnownInTheMiddle) {
  const std::vector<std::vector<Turn>> middles = {
      {client("MAIL FROM:<a@b>\r\n")},
      {server("250 2.1.0 Ok\r\n")},
      {client("RSET\r\n"), server("250-PIPELINING\r\n250 DSN\r\n")},
      {client("line of a body\r\n.\r\n"), server("250 2.0.0 Ok: queued\r\n")},
  };
  for (const std::vector<Turn>& turns : middles) {
    ProtocolRun run({.is_midstream = true});
    deliver(run, turns);
    EXPECT_EQ(run.app(), "smtp") << turns.front().text;
  }
}

TEST(Smtp, IsNotWhatLooksLikeIt) {
  const std::vector<std::vector<Turn>> others = {
      {server("220 ftp.example.org FTP server ready\r\n"), client("USER ann\r\n")},
      {server("200 news.example.org InterNetNews ready\r\n"), client("MODE READER\r\n")},
      {server("+OK POP3 ready\r\n"), client("USER ann\r\n"), server("+OK\r\n")},
      {client("NICK ann\r\nUSER a b c :d\r\n")},
      {client("GET / HTTP/1.1\r\nHost: a\r\n\r\n")},
      {server("220 \x01\x02\r\n"), client("\x16\x03\x01")},
  };
  for (const std::vector<Turn>& turns : others) {
    ProtocolRun run;
    deliver(run, turns);
    EXPECT_NE(run.app(), "smtp") << turns.front().text;
  }
}

TEST(Smtp, AGreetingAloneIsDecidedByTheClient) {
  ProtocolRun run;
  deliver(run, {server("220 hello\r\n")});
  EXPECT_EQ(run.app(), "unknown");
  deliver(run, {client("EHLO a\r\n")});
  EXPECT_EQ(run.app(), "smtp");
  EXPECT_EQ(run.attribute("smtp.greeting"), "hello");
}

}  // namespace
}  // namespace weir
