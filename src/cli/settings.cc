// SPDX-License-Identifier: Apache-2.0
#include "cli/settings.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "cli/suggestion.h"
#include "cli/user_message.h"
#include "flow/flow_table.h"

namespace weir {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;
constexpr int64_t kMinuteNs = 60 * kSecondNs;
constexpr int64_t kHourNs = 60 * kMinuteNs;
constexpr int64_t kMebibyte = 1024 * 1024;
constexpr int64_t kTebibyte = kMebibyte * kMebibyte;

// Three quarters of memory.limit are for flows; the last one is for finished records.
constexpr uint64_t kQuarter = 4;
constexpr uint64_t kFlowQuarters = 3;
constexpr uint64_t kFlowCountMax = 100'000'000;

template <FlowFamily family>
void apply_family(Settings& settings, int64_t value) {
  settings.timeouts.set_family(family, value);
}

template <FlowFamily family, FlowState state>
void apply_state(Settings& settings, int64_t value) {
  settings.timeouts.idle_ns[static_cast<size_t>(family)][static_cast<size_t>(state)] = value;
}

constexpr SettingRow count_row(std::string_view key, std::string_view flag, std::string_view preset,
                               int64_t min, int64_t max, bool is_everyday, std::string_view help,
                               void (*apply)(Settings&, int64_t)) {
  return {key, flag, SettingType::kInteger, preset, "", "", min, max, is_everyday, help, apply};
}

constexpr SettingRow choice_row(std::string_view key, std::string_view flag,
                                std::string_view preset, std::string_view choices,
                                std::string_view help, void (*apply)(Settings&, int64_t)) {
  return {key, flag, SettingType::kChoice, preset, "", choices, 0, 0, true, help, apply};
}

// A timeout with a default of its own.
constexpr SettingRow timeout_row(std::string_view key, std::string_view flag,
                                 std::string_view preset, int64_t max, std::string_view help,
                                 void (*apply)(Settings&, int64_t)) {
  return {key, flag, SettingType::kDuration, preset, "", "", 0, max, true, help, apply};
}

// The timeout of one state of a family.
constexpr SettingRow state_row(std::string_view key, std::string_view flag,
                               std::string_view follows, std::string_view help,
                               void (*apply)(Settings&, int64_t)) {
  return {key,  flag, SettingType::kDuration, "", follows, "", 0, kIdleTimeoutMaxNs, false,
          help, apply};
}

using enum FlowFamily;

// THE table of settings.
constexpr SettingRow kRows[] = {
    count_row("threads", "-t,--threads", "1", 1, 64, true,
              "Worker threads; the output does not depend on their number.",
              [](Settings& s, int64_t v) { s.thread_count = static_cast<uint32_t>(v); }),
    {"memory.limit", "--memory-limit", SettingType::kSize, "", "", "", 16 * kMebibyte,
     16 * kTebibyte, true,
     "Memory weir may use; 1G unless a quarter of the machine's memory is less.",
     [](Settings& s, int64_t v) { s.memory_limit = static_cast<uint64_t>(v); }},
    choice_row("flow.zone", "--zone", "none", "none|vlan|vni|interface",
               "What separates networks that use the same addresses.",
               [](Settings& s, int64_t v) { s.zone = static_cast<ZoneKind>(v); }),
    {"flow.decapsulate", "", SettingType::kBool, "true", "", "", 0, 1, false,
     "Whether a flow has the addresses inside its tunnels, or those outside.",
     [](Settings& s, int64_t v) { s.decapsulates = v != 0; }},
    count_row("flow.max", "--flow-max", "", 1, 100'000'000, true,
              "Most flows alive at once; by default as many as are sure to fit their share of "
              "memory.limit.",
              [](Settings& s, int64_t v) { s.flow_count_max = static_cast<uint32_t>(v); }),
    count_row("flow.initial", "--flow-initial", "4096", 16, 100'000'000, false,
              "Flows the table has room for at the start, before it grows.",
              [](Settings& s, int64_t v) { s.flow_count_initial = static_cast<uint32_t>(v); }),
    {"flow.eviction", "--eviction", SettingType::kChoice, "value", "", "value|lru|none", 0, 0,
     false,
     "Which flows end when the table is full: those worth least, the longest silent, or none.",
     [](Settings& s, int64_t v) { s.eviction = static_cast<Eviction>(v); }},
    timeout_row("flow.timeout.tcp", "--timeout.tcp", "5m", kIdleTimeoutMaxNs,
                "Silence that ends a TCP flow.", apply_family<kTcp>),
    state_row("flow.timeout.tcp_new", "--timeout.tcp_new", "flow.timeout.tcp",
              "The same before the handshake is complete.", apply_state<kTcp, FlowState::kNew>),
    state_row("flow.timeout.tcp_established", "--timeout.tcp_established", "flow.timeout.tcp",
              "The same after the handshake, before any payload.",
              apply_state<kTcp, FlowState::kEstablished>),
    state_row("flow.timeout.tcp_active", "--timeout.tcp_active", "flow.timeout.tcp",
              "The same once payload was seen.", apply_state<kTcp, FlowState::kActive>),
    state_row("flow.timeout.tcp_closing", "--timeout.tcp_closing", "flow.timeout.tcp",
              "The same after the first FIN.", apply_state<kTcp, FlowState::kClosing>),
    timeout_row("flow.timeout.udp", "--timeout.udp", "1m", kIdleTimeoutMaxNs,
                "Silence that ends a UDP flow.", apply_family<kUdp>),
    state_row("flow.timeout.udp_new", "--timeout.udp_new", "flow.timeout.udp",
              "The same before a reply.", apply_state<kUdp, FlowState::kNew>),
    state_row("flow.timeout.udp_established", "--timeout.udp_established", "flow.timeout.udp",
              "The same after the first reply.", apply_state<kUdp, FlowState::kEstablished>),
    state_row("flow.timeout.udp_active", "--timeout.udp_active", "flow.timeout.udp",
              "The same after the packet that follows the first reply.",
              apply_state<kUdp, FlowState::kActive>),
    timeout_row("flow.timeout.icmp", "--timeout.icmp", "10s", kIdleTimeoutMaxNs,
                "Silence that ends an ICMP or ICMPv6 flow.", apply_family<kIcmp>),
    state_row("flow.timeout.icmp_new", "--timeout.icmp_new", "flow.timeout.icmp",
              "The same before a reply.", apply_state<kIcmp, FlowState::kNew>),
    state_row("flow.timeout.icmp_established", "--timeout.icmp_established", "flow.timeout.icmp",
              "The same after the first reply.", apply_state<kIcmp, FlowState::kEstablished>),
    state_row("flow.timeout.icmp_active", "--timeout.icmp_active", "flow.timeout.icmp",
              "The same after the packet that follows the first reply.",
              apply_state<kIcmp, FlowState::kActive>),
    timeout_row("flow.timeout.other", "--timeout.other", "1m", kIdleTimeoutMaxNs,
                "Silence that ends any other flow: SCTP, GRE, layer 2.", apply_family<kOther>),
    state_row("flow.timeout.other_new", "--timeout.other_new", "flow.timeout.other",
              "The same before a reply.", apply_state<kOther, FlowState::kNew>),
    state_row("flow.timeout.other_established", "--timeout.other_established", "flow.timeout.other",
              "The same after the first reply.", apply_state<kOther, FlowState::kEstablished>),
    state_row("flow.timeout.other_active", "--timeout.other_active", "flow.timeout.other",
              "The same after the packet that follows the first reply.",
              apply_state<kOther, FlowState::kActive>),
    timeout_row("flow.timeout.linger", "--timeout.linger", "10s", kIdleTimeoutMaxNs,
                "How long a closed flow waits for late packets.",
                [](Settings& s, int64_t v) { s.timeouts.set_linger(v); }),
    timeout_row("flow.timeout.active", "--timeout.active", "60s", 24 * kHourNs,
                "Interval of the interim records of a long flow; 0 for none.",
                [](Settings& s, int64_t v) { s.timeouts.active_ns = v; }),
    {"flow.timeout.pressure", "--timeout.pressure", SettingType::kDuration, "5s", "", "", 0,
     kIdleTimeoutMaxNs, false,
     "Silence that ends an unanswered flow while the table is nearly full.",
     [](Settings& s, int64_t v) { s.pressure_timeout_ns = v; }},
    {"flow.fragment.timeout", "--timeout.fragment", SettingType::kDuration, "30s", "", "", 0,
     kIdleTimeoutMaxNs, false, "How long the pieces of a fragmented packet are remembered.",
     [](Settings& s, int64_t v) { s.fragment_timeout_ns = v; }},
    count_row("flow.fragment.max", "--fragment-max", "65536", 1, 16'777'216, false,
              "Most fragmented packets remembered at once.",
              [](Settings& s, int64_t v) { s.fragment_count_max = static_cast<uint32_t>(v); }),
    {"dpi.guess", "", SettingType::kBool, "true", "", "", 0, 1, false,
     "Give flows nobody recognised the app of their port, marked as a guess.",
     [](Settings& s, int64_t v) { s.guesses_by_port = v != 0; }},
    count_row("dpi.flows.max", "--dpi-flows-max", "65536", 1, 16'777'216, false,
              "Most flows whose payload is looked into at once.",
              [](Settings& s, int64_t v) { s.inspection_count_max = static_cast<uint32_t>(v); }),
    {"read.strict", "--strict", SettingType::kBool, "false", "", "", 0, 1, true,
     "A damaged capture is a failure (exit 1), not a warning.",
     [](Settings& s, int64_t v) { s.is_strict = v != 0; }},
    choice_row("log.level", "--log-level", "warn", "debug|info|warn|error|off",
               "Least important messages to log.",
               [](Settings& s, int64_t v) { s.log_level = static_cast<LogLevel>(v); }),
    choice_row("log.format", "--log-format", "text", "text|json",
               "How messages are logged to stderr.",
               [](Settings& s, int64_t v) { s.log_format = static_cast<LogFormat>(v); }),
};
static_assert(std::size(kRows) == kSettingCount);

struct UnitName {
  std::string_view name;
  int64_t size;
};
// Largest first: formatting takes the first that divides the value.
constexpr UnitName kDurationUnits[] = {{"h", kHourNs},         {"m", kMinuteNs}, {"s", kSecondNs},
                                       {"ms", kMillisecondNs}, {"us", 1000},     {"ns", 1}};
constexpr UnitName kSizeUnits[] = {
    {"T", kTebibyte}, {"G", 1024 * kMebibyte}, {"M", kMebibyte}, {"K", 1024}, {"", 1}};

std::string quantity_text(int64_t value, std::span<const UnitName> units) {
  for (const UnitName& unit : units) {
    const bool is_readable = value % unit.size == 0 && value != 0;
    if (is_readable) return std::to_string(value / unit.size) + std::string(unit.name);
  }
  return "0";
}

// "90" and the unit "s" of "90s". False unless the text is digits followed by one of the units, or
// overflows.
bool parse_quantity(std::string_view text, std::span<const UnitName> units, int64_t& value) {
  int64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, count);
  if (problem != std::errc() || count < 0 || text.front() == '-') return false;
  const std::string_view unit_name(rest, static_cast<size_t>(end - rest));
  for (const UnitName& unit : units) {
    if (unit.name != unit_name) continue;
    return !__builtin_mul_overflow(count, unit.size, &value);
  }
  value = 0;
  return unit_name.empty() && count == 0;  // "0" needs no unit.
}

