// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/message_head.h"

namespace weir {

MessageHead take_head_field(WireText& rest, LineSearch& search, WireText& field) {
  size_t end = find_byte(rest, '\n', search.searched);
  while (end != kNotFound) {
    const WireText line = rest.first(end);
    if (line.empty() || equals_ignoring_case(line, "\r")) return MessageHead::kEnd;
    if (equals_ignoring_case(line, ".\r") || equals_ignoring_case(line, "."))
      return MessageHead::kEnd;  // a message without a body
    if (end + 1 == rest.size()) break;
    if (!is_blank(rest[end + 1])) {
      field = rest.first(end);
      rest = rest.subspan(end + 1);
      search.searched = 0;
      return MessageHead::kField;
    }
    end = find_byte(rest, '\n', end + 1);
  }
  // The end of line found last is looked at again: what follows it decides.
  search.searched = static_cast<uint16_t>(end == kNotFound ? rest.size() : end);
  return MessageHead::kNeedsMore;
}

WireText unfold(WireText value, std::span<uint8_t> out) {
  size_t size = 0;
  for (const uint8_t byte : trimmed(value)) {
    if (size == out.size()) break;
    if (byte != '\r' && byte != '\n') out[size++] = byte;
  }
  return trimmed(WireText(out).first(size));
}

}  // namespace weir
