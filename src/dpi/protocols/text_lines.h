// SPDX-License-Identifier: Apache-2.0
//
// What protocols of lines have in common, such as SMTP, FTP and SIP: the search for lines in a
// stream, and replies. What stands in a line is read by dpi/wire_text.h.
//
// Errors: what is not there is empty, or false.
// Threads: pure functions; any.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dpi/wire_text.h"

namespace weir {

// The reply lines of SMTP, FTP and NNTP: three digits, then a blank, a '-' (more lines follow) or
// the end. 0 for what is no reply.
struct ReplyLine {
  uint16_t code = 0;
  bool is_last = true;
  WireText text;
};
ReplyLine read_reply_line(WireText line);
bool begins_with_reply(WireText text);

// How far the search for the end of a line came: a stream that comes in small pieces is searched
// once. One of each direction, zero at first.
struct LineSearch {
  uint16_t searched;  // bytes of the line that have no end in them
  bool is_skipping;   // up to the next end of line

  // What comes next does not begin where the last piece ended.
  void skip_to_next() {
    searched = 0;
    is_skipping = true;
  }
  // The next line without its end; false when more bytes are needed. `rest` begins behind it. Of a
  // line longer than `size_max` (at most UINT16_MAX) the begin, and the others of its bytes are
  // skipped.
  bool take_line(WireText& rest, size_t size_max, WireText& line);
};

}  // namespace weir
