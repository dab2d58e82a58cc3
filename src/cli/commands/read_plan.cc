// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/read_plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "cli/command_line.h"
#include "cli/configuration.h"
#include "cli/exit_code.h"
#include "cli/suggestion.h"
#include "cli/user_message.h"
#include "dpi/services.h"
#include "flow/flow_fields.h"

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
  bool guesses_not = false;
  std::string filter;
  std::string fields;
  std::string events;
  std::string services_path;
  bool has_format = false;
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
  const auto format = [&plan, &options](std::string_view text, std::string& error) {
    options.has_format = true;
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
      text_option(
          "Output", "--filter", "EXPR",
          "Only flows this is true for, such as 'app == tls and bytes > 1M'; with --events, "
          "messages.",
          options.filter),
      text_option("Output", "--fields", "LIST",
                  "With json and csv, print these fields and attributes only: names with commas "
                  "between. \"weir protocols\" lists them.",
                  options.fields),
      text_option(
          "Output", "--events", "LIST",
          "Print the messages of these protocols instead of flows, one JSON object per line: "
          "dns,http.",
          options.events),
      switch_option("Output", "--interim", "Print interim records of long flows too.",
                    plan.engine.interim),
      switch_option("Output", "--unordered", "Print flows as they end, without sorting them.",
                    plan.is_unordered),
      switch_option("Input", "--no-decapsulate",
                    "Key flows on the addresses outside their tunnels, not on those inside.",
                    options.stays_outside),
      switch_option("Input", "--no-dpi",
                    "Do not look into payloads: every app is unknown, and there are no attributes.",
                    options.ignores_dpi),
      switch_option("Input", "--no-guess",
                    "Give no flow an app for its port alone; such an app is marked as a guess.",
                    options.guesses_not),
      text_option(
          "Input", "--services", "FILE",
          "Well-known services beside the built-in ones: name, category and domains on a line.",
          options.services_path),
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
      {"weir read big.pcap --filter 'app == dns and dns.rcode != NOERROR' --format json",
       "Failed name look-ups."},
      {"weir read big.pcap --format csv --fields first_seen,src_ip,tls.sni,tls.ja4",
       "Four columns."},
      {"weir read big.pcap --events dns,http", "Every message of two protocols."},
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

// "a,b" into its words; blanks around them do not count.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    words.push_back(word);
    if (comma == std::string_view::npos) return words;
    text.remove_prefix(comma + 1);
  }
}

constexpr std::string_view kNeedsDpi = "cannot be combined with --no-dpi";

// What an event can be asked for of its flow (EventValues); the rest only a record knows.
constexpr std::array<std::string_view, 10> kEventFields = {
    kFirstSeenField, kLastSeenField, kSrcIpField, kDstIpField,   kSrcMacField,
    kDstMacField,    kProtoField,    kAppField,   kSrcPortField, kDstPortField};

// What is wrong with asking for this field; empty when nothing is.
std::string refusal(const Field& field, const ReadOptions& options, const ReadPlan& plan) {
  if (field.is_attribute() && options.ignores_dpi) return std::string(kNeedsDpi);
  if (!plan.prints_events) return {};
  const bool is_there =
      field.is_attribute()
          ? plan.engine.inspector.events.contains(plan.catalog.protocol_of(field.attribute))
          : std::find(kEventFields.begin(), kEventFields.end(), field.name) != kEventFields.end();
  return is_there ? "" : "no message of --events has it";
}

std::string choose_events(const ReadOptions& options, ReadPlan& plan) {
  const Catalog& catalog = plan.catalog;
  if (options.ignores_dpi) return "--events: " + std::string(kNeedsDpi);
  if (!options.sort.empty()) return "--events: cannot be combined with --sort";
  if (options.has_format && plan.format->name != "json")
    return "--events: expected --format json, got " + in_quotes(std::string(plan.format->name));
  std::vector<std::string_view> names;
  for (const Protocol* protocol : catalog.protocols()) {
    if (protocol->parse != nullptr) names.push_back(protocol->name);
  }
  for (const std::string_view name : words_of(options.events)) {
    const uint8_t number = catalog.protocol_number(name);
    if (number == kUnknownApp || catalog.protocols()[number - 1u]->parse == nullptr) {
      return "--events: expected names of protocols, got " + in_quotes(std::string(name)) +
             did_you_mean(name, names);
    }
    plan.engine.inspector.events.insert(number);
  }
  plan.prints_events = true;
  plan.format = find_export_format("none");
  plan.is_table = plan.is_summary_only = false;
  plan.is_summary_on_stderr = options.is_summary;
  plan.sort.record_count_max = options.limit.value_or(0);
  return {};
}

