// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace weir {
namespace {

constexpr size_t kColumnCountMin = 40;

}  // namespace

bool is_terminal(int descriptor) {
  return isatty(descriptor) == 1;
}

bool has_colour_on_stdout() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool is_wanted = no_colour == nullptr || *no_colour == '\0';
  const bool is_able = term != nullptr && std::string_view(term) != "dumb";
  return is_wanted && is_able && is_terminal(STDOUT_FILENO);
}

size_t terminal_column_count(size_t otherwise) {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return std::max<size_t>(size.ws_col, kColumnCountMin);
}

}  // namespace weir
