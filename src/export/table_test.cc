// SPDX-License-Identifier: Apache-2.0
//
// The expected screen, compared as text.
#include "export/table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "export/export_to_text.h"
#include "export/record_samples.h"
#include "flow/flow_fields.h"

namespace weir {
namespace {

std::string table(std::initializer_list<FlowRecord> records, uint32_t width = 120) {
  ExportOptions options;
  options.width = width;
  return "\n" + export_to_text("table", flow_catalog(), records, options);
}

size_t widest_line(const std::string& text) {
  size_t widest = 0;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    widest = std::max(widest, column_count(text.substr(start, end - start)));
    start = end + 1;
  }
  return widest;
}

FlowRecord long_ipv6_sample() {
  FlowRecord record = udp_interim_sample();
  record.src.address.fill(0xab);
  record.dst.address.fill(0xcd);
  record.src.port = 54321;
  return record;
}

TEST(Table, PutsTheCommonDayIntoTheHeading) {
  EXPECT_EQ(table({tcp_sample(), tcp_sample()}), R"(
2005-07-04    proto  app  source          destination    state   duration  pkts →  pkts ←  bytes →  bytes ←
09:32:20.839  tcp    -    10.0.0.1:50000  192.0.2.1:443  closed     1.5 s      12   1.3 k   3.5 kB   1.8 MB
09:32:20.839  tcp    -    10.0.0.1:50000  192.0.2.1:443  closed     1.5 s      12   1.3 k   3.5 kB   1.8 MB
)");
}

TEST(Table, ShowsMacsAndBrackets) {
  EXPECT_EQ(table({udp_interim_sample(), layer2_sample()}, 200), R"(
first seen               proto  app  source              destination        state   duration  pkts →  pkts ←  bytes →  bytes ←
2023-11-14 22:13:20.000  udp    -    [2001:db8::1]:5353  [2001:db8::2]:53   active    1m 00s      10      11   1.0 kB   1.1 kB
1970-01-01 00:00:01.000  goose  -    00:1b:44:11:3a:b7   01:0c:cd:01:00:01  new          0 s       1       0    150 B      0 B
)");
}

TEST(Table, ShowsNoPortsForIcmp) {
  FlowRecord record = tcp_sample();
  record.proto_number = 1;
  EXPECT_NE(table({record}).find("icmp   -    10.0.0.1  192.0.2.1"), std::string::npos);
}

TEST(Table, FitsTheWidthItIsGiven) {
  for (uint32_t width = 66; width < 260; ++width) {
    const std::string text = table({long_ipv6_sample(), tcp_sample(), layer2_sample()}, width);
    ASSERT_LE(widest_line(text), width) << text;
  }
}

TEST(Table, ShortensEndpointsInTheMiddle) {
  const std::string text = table({long_ipv6_sample()});
  EXPECT_LE(widest_line(text), 120u);
  EXPECT_NE(text.find("[abab:abab:"), std::string::npos) << text;
  EXPECT_NE(text.find("abab]:54321 "), std::string::npos) << text;
}

TEST(Table, GoesOnAfterTheSample) {
  const Catalog& catalog = flow_catalog();
  OutputStream stream(-1, "nowhere");
  Table table(catalog, {}, stream);
  for (size_t row = 0; row < Table::kSampleCount + 1; ++row) table.write(tcp_sample(), {});
  table.write(layer2_sample(), {});
  table.end();
  const std::string text = std::move(stream.buffer());
  stream.buffer().clear();
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')),
            Table::kSampleCount + 3);
  EXPECT_EQ(text.find("2005-07-04"), text.rfind("2005-07-04")) << "in the heading only";
  EXPECT_NE(text.find("\n1970-01-01 00:00:01.000"), std::string::npos)
      << "another day keeps its date";
}

TEST(Table, SaysWhenThereIsNothing) {
  EXPECT_EQ(table({}), "\nno flows\n");
}

TEST(Table, IsColouredOnlyWhenTold) {
  EXPECT_EQ(table({tcp_sample()}).find('\x1b'), std::string::npos);
  ExportOptions options;
  options.is_coloured = true;
  const std::string text = export_to_text("table", flow_catalog(), {tcp_sample()}, options);
  EXPECT_TRUE(text.starts_with("\x1b[1m2005-07-04"));
}

}  // namespace
}  // namespace weir
