// SPDX-License-Identifier: Apache-2.0
//
// The list of exporters, and the exact bytes of JSON and CSV.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "export/export_to_text.h"
#include "export/json_lines.h"
#include "export/record_samples.h"
#include "flow/flow_fields.h"

namespace weir {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Exporters, AreListedOnce) {
  EXPECT_EQ(export_format_names(), "table, json, csv, none");
  for (const ExportFormat& format : export_formats()) {
    EXPECT_EQ(find_export_format(format.name), &format);
    EXPECT_FALSE(format.help.empty());
  }
  EXPECT_EQ(find_export_format("xml"), nullptr);
}

TEST(Exporters, NonePrintsNothing) {
  EXPECT_EQ(export_to_text("none", flow_catalog(), {tcp_sample()}), "");
  EXPECT_FALSE(find_export_format("none")->is_ordered);
}

TEST(JsonLines, PrintsATcpFlow) {
  EXPECT_EQ(
      export_to_text("json", flow_catalog(), {tcp_sample()}),
      R"({"id":"000100000000002a","community_id":"1:QAf3+pGMaqGO534pWKUcLd7LteM=",)"
      R"("first_seen":"2005-07-04T09:32:20.839354000Z","last_seen":"2005-07-04T09:32:22.339354000Z",)"
      R"("duration":1.5,"src_ip":"10.0.0.1","dst_ip":"192.0.2.1","src_port":50000,"dst_port":443,)"
      R"("src_mac":"02:00:00:00:00:01","dst_mac":"02:00:00:00:00:02","proto":"tcp","proto_number":6,"app":"unknown",)"
      R"("origin":"syn","path":"eth.vlan.ip.tcp","vlan":[5],"interface":"eth0","state":"closed",)"
      R"("end_reason":"end","conn_state":"SF","history":"ShADFf","src_packets":12,"dst_packets":1250,)"
      R"("src_bytes":3456,"dst_bytes":1800000,"src_ip_bytes":3264,"dst_ip_bytes":1780000,)"
      R"("src_payload_bytes":2800,"dst_payload_bytes":1730000,"src_tcp_flags":"SAFP",)"
      R"("dst_tcp_flags":"SAF","src_tcp_isn":4000000000,"dst_tcp_isn":7,"rtt":0.0205,)"
      R"("src_retransmits":0,"src_out_of_order":0,"dst_retransmits":3,"dst_out_of_order":0,)"
      R"("uid":-1,"decision":"undecided","final":true,"sequence":0})"
      "\n");
}

TEST(JsonLines, PrintsTheDeltaOfInterimRecordsOnly) {
  const std::string text =
      export_to_text("json", flow_catalog(), {udp_interim_sample(), tcp_sample()});
  EXPECT_THAT(text,
              HasSubstr(R"("final":false,"sequence":2,"delta":{"src_packets":1,"dst_packets":2,)"
                        R"("src_bytes":100,"dst_bytes":200,"src_ip_bytes":90,"dst_ip_bytes":180,)"
                        R"("src_payload_bytes":50,"dst_payload_bytes":100}})"
                        "\n"));
  EXPECT_THAT(text, HasSubstr(R"("vlan":[5,7],"zone":"vlan:5.7")"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.find("delta"), text.rfind("delta"));
}

TEST(JsonLines, LeavesOutWhatDoesNotApplyToLayer2) {
  const std::string text = export_to_text("json", flow_catalog(), {layer2_sample()});
  EXPECT_THAT(
      text,
      HasSubstr(R"("src_mac":"00:1b:44:11:3a:b7","dst_mac":"01:0c:cd:01:00:01","proto":"goose")"));
  for (const char* absent :
       {"_ip\"", "community", "port", "vlan", "tcp", "rtt", "icmp", "zone", "ip_bytes"}) {
    EXPECT_THAT(text, Not(HasSubstr(absent)));
  }
}

TEST(JsonLines, EscapesTheInterfaceName) {
  std::string text;
  JsonFormat(flow_catalog()).append(text, tcp_sample(), {"a\"\xff\n.pcap"});
  EXPECT_THAT(text, HasSubstr(R"("interface":"a\"\\xff\n.pcap")"));
}

TEST(JsonLines, PrintsAnEmptyObjectForNoFields) {
  std::string text;
  JsonFormat(Catalog()).append(text, tcp_sample(), {});
  EXPECT_EQ(text, "{}");
}

size_t cell_count(const std::string& line) {
  return 1 + static_cast<size_t>(std::count(line.begin(), line.end(), ','));
}

TEST(Csv, HasOneCellPerColumnInEveryLine) {
  const Catalog& catalog = flow_catalog();
  const std::string text =
      export_to_text("csv", catalog, {tcp_sample(), udp_interim_sample(), layer2_sample()});
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  ASSERT_EQ(lines.size(), 4u);
  // The delta is eight columns.
  for (const std::string& line : lines)
    EXPECT_EQ(cell_count(line), flow_fields().size() + 7) << line;
  EXPECT_TRUE(lines[0].starts_with("id,community_id,first_seen,last_seen,duration,src_ip,"));
  EXPECT_THAT(lines[0],
              HasSubstr(",sequence,delta.src_packets,delta.dst_packets,delta.src_bytes,"));
  EXPECT_TRUE(lines[1].starts_with("000100000000002a,"));
  EXPECT_THAT(lines[1], HasSubstr(",1.500000000,10.0.0.1,192.0.2.1,50000,443,"));
  EXPECT_THAT(lines[1], HasSubstr(",-1,undecided,true,0,,,,,,,,"));
  EXPECT_THAT(lines[2], HasSubstr(",5 7,vlan:5.7,eth0,"));
  EXPECT_THAT(lines[2], HasSubstr(",false,2,1,2,100,200,90,180,50,100"));
}

TEST(Csv, PrintsTheHeaderWithoutRecords) {
  const std::string text = export_to_text("csv", flow_catalog(), {});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

}  // namespace
}  // namespace weir
