// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "cli/exit_code.h"
#include "cli/results.h"
#include "cli/suggestion.h"
#include "cli/terminal.h"
#include "cli/user_message.h"

namespace weir {
namespace {

constexpr size_t kHelpColumn = 30;        // where the explanations of options begin
constexpr size_t kHelpColumnCount = 100;  // of help that goes to a file or pager

// "-w,--output" → "-w, --output"; without a short form the long one is indented below the others.
std::string shown_names(const Option& option) {
  const std::string_view names = option.names;
  const size_t comma = names.find(',');
  std::string shown =
      comma == std::string_view::npos
          ? (names.starts_with("--") ? "    " : "") + std::string(names)
          : std::string(names.substr(0, comma)) + ", " + std::string(names.substr(comma + 1));
  if (!option.value.empty()) shown += ' ' + std::string(option.value);
  return shown;
}

// The name messages use: the long one.
std::string_view long_name(const Option& option) {
  return option.names.substr(option.names.find(',') + 1);
}

// Words of `text` from column `indent` on, breaking before `column_count`. The first line is
// already indented.
void append_wrapped(std::string& out, std::string_view text, size_t indent, size_t columns) {
  size_t column = indent;
  while (!text.empty()) {
    const size_t size = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, size);
    const size_t width = weir::column_count(word);
    if (column > indent && column + 1 + width > columns) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  out += '\n';
}

std::string heading(std::string_view text, bool has_colour) {
  return has_colour ? "\033[1m" + std::string(text) + "\033[0m" : std::string(text);
}

Option help_option(bool& is_asked) {
  return switch_option("Other", "-h,--help", "Print this help.", is_asked);
}

std::vector<std::string_view> names_of(const std::vector<Option>& options) {
  std::vector<std::string_view> names;
  for (const Option& option : options) {
    const size_t comma = option.names.find(',');
    names.push_back(option.names.substr(0, comma));
    if (comma != std::string_view::npos) names.push_back(option.names.substr(comma + 1));
  }
  return names;
}

// The values given to each option, in the order of the rows, and what is neither an option nor a
// value.
struct Arguments {
  std::vector<std::vector<std::string>> values;
  std::vector<std::string> operands;
};

bool split_arguments(const CommandLine& line, const std::vector<Option>& options,
                     std::span<const std::string> words, Arguments& arguments, std::string& error) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  arguments.values.resize(options.size());
  std::vector<CLI::Option*> handles;
  for (size_t i = 0; i < options.size(); ++i) {
    const std::string names(options[i].names);
    handles.push_back(options[i].value.empty() ? app.add_flag(names)
                                               : app.add_option(names, arguments.values[i]));
    if (!options[i].value.empty()) {
      handles.back()->expected(1)->allow_extra_args(false)->take_last();
    }
  }

  // After "--" there are no options. Operands are what CLI11 leaves over: its own would lose
  // brackets.
  const auto mark = std::find(words.begin(), words.end(), "--");
  std::vector<std::string> reversed(std::make_reverse_iterator(mark), words.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ArgumentMismatch& problem) {
    // "--format: 1 required TEXT missing"
    const std::string_view what = problem.what();
    error = std::string(what.substr(0, what.find(':'))) + ": expected a value, got none";
    return false;
  } catch (const CLI::ParseError& problem) {
    error = problem.what();
    return false;
  }
  for (const std::string& left : app.remaining()) {
    const bool is_operand = left.size() < 2 || left[0] != '-';
    if (is_operand) {
      arguments.operands.push_back(left);
      continue;
    }
    const std::string_view name = std::string_view(left).substr(0, left.find('='));
    error = printable(name) + ": unknown option" + did_you_mean(name, names_of(options));
    return false;
  }
  if (mark != words.end())
    arguments.operands.insert(arguments.operands.end(), mark + 1, words.end());

  for (size_t i = 0; i < options.size(); ++i) {
    if (!options[i].value.empty() || handles[i]->count() == 0) continue;
    if (handles[i]->results().back() != "true") {
      error = std::string(long_name(options[i])) + ": expected no value, got " +
              in_quotes(handles[i]->results().back());
      return false;
    }
    arguments.values[i] = {"true"};
  }
  if (arguments.operands.size() > line.operand_count_max) {
    error = in_quotes(arguments.operands[line.operand_count_max]) + ": expected ";
    error += line.operand_count_max == 0 ? "no operand"
                                         : "at most " + std::to_string(line.operand_count_max) +
                                               " " + std::string(line.operand_name);
    error += ", got " + std::to_string(arguments.operands.size());
    return false;
  }
  return true;
}

// Groups in the order in which they first appear.
std::vector<std::string_view> groups_of(const std::vector<Option>& options) {
  std::vector<std::string_view> groups;
  for (const Option& option : options) {
    const bool is_known = std::find(groups.begin(), groups.end(), option.group) != groups.end();
    if (!option.group.empty() && !is_known) groups.push_back(option.group);
  }
  return groups;
}

std::string_view setting_group(std::string_view key) {
  if (key.starts_with("flow.")) return "Flows";
  if (key.starts_with("log.")) return "Messages";
  if (key.starts_with("read.")) return "Input";
  return "Resources";
}

std::string_view setting_value_name(SettingType type) {
  switch (type) {
    case SettingType::kDuration:
      return "TIME";
    case SettingType::kSize:
      return "SIZE";
    case SettingType::kInteger:
      return "N";
    case SettingType::kChoice:
      return "WORD";
    case SettingType::kBool:
      return "";
  }
  return "";
}

// Help of a setting's flag: the row's, its choices and its default.
std::string setting_help(const SettingRow& row) {
  std::string help(row.help);
  if (row.type == SettingType::kChoice) help += " One of " + expectation(row) + '.';
  if (!row.preset.empty() && row.type != SettingType::kBool) {
    help += " Default " + std::string(row.preset) + '.';
  }
  return help;
}

}  // namespace

