// SPDX-License-Identifier: Apache-2.0
#include "dpi/number_names.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(NumberNames, finds_what_is_there) {
  constexpr NumberName kTable[] = {{1, "one"}, {5, "five"}};
  static_assert(is_ascending(kTable));
  EXPECT_EQ(find_name(kTable, 1), "one");
  EXPECT_EQ(find_name(kTable, 5), "five");
  EXPECT_EQ(find_name(kTable, 0), "");
  EXPECT_EQ(find_name(kTable, 2), "");
  EXPECT_EQ(find_name(kTable, 6), "");
  EXPECT_EQ(find_name({}, 6), "");
}

}  // namespace
}  // namespace weir
