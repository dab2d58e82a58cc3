// SPDX-License-Identifier: Apache-2.0
//
// SOCKS 4, 4a and 5, what rides on it, and what only begins like it.
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

struct Message {
  Side side;
  PayloadBytes bytes;
};

PayloadBytes operator+(PayloadBytes first, const PayloadBytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// Greeting, user name and password, a named host, then SSH.
const std::vector<Message>& dialogue5() {
  static const std::vector<Message> messages = {
      {kClient, from_hex("05 02 00 02")},
      {kServer, from_hex("05 02")},
      {kClient, from_hex("01 03") + payload_of("ann") + from_hex("06") + payload_of("secret")},
      {kServer, from_hex("01 00")},
      {kClient, from_hex("05 01 00 03 0b") + payload_of("example.org") + from_hex("00 16")},
      {kServer, from_hex("05 00 00 01 c0 00 02 01 1f 90")},
      {kServer, payload_of("SSH-2.0-server\r\n")},
      {kClient, payload_of("SSH-2.0-client\r\n")},
  };
  return messages;
}
constexpr std::string_view kAll5 =
    R"({"ssh":{"version":2,"client":"SSH-2.0-client","server":"SSH-2.0-server",)"
    R"("client_software":"client","server_software":"server"},)"
    R"("socks":{"version":5,"auth_methods":["none","username_password"],)"
    R"("auth_method":"username_password","auth_success":true,"user":"ann","command":"connect",)"
    R"("request_name":"example.org","request_port":22,"status":"succeeded",)"
    R"("bound_address":"192.0.2.1","bound_port":8080}})";

TEST(Socks, Version5CarriesWhatRidesOnIt) {
  ProtocolRun run;
  for (const Message& message : dialogue5()) run.send(message.side, message.bytes);
  run.finish();
  EXPECT_EQ(run.app(), "ssh");
  EXPECT_EQ(run.path(), "socks.ssh");
  EXPECT_EQ(run.method(), AppMethod::kHandover);
  EXPECT_EQ(run.json(), kAll5);
}

// One message in two pieces, at every place.
TEST(Socks, PiecesSayTheSame) {
  const std::vector<Message>& messages = dialogue5();
  for (size_t cut = 0; cut < messages.size(); ++cut) {
    for (size_t at = 1; at < messages[cut].bytes.size(); ++at) {
      ProtocolRun run;
      for (size_t index = 0; index < messages.size(); ++index) {
        if (index == cut) {
          run.send_in_pieces(messages[index].side, messages[index].bytes, at);
        } else {
          run.send(messages[index].side, messages[index].bytes);
        }
      }
      run.finish();
      // A byte at a time is more packets than are looked at to classify, for the longest.
      if (run.app() == "ssh") {
        EXPECT_EQ(run.json(), kAll5) << cut << " " << at;
      }
      if (messages[cut].bytes.size() / at < 6) {
        EXPECT_EQ(run.app(), "ssh") << cut << " " << at;
      }
    }
  }
}

TEST(Socks, Version4And4a) {
  const PayloadBytes begin4 = from_hex("04 01 00 16 c0 00 02 07");
  const PayloadBytes begin4a = from_hex("04 01 00 16 00 00 00 01");
  for (const bool is_named : {false, true}) {
    ProtocolRun run;
    run.send(kClient, is_named ? begin4a + payload_of(std::string_view("bob\0example.org\0", 16))
                               : begin4 + payload_of(std::string_view("bob\0", 4)));
    run.send(kServer, from_hex("00 5a 00 00 00 00 00 00"));
    run.send(kServer, "SSH-2.0-x\r\n");
    run.finish();
    EXPECT_EQ(run.path(), "socks.ssh");
    EXPECT_EQ(run.attribute("socks.version"), "4");
    EXPECT_EQ(run.attribute("socks.user"), "bob");
    EXPECT_EQ(run.attribute("socks.request_port"), "22");
    EXPECT_EQ(run.attribute("socks.request_address"), is_named ? "" : "192.0.2.7");
    EXPECT_EQ(run.attribute("socks.request_name"), is_named ? "example.org" : "");
    EXPECT_EQ(run.attribute("socks.status"), "succeeded");
  }
}

TEST(Socks, StaysSocksWhenNobodyKnowsTheRider) {
  ProtocolRun run;
  run.send(kClient, from_hex("05 01 00"));
  run.send(kServer, from_hex("05 00"));
  run.send(kClient, from_hex("05 01 00 04 20010db8000000000000000000000001 01bb"));
  run.send(kServer, from_hex("05 00 00 01 00000000 0000"));
  run.send(kClient, from_hex("fe ed fa ce 00 01 02 03"));
  run.send(kServer, from_hex("fe ed fa ce 00 01 02 03"));
  run.finish();
  EXPECT_EQ(run.app(), "socks");
  EXPECT_EQ(run.attribute("socks.request_address"), "2001:db8::1");
  EXPECT_EQ(run.attribute("socks.request_port"), "443");
}

TEST(Socks, RefusalsOfTheProxy) {
  ProtocolRun method;
  method.send(kClient, from_hex("05 01 00"));
  method.send(kServer, from_hex("05 ff"));
  method.finish();
  EXPECT_EQ(method.app(), "socks");
  EXPECT_EQ(method.attribute("socks.auth_method"), "refused");

  ProtocolRun connection;
  connection.send(kClient, from_hex("05 01 00"));
  connection.send(kServer, from_hex("05 00"));
  connection.send(kClient, from_hex("05 01 00 01 c0000201 0050"));
  connection.send(kServer, from_hex("05 05 00 01 00000000 0000"));
  connection.finish();
  EXPECT_EQ(connection.app(), "socks");
  EXPECT_EQ(connection.attribute("socks.status"), "connection_refused");
}

TEST(Socks, BindHasTwoReplies) {
  ProtocolRun run;
  run.send(kClient, from_hex("04 02 00 14 c0000201 00"));
  run.send(kServer, from_hex("00 5a 1f 90 c0000202"));
  run.send(kServer, from_hex("00 5a 00 14 c0000201"));
  run.send(kServer, "SSH-2.0-x\r\n");
  run.finish();
  EXPECT_EQ(run.attribute("socks.command"), "bind");
  EXPECT_EQ(run.attribute("socks.bound_port"), "8080");
  EXPECT_EQ(run.path(), "socks.ssh");
}

TEST(Socks, AClientThatDoesNotWait) {
  ProtocolRun run;
  run.send(kClient,
           from_hex("05 01 00 05 01 00 01 c0000201 0016") + payload_of("SSH-2.0-client\r\n"));
  run.send(kServer, from_hex("05 00 05 00 00 01 00000000 0000") + payload_of("SSH-2.0-server\r\n"));
  run.send(kClient, from_hex("00"));
  run.finish();
  EXPECT_EQ(run.path(), "socks.ssh");
  EXPECT_EQ(run.attribute("ssh.client_software"), "client");
}

TEST(Socks, OneSideIsEnoughWhenItSaysAll) {
  ProtocolRun run;
  run.send(kClient, from_hex("05 01 00"));
  run.send(kClient, from_hex("05 01 00 03 0b") + payload_of("example.org") + from_hex("01bb"));
  run.finish();
  EXPECT_EQ(run.app(), "socks");
  EXPECT_EQ(run.attribute("socks.request_name"), "example.org");
}

TEST(Socks, WhatOnlyBeginsLikeIt) {
  const std::vector<std::pair<PayloadBytes, PayloadBytes>> dialogues = {
      {from_hex("05 01 00"), {}},                                // half of it
      {{}, from_hex("05 00")},                                   // the other half
      {from_hex("05 00 0b 03 10 00 00 00"), from_hex("05 00")},  // DCE/RPC
      {from_hex("05 01 00"), from_hex("05 0b")},                 // no such method
      {from_hex("05 02 00 00"), from_hex("05 00")},              // a method twice
      {from_hex("04 01 00 50 c0000201 00"), from_hex("00 5f 00 00 00000000")},
      {from_hex("04 01 00 50 c0000201 01 00"), from_hex("00 5a 00 00 00000000")},
      {from_hex("04 03 00 50 c0000201 00"), from_hex("00 5a 00 00 00000000")},
      {from_hex("04 01 00 50 c0000201 00"), from_hex("05 00")},  // of another version
      {from_hex("16 03 01 00 05"), from_hex("00 5a 00 00 00000000")},
      {from_hex("05 01 00 05 09 00 01 c0000201 0016"), {}},
  };
  for (const auto& [client, server] : dialogues) {
    ProtocolRun run;
    if (!client.empty()) run.send(kClient, client);
    if (!server.empty()) run.send(kServer, server);
    run.finish();
    EXPECT_EQ(run.app(), "unknown") << testing::PrintToString(client);
  }
}

TEST(Socks, TheMiddleOfAStream) {
  ProtocolRun named({.is_midstream = true});
  named.send(kClient, from_hex("05 01 00 03 0b") + payload_of("example.org") + from_hex("01bb"));
  named.finish();
  EXPECT_EQ(named.app(), "socks");
  EXPECT_EQ(named.confidence(), AppConfidence::kLikely);

  ProtocolRun choice({.is_midstream = true});
  choice.send(kServer, from_hex("05 00"));
  choice.finish();
  EXPECT_EQ(choice.app(), "unknown");
}

}  // namespace
}  // namespace weir
