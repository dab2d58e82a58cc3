// SPDX-License-Identifier: Apache-2.0
#include "capture/interface_names.h"

#include <gtest/gtest.h>

#include "weir/frame.h"

namespace weir {
namespace {

TEST(InterfaceNames, ANameHasOneIndexAndNoInterfaceHasNoName) {
  InterfaceNames names;
  const uint32_t first = names.intern("eth0");
  const uint32_t second = names.intern("eth1");
  EXPECT_NE(first, second);
  EXPECT_EQ(names.intern("eth0"), first);
  EXPECT_EQ(names.name(second), "eth1");
  EXPECT_EQ(names.name(kNoInterface), "");
  EXPECT_EQ(names.size(), 2u);
}

}  // namespace
}  // namespace weir
