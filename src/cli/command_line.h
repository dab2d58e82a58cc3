// SPDX-License-Identifier: Apache-2.0
//
// The command line of one command: its options as rows, parsed and explained from the same rows.
// Only command_line.cc knows the library that splits arguments.
//
// Errors: one line on stderr naming the option, what is allowed and what was found; exit code 2.
// Threads: one thread.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/settings.h"

namespace weir {

struct Option {
  std::string_view group;  // heading in the help; empty: not listed
  std::string_view names;  // "-w,--output"
  std::string_view value;  // what it takes: "FILE"; empty: a switch
  std::string help;
  // Given the value ("true" for a switch); false with what was expected in `error`. Given twice,
  // the last counts.
  std::function<bool(std::string_view text, std::string& error)> set;
};

struct Example {
  std::string_view command;
  std::string_view meaning;
};

struct CommandLine {
  std::string_view name;         // "weir read"
  std::string_view synopsis;     // "FILE… [options]"
  std::string_view description;  // paragraphs, each one line
  std::vector<Option> options;
  std::vector<Example> examples;

  // What is left when options are taken away.
  std::string_view operand_name;  // "FILE"
  size_t operand_count_min = 0;
  size_t operand_count_max = 0;
  std::vector<std::string>* operands = nullptr;  // not owned; needed when the count may exceed 0
};

// Options that set what they name.
Option switch_option(std::string_view group, std::string_view names, std::string help,
                     bool& target);
Option text_option(std::string_view group, std::string_view names, std::string_view value,
                   std::string help, std::string& target);
Option count_option(std::string_view group, std::string_view names, std::string help, uint64_t min,
                    uint64_t max, std::optional<uint64_t>& target);

// -c, and every setting that has a flag.
void add_setting_options(CommandLine& line, SettingLayers& layers, std::string& config_path);

// Sets everything the arguments (without program and command) say. Returns the exit code when there
// is nothing left to do: help was printed, or an error.
std::optional<int> parse_command_line(const CommandLine& line,
                                      std::span<const std::string> arguments);

// What -h prints, for a terminal of that many columns.
std::string help_text(const CommandLine& line, size_t columns, bool has_colour);

}  // namespace weir
