// SPDX-License-Identifier: Apache-2.0
//
// What a user reads who wrote something that is no filter: column and line, word for word.
#include <gtest/gtest.h>

#include "filter/filter.h"
#include "tests/support/filter_catalog.h"

namespace weir {
namespace {

std::string error_of(std::string_view text, const FilterOptions& options = {.reference_ns = 0}) {
  FilterError error;
  if (parse_filter(text, test::filter_test_catalog(), options, error)) return "none";
  return std::to_string(error.column) + ": " + error.message;
}

struct Golden {
  const char* text;
  const char* error;
};

void expect_errors(std::initializer_list<Golden> goldens) {
  for (const Golden& golden : goldens)
    EXPECT_EQ(error_of(golden.text), golden.error) << golden.text;
}

TEST(FilterErrors, OfStructure) {
  expect_errors({
      {"", "1: empty: expected a condition such as app == tls"},
      {"  ", "1: empty: expected a condition such as app == tls"},
      {"final and", "10: expected a field, not or \"(\", got the end"},
      {"and final", "1: expected a field, not or \"(\", got \"and\""},
      {"final final", "7: expected a comparison, and, or or the end, got \"final\""},
      {"dst_port == 1 2", "15: expected and, or or the end, got \"2\""},
      {"dst_port 53", "10: expected a comparison, and, or or the end, got \"53\""},
      {"(final", "1: \"(\" without its \")\""},
      {"final and (final or (final)", "11: \"(\" without its \")\""},
      {"final)", "6: \")\" without its \"(\""},
      {"()", "2: expected a field, not or \"(\", got \")\""},
      {"not", "4: expected a field, not or \"(\", got the end"},
      {"== 5", "1: expected a field, not or \"(\", got \"==\""},
      {"\"final\"", "1: expected a field, not or \"(\", got \"final\""},
      {"final && final", "7: unexpected \"&\", did you mean and?"},
      {"final || final", "7: unexpected \"|\", did you mean or?"},
      {"!final", "1: unexpected \"!\", did you mean not or !=?"},
      {"dst_port = 53", "10: unexpected \"=\", did you mean ==?"},
      {"app ~ x", "5: unexpected \"~\", did you mean matches?"},
      {"app == 'tls'", "8: unexpected \"'\": a text stands in double quotes"},
      {"final é", "7: unexpected \"é\""},
      {"final \x01", "7: unexpected \"\\x01\""},
      {"tls.sni == \"é\" é", "16: unexpected \"é\""},
  });
}

TEST(FilterErrors, OfFields) {
  expect_errors({
      {"scr_ip == 1.2.3.4", "1: unknown field \"scr_ip\", did you mean src_ip?"},
      {"final and prot == tcp", "11: unknown field \"prot\", did you mean proto?"},
      {"zebra == 1", "1: unknown field \"zebra\", weir protocols lists them"},
      {"byte > 5", "1: unknown field \"byte\", did you mean bytes?"},
      {"tls_sni", "1: unknown field \"tls_sni\", did you mean tls.sni?"},
      {"443 == dst_port", "1: unknown field \"443\", weir protocols lists them"},
      {"dns.answers == x",
       "13: dns.answers is an object: compare a member of it such as dns.answers.name"},
      {"delta > 5", "7: delta is an object, which is there or not: it has no >"},
  });
}

TEST(FilterErrors, OfOperators) {
  expect_errors({
      {"src_port contains \"x\"",
       "10: src_port is a number: expected ==, !=, <, <=, >, >= or in, got contains"},
      {"src_ip < 10.0.0.1", "8: src_ip is an address: expected ==, != or in, got <"},
      {"src_mac matches x", "9: src_mac is a MAC address: expected ==, != or in, got matches"},
      {"tls.sni > a", "9: tls.sni is text: expected ==, !=, in, contains or matches, got >"},
      {"final in {true}", "7: final is true or false: expected == or !=, got in"},
      {"tls.serial matches x",
       "12: tls.serial is bytes: expected ==, !=, in or contains, got matches"},
      {"rtt contains 5s",
       "5: rtt is a duration: expected ==, !=, <, <=, >, >= or in, got contains"},
      {"first_seen matches x",
       "12: first_seen is a time: expected ==, !=, <, <=, >, >= or in, got matches"},
      {"port contains 5", "6: port is a number: expected ==, !=, <, <=, >, >= or in, got contains"},
  });
}

TEST(FilterErrors, OfValues) {
  expect_errors({
      {"dst_port ==", "12: expected a value, got the end"},
      {"dst_port == and final", "13: expected a value (a keyword in quotes is text), got \"and\""},
      {"dst_port == (5)", "13: expected a value, got \"(\""},
      {"dst_port == https", "13: dst_port: expected a number from 0 to 65535, got \"https\""},
      {"dst_port == 65536", "13: dst_port: expected a number from 0 to 65535, got \"65536\""},
      {"dst_port == -1", "13: dst_port: expected a number from 0 to 65535, got \"-1\""},
      {"icmp_type > 256", "13: icmp_type: expected a number from 0 to 255, got \"256\""},
      {"uid == 3000000000",
       "8: uid: expected a number from -2147483648 to 2147483647, got \"3000000000\""},
      {"bytes > 1.0001K", "9: bytes: expected a number such as 1500, 64K or 0x1f, got \"1.0001K\""},
      {"bytes > 1k", "9: bytes: expected a number such as 1500, 64K or 0x1f, got \"1k\""},
      {"final == yes", "10: final: expected true or false, got \"yes\""},
      {"rtt > 5", "7: rtt: expected a duration such as 5m or 1.5s, got \"5\""},
      {"rtt > soon", "7: rtt: expected a duration such as 5m or 1.5s, got \"soon\""},
      {"first_seen > today",
       "14: first_seen: expected a time such as 2026-01-31T12:00:00Z or -5m, got \"today\""},
      {"first_seen > 2026-02-29",
       "14: first_seen: expected a time such as 2026-01-31T12:00:00Z or -5m, got \"2026-02-29\""},
      {"src_ip == 10.0.0",
       "11: src_ip: expected an address such as 10.0.0.1 or 2001:db8::1, got \"10.0.0\""},
      {"src_ip == 10.0.0.0/8", "11: src_ip: \"10.0.0.0/8\" is a network, which only in has"},
      {"src_ip in 10.0.0.0/33",
       "11: src_ip: expected a network such as 10.0.0.0/8, got \"10.0.0.0/33\""},
      {"dst_port == 1..5", "13: dst_port: \"1..5\" is a range, which only in has"},
      {"src_mac == 00:11:22",
       "12: src_mac: expected a MAC address such as 00:1b:44:11:3a:b7, got \"00:11:22\""},
      {"tls.serial == abc",
       "15: tls.serial: expected bytes in hexadecimal such as 00ff, got \"abc\""},
      {"tls.sni == \"abc", "12: a text without its closing quote"},
      {"tls.sni == \"a\\.b\"", "14: unknown escape, allowed are \\\" \\\\ \\n \\r \\t \\xNN"},
      {"tls.sni matches \"(\"",
       "17: tls.sni: expected a regular expression, got \"(\" (missing ): ()"},
  });
  EXPECT_EQ(error_of("last_seen > -5m", {}),
            "13: last_seen: expected a time such as 2026-01-31T12:00:00Z, got \"-5m\"");
}

TEST(FilterErrors, OfWords) {
  expect_errors({
      {"state == activ",
       "10: state: expected new, established, active, closing, closed, idle or timed_out, got "
       "\"activ\", did you mean active?"},
      {"end_reason in {idle, fin}",
       "22: end_reason: expected idle, end, forced, resources or active, got \"fin\""},
      {"end_reason == \"\"",
       "15: end_reason: expected idle, end, forced, resources or active, got \"\""},
      {"app == tsl", "8: app: unknown protocol \"tsl\", weir protocols lists them"},
      {"app == tlss", "8: app: unknown protocol \"tlss\", did you mean tls?"},
      {"app != ftp_data", "8: app: unknown protocol \"ftp_data\", did you mean ftp-data?"},
      {"app == zebra", "8: app: unknown protocol \"zebra\", weir protocols lists them"},
      {"service == utube", "12: service: unknown service \"utube\""},
      {"service == youtub", "12: service: unknown service \"youtub\", did you mean youtube?"},
  });
}

TEST(FilterErrors, OfSets) {
  expect_errors({
      {"dst_port in {}", "13: an empty set"},
      {"dst_port in {1", "13: \"{\" without its \"}\""},
      {"dst_port in {1,", "16: expected a value, got the end"},
      {"dst_port in {1 2}", "16: expected \",\" or \"}\", got \"2\""},
      {"dst_port in {1,}", "16: expected a value, got \"}\""},
      {"dst_port in {1, x}", "17: dst_port: expected a number from 0 to 65535, got \"x\""},
      {"dst_port in 5..1",
       "13: dst_port: nothing is in the range \"5..1\": its first value is the smaller one"},
      {"dst_port in 5",
       "13: dst_port: in has a set, a range or a network; one value has ==, or {} around it"},
      {"dst_port in 1..70000", "13: dst_port: expected a number from 0 to 65535, got \"70000\""},
      {"src_ip in 10.0.0.1..::1",
       "11: src_ip: nothing is in the range \"10.0.0.1..::1\": its first value is the smaller one"},
      {"tls.sni in a..b",
       "12: tls.sni: in has a set, a range or a network; one value has ==, or {} around it"},
      {"dst_port in", "12: expected a set such as {443, 8443}, got the end"},
      {"dst_port == {1}", "13: expected a value, got \"{\""},
  });
}

std::string repeated(std::string_view text, size_t count) {
  std::string out;
  for (; count > 0; --count) out.append(text);
  return out;
}

TEST(FilterErrors, OfLimits) {
  EXPECT_EQ(error_of(repeated(" ", kFilterSizeMax + 1)), "1: too long: at most 4096 bytes");
  EXPECT_EQ(error_of(repeated(" ", kFilterSizeMax - 5) + "final"), "none");
  EXPECT_EQ(error_of("final" + repeated(" or final", 255)), "none");
  EXPECT_EQ(error_of("final" + repeated(" or final", 256)),
            "2305: too long: at most 256 conditions");
  EXPECT_EQ(error_of(repeated("(", 64) + "final" + repeated(")", 64)), "none");
  EXPECT_EQ(error_of(repeated("(", 65) + "final" + repeated(")", 65)),
            "65: nested too deep: at most 64 levels of not and parentheses");
  EXPECT_EQ(error_of(repeated("not ", 64) + "final"), "none");
  EXPECT_EQ(error_of(repeated("not ", 4000 / 4) + "final"),
            "257: nested too deep: at most 64 levels of not and parentheses");
  EXPECT_EQ(error_of("final" + repeated(" or app matches a", 16)), "none");
  EXPECT_EQ(error_of("final" + repeated(" or app matches a", 17)),
            "294: too many patterns: at most 16 times matches");
  EXPECT_EQ(error_of("tls.sni == \"" + repeated("\xff", 2000) + "\""),
            "1: too long: at most 4096 bytes when numbers, times and texts are written in full");
  EXPECT_EQ(error_of("app matches \"((a{100}){100}){100}\""),
            "13: app: expected a regular expression, got \"((a{100}){100}){100}\" (invalid "
            "repetition size: {100})");
  EXPECT_EQ(error_of("app matches \"\\\\pL{1000}\""),
            "13: app: expected a regular expression, got \"\\\\pL{1000}\" (pattern too large - "
            "compile failed)");
}

}  // namespace
}  // namespace weir