bool parse_integer(std::string_view text, int64_t& value) {
  const char* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, value);
  return problem == std::errc() && rest == end;
}

std::vector<std::string_view> split_choices(std::string_view choices) {
  std::vector<std::string_view> words;
  while (!choices.empty()) {
    const size_t bar = std::min(choices.find('|'), choices.size());
    words.push_back(choices.substr(0, bar));
    choices.remove_prefix(std::min(bar + 1, choices.size()));
  }
  return words;
}

bool parse_choice(std::string_view text, std::string_view choices, int64_t& value) {
  const std::vector<std::string_view> words = split_choices(choices);
  const auto found = std::find(words.begin(), words.end(), text);
  value = found - words.begin();
  return found != words.end();
}

bool parse_bool(std::string_view text, int64_t& value) {
  value = text == "true" || text == "1";
  return value == 1 || text == "false" || text == "0";
}

bool parse_by_type(const SettingRow& row, std::string_view text, int64_t& value) {
  switch (row.type) {
    case SettingType::kDuration:
      return parse_quantity(text, kDurationUnits, value);
    case SettingType::kSize:
      return parse_quantity(text, kSizeUnits, value);
    case SettingType::kInteger:
      return parse_integer(text, value);
    case SettingType::kChoice:
      return parse_choice(text, row.choices, value);
    case SettingType::kBool:
      return parse_bool(text, value);
  }
  return false;
}

