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

constexpr Side kClient = Side::kInitiator;
constexpr Side kServer = Side::kResponder;
constexpr RunOptions kUdp{.transport = kOverUdp, .src_port = 68, .dst_port = 67};
constexpr RunOptions kElsewhere{.transport = kOverUdp, .src_port = 6868, .dst_port = 6767};

PayloadBytes message(uint8_t op, std::string_view options) {
  PayloadBytes bytes(236, 0);
  bytes[0] = op;
  bytes[1] = 1;
  bytes[2] = 6;
  bytes[7] = 0x2a;
  for (uint8_t index = 0; index < 6; ++index) bytes[28u + index] = static_cast<uint8_t>(index + 2);
  for (const uint8_t byte : from_hex("63 82 53 63")) bytes.push_back(byte);
  for (const uint8_t byte : from_hex(options)) bytes.push_back(byte);
  bytes.push_back(255);
  return bytes;
}

TEST(Dhcp, tells_how_a_lease_is_got) {
  ProtocolRun run(kUdp);
  run.send(kClient,
           message(1,
                   "35 01 01  3d 07 01 020304050607  0c 03 626f78  3c 04 6d736674"
                   "32 04 c0000264  37 04 01 03 06 0f  51 07 04 00 00 03 626f78 4d 03 02 6162"));
  EXPECT_EQ(run.app(), "dhcp");
  PayloadBytes offer =
      message(2,
              "35 01 02  36 04 c0000201  33 04 00000e10  3a 04 00000708  3b 04 00000c4e"
              "01 04 ffffff00  03 04 c0000201  06 08 c0000202 c0000203  0f 03 6c616e"
              "52 08 01 02 0a0b 02 02 0c0d 38 02 6f6b");
  offer[19] = 100;
  offer[16] = 192;
  offer[18] = 2;
  offer[24] = 10;
  offer[27] = 1;
  run.send(kServer, offer);
  EXPECT_EQ(run.json(),
            R"({"dhcp":{"message_type":["discover","offer"],"client_mac":"02:03:04:05:06:07",)"
            R"("assigned_ip":"192.0.2.100","requested_ip":"192.0.2.100","server_id":["192.0.2.1"],)"
            R"("relay_ip":["10.0.0.1"],"hostname":"box","fqdn":"box","domain":"lan",)"
            R"("subnet_mask":"255.255.255.0","routers":["192.0.2.1"],)"
            R"("dns_servers":["192.0.2.2","192.0.2.3"],"lease_time":3600,"renewal_time":1800,)"
            R"("rebinding_time":3150,"vendor_class":"msft","user_class":["ab"],)"
            R"("client_id":"01020304050607","parameters":["1,3,6,15"],"message":"ok",)"
            R"("circuit_id":"0a0b","remote_id":"0c0d","transaction_id":42}})");
  EXPECT_EQ(run.events().size(), 2u);
}

TEST(Dhcp, is_found_on_any_port_by_its_cookie) {
  ProtocolRun run(kElsewhere);
  run.send(kClient, message(1, "35 01 08"));
  EXPECT_EQ(run.app(), "dhcp");
  EXPECT_EQ(run.attribute("dhcp.message_type"), "inform");
}

TEST(Dhcp, believes_bootp_on_its_ports_only) {
  PayloadBytes bootp = message(1, "");
  bootp[236] = 0;
  bootp.resize(300);
  ProtocolRun run(kUdp);
  run.send(kClient, bootp);
  EXPECT_EQ(run.app(), "dhcp");
  EXPECT_EQ(run.attribute("dhcp.message_type"), "bootp_request");
  ProtocolRun elsewhere(kElsewhere);
  elsewhere.send(kClient, bootp);
  EXPECT_NE(elsewhere.app(), "dhcp");
}

TEST(Dhcp, finds_options_in_the_other_fields) {
  PayloadBytes bytes = message(2, "34 01 03");
  const PayloadBytes in_file = from_hex("35 01 05 ff");
  const PayloadBytes in_name = from_hex("0c 01 78 ff");
  std::copy(in_file.begin(), in_file.end(), bytes.begin() + 108);
  std::copy(in_name.begin(), in_name.end(), bytes.begin() + 44);
  ProtocolRun run(kUdp);
  run.send(kServer, bytes);
  EXPECT_EQ(run.attribute("dhcp.message_type"), "ack");
  EXPECT_EQ(run.attribute("dhcp.hostname"), "x");
  EXPECT_EQ(run.attribute("dhcp.boot_file"), "");
}

TEST(Dhcp, reads_what_a_boot_server_says) {
  PayloadBytes bytes = message(2, "42 02 6162");
  bytes[44] = 's';
  bytes[108] = 'f';
  ProtocolRun run(kUdp);
  run.send(kServer, bytes);
  EXPECT_EQ(run.attribute("dhcp.server_name"), "s");
  EXPECT_EQ(run.attribute("dhcp.boot_file"), "f");
  EXPECT_EQ(run.attribute("dhcp.tftp_server"), "ab");
}

// A capture that cuts the message: what is there is told, what is not is not made up.
TEST(Dhcp, takes_every_truncation) {
  const PayloadBytes whole = message(1, "35 01 01 0c 03 626f78");
  for (size_t size = 12; size < whole.size(); ++size) {
    ProtocolRun run(kUdp);
    run.send(kClient, PayloadBytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)),
             static_cast<uint32_t>(whole.size()));
    EXPECT_EQ(run.app(), "dhcp") << size;
    EXPECT_EQ(run.attribute("dhcp.message_type"),
              size < 243 ? size < 240 ? "" : "bootp_request" : "discover")
        << size;
    EXPECT_EQ(run.attribute("dhcp.client_mac"), size < 44 ? "" : "02:03:04:05:06:07") << size;
  }
}

TEST(Dhcp, refuses_what_only_begins_alike) {
  PayloadBytes bytes = message(1, "35 01 01");
  const auto is_dhcp = [](const PayloadBytes& sent) {
    ProtocolRun run(kUdp);
    run.send(kClient, sent);
    return run.app() == "dhcp";
  };
  EXPECT_TRUE(is_dhcp(bytes));
  bytes[2] = 17;
  EXPECT_FALSE(is_dhcp(bytes)) << "hardware address";
  bytes[2] = 6;
  bytes[3] = 17;
  EXPECT_FALSE(is_dhcp(bytes)) << "hops";
  bytes[3] = 0;
  bytes[11] = 1;
  EXPECT_FALSE(is_dhcp(bytes)) << "flags";
  EXPECT_FALSE(is_dhcp(from_hex("01 01 06 00 00 00 00 01"))) << "too short";
}

}  // namespace
}  // namespace weir
