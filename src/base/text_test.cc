// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>
#include <random>

namespace weir {
namespace {

template <typename Function, typename... Arguments>
std::string text_of(Function append, Arguments... arguments) {
  std::string out = "<";  // what is there stays
  append(out, arguments...);
  EXPECT_EQ(out[0], '<');
  return out.substr(1);
}

TEST(Text, PrintsNumbersAtTheirLimits) {
  EXPECT_EQ(text_of(append_unsigned, UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(text_of(append_signed, INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(text_of(append_signed, int64_t{-1}), "-1");
  EXPECT_EQ(text_of(append_hex, 0xabcu, 16u), "0000000000000abc");
  EXPECT_EQ(text_of(append_hex, UINT64_MAX, 2u), "ff");
}

TEST(Text, TimeAlwaysHasNineDigits) {
  EXPECT_EQ(text_of(append_time, int64_t{0}), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(text_of(append_time, int64_t{1120469540839354000}), "2005-07-04T09:32:20.839354000Z");
  EXPECT_EQ(text_of(append_time, int64_t{-1}), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(text_of(append_time, INT64_MAX), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(text_of(append_time, INT64_MIN), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(text_of(append_time, int64_t{951782400} * 1'000'000'000),
            "2000-02-29T00:00:00.000000000Z");
}

// Against the C library, whose calendar is an independent implementation.
TEST(Text, TimeEqualsGmtimeOnRandomInstants) {
  const uint64_t seed = 20261120;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    const auto ns = static_cast<int64_t>(random());
    int64_t seconds = ns / 1'000'000'000;
    int64_t rest = ns % 1'000'000'000;
    if (rest < 0) {
      rest += 1'000'000'000;
      --seconds;
    }
    const time_t instant = seconds;
    tm fields{};
    gmtime_r(&instant, &fields);
    char expected[64];
    std::snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ",
                  fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday, fields.tm_hour,
                  fields.tm_min, fields.tm_sec, static_cast<long>(rest));
    ASSERT_EQ(text_of(append_time, ns), expected) << "seed " << seed;
  }
}

TEST(Text, SecondsKeepEveryNanosecond) {
  EXPECT_EQ(text_of(append_seconds, int64_t{1'500'000'000}), "1.500000000");
  EXPECT_EQ(text_of(append_seconds, int64_t{-1}), "-0.000000001");
  EXPECT_EQ(text_of(append_seconds, INT64_MIN), "-9223372036.854775808");
  EXPECT_EQ(text_of(append_seconds_short, int64_t{1'500'000'000}), "1.5");
  EXPECT_EQ(text_of(append_seconds_short, int64_t{100'000'000'000}), "100");
  EXPECT_EQ(text_of(append_seconds_short, int64_t{0}), "0");
  EXPECT_EQ(text_of(append_seconds_short, int64_t{1}), "0.000000001");
}

TEST(Text, PrintsIpv6AsRfc5952Says) {
  const auto printed = [](const char* text) {
    AddressBytes address{};
    EXPECT_EQ(inet_pton(AF_INET6, text, address.data()), 1) << text;
    return text_of(append_ipv6, address);
  };
  EXPECT_EQ(printed("::"), "::");
  EXPECT_EQ(printed("::1"), "::1");
  EXPECT_EQ(printed("1::"), "1::");
  EXPECT_EQ(printed("2001:DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(printed("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1") << "one zero group stays";
  EXPECT_EQ(printed("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1") << "the longest run";
  EXPECT_EQ(printed("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
  EXPECT_EQ(printed("::ffff:0:0"), "::ffff:0.0.0.0");
  EXPECT_EQ(printed("::192.0.2.1"), "::c000:201") << "no longer a well-known prefix";
}

TEST(Text, Ipv6EqualsInetNtopOnRandomAddresses) {
  const uint64_t seed = 5952;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    AddressBytes address{};
    address[0] = 0x20;  // keeps clear of ::/96, which inet_ntop prints in the old form
    for (size_t index = 1; index < 16; ++index) {
      if (random() % 3 == 0) address[index] = static_cast<uint8_t>(random());
    }
    char expected[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, address.data(), expected, sizeof expected);
    ASSERT_EQ(text_of(append_ipv6, address), expected) << "seed " << seed;
  }
}

TEST(Text, PrintsTheOtherAddresses) {
  EXPECT_EQ(text_of(append_ipv4, AddressBytes{255, 0, 10, 1}), "255.0.10.1");
  EXPECT_EQ(text_of(append_mac, MacBytes{0, 0x1b, 0x44, 0x11, 0x3a, 0xb7}), "00:1b:44:11:3a:b7");
  EXPECT_EQ(text_of(append_address, AddressKind::kMac, AddressBytes{1, 2, 3, 4, 5, 6}),
            "01:02:03:04:05:06");
  EXPECT_EQ(
      text_of(append_address, AddressKind::kEui64, AddressBytes{0, 0x12, 0x4b, 0, 0xff, 6, 7, 8}),
      "00:12:4b:00:ff:06:07:08");
}

TEST(Text, HumanNumbersNeverShowFourDigits) {
  EXPECT_EQ(text_of(append_count_human, uint64_t{0}), "0");
  EXPECT_EQ(text_of(append_count_human, uint64_t{999}), "999");
  EXPECT_EQ(text_of(append_count_human, uint64_t{1000}), "1.0 k");
  EXPECT_EQ(text_of(append_count_human, uint64_t{1249}), "1.2 k");
  EXPECT_EQ(text_of(append_count_human, uint64_t{1250}), "1.3 k");
  EXPECT_EQ(text_of(append_count_human, uint64_t{99'949}), "99.9 k");
  EXPECT_EQ(text_of(append_count_human, uint64_t{99'950}), "100 k");
  EXPECT_EQ(text_of(append_count_human, uint64_t{999'499}), "999 k");
  EXPECT_EQ(text_of(append_count_human, uint64_t{999'500}), "1.0 M");
  EXPECT_EQ(text_of(append_count_human, UINT64_MAX), "18.4 E");
  EXPECT_EQ(text_of(append_bytes_human, uint64_t{512}), "512 B");
  EXPECT_EQ(text_of(append_bytes_human, uint64_t{3'400'000}), "3.4 MB");
}

TEST(Text, HumanDurations) {
  EXPECT_EQ(text_of(append_duration_human, int64_t{0}), "0 s");
  EXPECT_EQ(text_of(append_duration_human, int64_t{12}), "12 ns");
  EXPECT_EQ(text_of(append_duration_human, int64_t{1'500}), "1.5 µs");
  EXPECT_EQ(text_of(append_duration_human, int64_t{12'345'678}), "12.3 ms");
  EXPECT_EQ(text_of(append_duration_human, int64_t{999'999'999}), "1.0 s");
  EXPECT_EQ(text_of(append_duration_human, int64_t{59'949'999'999}), "59.9 s");
  EXPECT_EQ(text_of(append_duration_human, int64_t{59'950'000'000}), "1m 00s");
  EXPECT_EQ(text_of(append_duration_human, int64_t{185'900'000'000}), "3m 05s");
  EXPECT_EQ(text_of(append_duration_human, int64_t{7'500'000'000'000}), "2h 05m");
  EXPECT_EQ(text_of(append_duration_human, int64_t{273'600'000'000'000}), "3d 04h");
  EXPECT_EQ(text_of(append_duration_human, int64_t{-1'500'000'000}), "-1.5 s");
}

TEST(Text, JsonEscapesWhatCouldBreakOutOrMislead) {
  EXPECT_EQ(text_of(append_json_string, std::string_view("plain")), "\"plain\"");
  EXPECT_EQ(text_of(append_json_string, std::string_view("a\"b\\c\n\x01")),
            "\"a\\\"b\\\\c\\n\\u0001\"");
  EXPECT_EQ(text_of(append_json_string, std::string_view("\x7f")), "\"\\u007f\"");
  EXPECT_EQ(text_of(append_json_string, std::string_view("zürich 水 \xf0\x9f\x98\x80")),
            "\"zürich 水 \xf0\x9f\x98\x80\"");
  EXPECT_EQ(text_of(append_json_string, std::string_view("\xe2\x80\xaegpj")), "\"\\u202egpj\"");
  EXPECT_EQ(text_of(append_json_string, std::string_view("\xff\xc3")), "\"\\\\xff\\\\xc3\"");
  EXPECT_EQ(text_of(append_json_string, std::string_view("\xed\xa0\x80")),
            "\"\\\\xed\\\\xa0\\\\x80\"")
      << "a surrogate is not UTF-8";
  EXPECT_EQ(text_of(append_json_string, std::string_view("\xc0\xaf")), "\"\\\\xc0\\\\xaf\"")
      << "overlong";
  EXPECT_EQ(text_of(append_json_string, std::string_view("\0", 1)), "\"\\u0000\"");
}

TEST(Text, CsvQuotesAndDefusesFormulas) {
  EXPECT_EQ(text_of(append_csv_text, std::string_view("plain text")), "plain text");
  EXPECT_EQ(text_of(append_csv_text, std::string_view("a,b")), "\"a,b\"");
  EXPECT_EQ(text_of(append_csv_text, std::string_view("say \"x\"")), "\"say \"\"x\"\"\"");
  EXPECT_EQ(text_of(append_csv_text, std::string_view("=1+1")), "'=1+1");
  EXPECT_EQ(text_of(append_csv_text, std::string_view("@a,b")), "\"'@a,b\"");
  EXPECT_EQ(text_of(append_csv_text, std::string_view("\tx")), "'\tx");
  EXPECT_EQ(text_of(append_csv_text, std::string_view("two\nlines")), "\"two\nlines\"");
  EXPECT_EQ(text_of(append_csv_text, std::string_view("\x1b[31m\xff")), "\\u001b[31m\\xff");
  EXPECT_EQ(text_of(append_csv_text, std::string_view("")), "");
}

TEST(Text, TerminalTextMovesNoCursor) {
  EXPECT_EQ(text_of(append_terminal_text, std::string_view("C:\\temp \"a\"")), "C:\\temp \"a\"");
  EXPECT_EQ(text_of(append_terminal_text, std::string_view("\x1b[2J\r\n")), "\\u001b[2J\\r\\n");
  EXPECT_EQ(text_of(append_terminal_text, std::string_view("\xc2\x9b\xe2\x80\xae\x80")),
            "\\u009b\\u202e\\x80");
}

// Whatever the bytes, a JSON string holds no quote, control or invalid UTF-8; the terminal no
// control.
TEST(Text, RandomBytesNeverComeThroughRaw) {
  const uint64_t seed = 3629;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 12, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::string json = text_of(append_json_string, std::string_view(bytes));
    for (const char character : json) ASSERT_GE(static_cast<uint8_t>(character), 0x20);
    // Printing it again changes nothing but the backslashes and quotes: so all of it was valid
    // UTF-8.
    std::string terminal;
    append_terminal_text(terminal, json);
    ASSERT_EQ(terminal, json) << "seed " << seed;
    ASSERT_EQ(text_of(append_terminal_text, std::string_view(terminal)), terminal);
  }
}

TEST(Text, CountsColumnsNotBytes) {
  EXPECT_EQ(column_count("1.5 µs →"), 8u);
}

}  // namespace
}  // namespace weir
