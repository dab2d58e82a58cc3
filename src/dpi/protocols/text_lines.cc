// SPDX-License-Identifier: Apache-2.0
#include "dpi/protocols/text_lines.h"

#include <algorithm>

namespace weir {

ReplyLine read_reply_line(WireText line) {
  if (line.size() < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2])) return {};
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return {};
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (code < 100 || code > 699) return {};
  ReplyLine reply;
  reply.code = static_cast<uint16_t>(code);
  reply.is_last = line.size() == 3 || line[3] == ' ';
  if (line.size() > 4) reply.text = trimmed(line.subspan(4));
  return reply;
}

bool begins_with_reply(WireText text) {
  return read_reply_line(text.first(std::min<size_t>(text.size(), 4))).code != 0;
}

bool LineSearch::take_line(WireText& rest, size_t size_max, WireText& line) {
  if (is_skipping) {
    const size_t end = find_byte(rest, '\n');
    rest = end == kNotFound ? WireText() : rest.subspan(end + 1);
    if (end == kNotFound) return false;
    is_skipping = false;
    searched = 0;
  }
  const size_t end = find_byte(rest.first(std::min(rest.size(), size_max)), '\n', searched);
  if (end != kNotFound) {
    line = rest.first(end > 0 && rest[end - 1] == '\r' ? end - 1 : end);
    rest = rest.subspan(end + 1);
    searched = 0;
    return true;
  }
  if (rest.size() < size_max) {
    searched = static_cast<uint16_t>(rest.size());
    return false;
  }
  line = rest.first(size_max);
  rest = rest.subspan(size_max);
  skip_to_next();
  return true;
}

}  // namespace weir
