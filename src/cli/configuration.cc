// SPDX-License-Identifier: Apache-2.0
#include "cli/configuration.h"

#include "cli/user_message.h"

namespace weir {

bool load_configuration(std::span<const char* const> environment, std::string config_path,
                        SettingLayers& layers) {
  constexpr std::string_view kPathVariable = "WEIR_CONFIG=";
  for (const char* variable : environment) {
    const std::string_view assignment(variable);
    if (config_path.empty() && assignment.starts_with(kPathVariable)) {
      config_path = assignment.substr(kPathVariable.size());
    }
  }
  std::string error;
  const bool is_good = layers.read_environment(environment, error) &&
                       (config_path.empty() || layers.read_file(config_path, error));
  if (!is_good) print_error(error);
  return is_good;
}

}  // namespace weir
