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
    server("220-FileZilla Server 1.8\r\n hello\r\n220 ready\r\n"),
    client("USER ann\r\n"),
    server("331 Password required\r\n"),
    client("PASS secret\r\n"),
    server("230 Logged in.\r\n"),
    client("SYST\r\n"),
    server("215 UNIX emulated by FileZilla.\r\n"),
    client("PWD\r\n"),
    server("257 \"/home/ann\" is current directory.\r\n"),
    client("SIZE report.pdf\r\n"),
    server("213 4711\r\n"),
    client("PASV\r\n"),
    server("227 Entering Passive Mode (10,0,0,2,78,52)\r\n"),
    client("RETR report.pdf\r\n"),
    server("150 Starting data transfer.\r\n226 Operation successful\r\n"),
    client("QUIT\r\n"),
    server("221 Goodbye.\r\n"),
};
constexpr const char* kSessionJson =
    R"({"ftp":{"greeting":"FileZilla Server 1.8","user":"ann",)"
    R"("commands":["USER","PASS","SYST","PWD","SIZE","PASV","RETR","QUIT"],"command":"QUIT","arg":"report.pdf",)"
    R"("reply_code":221,"reply":"Goodbye.","file":["report.pdf"],"file_size":4711,"cwd":"/home/ann",)"
    R"("system":"UNIX emulated by FileZilla.","mode":"passive","data_address":"10.0.0.2","data_port":20020,)"
    R"("transfers":1}})";

TEST(Ftp, SaysWhoFetchesWhat) {
  ProtocolRun run;
  deliver(run, kSession);
  EXPECT_EQ(run.app(), "ftp");
  EXPECT_EQ(run.json(), kSessionJson);
}

TEST(Ftp, PiecesOfAnySizeSayTheSame) {
  for (const size_t size : {1u, 2u, 3u, 5u, 7u, 16u, 33u}) {
    ProtocolRun run;
    deliver(run, kSession, size);
    EXPECT_EQ(run.json(), kSessionJson) << size;
  }
}

TEST(Ftp, ACommandMayBreakOffBehindItsVerb) {
  ProtocolRun run;
  run.send(Side::kResponder, "220 ready\r\n");
  run.send(Side::kInitiator, "USER ");
  run.send(Side::kInitiator, "ann\r\n");
  run.send(Side::kResponder, "331 Password required\r\n");
  EXPECT_EQ(run.app(), "ftp");
}

TEST(Ftp, AnyTruncationIsFtpOrUndecided) {
  for (size_t size = 0; size < test::size_of(kSession); ++size) {
    ProtocolRun run;
    deliver(run, kSession, SIZE_MAX, size);
    run.finish();
    EXPECT_TRUE(run.app() == "ftp" || run.app() == "unknown") << size;
  }
}

TEST(Ftp, PasswordsAreNotKept) {
  ProtocolRun run;
  deliver(run, kSession);
  EXPECT_EQ(run.json().find("secret"), std::string::npos);
  for (const std::string& event : run.events()) EXPECT_EQ(event.find("secret"), std::string::npos);
}

// Port 20020 is 78 * 256 + 52; the other ends' ports are those of the next connection.
TEST(Ftp, AnnouncesDataConnections) {
  struct Case {
    Turn turn;
    uint16_t src_port, dst_port;
  };
  const Case cases[] = {
      {server("227 Entering Passive Mode (10,0,0,2,78,52).\r\n"), 50001, 20020},
      {server("227 Entering Passive Mode 10,0,0,2,78,52\r\n"), 50001, 20020},
      {server("229 Entering Extended Passive Mode (|||20020|)\r\n"), 50001, 20020},
      {client("PORT 10,0,0,1,78,52\r\n"), 20, 20020},
      {client("EPRT |1|10.0.0.1|20020|\r\n"), 20, 20020},
      {client("EPRT |2|2001:db8::1|20020|\r\n"), 20, 20020},
  };
  for (const Case& example : cases) {
    ProtocolRun run({.dst_port = 21});
    deliver(run, {server("220 FTP\r\n"), example.turn});
    EXPECT_EQ(run.attribute("ftp.data_port"), "20020") << example.turn.text;
    run.next_flow(kOverTcp, example.src_port, example.dst_port);
    run.send(Side::kResponder, "bytes of a file");
    EXPECT_EQ(run.app(), "ftp-data") << example.turn.text;
    EXPECT_EQ(run.method(), AppMethod::kExpected);
  }
}

