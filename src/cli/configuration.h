// SPDX-License-Identifier: Apache-2.0
//
// Puts the layers of settings together for a command: environment, then the file of -c (or
// WEIR_CONFIG), on top of which the command line was already laid.
//
// Threads: one thread.
#pragma once

#include <span>
#include <string>

#include "cli/settings.h"

namespace weir {

// False when something is wrong: a message was printed, and the exit code is kExitUsage.
bool load_configuration(std::span<const char* const> environment, std::string config_path,
                        SettingLayers& layers);

}  // namespace weir
