// SPDX-License-Identifier: Apache-2.0
#include "cli/results.h"

#include <unistd.h>

#include <cerrno>

#include "cli/exit_code.h"
#include "cli/user_message.h"

namespace weir {

bool is_reader_gone(const OutputStream& stream) {
  return stream.error().ends_with(": " + system_error_text(EPIPE));
}

int finish_results(OutputStream& stream) {
  if (stream.close() || is_reader_gone(stream)) return kExitDone;
  print_error(stream.error());
  return kExitFailure;
}

int print_results(std::string_view text) {
  OutputStream stream(STDOUT_FILENO, "standard output");
  stream.buffer() += text;
  return finish_results(stream);
}

}  // namespace weir
