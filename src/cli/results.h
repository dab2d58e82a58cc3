// SPDX-License-Identifier: Apache-2.0
//
// How writing results ends. A reader that goes away (weir read x | head) has what it wanted: that
// is success, and silent. Anything else that keeps results from being written is a failure with a
// message.
//
// Threads: one thread.
#pragma once

#include <string_view>

#include "export/output_stream.h"

namespace weir {

// The stream's reader is gone.
bool is_reader_gone(const OutputStream& stream);
// Closes the stream; prints what went wrong and returns the exit code.
int finish_results(OutputStream& stream);
// All of `text` to stdout, then the same.
int print_results(std::string_view text);

}  // namespace weir