std::string choose_fields(const ReadOptions& options, ReadPlan& plan) {
  if (!plan.prints_events && plan.format->name != "json" && plan.format->name != "csv")
    return "--fields: expected --format json or csv";
  for (const std::string_view name : words_of(options.fields)) {
    const Field* field = plan.catalog.find(name);
    const std::string quoted = in_quotes(std::string(name));
    if (field == nullptr) {
      std::string error = "--fields: unknown field " + quoted;
      const std::string_view nearest = plan.catalog.nearest(name);
      if (!nearest.empty()) return error + ", did you mean " + std::string(nearest) + "?";
      return error + ", weir protocols lists them";
    }
    if (field->is_member()) {
      return "--fields: " + quoted + " is part of " +
             std::string(plan.catalog.attribute(field->parent)->name) + ", which can be asked for";
    }
    if (const std::string error = refusal(*field, options, plan); !error.empty())
      return "--fields: " + quoted + ": " + error;
    plan.fields.push_back(field);
  }
  return {};
}

std::string choose_filter(const ReadOptions& options, ReadPlan& plan) {
  FilterError wrong;
  plan.filter = parse_filter(options.filter, plan.catalog, wrong);
  if (!plan.filter)
    return "--filter: column " + std::to_string(wrong.column) + ": " + wrong.message;
  for (const Field* field : plan.filter->fields()) {
    if (const std::string error = refusal(*field, options, plan); !error.empty())
      return "--filter: " + in_quotes(std::string(field->name)) + ": " + error;
  }
  return {};
}

// What is printed of a flow, or which messages: --events, --fields, --filter.
std::string choose_contents(const ReadOptions& options, ReadPlan& plan) {
  std::string error;
  if (!options.events.empty()) error = choose_events(options, plan);
  if (error.empty() && !options.fields.empty()) error = choose_fields(options, plan);
  if (error.empty() && !options.filter.empty()) error = choose_filter(options, plan);
  return error;
}

// What is worth keeping of a flow: what will be printed, sorted by or asked for; and what tells its
// service. Header fields are nobody's by default.
void choose_attributes(ReadPlan& plan) {
  const Catalog& catalog = plan.catalog;
  std::vector<bool>& stored = plan.engine.inspector.stored;
  const bool prints_all =
      plan.fields.empty() && plan.format->name == "json" && !plan.is_summary_only;
  stored.assign(catalog.attribute_count(), false);
  for (const Field& field : catalog.fields()) {
    if (!field.is_attribute()) continue;
    const bool is_found =
        catalog.protocols()[catalog.protocol_of(field.attribute) - 1u]->parse != nullptr;
    stored[field.attribute] = field.names_service || (prints_all && is_found);
  }
  const auto want = [&stored](const Field* field) {
    if (field != nullptr && field->is_attribute()) stored[field->attribute] = true;
  };
  for (const Field* field : plan.fields) want(field);
  want(plan.sort.field);
  if (plan.filter) {
    for (const Field* field : plan.filter->fields()) want(field);
  }
  std::vector<uint16_t> headers;
  for (uint16_t number = 0; number < catalog.attribute_count(); ++number) {
    if (stored[number] && PacketFields::is_packet_field(catalog, number)) headers.push_back(number);
  }
  plan.engine.table.packet_fields = PacketFields(catalog, headers);
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
  plan.engine.inspector.guesses_by_port = settings.guesses_by_port;
  plan.engine.inspector.inspection_count_max = settings.inspection_count_max;
  plan.engine.memory_limit = settings.memory_limit;
  plan.engine.fragments.entry_count_max = settings.fragment_count_max;
  plan.engine.fragments.timeout_ns = settings.fragment_timeout_ns;
  plan.engine.table.secret = HashSecret::random();
  plan.sort.memory_size_max = settings.memory_limit / kSorterShare;
}

}  // namespace

std::optional<int> plan_read(const Invocation& invocation, ReadPlan& plan) {
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
  std::vector<Service> services = built_in_services();
  if (!options.services_path.empty() && !read_services(options.services_path, services, error)) {
    print_error(error);
    return kExitUsage;
  }
  plan.catalog = standard_catalog(std::move(services)).freeze();
  const Catalog& catalog = plan.catalog;
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
  if (error.empty()) error = choose_contents(options, plan);
  if (!error.empty()) {
    print_error(error);
    return kExitUsage;
  }
  choose_attributes(plan);
  apply_settings(layers.effective(), plan);
  // Every batch wakes every worker, so workers get large ones: with 256 frames instead of 1024 two
  // of them took twice as long as none.
  if (!options.batch_size && plan.engine.thread_count > 1) {
    plan.engine.batch_size = kBatchFrameCountMax;
  }
  if (!options.ignores_dpi) plan.engine.catalog = &catalog;
  if (options.guesses_not) plan.engine.inspector.guesses_by_port = false;
  if (options.stays_outside) plan.engine.decode.decapsulate = false;
  plan.engine.table.decode = plan.engine.decode;
  if (plan.is_quiet) plan.settings.log_level = LogLevel::kError;
  if (options.is_verbose)
    plan.settings.log_level = std::min(plan.settings.log_level, LogLevel::kInfo);
  return std::nullopt;
}

}  // namespace weir
