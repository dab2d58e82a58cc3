// SPDX-License-Identifier: Apache-2.0
//
// The lines weir writes to stderr for its user: "weir: FILE: no such file", "weir: warning: …".
// They answer what the user asked for; what happens while a monitor runs goes to the log
// (base/log.h).
//
// File names, configuration values and capture contents may hold anything: whatever is not plain
// text is escaped before it reaches a terminal.
//
// Threads: any; a line is one write.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// On one line, safe for a terminal: control, bidirectional and invalid bytes escaped.
std::string printable(std::string_view text);
// The same in double quotes, cut after 64 bytes.
std::string in_quotes(std::string_view text);

// "weir: MESSAGE", "weir: warning: MESSAGE" and "weir: note: MESSAGE". The message is escaped as a whole.
void print_error(std::string_view message);
void print_warning(std::string_view message);
void print_note(std::string_view message);  // what was done, when that was not plain
// As it is, for what weir composed itself (help, summaries). A stderr that is gone or full is
// ignored.
void print_to_stderr(std::string_view text);

}  // namespace weir
