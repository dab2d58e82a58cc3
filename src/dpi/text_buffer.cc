// SPDX-License-Identifier: Apache-2.0
#include "dpi/text_buffer.h"

namespace weir {
namespace {

constexpr size_t kGroupCount = 8;  // of an IPv6 address

}  // namespace

void append_ipv4(AttributeText& text, std::span<const uint8_t, 4> address) noexcept {
  for (size_t index = 0; index < address.size(); ++index) {
    if (index > 0) text.append('.');
    text.append_unsigned(address[index]);
  }
}

void append_ipv6_group(AttributeText& text, uint16_t group) noexcept {
  text.append_hex(group, group > 0xfff ? 4 : group > 0xff ? 3 : group > 0xf ? 2 : 1);
}

void append_ipv6(AttributeText& text, std::span<const uint8_t, 16> address) noexcept {
  std::array<uint16_t, kGroupCount> groups{};
  for (size_t index = 0; index < kGroupCount; ++index) {
    groups[index] = static_cast<uint16_t>(address[index * 2] << 8 | address[index * 2 + 1]);
  }
  // The longest run of at least two zero groups, the first of equals, becomes "::".
  size_t gap_start = kGroupCount;
  size_t gap_count = 1;
  for (size_t start = 0; start < kGroupCount;) {
    size_t end = start;
    while (end < kGroupCount && groups[end] == 0) ++end;
    if (end - start > gap_count) {
      gap_start = start;
      gap_count = end - start;
    }
    start = end + 1;
  }
  const bool is_v4_mapped = gap_start == 0 && gap_count == 5 && groups[5] == 0xffff;

  for (size_t index = 0; index < kGroupCount; ++index) {
    if (index == gap_start) {
      text.append("::");
      index += gap_count - 1;
      continue;
    }
    if (index > 0 && index != gap_start + gap_count) text.append(':');
    if (is_v4_mapped && index == 6) {
      append_ipv4(text, address.last<4>());
      return;
    }
    append_ipv6_group(text, groups[index]);
  }
}

}  // namespace weir
