// SPDX-License-Identifier: Apache-2.0
//
// What weir may know about the terminal it talks to.
//
// Threads: any.
#pragma once

#include <cstddef>

namespace weir {

bool is_terminal(int descriptor);
// Stdout is a terminal, NO_COLOR is unset or empty (no-color.org), and TERM is not "dumb".
bool has_colour_on_stdout();
// Of the terminal stdout is, at least 40; `otherwise` when it is none.
size_t terminal_column_count(size_t otherwise);

}  // namespace weir
