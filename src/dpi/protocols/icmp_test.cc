// SPDX-License-Identifier: Apache-2.0
//
// ICMP and ICMPv6.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dpi/protocol_run.h"

namespace weir {
namespace {

using test::from_hex;
using test::PayloadBytes;
using test::ProtocolRun;
using test::RunOptions;

constexpr Side kClient = Side::kInitiator;
constexpr Side kServer = Side::kResponder;
constexpr RunOptions kIpv4{.transport = kOverIcmp, .src_port = 8, .dst_port = 0};
constexpr RunOptions kIpv6{
    .transport = kOverIcmp, .src_port = 128, .dst_port = 129, .address_kind = AddressKind::kIpv6};
constexpr std::string_view kQuotedUdp =
    "45 00 0020 0000 0000 40 11 0000 c0000201 c0000202  c001 0035 000c 0000";

TEST(Icmp, tells_echoes_and_their_time) {
  ProtocolRun run(kIpv4);
  run.send(kClient, from_hex("08 00 0000 1234 0001 6162"));
  run.advance_clock(1'000'000);
  run.send(kServer, from_hex("00 00 0000 1234 0001 6162"));
  run.send(kClient, from_hex("08 00 0000 1234 0002 6162"));
  EXPECT_EQ(run.app(), "icmp");
  EXPECT_EQ(run.json(), R"({"icmp":{"type":["echo-request","echo-reply"],"id":4660,"sequence":2,)"
                        R"("data_size":[2],"response_time":0.001}})");
  EXPECT_EQ(run.events().size(), 3u);
}

TEST(Icmp, tells_what_an_error_is_about) {
  ProtocolRun run({.transport = kOverIcmp, .src_port = 3, .dst_port = 4});
  run.send(kClient, from_hex(std::string("03 04 0000 0000 05dc ") + std::string(kQuotedUdp)));
  EXPECT_EQ(run.json(),
            R"({"icmp":{"type":["destination-unreachable"],"code":["fragmentation-needed"],)"
            R"("mtu":[1500],"quoted":[{"src_ip":"192.0.2.1","dst_ip":"192.0.2.2","proto":"udp",)"
            R"("src_port":49153,"dst_port":53}]}})");
}

TEST(Icmp, reads_redirects_and_parameter_problems) {
  ProtocolRun redirect({.transport = kOverIcmp, .src_port = 5, .dst_port = 1});
  redirect.send(kClient, from_hex(std::string("05 01 0000 c00002fe ") + std::string(kQuotedUdp)));
  EXPECT_EQ(redirect.attribute("icmp.gateway"), "192.0.2.254");
  EXPECT_EQ(redirect.attribute("icmp.code"), "host-redirect");
  ProtocolRun problem({.transport = kOverIcmp, .src_port = 12, .dst_port = 0});
  problem.send(kClient, from_hex(std::string("0c 00 0000 14000000 ") + std::string(kQuotedUdp)));
  EXPECT_EQ(problem.attribute("icmp.pointer"), "20");
}

TEST(Icmp, names_unknown_types_by_number) {
  ProtocolRun run({.transport = kOverIcmp, .src_port = 99, .dst_port = 7});
  run.send(kClient, from_hex("63 07 0000"));
  EXPECT_EQ(run.attribute("icmp.type"), "99");
  EXPECT_EQ(run.attribute("icmp.code"), "7");
}

TEST(Icmp, takes_every_truncation) {
  const PayloadBytes whole =
      from_hex(std::string("03 03 0000 00000000 ") + std::string(kQuotedUdp));
  for (size_t size = 1; size < whole.size(); ++size) {
    ProtocolRun run({.transport = kOverIcmp, .src_port = 3, .dst_port = 3});
    run.send(kClient, PayloadBytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)),
             static_cast<uint32_t>(whole.size()));
    EXPECT_EQ(run.app(), "icmp") << size;
    EXPECT_EQ(run.attribute("icmp.type"), size < 4 ? "" : "destination-unreachable") << size;
    const std::string json = run.json();
    EXPECT_EQ(json.find("quoted") != std::string::npos, size >= 28) << size;
    EXPECT_EQ(json.find("dst_port") != std::string::npos, size >= 32) << size;
  }
}

TEST(Icmp, has_no_ports_of_a_later_fragment) {
  ProtocolRun run({.transport = kOverIcmp, .src_port = 11, .dst_port = 1});
  run.send(kClient, from_hex("0b 00 0000 00000000 45 00 0020 0000 0010 40 11 0000 c0000201 c0000202"
                             " c001 0035"));
  EXPECT_EQ(run.attribute("icmp.quoted"), "{src_ip=192.0.2.1 dst_ip=192.0.2.2 proto=udp}");
}

TEST(Icmpv6, tells_echoes_and_their_time) {
  ProtocolRun run(kIpv6);
  run.send(kClient, from_hex("80 00 0000 0001 0007"));
  run.advance_clock(2'000'000);
  run.send(kServer, from_hex("81 00 0000 0001 0007"));
  EXPECT_EQ(run.app(), "icmpv6");
  EXPECT_EQ(run.json(), R"({"icmpv6":{"type":["echo-request","echo-reply"],"id":1,"sequence":7,)"
                        R"("data_size":[0],"response_time":0.002}})");
}

TEST(Icmpv6, looks_behind_extension_headers_of_what_is_quoted) {
  ProtocolRun run(kIpv6);
  run.send(kClient, from_hex("02 00 0000 00000500  60000000 0010 00 40"
                             "20010db8000000000000000000000001 20010db8000000000000000000000002"
                             "06 00 0000 0000 0000  1f90 c350 00000000"));
  EXPECT_EQ(run.json(),
            R"({"icmpv6":{"type":["packet-too-big"],"mtu":[1280],"quoted":[)"
            R"({"src_ip":"2001:db8::1","dst_ip":"2001:db8::2","proto":"tcp","src_port":8080,)"
            R"("dst_port":50000}]}})");
}

TEST(Icmpv6, tells_addresses_of_neighbours_and_groups) {
  ProtocolRun run(kIpv6);
  run.send(kClient, from_hex("87 00 0000 00000000 fe800000000000000000000000000001"));
  run.send(kClient, from_hex("88 00 0000 60000000 fe800000000000000000000000000002"));
  run.send(kClient, from_hex("83 00 0000 00000000 ff0200000000000000000000000000fb"));
  run.send(kClient, from_hex("8f 00 0000 0000 0002 04 00 0001 ff020000000000000000000000000001"
                             "20010db8000000000000000000000001"
                             "03 00 0000 ff020000000000000000000000000002"));
  EXPECT_EQ(run.attribute("icmpv6.target"), "fe80::1 fe80::2");
  EXPECT_EQ(run.attribute("icmpv6.group"), "ff02::fb ff02::1 ff02::2");
}

}  // namespace
}  // namespace weir
