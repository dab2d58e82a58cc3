// SPDX-License-Identifier: Apache-2.0
#include "flow/community_id.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

FlowRecord flow(uint16_t proto_number, const char* src, const char* dst, int src_port = -1,
                int dst_port = -1) {
  FlowRecord record;
  record.proto_number = proto_number;
  const bool is_ipv6 = std::string_view(src).find(':') != std::string_view::npos;
  record.address_kind = is_ipv6 ? AddressKind::kIpv6 : AddressKind::kIpv4;
  const int family = is_ipv6 ? AF_INET6 : AF_INET;
  EXPECT_EQ(inet_pton(family, src, record.src.address.data()), 1);
  EXPECT_EQ(inet_pton(family, dst, record.dst.address.data()), 1);
  record.has_ports = src_port >= 0;
  if (record.has_ports) {
    record.src.port = static_cast<uint16_t>(src_port);
    record.dst.port = static_cast<uint16_t>(dst_port);
  }
  return record;
}

std::string id(const FlowRecord& record) {
  CommunityIdText text;
  return std::string(community_id(record, text));
}

FlowRecord reversed(FlowRecord record) {
  std::swap(record.src, record.dst);
  return record;
}

void expect_id_both_ways(const FlowRecord& record, const char* expected) {
  EXPECT_EQ(id(record), expected);
  EXPECT_EQ(id(reversed(record)), expected);
}

// The vectors of the specification's baseline set.
TEST(CommunityId, EqualsTheTestVectorsInBothDirections) {
  expect_id_both_ways(
      flow(6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25),
      "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=");
  expect_id_both_ways(flow(17, "192.168.1.52", "8.8.8.8", 54585, 53),
                      "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
  expect_id_both_ways(flow(1, "192.168.0.89", "192.168.0.1", 8, 0),
                      "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
  expect_id_both_ways(flow(58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 136),
                      "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
  expect_id_both_ways(flow(132, "192.168.170.8", "192.168.170.56", 7, 7),
                      "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=");
  expect_id_both_ways(flow(46, "10.1.12.1", "10.1.12.2"), "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=");
}

TEST(CommunityId, OneWayIcmpKeepsItsDirection) {
  // Destination unreachable (3), code 1.
  const FlowRecord record = flow(1, "192.168.0.89", "192.168.0.1", 3, 1);
  FlowRecord other = record;
  std::swap(other.src.address, other.dst.address);
  EXPECT_NE(id(record), id(other));
}

TEST(CommunityId, PortOrderDecidesBetweenEqualAddresses) {
  const FlowRecord record = flow(6, "10.0.0.1", "10.0.0.1", 1000, 80);
  EXPECT_EQ(id(record), id(reversed(record)));
  EXPECT_EQ(id(record).size(), kCommunityIdSize);
}

TEST(CommunityId, LayerTwoFlowsHaveNone) {
  EXPECT_EQ(id(FlowRecord()), "");
}

}  // namespace
}  // namespace weir
