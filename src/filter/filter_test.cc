// SPDX-License-Identifier: Apache-2.0
#include "filter/filter.h"

#include <gtest/gtest.h>

#include "tests/support/filter_catalog.h"

namespace weir {
namespace {

using test::filter_test_catalog;
using test::filter_test_record;

constexpr int64_t kReferenceNs = 1'769'861'000'000'000'000;  // 2026-01-31T12:03:20Z

Filter filter_of(std::string_view text) {
  FilterError error;
  std::optional<Filter> filter =
      parse_filter(text, filter_test_catalog(), {.reference_ns = kReferenceNs}, error);
  EXPECT_TRUE(filter.has_value()) << text << ": " << error.column << ": " << error.message;
  return filter ? *filter : *parse_filter("final", filter_test_catalog(), error);
}

bool holds(std::string_view text, const FlowRecord& record = filter_test_record()) {
  const RecordNames names{"eth0", &filter_test_catalog()};
  return filter_of(text).matches(record, names);
}

// One without anything that may be absent.
FlowRecord bare_record() {
  FlowRecord record;
  record.proto_number = 17;
  return record;
}

void expect_all(std::initializer_list<const char*> texts, bool expected) {
  for (const char* text : texts) EXPECT_EQ(holds(text), expected) << text;
}

TEST(Filter, ExamplesOfTheConventions) {
  EXPECT_TRUE(holds("app == tls and dst_port in {443, 8443} and tls.sni contains \"Example\""));
  EXPECT_TRUE(holds("ip in 10.0.0.0/8 and not port == 53 and bytes > 1M and last_seen > -5m"));
  EXPECT_FALSE(holds("(proto == udp or proto == icmp) and src_packets >= 100"));
  EXPECT_TRUE(
      holds("(proto == tcp or proto == icmp) and dst_packets >= 100 and modbus.function == 16"));
}

TEST(Filter, Numbers) {
  expect_all(
      {"dst_port == 443", "dst_port != 444", "dst_port < 444", "dst_port <= 443", "dst_port > 442",
       "dst_port >= 443", "dst_port in {443}", "dst_port in {1, 443, 9}", "dst_port in 1..1024",
       "dst_port in 443..443", "dst_port in {1..5, 400..500, 9}", "dst_port == 0x1bb",
       "src_tcp_isn == 4000000000", "dst_bytes < 18446744073709551615", "dst_bytes > 1.5M",
       "src_bytes < 4K", "icmp_type < 255 or final", "dns.queries == 3", "dns.queries > 2"},
      true);
  expect_all({"dst_port == 444", "dst_port != 443", "dst_port < 443", "dst_port <= 442",
              "dst_port > 443", "dst_port >= 444", "dst_port in {442, 444}", "dst_port < 0",
              "dst_port in 1..442", "dst_port in {1..5, 444..500, 9}", "dst_port > 65535",
              "dst_bytes > 18446744073709551615", "dns.queries in {1, 2}"},
             false);
}

TEST(Filter, SignedNumbers) {
  expect_all({"uid == -1", "uid < 0", "uid >= -1", "uid in -5..5", "uid in {-1, 4}", "uid != 0"},
             true);
  expect_all({"uid == 1", "uid > -1", "uid in 0..5", "uid < -1"}, false);
}

TEST(Filter, Booleans) {
  expect_all({"final", "final == true", "final != false", "tls.resumed", "not final == false"},
             true);
  expect_all({"not final", "final == false", "final != true", "not tls.resumed"}, false);
  FlowRecord record = bare_record();
  EXPECT_FALSE(holds("tls.resumed", record));
  EXPECT_FALSE(holds("tls.resumed == false", record)) << "absent is neither";
  record.is_final = false;
  EXPECT_FALSE(holds("final", record));
  record.attributes = AttributeBytes(test::BlockWriter().number("modbus.write", 0).block());
  EXPECT_FALSE(holds("modbus.write", record)) << "there, but false";
  record.attributes = AttributeBytes(
      test::BlockWriter().number("modbus.write", 0).number("modbus.write", 1).block());
  EXPECT_TRUE(holds("modbus.write", record));
}

TEST(Filter, Times) {
  expect_all({"first_seen == 2026-01-31T12:00:00Z", "first_seen == 2026-01-31T14:00:00+02:00",
              "first_seen >= 2026-01-31", "first_seen < 2026-02-01", "last_seen > -5m",
              "first_seen in -1h..-1m", "first_seen in 2026-01-31..2026-02-01",
              "first_seen != 2026-01-31T12:00:00.000000001Z", "last_seen <= +0",
              "tls.not_after > +30d", "first_seen == -200s"},
             true);
  expect_all({"first_seen > -1m", "first_seen < 2026-01-31T12:00:00Z",
              "last_seen in -1d..-1h"
              " or last_seen in {2026-01-01}"},
             false);
}

TEST(Filter, Durations) {
  expect_all({"rtt == 20.5ms", "rtt < 1s", "rtt > 20ms", "rtt in 1ms..1s", "dns.took == 1.5s",
              "dns.took in {1s, 1500ms}", "rtt >= -1s", "rtt > 0"},
             true);
  expect_all({"rtt > 1s", "rtt != 20500us", "dns.took < 1500000000ns"}, false);
}

TEST(Filter, Addresses) {
  expect_all(
      {"src_ip == 10.0.0.1", "src_ip != 10.0.0.2", "src_ip in 10.0.0.0/8", "src_ip in 10.0.0.1/32",
       "src_ip in 0.0.0.0/0", "src_ip in {192.0.2.0/24, 10.0.0.1}", "src_ip in 10.0.0.0..10.0.0.9",
       "src_ip in {::/0, 10.0.0.0..10.0.0.1}", "src_ip in 10.9.9.9/8",
       "dns.resolver == 2001:db8::1", "dns.resolver in 2001:db8::/32", "dns.resolver != 10.0.0.1",
       "src_mac == 02:00:00:00:00:01", "src_mac == 02-00-00-00-00-01",
       "src_mac in {02:00:00:00:00:01, 02:00:00:00:00:09}"},
      true);
  expect_all(
      {"src_ip == 10.0.0.2", "src_ip in 11.0.0.0/8", "src_ip in ::/0", "src_ip == ::ffff:10.0.0.1",
       "dns.resolver in 0.0.0.0/0", "dns.resolver in 2001:db8::2..2001:db8::ffff",
       "src_mac != 02:00:00:00:00:01", "src_mac == 02:00:00:00:00:01:00:00"},
      false);
}

TEST(Filter, Texts) {
  expect_all({"tls.sni == www.Example.org", "tls.sni == \"www.Example.org\"",
              "tls.sni contains Example", "tls.sni contains \"\"", "tls.sni matches \"Ex.*org$\"",
              "tls.sni matches \"(?i)^WWW\\\\.example\"", "tls.sni in {a, \"www.Example.org\", z}",
              "tls.sni != www.example.org", "interface == eth0", "proto == tcp", "state == active",
              "state in {new, active}", "app == tls", "app matches \"^t\"", "service == youtube",
              "tls.alpn == \"http/1.1\"", "tls.alpn contains \"1.1\"", "tls.alpn == h2"},
             true);
  expect_all({"tls.sni == www.example.org", "tls.sni contains example", "tls.sni matches \"^Ex\"",
              "tls.sni in {a, b}", "tls.sni != www.Example.org", "tls.sni == \"\"",
              "app == unknown", "service == windows-update", "state != active", "app == ftp-data"},
             false);
}

TEST(Filter, Bytes) {
  expect_all({"tls.serial == 00ff10", "tls.serial == 00FF10", "tls.serial contains ff10",
              "tls.serial in {00, 00ff10}", "tls.serial != 00ff"},
             true);
  expect_all({"tls.serial == 00ff", "tls.serial contains 0f", "tls.serial != 00ff10"}, false);
}

TEST(Filter, AComparisonWithWhatIsAbsentIsFalse) {
  const FlowRecord record = bare_record();
  for (const char* text : {"src_port == 53",
                           "src_port != 53",
                           "src_port < 53",
                           "src_port >= 0",
                           "src_port in 0..65535",
                           "port != 53",
                           "port",
                           "ip",
                           "src_ip != 1.2.3.4",
                           "tls.sni == \"\"",
                           "tls.sni != a",
                           "tls.sni contains \"\"",
                           "tls.sni matches \"\"",
                           "rtt >= 0",
                           "rtt",
                           "service",
                           "vlan",
                           "vlan != 5",
                           "delta",
                           "dns.answers",
                           "dns.answers.ttl >= 0",
                           "dns.answers.ttl != 0"}) {
    EXPECT_FALSE(holds(text, record)) << text;
    EXPECT_TRUE(holds("not " + std::string(text), record)) << text;
  }
}

TEST(Filter, AFieldAloneIsPresence) {
  expect_all({"tls.sni", "tls.alpn", "dns.answers", "dns.answers.option.code", "dns.question",
              "port", "ip", "mac", "bytes", "vlan", "rtt", "app", "first_seen"},
             true);
  expect_all({"delta", "not port", "end_reason", "modbus.write", "icmp_type"}, false);
}

// Equality holds when any value is equal, inequality when none is.
TEST(Filter, Lists) {
  expect_all({"vlan == 5", "vlan == 7", "vlan > 6", "vlan < 6", "vlan in {1, 7}", "vlan != 6",
              "modbus.function == 3", "modbus.function == 16", "modbus.function in 10..20",
              "modbus.function != 4", "tls.alpn in {h2}", "tls.alpn != h3"},
             true);
  expect_all({"vlan == 6", "vlan != 5", "vlan != 7", "vlan > 7", "modbus.function == 4",
              "modbus.function != 16", "tls.alpn != h2"},
             false);
}

TEST(Filter, MembersOfObjects) {
  expect_all({"dns.answers.name == a.example", "dns.answers.name == b.example",
              "dns.answers.data == 1.2.3.4", "dns.answers.data == 1.2.3.5",
              "dns.answers.data in 1.2.0.0/16", "dns.answers.ttl == 0", "dns.answers.ttl > 299",
              "dns.answers.option.code == 10", "dns.answers.option", "dns.question.type == 28",
              "dns.answers.ttl != 1"},
             true);
  expect_all(
      {"dns.answers.name == c.example", "dns.answers.data == 1.2.3.6", "dns.answers.ttl == 1",
       "dns.answers.ttl != 0", "dns.answers.option.code == 11", "dns.question.type == 1"},
      false);
}

TEST(Filter, EitherEnd) {
  expect_all({"port == 443", "port == 50000", "port != 53", "port < 1024", "port in {1, 443}",
              "ip == 10.0.0.1", "ip == 192.0.2.1", "ip in 192.0.2.0/24", "ip != 1.1.1.1",
              "mac == 02:00:00:00:00:02", "not port == 53"},
             true);
  expect_all({"port == 53", "port != 443", "port != 50000", "not port == 443", "ip != 10.0.0.1",
              "mac == 02:00:00:00:00:03"},
             false);
}

TEST(Filter, BothWays) {
  expect_all({"packets == 112", "packets > 100", "bytes == 1803456", "bytes in 1M..2M"}, true);
  expect_all({"packets == 12", "packets == 100", "bytes < 1M"}, false);
  FlowRecord record = filter_test_record();
  record.src.total.bytes = record.dst.total.bytes = UINT64_MAX - 1;
  EXPECT_TRUE(holds("bytes == 18446744073709551615", record)) << "does not wrap around";
}

TEST(Filter, Precedence) {
  expect_all({"final or final and not final", "not not final", "not (not final)",
              "not final or final", "(final or final) and final", "final and (not final or final)",
              "not (final and not final)", "not final and final or final"},
             true);
  expect_all({"(final or final) and not final", "not final and final", "not (final or final)",
              "not final and final or not final", "not (not not final)"},
             false);
}

TEST(Filter, CanonicalText) {
  const std::pair<const char*, const char*> texts[] = {
      {"  final  ", "final"},
      {"((final))and(not(final)or final)", "final and (not final or final)"},
      {"final and (final and final)", "final and final and final"},
      {"(final or final) or final", "final or final or final"},
      {"(final and final) or final", "final and final or final"},
      {"not not not final", "not final"},
      {"not (final or final)", "not (final or final)"},
      {"dst_port in {8443,443,443}", "dst_port in {443, 8443}"},
      {"dst_port in {443}", "dst_port in {443}"},
      {"dst_port in {1..5}", "dst_port in 1..5"},
      {"bytes>1.5M", "bytes > 1572864"},
      {"dst_port == 0x1bb", "dst_port == 443"},
      {"rtt < 1.5s", "rtt < 1500ms"},
      {"rtt < -90s", "rtt < -90s"},
      {"last_seen > -5m", "last_seen > 2026-01-31T11:58:20.000000000Z"},
      {"ip in 10.9.9.9/8", "ip in 10.0.0.0/8"},
      {"ip == 2001:DB8:0::1", "ip == 2001:db8::1"},
      {"mac == 02-00-00-00-00-0A", "mac == 02:00:00:00:00:0a"},
      {"tls.sni == \"abc\"", "tls.sni == abc"},
      {"tls.sni == a.b", "tls.sni == \"a.b\""},
      {"tls.sni == \"and\"", "tls.sni == \"and\""},
      {"tls.sni == \"\\x00\\xff\\n\\\"\\\\é\"", "tls.sni == \"\\x00\\xff\\n\\\"\\\\é\""},
      {"tls.serial == 00FF", "tls.serial == 00ff"},
      {"state == active", "state == active"},
  };
  for (const auto& [text, canonical] : texts) {
    const Filter filter = filter_of(text);
    EXPECT_EQ(filter.text(), canonical);
    EXPECT_EQ(filter_of(filter.text()).text(), canonical);
  }
}

TEST(Filter, NamesTheFieldsItUses) {
  const auto names = [](std::string_view text) {
    std::string out;
    const Filter filter = filter_of(text);
    for (const Field* field : filter.fields()) out.append(field->name).append(" ");
    return out;
  };
  EXPECT_EQ(names("final and tls.sni == a or not final"), "final tls.sni ");
  EXPECT_EQ(names("port == 1 or bytes > 5"), "src_port dst_port src_bytes dst_bytes ");
  EXPECT_EQ(names("dns.answers.option.code == 1 and dns.answers"),
            "dns.answers dns.answers.option dns.answers.option.code ");
}

TEST(Filter, OfAMessage) {
  const Catalog& catalog = filter_test_catalog();
  test::BlockWriter block;
  // A message may come back to an attribute; a record's block has them in a row.
  block.number("modbus.function", 3).number("modbus.write", 1).number("modbus.function", 16);
  MessageValues::Extra extra{catalog.find("dst_port"), {}};
  extra.value.set_unsigned(502);
  const MessageValues message(block.block(), {&extra, 1});
  EXPECT_TRUE(filter_of("modbus.function == 3 and modbus.function == 16").matches(message));
  EXPECT_TRUE(filter_of("modbus.write and port == 502").matches(message));
  EXPECT_FALSE(filter_of("src_port == 502 or tls.sni").matches(message));
}

TEST(Filter, SurvivesDamagedBlocks) {
  const std::vector<uint8_t> whole = [] {
    const FlowRecord record = filter_test_record();
    return std::vector<uint8_t>(record.attributes.span().begin(), record.attributes.span().end());
  }();
  const Filter filter = filter_of(
      "dns.answers.option.code == 99 or dns.answers.data == 9.9.9.9 or tls.alpn == x or "
      "tls.not_after == 1970-01-01 or dns.took == 77s");
  for (size_t size = 0; size < whole.size(); ++size) {
    for (const int mask : {0x00, 0x01, 0x80, 0xff}) {
      std::vector<uint8_t> bytes(whole.begin(),
                                 whole.begin() + static_cast<std::ptrdiff_t>(size) + 1);
      bytes.back() = static_cast<uint8_t>(bytes.back() ^ mask);
      filter.matches(MessageValues(bytes));
    }
  }
}

}  // namespace
}  // namespace weir
