// SPDX-License-Identifier: Apache-2.0
#include <spdlog/version.h>
#include <toml++/impl/version.h>

#include <CLI/Version.hpp>

#include "cli/commands.h"

#define WEIR_TEXT_OF(x) #x
#define WEIR_TEXT(x) WEIR_TEXT_OF(x)

namespace weir {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang++ " __clang_version__;
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

#ifdef NDEBUG
constexpr const char* kBuild = "release";
#else
constexpr const char* kBuild = "debug";
#endif

}  // namespace

std::string version_text() {
  std::string text = "weir " WEIR_VERSION "\n";
  text += std::string("compiler: ") + kCompiler + " (" + kBuild + ")\n";
  text += "libraries: CLI11 " CLI11_VERSION
          ", spdlog " WEIR_TEXT(SPDLOG_VER_MAJOR) "." WEIR_TEXT(SPDLOG_VER_MINOR) "." WEIR_TEXT(
              SPDLOG_VER_PATCH) ", toml++ " WEIR_TEXT(TOML_LIB_MAJOR) "." WEIR_TEXT(
              TOML_LIB_MINOR) "." WEIR_TEXT(TOML_LIB_PATCH) "\n";
  text += "licence: Apache-2.0\n";
  return text;
}

}  // namespace weir
