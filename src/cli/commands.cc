// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

#include "cli/exit_code.h"
#include "cli/results.h"
#include "cli/suggestion.h"
#include "cli/user_message.h"

namespace weir {
namespace {

// THE table of commands, in the order of the help.
constexpr Command kCommands[] = {
    {"read", "analyse captures, print their flows", run_read},
    {"protocols", "the protocols and fields weir knows", run_protocols},
    {"check", "validate a configuration, print the effective one", run_check},
    {"bench", "what weir costs on this machine", run_bench},
};

std::string overview() {
  std::string text =
      "weir turns network captures into flows: who talked to whom, when, how much, in which "
      "state.\n"
      "\n"
      "Usage: weir COMMAND [options]\n"
      "\n"
      "Commands\n";
  for (const Command& command : kCommands) {
    std::string name = "  weir " + std::string(command.name);
    name.resize(20, ' ');
    text += name + std::string(command.help) + '\n';
  }
  text +=
      "\n"
      "  weir COMMAND --help says what a command takes, weir --version what this is.\n"
      "\n"
      "Example\n"
      "  weir read capture.pcap\n";
  return text;
}

int report_unknown(std::string_view name) {
  if (name.starts_with('-')) {
    constexpr std::string_view kOptions[] = {"--help", "--version"};
    print_error(printable(name) + ": unknown option" + did_you_mean(name, kOptions));
    return kExitUsage;
  }
  std::vector<std::string_view> names;
  for (const Command& command : kCommands) names.push_back(command.name);
  print_error(printable(name) + ": unknown command" + did_you_mean(name, names));
  return kExitUsage;
}

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

int run_weir(std::span<const char* const> arguments, std::span<const char* const> environment) {
  const std::string_view name = arguments.empty() ? "--help" : arguments[0];
  if (name == "-h" || name == "--help" || name == "help") return print_results(overview());
  if (name == "-V" || name == "--version") return print_results(version_text());

  for (const Command& command : kCommands) {
    if (command.name != name) continue;
    const std::span<const char* const> rest = arguments.subspan(1);
    return command.run({{rest.begin(), rest.end()}, environment});
  }
  return report_unknown(name);
}

}  // namespace weir