Option switch_option(std::string_view group, std::string_view names, std::string help,
                     bool& target) {
  return {group, names, "", std::move(help), [&target](std::string_view, std::string&) {
            target = true;
            return true;
          }};
}

Option text_option(std::string_view group, std::string_view names, std::string_view value,
                   std::string help, std::string& target) {
  const auto set = [&target, value](std::string_view text, std::string& error) {
    if (text.empty()) error = "expected " + std::string(value) + ", got an empty text";
    target = text;
    return error.empty();
  };
  return {group, names, value, std::move(help), set};
}

Option count_option(std::string_view group, std::string_view names, std::string help, uint64_t min,
                    uint64_t max, std::optional<uint64_t>& target) {
  const auto set = [=, &target](std::string_view text, std::string& error) {
    uint64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, count);
    if (problem == std::errc() && rest == end && count >= min && count <= max) {
      target = count;
      return true;
    }
    const bool has_max = max != std::numeric_limits<uint64_t>::max();
    error = "expected an integer from " + std::to_string(min) +
            (has_max ? " to " + std::to_string(max) : " on") + ", got " + in_quotes(text);
    return false;
  };
  return {group, names, "N", std::move(help), set};
}

void add_setting_options(CommandLine& line, SettingLayers& layers, std::string& config_path) {
  line.options.push_back(text_option(
      "Resources", "-c,--config", "FILE",
      "Read settings from this TOML file; \"weir check\" prints all there are.", config_path));
  for (const SettingRow& row : setting_rows()) {
    if (row.flag.empty()) continue;
    const std::string_view group = row.is_everyday ? setting_group(row.key) : "";
    const auto set = [&row, &layers](std::string_view text, std::string& error) {
      return layers.set_flag(row, text, error);
    };
    line.options.push_back({group, row.flag, setting_value_name(row.type), setting_help(row), set});
  }
}

std::optional<int> parse_command_line(const CommandLine& line,
                                      std::span<const std::string> arguments) {
  bool is_help_asked = false;
  std::vector<Option> options = line.options;
  options.push_back(help_option(is_help_asked));

  Arguments split;
  std::string error;
  const bool is_split = split_arguments(line, options, arguments, split, error);
  const bool is_help = is_split && !split.values.back().empty();
  if (is_help) {
    return print_results(
        help_text(line, terminal_column_count(kHelpColumnCount), has_colour_on_stdout()));
  }
  for (size_t i = 0; is_split && error.empty() && i < options.size(); ++i) {
    if (split.values[i].empty()) continue;
    if (!options[i].set(split.values[i].back(), error)) {
      error = std::string(long_name(options[i])) + ": " + error;
    }
  }
  if (error.empty() && split.operands.size() < line.operand_count_min) {
    error = "expected " + std::string(line.operand_name) + ", see " + std::string(line.name) +
            " --help";
  }
  if (!error.empty()) {
    print_error(error);
    return kExitUsage;
  }
  if (line.operands != nullptr) *line.operands = std::move(split.operands);
  return std::nullopt;
}

std::string help_text(const CommandLine& line, size_t columns, bool has_colour) {
  std::vector<Option> options = line.options;
  bool unused = false;
  options.push_back(help_option(unused));

  std::string text = heading("Usage: ", has_colour);
  text += std::string(line.name) + ' ' + std::string(line.synopsis) + "\n\n";
  append_wrapped(text, line.description, 0, columns);
  for (std::string_view group : groups_of(options)) {
    text += '\n' + heading(group, has_colour) + '\n';
    for (const Option& option : options) {
      if (option.group != group) continue;
      const std::string names = "  " + shown_names(option);
      const size_t width = weir::column_count(names);
      text += names;
      text += width + 2 > kHelpColumn ? '\n' + std::string(kHelpColumn, ' ')
                                      : std::string(kHelpColumn - width, ' ');
      append_wrapped(text, option.help, kHelpColumn, columns);
    }
  }
  if (!line.examples.empty()) text += '\n' + heading("Examples", has_colour) + '\n';
  for (const Example& example : line.examples) {
    text += "  " + std::string(example.command) + "\n      ";
    append_wrapped(text, example.meaning, 6, columns);
  }
  return text;
}

}  // namespace weir