std::string choice_expectation(std::string_view choices) {
  const std::vector<std::string_view> words = split_choices(choices);
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += '"' + std::string(words[i]) + '"';
  }
  return text;
}

bool has_range(const SettingRow& row) {
  return row.type == SettingType::kDuration || row.type == SettingType::kSize ||
         row.type == SettingType::kInteger;
}

std::string range_expectation(const SettingRow& row) {
  const bool is_text = row.type != SettingType::kInteger;
  const std::string quote = is_text ? "\"" : "";
  const char* noun = row.type == SettingType::kDuration ? "a duration"
                     : row.type == SettingType::kSize   ? "a size"
                                                        : "an integer";
  return std::string(noun) + " from " + quote + setting_text(row, row.min) + quote + " to " +
         quote + setting_text(row, row.max) + quote;
}

// What a row without a preset that follows no other is by default.
int64_t computed_default(const SettingRow& row, uint64_t memory_size, const Settings& so_far) {
  if (row.key == "memory.limit") {
    const uint64_t quarter = memory_size / 4 / kMebibyte * kMebibyte;
    const uint64_t capped = std::min(kMemoryLimitDefault, quarter);
    return std::max(row.min, static_cast<int64_t>(capped));
  }
  ASSERT(row.key == "flow.max");
  return static_cast<int64_t>(
      std::min(kFlowCountMax, so_far.memory_limit / kQuarter * kFlowQuarters / kFlowMemorySize));
}

