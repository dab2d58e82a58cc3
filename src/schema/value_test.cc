// SPDX-License-Identifier: Apache-2.0
#include "weir/value.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace weir {
namespace {

Value unsigned_value(uint64_t number) {
  Value value;
  value.set_unsigned(number);
  return value;
}

Value text_value(std::string_view text) {
  Value value;
  value.set_text(text);
  return value;
}

std::string text_of(const Value& value) {
  std::string out;
  append_text(out, value);
  return out;
}

int sign(int number) {
  return number < 0 ? -1 : number > 0 ? 1 : 0;
}

TEST(Value, OrdersAbsentFirst) {
  EXPECT_LT(compare(Value(), unsigned_value(0)), 0);
  EXPECT_GT(compare(text_value(""), Value()), 0);
  EXPECT_EQ(compare(Value(), Value()), 0);
}

TEST(Value, OrdersByNaturalOrder) {
  EXPECT_LT(compare(unsigned_value(9), unsigned_value(10)), 0) << "numbers, not text";
  EXPECT_LT(compare(text_value("ab"), text_value("abc")), 0);
  EXPECT_LT(compare(text_value("\x7f"), text_value("\xc3")), 0) << "bytes are unsigned";
  Value early;
  Value late;
  early.set_time(-5);
  late.set_time(5);
  EXPECT_LT(compare(early, late), 0);
  Value ipv4;
  Value ipv6;
  ipv4.set_address(AddressKind::kIpv4, {255});
  ipv6.set_address(AddressKind::kIpv6, {0});
  EXPECT_LT(compare(ipv4, ipv6), 0) << "families apart";
}

TEST(Value, PrintsPlainText) {
  EXPECT_EQ(text_of(Value()), "");
  EXPECT_EQ(text_of(unsigned_value(UINT64_MAX)), "18446744073709551615");
  Value value;
  value.set_bool(true);
  EXPECT_EQ(text_of(value), "true");
  value.set_signed(-1);
  EXPECT_EQ(text_of(value), "-1");
  value.set_duration(1'500'000'000);
  EXPECT_EQ(text_of(value), "1.500000000");
  value.set_time(0);
  EXPECT_EQ(text_of(value), "1970-01-01T00:00:00.000000000Z");
  value.set_address(AddressKind::kIpv4, {192, 0, 2, 1});
  EXPECT_EQ(text_of(value), "192.0.2.1");
  value.kind = ValueKind::kListU16;
  value.list = {5, 7};
  value.list_count = 2;
  EXPECT_EQ(text_of(value), "5 7");
}

struct RandomValues {
  std::mt19937_64 random;
  std::vector<std::string> texts;
  std::vector<FlowCounters> counters;

  Value make(ValueKind kind, size_t slot) {
    Value value;
    const auto small = [this] { return static_cast<int64_t>(random() % 4) - 1; };
    value.kind = kind;
    value.boolean = random() % 2 == 0;
    value.number = random() % 2 == 0 ? random() : random() % 3;
    value.signed_number = random() % 2 == 0 ? static_cast<int64_t>(random()) : small();
    std::string& text = texts[slot];
    text.clear();
    for (size_t size = random() % 4; size > 0; --size)
      text.push_back(
          "\x00\x01\xff"
          "a"[random() % 4]);
    value.text = text;
    value.address_kind = static_cast<AddressKind>(random() % 3);
    for (uint8_t& byte : value.address) byte = static_cast<uint8_t>(random() % 2);
    value.list_count = static_cast<uint8_t>(random() % 3);
    for (uint16_t& id : value.list) id = static_cast<uint16_t>(random() % 300);
    counters[slot * 2] = {random() % 2, random() % 2, random() % 2, random() % 2};
    counters[slot * 2 + 1] = {random() % 2, random() % 2, random() % 2, random() % 2};
    value.src_counters = &counters[slot * 2];
    value.dst_counters = &counters[slot * 2 + 1];
    return value;
  }
};

// The sort key is the comparison in bytes, also with other bytes behind it, and compare is
// antisymmetric.
TEST(Value, SortKeyAgreesWithCompare) {
  const uint64_t seed = 77;
  RandomValues values{std::mt19937_64(seed), std::vector<std::string>(2),
                      std::vector<FlowCounters>(4)};
  const auto kind_count = static_cast<uint64_t>(ValueKind::kCounters) + 1;
  for (int round = 0; round < 50'000; ++round) {
    const auto kind = static_cast<ValueKind>(values.random() % kind_count);
    const bool is_mixed = values.random() % 4 == 0;
    const auto other = is_mixed ? static_cast<ValueKind>(values.random() % kind_count) : kind;
    const Value x = values.make(kind, 0);
    const Value y = values.make(other, 1);
    const int expected = sign(compare(x, y));
    ASSERT_EQ(sign(compare(y, x)), -expected);
    std::string key_x;
    std::string key_y;
    append_sort_key(key_x, x);
    append_sort_key(key_y, y);
    ASSERT_EQ(sign(key_x.compare(key_y)), expected) << "seed " << seed << " round " << round;
    if (expected == 0) continue;
    key_x.append("\xff\xff");
    key_y.insert(key_y.end(), '\0');
    ASSERT_EQ(sign(key_x.compare(key_y)), expected) << "seed " << seed << " round " << round;
  }
}

}  // namespace
}  // namespace weir
