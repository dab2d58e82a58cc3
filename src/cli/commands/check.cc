// SPDX-License-Identifier: Apache-2.0
//
// weir check: is this configuration right, and what would weir do with it?
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/exit_code.h"
#include "cli/results.h"

namespace weir {

int run_check(const Invocation& invocation) {
  SettingLayers layers(machine_memory_size());
  std::string config_path;
  CommandLine line;
  line.name = "weir check";
  line.synopsis = "[-c FILE] [options]";
  line.description =
      "Validates the configuration and prints the effective one: every setting with its value and "
      "where that "
      "comes from (flag, environment, file or default), as a configuration file.";
  line.examples = {
      {"weir check -c weir.toml", "Exit code 2 and one line when something in the file is wrong."},
      {"weir check > weir.toml", "A file with every setting at its default, to start from."},
      {"WEIR_FLOW_TIMEOUT_TCP=90s weir check", "Every setting has an environment variable."},
  };
  add_setting_options(line, layers, config_path);
  if (std::optional<int> code = parse_command_line(line, invocation.arguments)) return *code;
  if (!load_configuration(invocation.environment, config_path, layers)) return kExitUsage;
  return print_results(layers.to_toml());
}

}  // namespace weir
