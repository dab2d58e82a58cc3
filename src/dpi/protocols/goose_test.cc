// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "dpi/protocol_run.h"

namespace weir {
namespace {

using test::from_hex;
using test::PayloadBytes;
using test::ProtocolRun;
using test::RunOptions;

constexpr Side kSender = Side::kInitiator;
constexpr RunOptions kEthernet{.transport = kOverEthernet, .src_port = 0x88b8, .dst_port = 0x88b8};
constexpr RunOptions kUdp{.transport = kOverUdp, .src_port = 102, .dst_port = 102};

void append(PayloadBytes& bytes, const PayloadBytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

PayloadBytes element(uint8_t tag, const PayloadBytes& value) {
  PayloadBytes bytes = {tag};
  if (value.size() >= 0x80) bytes.push_back(0x81);
  bytes.push_back(static_cast<uint8_t>(value.size()));
  append(bytes, value);
  return bytes;
}

PayloadBytes pdu(uint8_t state_number, uint8_t sequence_number,
                 const std::string& block = "IED/LLN0$GO$a") {
  PayloadBytes fields = element(0x80, test::payload_of(block));
  append(fields, from_hex("81 02 07d0  82 02 4453  83 01 69  84 08 5f5e1000 800000 0a"));
  append(fields, element(0x85, {state_number}));
  append(fields, element(0x86, {sequence_number}));
  append(fields, from_hex("87 01 00  88 01 01  89 01 00  8a 01 02  ab 06 83 01 01 83 01 00"));
  return element(0x61, fields);
}

PayloadBytes frame(const PayloadBytes& inside, uint16_t reserved = 0) {
  PayloadBytes bytes = from_hex("0003");
  const size_t size = inside.size() + 8;
  bytes.push_back(static_cast<uint8_t>(size >> 8));
  bytes.push_back(static_cast<uint8_t>(size));
  bytes.push_back(static_cast<uint8_t>(reserved >> 8));
  bytes.push_back(static_cast<uint8_t>(reserved));
  append(bytes, from_hex("0000"));
  append(bytes, inside);
  return bytes;
}

TEST(Goose, tells_what_a_message_says) {
  ProtocolRun run(kEthernet);
  PayloadBytes padded = frame(pdu(1, 7));
  padded.resize(padded.size() + 20);
  run.send(kSender, padded);
  EXPECT_EQ(run.app(), "goose");
  EXPECT_EQ(
      run.json(),
      R"({"goose":{"appid":[3],"gocb_ref":["IED/LLN0$GO$a"],"dat_set":["DS"],"go_id":["i"],)"
      R"("t":"2020-09-13T12:26:40.500000000Z","time_allowed_to_live":2,"st_num":1,"sq_num":7,)"
      R"("conf_rev":[1],"num_dat_set_entries":[2],"message_count":1}})");
  EXPECT_EQ(run.events().size(), 1u);
}

TEST(Goose, counts_what_is_lost_repeated_and_late) {
  ProtocolRun run(kEthernet);
  const auto send = [&](uint8_t state_number, uint8_t sequence_number) {
    run.send(kSender, frame(pdu(state_number, sequence_number)));
  };
  send(5, 0);
  send(5, 1);
  send(5, 1);  // again
  send(5, 4);  // two lost
  send(5, 2);  // one of them, late
  send(6, 0);  // a new state
  send(8, 1);  // one state and one message lost
  send(6, 1);  // late
  EXPECT_EQ(run.attribute("goose.message_count"), "8");
  EXPECT_EQ(run.attribute("goose.lost_count"), "4");
  EXPECT_EQ(run.attribute("goose.duplicate_count"), "1");
  EXPECT_EQ(run.attribute("goose.out_of_order_count"), "2");
  EXPECT_EQ(run.attribute("goose.state_change_count"), "2");
  EXPECT_EQ(run.attribute("goose.st_num"), "6");
}

TEST(Goose, follows_each_control_block_and_begins_anew_when_it_does) {
  ProtocolRun run(kEthernet);
  for (uint8_t number = 0; number < 3; ++number) {
    run.send(kSender, frame(pdu(1, number, "a")));
    run.send(kSender, frame(pdu(9, static_cast<uint8_t>(number + 100), "b")));
  }
  EXPECT_EQ(run.attribute("goose.lost_count"), "");
  EXPECT_EQ(run.attribute("goose.gocb_ref"), "a b");
  run.send(kSender, frame(pdu(1, 0, "b")));
  EXPECT_EQ(run.attribute("goose.out_of_order_count"), "") << "the device was restarted";
}

TEST(Goose, says_when_messages_are_simulated) {
  ProtocolRun run(kEthernet);
  run.send(kSender, frame(pdu(1, 0)));
  EXPECT_EQ(run.attribute("goose.simulation"), "");
  run.send(kSender, frame(pdu(1, 1), 0x8000));
  EXPECT_EQ(run.attribute("goose.simulation"), "true");
}

TEST(Goose, takes_every_truncation) {
  const PayloadBytes whole = frame(pdu(1, 7));
  for (size_t size = 1; size <= whole.size(); ++size) {
    ProtocolRun run(kEthernet);
    run.send(kSender, PayloadBytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)),
             static_cast<uint32_t>(whole.size()));
    EXPECT_EQ(run.app(), "goose") << size;
  }
}

TEST(Goose, refuses_other_ether_types) {
  ProtocolRun run({.transport = kOverEthernet, .src_port = 0x88ba, .dst_port = 0x88ba});
  run.send(kSender, frame(pdu(1, 7)));
  EXPECT_NE(run.app(), "goose");
}

// The session header of R-GOOSE in the forms that are met: with the transport's header or without, with
// an initialisation vector's size inside the header or behind it.
PayloadBytes routed(bool has_transport, bool is_vector_behind) {
  const PayloadBytes inside = pdu(1, 7);
  PayloadBytes bytes;
  if (has_transport) bytes = from_hex("01 40");
  append(bytes, from_hex(is_vector_behind ? "a1 16 80 14" : "a1 17 80 15"));
  append(bytes, from_hex("00000000 00000009 0001 00000000 0000 00000001 00"));
  const size_t payload_size = inside.size() + 6;
  append(bytes,
         {0, 0, static_cast<uint8_t>(payload_size >> 8), static_cast<uint8_t>(payload_size)});
  append(bytes, {0x81, 0x00, 0x10, 0x01, static_cast<uint8_t>(inside.size() >> 8),
                 static_cast<uint8_t>(inside.size())});
  append(bytes, inside);
  return bytes;
}

TEST(Goose, is_found_routed_over_udp) {
  for (const bool has_transport : {false, true}) {
    for (const bool is_vector_behind : {false, true}) {
      ProtocolRun run(kUdp);
      run.send(kSender, routed(has_transport, is_vector_behind));
      EXPECT_EQ(run.app(), "goose");
      EXPECT_EQ(run.attribute("goose.appid"), "4097");
      EXPECT_EQ(run.attribute("goose.routed"), "true");
      EXPECT_EQ(run.attribute("goose.sq_num"), "7");
    }
  }
  PayloadBytes values = routed(true, false);
  values[2] = 0xa2;  // sampled values
  ProtocolRun run(kUdp);
  run.send(kSender, values);
  EXPECT_NE(run.app(), "goose");
}

}  // namespace
}  // namespace weir
