// SPDX-License-Identifier: Apache-2.0
#include "dpi/wire_text.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace weir {
namespace {

std::vector<uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}
std::string string_of(WireText text) {
  return {text.begin(), text.end()};
}

TEST(WireText, NumbersStopAtTheirLimit) {
  uint64_t value = 7;
  EXPECT_TRUE(read_decimal(bytes_of("65535"), 65535, value));
  EXPECT_EQ(value, 65535u);
  for (const char* text : {"65536", "", "-1", "1x", "99999999999999999999999999"})
    EXPECT_FALSE(read_decimal(bytes_of(text), 65535, value)) << text;
  EXPECT_TRUE(read_decimal(bytes_of("9223372036854775807"), INT64_MAX, value));
  EXPECT_EQ(value, uint64_t{INT64_MAX});
  EXPECT_TRUE(read_decimal(bytes_of("18446744073709551615"), UINT64_MAX, value));
  for (const char* text : {"9223372036854775808", "92233720368547758070"})
    EXPECT_FALSE(read_decimal(bytes_of(text), INT64_MAX, value)) << text;
}

TEST(WireText, Base64OfAnySize) {
  const auto decoded = [](std::string_view text, size_t size_max) {
    std::vector<uint8_t> out(size_max);
    out.resize(decode_base64(bytes_of(text), out));
    return string_of(out);
  };
  EXPECT_EQ(decoded("YW5u", 10), "ann");
  EXPECT_EQ(decoded("YW5uYQ==", 10), "anna");
  EXPECT_EQ(decoded("YW5uYWE=", 10), "annaa");
  EXPECT_EQ(decoded("YW5uYWE=", 2), "an");
  EXPECT_EQ(decoded("no base64", 10), "");
  EXPECT_EQ(decoded("", 10), "");
}

TEST(WireText, AddressesOfBothKinds) {
  std::array<uint8_t, 16> out{};
  EXPECT_EQ(read_address(bytes_of("192.0.2.1"), out).size(), 4u);
  EXPECT_EQ(out[3], 1);
  EXPECT_EQ(read_address(bytes_of("2001:db8::1"), out).size(), 16u);
  for (const char* text :
       {"", "host", "1.2.3", "1.2.3.4.5", "::::", "1111:1111:1111:1111:1111:1111:1111:1111:1"})
    EXPECT_TRUE(read_address(bytes_of(text), out).empty()) << text;
}

TEST(WireText, WordsAndMarks) {
  const std::vector<uint8_t> bytes = bytes_of("  one\ttwo  three ");
  WireText rest = bytes;
  EXPECT_EQ(string_of(take_word(rest)), "one");
  EXPECT_EQ(string_of(take_word(rest)), "two");
  EXPECT_EQ(string_of(take_word(rest)), "three");
  EXPECT_TRUE(rest.empty());
  EXPECT_TRUE(equals_ignoring_case(bytes_of("QuIt"), "quit"));
  constexpr std::string_view kWords[] = {"noop", "quit"};
  EXPECT_TRUE(equals_any_ignoring_case(bytes_of("QuIt"), kWords));
  EXPECT_FALSE(equals_any_ignoring_case(bytes_of("qui"), kWords));
  EXPECT_EQ(find_ignoring_case(bytes_of("a ESMTP b"), "smtp"), 3u);
  EXPECT_EQ(find_ignoring_case(bytes_of("smt"), "smtp"), kNotFound);
}

TEST(WireText, HeaderFieldsAreSplitAtTheFirstColon) {
  const std::vector<uint8_t> bytes = bytes_of("Host : a:1 \t");
  const HeaderField field = split_header_field(bytes);
  EXPECT_EQ(string_of(field.name), "Host");
  EXPECT_EQ(string_of(field.value), "a:1");
  EXPECT_TRUE(split_header_field(WireText(bytes).first(4)).value.empty());
}

}  // namespace
}  // namespace weir