// Variables in the groups of the table are settings: a misspelt one is an error, not silence. Other
// WEIR_* variables may be anybody's.
bool is_reserved(std::string_view name) {
  for (std::string_view group : {"WEIR_FLOW_", "WEIR_LOG_", "WEIR_MEMORY_", "WEIR_READ_"}) {
    if (name.starts_with(group)) return true;
  }
  return false;
}

size_t index_of(std::string_view key) {
  for (size_t i = 0; i < kSettingCount; ++i) {
    if (kRows[i].key == key) return i;
  }
  ASSERT(false && "a key of the table");
  return 0;
}

}  // namespace

std::span<const SettingRow> setting_rows() {
  return kRows;
}

std::string environment_name(const SettingRow& row) {
  std::string name = "WEIR_" + std::string(row.key);
  for (char& letter : name) {
    if (letter == '.') letter = '_';
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return name;
}

std::string expectation(const SettingRow& row) {
  switch (row.type) {
    case SettingType::kDuration:
      return "a duration such as \"5m\"";
    case SettingType::kSize:
      return "a size such as \"256M\"";
    case SettingType::kInteger:
      return range_expectation(row);
    case SettingType::kChoice:
      return choice_expectation(row.choices);
    case SettingType::kBool:
      return "true or false";
  }
  return {};
}

std::string setting_text(const SettingRow& row, int64_t value) {
  switch (row.type) {
    case SettingType::kDuration:
      return quantity_text(value, kDurationUnits);
    case SettingType::kSize:
      return quantity_text(value, kSizeUnits);
    case SettingType::kInteger:
      return std::to_string(value);
    case SettingType::kChoice:
      return std::string(split_choices(row.choices)[static_cast<size_t>(value)]);
    case SettingType::kBool:
      return value != 0 ? "true" : "false";
  }
  return {};
}

bool parse_setting(const SettingRow& row, std::string_view text, int64_t& value,
                   std::string& error) {
  if (text.empty() || !parse_by_type(row, text, value)) {
    error = "expected " + expectation(row) + ", got " + in_quotes(text);
    return false;
  }
  if (has_range(row) && (value < row.min || value > row.max)) {
    error = "expected " + range_expectation(row) + ", got " + in_quotes(text);
    return false;
  }
  return true;
}

SettingLayers::SettingLayers(uint64_t memory_size) : memory_size_(memory_size) {}

bool SettingLayers::read_environment(std::span<const char* const> variables, std::string& error) {
  std::array<std::string, kSettingCount> names;
  for (size_t i = 0; i < kSettingCount; ++i) names[i] = environment_name(kRows[i]);

  for (const char* variable : variables) {
    const std::string_view assignment(variable);
    const std::string_view name = assignment.substr(0, assignment.find('='));
    if (!name.starts_with("WEIR_") || name.size() == assignment.size()) continue;
    const size_t index =
        static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (index == kSettingCount) {
      if (!is_reserved(name)) continue;
      const std::vector<std::string_view> known(names.begin(), names.end());
      error = printable(name) + ": unknown setting" + did_you_mean(name, known);
      return false;
    }
    int64_t value = 0;
    if (!parse_setting(kRows[index], assignment.substr(name.size() + 1), value, error)) {
      error = names[index] + ": " + error;
      return false;
    }
    layers_[index].by_origin[static_cast<size_t>(SettingOrigin::kEnvironment)] = value;
  }
  return true;
}

bool SettingLayers::set_flag(const SettingRow& row, std::string_view text, std::string& error) {
  int64_t value = 0;
  if (!parse_setting(row, text, value, error)) return false;
  layers_[index_of(row.key)].by_origin[static_cast<size_t>(SettingOrigin::kFlag)] = value;
  return true;
}

std::array<SettingLayers::Resolved, kSettingCount> SettingLayers::resolve() const {
  std::array<Resolved, kSettingCount> resolved;
  Settings so_far;
  for (size_t i = 0; i < kSettingCount; ++i) {
    const SettingRow& row = kRows[i];
    Resolved& result = resolved[i];
    result = {0, SettingOrigin::kDefault, nullptr};
    for (size_t origin = 1; origin < layers_[i].by_origin.size(); ++origin) {
      if (!layers_[i].by_origin[origin]) continue;
      result.value = *layers_[i].by_origin[origin];
      result.origin = static_cast<SettingOrigin>(origin);
    }
    if (result.origin == SettingOrigin::kDefault && !row.follows.empty()) {
      const size_t followed = index_of(row.follows);
      ASSERT(followed < i);
      result = {resolved[followed].value, resolved[followed].origin, &kRows[followed]};
    } else if (result.origin == SettingOrigin::kDefault && !row.preset.empty()) {
      std::string error;
      ASSERT(parse_setting(row, row.preset, result.value, error));
    } else if (result.origin == SettingOrigin::kDefault) {
      result.value = computed_default(row, memory_size_, so_far);
    }
    row.apply(so_far, result.value);
  }
  return resolved;
}

Settings SettingLayers::effective() const {
  const std::array<Resolved, kSettingCount> resolved = resolve();
  Settings settings;
  for (size_t i = 0; i < kSettingCount; ++i) kRows[i].apply(settings, resolved[i].value);
  return settings;
}

std::string SettingLayers::to_toml() const {
  const std::array<Resolved, kSettingCount> resolved = resolve();
  std::string text;
  std::string_view table;
  for (size_t i = 0; i < kSettingCount; ++i) {
    const SettingRow& row = kRows[i];
    const size_t dot = row.key.rfind('.');
    const bool is_in_table = dot != std::string_view::npos;
    const std::string_view row_table = is_in_table ? row.key.substr(0, dot) : std::string_view();
    if (row_table != table) text += "\n[" + std::string(row_table) + "]\n";
    table = row_table;

    const bool has_quotes = row.type != SettingType::kInteger && row.type != SettingType::kBool;
    const std::string quote = has_quotes ? "\"" : "";
    const std::string name(is_in_table ? row.key.substr(dot + 1) : row.key);
    std::string from = "default";
    if (resolved[i].followed != nullptr)
      from = "follows " + std::string(row.follows);
    else if (resolved[i].origin == SettingOrigin::kFile)
      from = printable(file_name_);
    else if (resolved[i].origin == SettingOrigin::kEnvironment)
      from = environment_name(row);
    else if (resolved[i].origin == SettingOrigin::kFlag)
      from = "command line";

    text += "# " + std::string(row.help) + "\n";
    if (resolved[i].followed != nullptr) text += "# ";  // To stay so when the family's is edited.
    text += name + " = " + quote + setting_text(row, resolved[i].value) + quote + "  # " + from;
    text += '\n';
  }
  return text;
}

uint64_t machine_memory_size() {
  const long page_count = sysconf(_SC_PHYS_PAGES);
  const long page_size = sysconf(_SC_PAGE_SIZE);
  if (page_count <= 0 || page_size <= 0) return 4 * kMemoryLimitDefault;
  return static_cast<uint64_t>(page_count) * static_cast<uint64_t>(page_size);
}

}  // namespace weir
