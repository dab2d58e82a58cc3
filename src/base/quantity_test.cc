// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// The value, or the largest number for what is none: no unit reaches it.
uint64_t parsed(std::string_view text, std::span<const QuantityUnit> units) {
  uint64_t value = 0;
  return parse_quantity(text, units, value) ? value : UINT64_MAX;
}

std::string written(uint64_t value, std::span<const QuantityUnit> units) {
  std::string out;
  append_quantity(out, value, units);
  return out;
}

TEST(Quantity, ReadsNumbersWithUnits) {
  EXPECT_EQ(parsed("0", kBinaryUnits), 0u);
  EXPECT_EQ(parsed("17", kBinaryUnits), 17u);
  EXPECT_EQ(parsed("1K", kBinaryUnits), 1024u);
  EXPECT_EQ(parsed("1.5M", kBinaryUnits), 1'572'864u);
  EXPECT_EQ(parsed("18446744073709551614", kBinaryUnits), UINT64_MAX - 1);
  EXPECT_EQ(parsed("1.5s", kTimeUnits), 1'500'000'000u);
  EXPECT_EQ(parsed("0.25ms", kTimeUnits), 250'000u);
  EXPECT_EQ(parsed("7d", kTimeUnits), 7 * uint64_t{86'400'000'000'000});
  EXPECT_EQ(parsed("1.500000000000s", kTimeUnits), 1'500'000'000u) << "zeros say nothing";
  EXPECT_EQ(parsed("0", kTimeUnits), 0u);
}

TEST(Quantity, RefusesWhatIsNoWholeNumberOfThem) {
  for (const char* text : {"", "K", ".5K", "1.K", "-1", "+1", " 1", "1 K", "1k", "1KB", "0x1",
                           "1.5", "1.0001K", "18446744073709551616", "16777216T", "1..2"})
    EXPECT_EQ(parsed(text, kBinaryUnits), UINT64_MAX) << text;
  for (const char* text : {"5", "5x", "0.1ns", "1e3s", "300000d", "soon"})
    EXPECT_EQ(parsed(text, kTimeUnits), UINT64_MAX) << text;
}

TEST(Quantity, WritesTheShortestForm) {
  EXPECT_EQ(written(0, kTimeUnits), "0");
  EXPECT_EQ(written(90'000'000'000, kTimeUnits), "90s");
  EXPECT_EQ(written(300'000'000'000, kTimeUnits), "5m");
  EXPECT_EQ(written(1'500'000'000, kTimeUnits), "1500ms");
  EXPECT_EQ(written(1025, kBinaryUnits), "1025");
  EXPECT_EQ(written(3 << 20, kBinaryUnits), "3M");
}

}  // namespace
}  // namespace weir
