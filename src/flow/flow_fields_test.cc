// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_fields.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "net/packet.h"
#include "schema/field_docs.h"
#include "weir/catalog.h"

namespace weir {
namespace {

// Every present field of the record as text.
std::map<std::string, std::string> fields_of(const FlowRecord& record,
                                             const RecordNames& names = {"eth0"}) {
  std::map<std::string, std::string> texts;
  for (const Field& field : flow_fields()) {
    Value value;
    field.get(record, names, value);
    if (value.kind == ValueKind::kAbsent) continue;
    append_text(texts[std::string(field.name)], value);
  }
  return texts;
}

FlowRecord tcp_flow() {
  FlowRecord record;
  record.id = 0x0002'0000'0000'0abc;
  record.address_kind = AddressKind::kIpv4;
  record.has_ports = true;
  record.proto_number = 6;
  record.path = {3, {Layer::kEthernet, Layer::kIpv4, Layer::kTcp}};
  record.src.address = {10, 0, 0, 1};
  record.dst.address = {10, 0, 0, 2};
  record.src.port = 1024;
  record.dst.port = 80;
  record.src.total.packets = 1;
  record.src.tcp_flags = 0xff;
  record.first_seen_ns = 5;
  record.last_seen_ns = 15;
  record.end_reason = EndReason::kEnd;
  return record;
}

// The order and names users rely on.
TEST(FlowFields, AreTheCoreRecordInOutputOrder) {
  std::string names;
  for (const Field& field : flow_fields()) names.append(field.name).append(" ");
  EXPECT_EQ(
      names,
      "id community_id first_seen last_seen duration src_ip dst_ip src_port dst_port src_mac "
      "dst_mac proto "
      "proto_number app app_confidence app_method service origin path vlan zone interface state "
      "end_reason conn_state history "
      "src_packets "
      "dst_packets src_bytes dst_bytes src_ip_bytes dst_ip_bytes src_payload_bytes "
      "dst_payload_bytes "
      "src_tcp_flags dst_tcp_flags src_tcp_isn dst_tcp_isn rtt src_retransmits src_out_of_order "
      "dst_retransmits dst_out_of_order udp_typical_size icmp_type icmp_code uid decision final "
      "sequence "
      "delta ");
}

TEST(FlowFields, FormAValidCatalogue) {
  const Catalog& catalog = flow_catalog();
  EXPECT_GT(catalog.fields().size(), flow_fields().size()) << "attributes follow";
  for (size_t index = 0; index < catalog.fields().size(); ++index)
    EXPECT_EQ(catalog.fields()[index].is_attribute(), index >= flow_fields().size());
  for (const Field& field : catalog.fields()) {
    EXPECT_TRUE(field.help.ends_with('.')) << field.name;
    EXPECT_EQ(field.help.find(". "), std::string_view::npos) << field.name << ": one sentence";
  }
}

TEST(FlowFields, OfATcpFlow) {
  auto fields = fields_of(tcp_flow());
  EXPECT_EQ(fields["id"], "0002000000000abc");
  EXPECT_EQ(fields["duration"], "0.000000010");
  EXPECT_EQ(fields["src_ip"], "10.0.0.1");
  EXPECT_EQ(fields["dst_port"], "80");
  EXPECT_EQ(fields["proto"], "tcp");
  EXPECT_EQ(fields["path"], "eth.ip.tcp");
  EXPECT_EQ(fields["src_tcp_flags"], "SAFRPUEC");
  EXPECT_EQ(fields["uid"], "-1");
  EXPECT_EQ(fields["decision"], "undecided");
  EXPECT_EQ(fields["final"], "true");
  for (const char* absent : {"src_mac", "vlan", "zone", "history", "dst_tcp_flags", "src_tcp_isn",
                             "rtt", "udp_typical_size", "icmp_type", "icmp_code", "delta"}) {
    EXPECT_FALSE(fields.contains(absent)) << absent;
  }
}

TEST(FlowFields, TcpFieldsAppearWhenKnown) {
  FlowRecord record = tcp_flow();
  record.src.tcp_flags = 0;
  record.src.has_tcp_isn = true;
  record.rtt_ns = 0;
  auto fields = fields_of(record);
  EXPECT_TRUE(fields.contains("src_tcp_flags")) << "a null scan has an empty union";
  EXPECT_EQ(fields["src_tcp_isn"], "0");
  EXPECT_EQ(fields["rtt"], "0.000000000");
}

TEST(FlowFields, OtherProtocolsHaveNoTcpFields) {
  FlowRecord record = tcp_flow();
  record.proto_number = 17;
  record.udp_typical_size = 576;
  record.src.has_tcp_isn = true;
  record.rtt_ns = 1;
  auto fields = fields_of(record);
  EXPECT_EQ(fields["udp_typical_size"], "576");
  EXPECT_EQ(fields["conn_state"], "OTH");
  for (const char* absent :
       {"src_tcp_flags", "src_tcp_isn", "rtt", "src_retransmits", "dst_out_of_order"}) {
    EXPECT_FALSE(fields.contains(absent)) << absent;
  }
}

TEST(FlowFields, OfALayer2Flow) {
  FlowRecord record;
  record.proto_number = 0x88b8;
  record.src.address = {1, 2, 3, 4, 5, 6};
  record.dst.address = {7, 8, 9, 10, 11, 12};
  record.path = {2, {Layer::kEthernet, Layer::kVlan}};
  record.vlans = {2, {5, 7}};
  auto fields = fields_of(record);
  EXPECT_EQ(fields["src_mac"], "01:02:03:04:05:06");
  EXPECT_EQ(fields["dst_mac"], "07:08:09:0a:0b:0c");
  EXPECT_EQ(fields["proto"], "goose");
  EXPECT_EQ(fields["path"], "eth.vlan.goose");
  EXPECT_EQ(fields["vlan"], "5 7");
  for (const char* absent :
       {"src_ip", "dst_ip", "src_port", "community_id", "src_ip_bytes", "conn_state"}) {
    EXPECT_FALSE(fields.contains(absent)) << absent;
  }
}

TEST(FlowFields, ExtendedLinkAddressesStandInTheMacFields) {
  FlowRecord record;
  record.address_kind = AddressKind::kEui64;
  record.proto_number = 0x809a;
  record.src.address = {0, 0x12, 0x4b, 0, 0, 6, 7, 8};
  record.dst.address = {0, 0, 0, 0, 0x1a, 0x62, 0xff, 0xff};
  record.path = {1, {Layer::kWpan}};
  auto fields = fields_of(record);
  EXPECT_EQ(fields["src_mac"], "00:12:4b:00:00:06:07:08");
  EXPECT_EQ(fields["dst_mac"], "00:00:00:00:1a:62:ff:ff");
  EXPECT_EQ(fields["proto"], "ieee802154");
  EXPECT_EQ(fields["path"], "wpan");
  for (const char* absent : {"src_ip", "dst_ip", "src_port", "community_id", "conn_state"}) {
    EXPECT_FALSE(fields.contains(absent)) << absent;
  }
}

TEST(FlowFields, PathEndsInTheProtocol) {
  FlowRecord record = tcp_flow();
  record.proto_number = 47;
  record.path = {2, {Layer::kEthernet, Layer::kIpv4}};
  EXPECT_EQ(fields_of(record)["path"], "eth.ip.gre");
  record.address_kind = AddressKind::kMac;
  record.proto_number = 0x0806;
  record.path = {2, {Layer::kEthernet, Layer::kArp}};
  EXPECT_EQ(fields_of(record)["path"], "eth.arp");
  record.path.count = kLayerCountMax;
  record.path.layers.fill(Layer::kEthernet);
  EXPECT_TRUE(fields_of(record)["path"].ends_with(".eth.arp")) << "the longest path fits";
  record.proto_number = 0x42;
  record.path = {2, {Layer::kEthernet, Layer::kLlc}};
  EXPECT_EQ(fields_of(record)["path"], "eth.llc.stp");
}

TEST(FlowFields, ZoneNamesItsKind) {
  FlowRecord record = tcp_flow();
  record.zone_kind = ZoneKind::kVlan;
  record.zone = 5u << 16 | 0xffffu;
  EXPECT_EQ(fields_of(record)["zone"], "vlan:5");
  record.zone = 5u << 16 | 7u;
  EXPECT_EQ(fields_of(record)["zone"], "vlan:5.7");
  record.zone_kind = ZoneKind::kVni;
  record.zone = UINT32_MAX;
  EXPECT_EQ(fields_of(record)["zone"], "vni:4294967295");
  record.zone_kind = ZoneKind::kInterface;
  EXPECT_EQ(fields_of(record)["zone"], "interface:eth0");
  EXPECT_EQ(fields_of(record, {std::string(5000, 'x')})["zone"].size(), 192u)
      << "cut, not overflowing";
}

TEST(FlowFields, DurationIsNeverNegative) {
  FlowRecord record = tcp_flow();
  record.last_seen_ns = 4;
  EXPECT_EQ(fields_of(record)["duration"], "0.000000000");
  record.first_seen_ns = INT64_MIN;
  record.last_seen_ns = INT64_MAX;
  EXPECT_EQ(fields_of(record)["duration"], "9223372036.854775807");
}

TEST(FlowFields, DeltaBelongsToInterimRecords) {
  FlowRecord record = tcp_flow();
  record.end_reason = EndReason::kActive;
  record.is_final = false;
  record.dst.delta.packets = 3;
  const Catalog& catalog = flow_catalog();
  Value value;
  catalog.find("delta")->get(record, {}, value);
  ASSERT_EQ(value.kind, ValueKind::kCounters);
  EXPECT_EQ(value.dst_counters->packets, 3u);
}

// docs/formats/flow_fields.md is what the program prints. When it is stale: `weir protocols flow
// --markdown`, or copy the file this test writes.
TEST(FlowFields, AreDocumented) {
  const char* source_folder = std::getenv("WEIR_SOURCE_DIR");
  const char* build_folder = std::getenv("WEIR_BUILD_DIR");
  if (source_folder == nullptr || build_folder == nullptr) {
    GTEST_SKIP() << "WEIR_SOURCE_DIR and WEIR_BUILD_DIR are not set (ctest sets them)";
  }
  const std::string expected = fields_markdown(flow_catalog());
  const std::string path = std::string(source_folder) + "/docs/formats/flow_fields.md";
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  if (content.str() == expected) return;
  const std::string fresh = std::string(build_folder) + "/flow_fields.md";
  std::ofstream(fresh) << expected;
  FAIL() << path << " is stale; run: weir protocols flow --markdown > " << path << ", or copy "
         << fresh;
}

}  // namespace
}  // namespace weir
