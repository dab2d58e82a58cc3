// SPDX-License-Identifier: Apache-2.0
#include "base/saturating.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace weir {
namespace {

// Against the same in a type that is wide enough, for all pairs.
TEST(Saturating, IsTheSumDifferenceOrProductCutToTheRange) {
  const auto cut = [](int value) { return static_cast<int8_t>(std::clamp(value, -128, 127)); };
  for (int x = -128; x <= 127; ++x) {
    for (int y = -128; y <= 127; ++y) {
      const auto a = static_cast<int8_t>(x);
      const auto b = static_cast<int8_t>(y);
      ASSERT_EQ(saturating_add(a, b), cut(x + y)) << x << " " << y;
      ASSERT_EQ(saturating_subtract(a, b), cut(x - y)) << x << " " << y;
      ASSERT_EQ(saturating_multiply_add(int8_t{0}, a, b), cut(x * y)) << x << " " << y;
    }
  }
  EXPECT_EQ(saturating_add<uint32_t>(UINT32_MAX, 1), UINT32_MAX);
  EXPECT_EQ(saturating_subtract<uint32_t>(0, 1), 0u);
  EXPECT_EQ(saturating_multiply_add<int64_t>(INT64_MAX, 1, 1), INT64_MAX);
}

}  // namespace
}  // namespace weir
