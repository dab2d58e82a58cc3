// SPDX-License-Identifier: Apache-2.0
#include "filter/literals.h"

#include <gtest/gtest.h>

#include <random>

namespace weir {
namespace {

std::string time_of(std::string_view text) {
  int64_t ns = 0;
  if (!parse_time(text, ns)) return "none";
  std::string out;
  append_key(out, FilterType::kTime, key_of_signed(ns));
  return out;
}

TEST(Literals, Times) {
  EXPECT_EQ(time_of("1970-01-01T00:00:00Z"), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(time_of("2000-02-29"), "2000-02-29T00:00:00.000000000Z");
  EXPECT_EQ(time_of("2026-01-31T12:00:00.5z"), "2026-01-31T12:00:00.500000000Z");
  EXPECT_EQ(time_of("2026-01-31t12:00:00.123456789Z"), "2026-01-31T12:00:00.123456789Z");
  EXPECT_EQ(time_of("2026-01-01 00:30:00+01:00"), "2025-12-31T23:30:00.000000000Z");
  EXPECT_EQ(time_of("2025-12-31T23:30:00-01:00"), "2026-01-01T00:30:00.000000000Z");
  EXPECT_EQ(time_of("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000000000Z");
  EXPECT_EQ(time_of("1677-09-21T00:12:43.145224192Z"), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(time_of("1677-09-21T00:12:43.145224191Z"), "none");
  EXPECT_EQ(time_of("2262-04-11T23:47:16.854775807Z"), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(time_of("2262-04-11T23:47:16.854775808Z"), "none");
  EXPECT_EQ(time_of("2261-12-31T23:59:60-23:59"), "2262-01-01T23:59:00.000000000Z");
  for (const char* text : {"",
                           "2026",
                           "2026-1-1",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-04-31",
                           "2100-02-29",
                           "1677-09-21",
                           "1677-01-01",
                           "2262-04-12",
                           "2263-01-01",
                           "2026-01-01T",
                           "2026-01-01T12:00:00",
                           "2026-01-01T24:00:00Z",
                           "2026-01-01T12:60:00Z",
                           "2026-01-01T12:00:61Z",
                           "2026-01-01T12:00:00.Z",
                           "2026-01-01T12:00:00.1234567890Z",
                           "2026-01-01T12:00:00ZZ",
                           "2026-01-01T12:00:00+1:00",
                           "2026-01-01T12:00:00+0100",
                           "-026-01-01",
                           "2026-01-01T-1:00:00Z",
                           "2026-01-01T12:00Z"})
    EXPECT_EQ(time_of(text), "none") << text;
}

TEST(Literals, NetworksCoverTheirBits) {
  const auto range_of = [](std::string_view text) {
    FilterOperand operand;
    if (!parse_network(text, operand)) return std::string("none");
    std::string out;
    append_key(out, FilterType::kAddress, operand.range.first);
    append_key(out.append(" "), FilterType::kAddress, operand.range.last);
    return out;
  };
  EXPECT_EQ(range_of("10.1.2.3/8"), "10.0.0.0 10.255.255.255");
  EXPECT_EQ(range_of("10.1.2.3/31"), "10.1.2.2 10.1.2.3");
  EXPECT_EQ(range_of("10.1.2.3/32"), "10.1.2.3 10.1.2.3");
  EXPECT_EQ(range_of("0.0.0.0/0"), "0.0.0.0 255.255.255.255");
  EXPECT_EQ(range_of("2001:db8::/33"), "2001:db8:: 2001:db8:7fff:ffff:ffff:ffff:ffff:ffff");
  EXPECT_EQ(range_of("::1/128"), "::1 ::1");
  for (const char* text : {"10.0.0.0/33", "::/129", "10.0.0.0/", "/8", "10.0.0/8", "10.0.0.0/-1",
                           "10.0.0.0/8/8", "10.0.0.0/+8", "10.0.0.0/256", "010.0.0.0/8"})
    EXPECT_EQ(range_of(text), "none") << text;
}

// What append_key writes, parse_key reads as the same key.
TEST(Literals, WritingAndReadingAreInverse) {
  constexpr uint64_t kSeed = 5;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 20'000; ++round) {
    const uint64_t number = random() >> random() % 64;
    const auto integer = static_cast<int64_t>(random() % 2 == 0 ? number : 0 - number);
    AddressBytes bytes{};
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % 3 == 0 ? 0 : random());
    AddressBytes ipv4{};
    AddressBytes mac{};
    std::copy_n(bytes.begin(), 4, ipv4.begin());
    std::copy_n(bytes.begin(), 6, mac.begin());
    const std::pair<FilterType, FilterKey> keys[] = {
        {FilterType::kBool, key_of_unsigned(number % 2)},
        {FilterType::kNumber, key_of_unsigned(number)},
        {FilterType::kInteger, key_of_signed(integer)},
        {FilterType::kTime, key_of_signed(integer)},
        {FilterType::kDuration, key_of_signed(integer)},
        {FilterType::kAddress, key_of_address(AddressKind::kIpv4, ipv4)},
        {FilterType::kAddress, key_of_address(AddressKind::kIpv6, bytes)},
        {FilterType::kMac, key_of_address(AddressKind::kMac, mac)},
    };
    for (const auto& [type, key] : keys) {
      std::string text;
      append_key(text, type, key);
      FilterKey read;
      ASSERT_TRUE(parse_key(text, type, {}, read)) << text << " seed " << kSeed;
      ASSERT_EQ(read, key) << text << " seed " << kSeed;
    }
  }
}

TEST(Literals, KeysHaveTheOrderOfTheirValues) {
  EXPECT_LT(key_of_signed(INT64_MIN), key_of_signed(-1));
  EXPECT_LT(key_of_signed(-1), key_of_signed(0));
  EXPECT_LT(key_of_signed(0), key_of_signed(INT64_MAX));
  EXPECT_LT(key_of_unsigned(0), key_of_unsigned(UINT64_MAX));
  EXPECT_LT(key_of_address(AddressKind::kIpv4, {255}), key_of_address(AddressKind::kIpv6, {0}));
  EXPECT_EQ(signed_of(key_of_signed(INT64_MIN)), INT64_MIN);
}

}  // namespace
}  // namespace weir