TEST(Ftp, AnnouncesTheLastOfHundredsOfTransfers) {
  ProtocolRun run({.dst_port = 21});
  deliver(run, {server("220 FTP\r\n")});
  for (int transfer = 0; transfer < 300; ++transfer)
    deliver(
        run,
        {client("EPSV\r\n"), server("229 ok (|||" + std::to_string(30000 + transfer) + "|)\r\n"),
         client("RETR f" + std::to_string(transfer) + "\r\n"), server("150 go\r\n226 done\r\n")});
  EXPECT_EQ(run.attribute("ftp.transfers"), "300");
  run.next_flow(kOverTcp, 50001, 30299);
  run.send(Side::kResponder, "x");
  EXPECT_EQ(run.app(), "ftp-data");
}

TEST(Ftp, NoPortIsAnnouncedOfNonsense) {
  for (const char* reply :
       {"227 Entering Passive Mode (10,0,0,2,78)\r\n", "227 Passive (1,2,3,4,5,256)\r\n",
        "227 Passive ()\r\n", "229 Extended (|||)\r\n", "229 Extended (|||99999|)\r\n",
        "229 Extended (|||0|)\r\n", "227 (10,0,0,2,0,0)\r\n"}) {
    ProtocolRun run;
    deliver(run, {server("220 FTP\r\n"), server(reply)});
    EXPECT_EQ(run.attribute("ftp.data_port"), "") << reply;
  }
}

TEST(Ftp, FollowsTheDirectory) {
  ProtocolRun run;
  deliver(run, {server("220 FTP\r\n"), client("CWD /pub\r\n"), server("250 ok\r\n")});
  EXPECT_EQ(run.attribute("ftp.cwd"), "/pub");
  deliver(run, {client("CWD docs\r\n"), server("250 ok\r\n")});
  EXPECT_EQ(run.attribute("ftp.cwd"), "/pub/docs");
  deliver(run, {client("CWD secret\r\n"), server("550 no\r\n")});
  EXPECT_EQ(run.attribute("ftp.cwd"), "/pub/docs");
  deliver(run, {client("CDUP\r\n"), server("250 \"/pub\" is the directory\r\n")});
  EXPECT_EQ(run.attribute("ftp.cwd"), "/pub");
  deliver(run, {client("MKD new\r\n"), server("257 \"/pub/new\" made\r\n")});
  EXPECT_EQ(run.attribute("ftp.cwd"), "/pub");
}

TEST(Ftp, AuthTlsIsAnUpgrade) {
  ProtocolRun run;
  deliver(run, {server("220 FTP\r\n"), client("AUTH TLS\r\n"), server("234 AUTH TLS OK.\r\n")});
  EXPECT_EQ(run.app(), "ftp");
  EXPECT_EQ(run.attribute("ftp.tls"), "true");
}

TEST(Ftp, InterruptsBeforeAbortAreNoLetters) {
  ProtocolRun run;
  deliver(run, {server("220 FTP\r\n"), client("\xff\xf4\xff\xf2"
                                              "ABOR\r\n")});
  EXPECT_EQ(run.attribute("ftp.command"), "ABOR");
}

TEST(Ftp, IsKnownInTheMiddle) {
  for (const Turn& turn : {client("PASV\r\n"), client("TYPE I\r\n"), client("RETR file.txt\r\n"),
                           client("USER anonymous\r\n"), server("331 Password please\r\n"),
                           server("226 Transfer complete.\r\n"), server("150 Here it comes\r\n")}) {
    ProtocolRun run({.is_midstream = true});
    deliver(run, {turn});
    EXPECT_EQ(run.app(), "ftp") << turn.text;
  }
}

TEST(Ftp, AGreetingAloneIsDecidedByWhatFollows) {
  ProtocolRun run;
  deliver(run, {server("220 hello\r\n"), client("USER ann\r\n")});
  EXPECT_EQ(run.app(), "unknown");
  deliver(run, {server("331 go on\r\n")});
  EXPECT_EQ(run.app(), "ftp");
  EXPECT_EQ(run.attribute("ftp.user"), "ann");
}

TEST(Ftp, IsNotWhatLooksLikeIt) {
  const std::vector<std::vector<Turn>> others = {
      {server("220 mx.example.org ESMTP\r\n"), client("EHLO a\r\n")},
      {server("220 hello\r\n"), client("EHLO a\r\n")},
      {server("200 news ready\r\n"), client("MODE READER\r\n")},
      {server("+OK POP3 ready\r\n"), client("USER ann\r\n"), server("+OK\r\n"),
       client("RETR 1\r\n")},
      {client("PASS x\r\nNICK ann\r\nUSER a b c :d\r\n")},
      {client("USER ann 0 * :Ann\r\n")},
      {client("GET / HTTP/1.1\r\n\r\n")},
      {client("TYPE key\r\n")},
      {client("MODE #channel\r\n")},
  };
  for (const std::vector<Turn>& turns : others) {
    ProtocolRun run;
    deliver(run, turns);
    EXPECT_NE(run.app(), "ftp") << turns.front().text;
  }
}

}  // namespace
}  // namespace weir
