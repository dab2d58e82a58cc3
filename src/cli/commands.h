// SPDX-License-Identifier: Apache-2.0
//
// The commands of weir. A command is one file in cli/commands and one row of the table in
// commands.cc.
//
// Threads: one thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// What a command is started with.
struct Invocation {
  std::vector<std::string> arguments;        // after the command's name
  std::span<const char* const> environment;  // "NAME=value"
};

struct Command {
  std::string_view name;
  std::string_view help;                     // one line
  int (*run)(const Invocation& invocation);  // returns the exit code
};

std::span<const Command> commands();

// The whole program behind main(): finds the command and runs it. `arguments` are those after the
// program's name.
int run_weir(std::span<const char* const> arguments, std::span<const char* const> environment);

int run_read(const Invocation& invocation);
int run_protocols(const Invocation& invocation);
int run_check(const Invocation& invocation);
int run_bench(const Invocation& invocation);

std::string version_text();

}  // namespace weir
