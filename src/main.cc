// SPDX-License-Identifier: Apache-2.0
//
// weir: from the shell to a command (cli/commands.cc has the table).
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/user_message.h"

namespace {

// A descriptor that is closed would be given to the next file opened, and a message would end up in
// somebody's capture. Taken by /dev/null opened the wrong way round, it still answers as closed:
// reading or writing fails.
void take_closed_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    // The lowest free number is this one, for those below it are open by now.
    static_cast<void>(open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY));
  }
}

// An ASSERT has already said what is wrong; its exit code is that of every other broken invariant.
void exit_as_bug(int) {
  _exit(weir::kExitBug);
}

}  // namespace

int main(int argc, char** argv) try {
  take_closed_standard_descriptors();
  signal(SIGPIPE, SIG_IGN);  // A reader that went away is an error code where it is written to.
  signal(SIGABRT, exit_as_bug);

  size_t variable_count = 0;
  while (environ[variable_count] != nullptr) ++variable_count;
  const size_t argument_count = argc > 0 ? static_cast<size_t>(argc - 1) : 0;
  return weir::run_weir({argv + 1, argument_count}, {environ, variable_count});
} catch (const std::bad_alloc&) {
  weir::print_error("out of memory");
  return weir::kExitFailure;
} catch (const std::system_error& problem) {
  weir::print_error(std::string("refused by the system: ") + problem.what());
  return weir::kExitFailure;
} catch (const std::exception& problem) {
  weir::print_error(std::string("bug: ") + problem.what());
  return weir::kExitBug;
}
