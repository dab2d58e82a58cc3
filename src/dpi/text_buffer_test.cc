// SPDX-License-Identifier: Apache-2.0
#include "dpi/text_buffer.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

namespace weir {
namespace {

TEST(TextBuffer, leaves_out_what_does_not_fit) {
  AttributeText text;
  const std::string long_text(kAttributeSizeMax - 1, 'x');
  text.append(long_text);
  EXPECT_FALSE(text.is_full());
  text.append("yz");
  EXPECT_TRUE(text.is_full());
  EXPECT_EQ(text.view(), long_text + "y");
  text.shorten(3);
  EXPECT_EQ(text.view(), "xxx");
  text.clear();
  EXPECT_TRUE(text.is_empty());
  EXPECT_FALSE(text.is_full());
}

// Against base/text, over every pattern of zero groups.
TEST(TextBuffer, writes_addresses_as_records_do) {
  for (unsigned pattern = 0; pattern < 256; ++pattern) {
    AddressBytes address{};
    for (unsigned group = 0; group < 8; ++group) {
      if ((pattern >> group & 1) != 0) address[group * 2 + 1] = static_cast<uint8_t>(group + 10);
    }
    AttributeText text;
    append_ipv6(text, address);
    std::string expected;
    append_ipv6(expected, address);
    EXPECT_EQ(text.view(), expected);
  }
  const AddressBytes mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  AttributeText text;
  append_ipv6(text, mapped);
  EXPECT_EQ(text.view(), "::ffff:192.0.2.1");
}

TEST(TextBuffer, writes_numbers_and_bytes) {
  AttributeText text;
  text.append_unsigned(0);
  text.append(' ');
  text.append_unsigned(UINT64_MAX);
  text.append(' ');
  constexpr uint8_t kBytes[] = {0x00, 0xff, 0x1a};
  text.append_hex(kBytes);
  EXPECT_EQ(text.view(), "0 18446744073709551615 00ff1a");
}

}  // namespace
}  // namespace weir
