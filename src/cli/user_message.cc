// SPDX-License-Identifier: Apache-2.0
#include "cli/user_message.h"

#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace weir {
namespace {

constexpr size_t kQuotedSizeMax = 64;

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  append_terminal_text(result, text);
  return result;
}

std::string in_quotes(std::string_view text) {
  std::string result;
  if (text.size() <= kQuotedSizeMax) {
    append_json_string(result, text);
    return result;
  }
  size_t size = kQuotedSizeMax;
  while (size > 0 && is_continuation(text[size])) --size;
  append_json_string(result, std::string(text.substr(0, size)) + "…");
  return result;
}

void print_error(std::string_view message) {
  print_to_stderr("weir: " + printable(message) + "\n");
}

void print_warning(std::string_view message) {
  print_to_stderr("weir: warning: " + printable(message) + "\n");
}

void print_note(std::string_view message) {
  print_to_stderr("weir: note: " + printable(message) + "\n");
}

void print_to_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace weir
