// SPDX-License-Identifier: Apache-2.0
//
// The header of an internet message (RFC 5322, section 2.2), field by field as it comes: a field may
// go on in lines that begin with a blank, so it ends only where the next line is seen to begin.
//
// Threads: pure functions; any.
#pragma once

#include <cstdint>
#include <span>

#include "dpi/protocols/text_lines.h"
#include "dpi/wire_text.h"

namespace weir {

enum class MessageHead : uint8_t { kField, kNeedsMore, kEnd };

// Takes the next field of the header, which ends where a line begins that is no continuation: the
// first byte of the next line must be there.
MessageHead take_head_field(WireText& rest, LineSearch& search, WireText& field);

// A field as one line: the ends of lines in it are not part of it (section 2.2.3). Into `out`, as far
// as it fits.
WireText unfold(WireText value, std::span<uint8_t> out);

}  // namespace weir
