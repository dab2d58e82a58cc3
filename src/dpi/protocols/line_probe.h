// SPDX-License-Identifier: Apache-2.0
//
// Telling protocols of commands and three-digit replies apart: SMTP and FTP both begin with "220 ",
// and NNTP, POP3 and IRC look alike. No single line need decide: each one speaks for a protocol,
// against it, or neither, and a flow is undecided until one does.
//
// Threads: pure functions; any.
#pragma once

#include <cstdint>

#include "dpi/protocols/text_lines.h"
#include "dpi/wire_text.h"
#include "weir/protocol.h"

namespace weir {

enum class Evidence : uint8_t { kAgainst, kNeutral, kFor };

// What lines say about one protocol.
struct LineEvidence {
  // A line of a reply; of its continuation lines without a code the code is that of the first.
  // `is_greeting`: nothing came before it in this direction.
  Evidence (*of_reply)(const ReplyLine& reply, bool is_greeting);
  Evidence (*of_command)(WireText verb, WireText argument);
};

// Of a stream.
Probe probe_lines(const Payload& payload, const LineEvidence& evidence);

// The text begins with an enhanced status code (RFC 3463), "2.1.0": mail's alone.
bool has_enhanced_status(const ReplyLine& reply);

}  // namespace weir
