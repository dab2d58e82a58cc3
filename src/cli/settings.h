// SPDX-License-Identifier: Apache-2.0
//
// Settings: everything a user can configure, from one table. A row is one setting: its key in the
// configuration file, its flag, its environment variable, what it accepts, what it is when nobody
// says anything, and one sentence of help. Help texts, `weir check` and every error message are
// derived from the rows.
//
// Precedence: flag > environment > file > default. A per-state timeout nobody sets follows its
// family's.
//
// Not here: what a single command does with its input (files, format, output): those are options of
// the command.
//
// Errors: one line naming the place, the setting, what is allowed and what was found:
//   weir.toml:12:9: flow.timeout.tcp: expected a duration such as "5m", got "soon"
// Threads: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "flow/flow_table.h"
#include "flow/timeouts.h"

namespace weir {

// The effective configuration, in the units of the code.
struct Settings {
  uint64_t memory_limit = 0;  // bytes
  uint32_t thread_count = 1;
  ZoneKind zone = ZoneKind::kNone;
  bool decapsulates = true;
  uint32_t flow_count_max = 0;
  uint32_t flow_count_initial = 4096;
  Eviction eviction = Eviction::kValue;
  int64_t pressure_timeout_ns = 5 * kSecondNs;
  uint32_t fragment_count_max = 0;
  int64_t fragment_timeout_ns = 0;
  Timeouts timeouts;
  bool guesses_by_port = true;
  uint32_t inspection_count_max = 0;
  bool is_strict = false;
  LogLevel log_level = LogLevel::kWarn;
  LogFormat log_format = LogFormat::kText;
};

enum class SettingType : uint8_t {
  kDuration,  // "5m", "90s", "250ms", 0; value in ns
  kSize,      // "256M", "1G", a number of bytes; value in bytes
  kInteger,
  kChoice,  // one of `choices`; value is its index
  kBool,
};

struct SettingRow {
  std::string_view key;   // in the file: "flow.timeout.tcp"
  std::string_view flag;  // "--timeout.tcp", "-t,--threads"; empty: no flag
  SettingType type;
  std::string_view preset;   // the default as a user would write it; empty: follows, or is computed
  std::string_view follows;  // key of the row whose value this one has when nobody sets it
  std::string_view choices;  // kChoice: "none|vlan"
  int64_t min;
  int64_t max;
  bool is_everyday;  // its flag is listed in -h
  std::string_view help;
  void (*apply)(Settings& settings, int64_t value);
};

// In the order of the effective configuration: a row comes after the one it follows.
std::span<const SettingRow> setting_rows();
inline constexpr size_t kSettingCount = 34;

// WEIR_FLOW_TIMEOUT_TCP for flow.timeout.tcp.
std::string environment_name(const SettingRow& row);
// `a duration such as "5m"`, `an integer from 1 to 64`: how messages and help say what a row
// accepts.
std::string expectation(const SettingRow& row);
// What a user would write: 300000000000 → "5m".
std::string setting_text(const SettingRow& row, int64_t value);
// False when the text is not of the row's type or out of range; `error` then says what was
// expected.
bool parse_setting(const SettingRow& row, std::string_view text, int64_t& value,
                   std::string& error);

enum class SettingOrigin : uint8_t { kDefault, kFile, kEnvironment, kFlag };

inline constexpr size_t kConfigSizeMax = 1024 * 1024;  // bytes of a configuration file
inline constexpr uint64_t kMemoryLimitDefault = 1024 * 1024 * 1024;

// Collects what file, environment and flags say, in any order, and resolves it by precedence.
class SettingLayers {
 public:
  // memory_size is the machine's, in bytes: a quarter of it caps the default of memory.limit.
  explicit SettingLayers(uint64_t memory_size);

  // Each returns false with `error` at the first thing wrong, and is to be given up then.
  bool read_file(const std::string& path, std::string& error);
  bool read_text(std::string_view name, std::string_view text, std::string& error);
  // Variables as "NAME=value"; those that are not weir's are skipped.
  bool read_environment(std::span<const char* const> variables, std::string& error);
  bool set_flag(const SettingRow& row, std::string_view text, std::string& error);

  Settings effective() const;
  // The effective configuration as a configuration file: help, value and where it comes from.
  std::string to_toml() const;

 private:
  struct Layered {
    std::array<std::optional<int64_t>, 4> by_origin;  // index: SettingOrigin
  };
  struct Resolved {
    int64_t value;
    SettingOrigin origin;
    const SettingRow* followed;  // when the value is another row's
  };
  std::array<Resolved, kSettingCount> resolve() const;

  uint64_t memory_size_;
  std::array<Layered, kSettingCount> layers_;
  std::string file_name_;
};

// Bytes of memory this machine has.
uint64_t machine_memory_size();

}  // namespace weir
