// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/read_plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "cli/command_line.h"
#include "cli/configuration.h"
#include "cli/exit_code.h"
#include "cli/suggestion.h"
#include "cli/user_message.h"

namespace weir {
namespace {

constexpr uint64_t kTableLimitDefault = 50;
constexpr std::string_view kTableSortDefault = "-bytes";
constexpr uint64_t kSorterShare = 4;  // of memory.limit: a quarter

// Options as they were given, before what they mean together.
struct ReadOptions {
  std::string sort;
  std::optional<uint64_t> limit;
  std::optional<uint64_t> batch_size;
  bool is_summary = false;
  bool is_verbose = false;
  bool ignores_dpi = false;
  bool stays_outside = false;  // of tunnels
  bool has_log_level = false;
  std::string config_path;
};

bool set_format(std::string_view text, ReadPlan& plan, std::string& error) {
  plan.format = find_export_format(text);
  if (plan.format != nullptr) return true;
  std::vector<std::string_view> names;
  for (const ExportFormat& format : export_formats()) names.push_back(format.name);
  error = "expected " + export_format_names() + ", got " + in_quotes(text);
  error += did_you_mean(text, names);
  return false;
}

bool set_sweep(std::string_view text, ReadPlan& plan, std::string& error) {
  if (text == "auto")
    plan.engine.sweep = SweepMode::kAuto;
  else if (text == "never")
    plan.engine.sweep = SweepMode::kNever;
  else if (text == "always")
    plan.engine.sweep = SweepMode::kAlways;
  else
    error = "expected \"auto\", \"never\" or \"always\", got " + in_quotes(text);
  return error.empty();
}

CommandLine read_line(ReadPlan& plan, ReadOptions& options, SettingLayers& layers) {
  CommandLine line;
  line.name = "weir read";
  line.synopsis = "FILE… [options]";
  line.description =
      "Reads captures and prints their flows: who talked to whom, when, how much, in which state. "
      "FILE is a pcap, pcapng or snoop file, also compressed with gzip, zstd, lz4 or xz; a folder, "
      "for the captures in it; or - for standard input. Several are read one after the other as "
      "one "
      "capture.";
  line.operand_name = "FILE";
  line.operand_count_min = 1;
  line.operand_count_max = kInputFileCountMax;
  line.operands = &plan.paths;

  std::string format_help = "How flows are printed. ";
  for (const ExportFormat& format : export_formats()) {
    format_help += std::string(format.name) + ": " + std::string(format.help) + ". ";
  }
  format_help += "Default table.";
  const auto format = [&plan](std::string_view text, std::string& error) {
    return set_format(text, plan, error);
  };
  const auto sweep = [&plan](std::string_view text, std::string& error) {
    return set_sweep(text, plan, error);
  };
  constexpr uint64_t kNoMax = std::numeric_limits<uint64_t>::max();
  line.options = {
      {"Output", "--format", "WORD", format_help, format},
      text_option("Output", "-w,--output", "OUT", "Write to this file instead of standard output.",
                  plan.output_path),
      text_option("Output", "--sort", "FIELD",
                  "Order by this field, -FIELD for the largest first; also bytes and packets, both "
                  "ways. Default: a table by -bytes, all else by time.",
                  options.sort),
      count_option("Output", "--limit", "Print at most N flows, 0 for all. Default: 50 in a table.",
                   0, kNoMax, options.limit),
      switch_option(
          "Output", "--summary",
          "Print only the summary; with json and csv, print it to stderr beside the flows.",
          options.is_summary),
      text_option("Output", "--stats", "OUT",
                  "Write every counter of the run to this file as one JSON object.",
                  plan.stats_path),
      switch_option("Output", "--interim", "Print interim records of long flows too.",
                    plan.engine.interim),
      switch_option("Output", "--unordered", "Print flows as they end, without sorting them.",
                    plan.is_unordered),
      switch_option("Input", "--no-decapsulate",
                    "Key flows on the addresses outside their tunnels, not on those inside.",
                    options.stays_outside),
      switch_option("Input", "--no-dpi",
                    "Do not look into payloads. Accepted for scripts: weir does not look yet.",
                    options.ignores_dpi),
      switch_option("Messages", "-q,--quiet", "Errors only: no warnings, no progress.",
                    plan.is_quiet),
      switch_option("Messages", "-v,--verbose", "Say what is done: --log-level info.",
                    options.is_verbose),
      count_option("", "--batch-size", "Frames handled together.", 1, kBatchFrameCountMax,
                   options.batch_size),
      {"", "--sweep", "WORD", "When idle flows are looked for; changes nothing but speed.", sweep},
  };
  line.examples = {
      {"weir read office.pcap", "The largest flows, and a summary."},
      {"weir read *.pcap --format json | jq .",
       "Every flow of several captures, one JSON object per line."},
      {"weir read big.pcap --sort -duration --limit 10", "The ten longest flows."},
      {"tcpdump -w - | weir read - --summary", "What another program captures."},
      {"weir read x.pcap --format csv -w flows.csv --stats run.json",
       "A file of flows, and one about the run."},
  };
  add_setting_options(line, layers, options.config_path);
  return line;
}

// Whether both are the same file, by whatever names. What cannot be looked at is not the same.
bool is_same_file(const std::string& path, const std::string& other) {
  struct stat x = {};
  struct stat y = {};
  const int is_unknown = (other == "-" ? fstat(STDIN_FILENO, &y) : stat(other.c_str(), &y));
  if (is_unknown != 0 || stat(path.c_str(), &x) != 0) return false;
  // Writing to the terminal or null device that is also read loses nothing.
  return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

// One line on what contradicts itself; empty when all is well.
std::string contradiction(const ReadPlan& plan, const ReadOptions& options) {
  if (std::count(plan.files.begin(), plan.files.end(), "-") > 1) {
    return "\"-\": expected standard input once, got it more often";
  }
  if (plan.is_unordered && !options.sort.empty()) {
    return "--unordered: cannot be combined with --sort";
  }
  if (plan.is_quiet && options.is_verbose) return "--quiet: cannot be combined with --verbose";
  for (const std::string& target : {plan.output_path, plan.stats_path}) {
    if (target.empty() || target == "-") continue;
    for (const std::string& file : plan.files) {
      if (!is_same_file(target, file)) continue;
      return printable(target) + ": expected a file to write to, got the input " + in_quotes(file);
    }
  }
  const bool is_same_target =
      !plan.stats_path.empty() && plan.stats_path != "-" &&
      (plan.stats_path == plan.output_path || is_same_file(plan.stats_path, plan.output_path));
  if (is_same_target) return "--stats: expected another file than --output";
  return {};
}

void apply_settings(const Settings& settings, ReadPlan& plan) {
  plan.settings = settings;
  plan.engine.thread_count = settings.thread_count;
  plan.engine.decode.zone = settings.zone;
  plan.engine.decode.decapsulate = settings.decapsulates;
  plan.engine.table.timeouts = settings.timeouts;
  plan.engine.table.flow_count_max = settings.flow_count_max;
  plan.engine.table.flow_count_initial = settings.flow_count_initial;
  plan.engine.table.eviction = settings.eviction;
  plan.engine.table.pressure_timeout_ns = settings.pressure_timeout_ns;
  plan.engine.memory_limit = settings.memory_limit;
  plan.engine.fragments.entry_count_max = settings.fragment_count_max;
  plan.engine.fragments.timeout_ns = settings.fragment_timeout_ns;
  plan.engine.table.secret = HashSecret::random();
  plan.sort.memory_size_max = settings.memory_limit / kSorterShare;
}

}  // namespace

std::optional<int> plan_read(const Invocation& invocation, const Catalog& catalog, ReadPlan& plan) {
  plan.format = find_export_format("table");
  ReadOptions options;
  InputFiles inputs;
  SettingLayers layers(machine_memory_size());
  const CommandLine line = read_line(plan, options, layers);
  if (std::optional<int> code = parse_command_line(line, invocation.arguments)) return code;
  if (!load_configuration(invocation.environment, options.config_path, layers)) return kExitUsage;

  plan.is_table = plan.format->name == "table";
  plan.is_summary_only = options.is_summary && plan.is_table;
  plan.is_summary_on_stderr = options.is_summary && !plan.is_table;
  if (plan.output_path == "-") plan.output_path.clear();
  if (options.batch_size) plan.engine.batch_size = static_cast<uint32_t>(*options.batch_size);
  plan.sort.record_count_max = options.limit.value_or(plan.is_table ? kTableLimitDefault : 0);

  std::string error;
  if (expand_inputs(plan.paths, inputs, error)) {
    plan.files = std::move(inputs.files);
    plan.folders = std::move(inputs.folders);
    error = contradiction(plan, options);
  }
  const std::string_view sort =
      options.sort.empty() && plan.is_table ? kTableSortDefault : std::string_view(options.sort);
  if (error.empty() && !sort.empty() && !parse_sort(sort, catalog, plan.sort, error)) {
    error = "--sort: " + error;
  }
  if (!error.empty()) {
    print_error(error);
    return kExitUsage;
  }
  apply_settings(layers.effective(), plan);
  // Every batch wakes every worker, so workers get large ones: with 256 frames instead of 1024 two
  // of them took twice as long as none.
  if (!options.batch_size && plan.engine.thread_count > 1) {
    plan.engine.batch_size = kBatchFrameCountMax;
  }
  if (options.stays_outside) plan.engine.decode.decapsulate = false;
  if (plan.is_quiet) plan.settings.log_level = LogLevel::kError;
  if (options.is_verbose)
    plan.settings.log_level = std::min(plan.settings.log_level, LogLevel::kInfo);
  return std::nullopt;
}

}  // namespace weir
