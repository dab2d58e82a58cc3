// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/bench_report.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>

#include "base/text.h"
#include "cli/commands/bench/floors.h"
#include "cli/settings.h"

namespace weir {
namespace {

constexpr size_t kNameWidth = 12;
constexpr size_t kNumberWidth = 12;
constexpr size_t kRatioWidth = 26;

std::string decimal(double value, int decimals) {
  std::array<char, 64> digits;
  char* const end = digits.data() + digits.size();
  const auto result = std::to_chars(digits.data(), end, value, std::chars_format::fixed, decimals);
  return {digits.data(), result.ec == std::errc() ? result.ptr : digits.data()};
}

std::string padded_left(const std::string& text, size_t width) {
  const size_t columns = column_count(text);
  return std::string(columns < width ? width - columns : 1, ' ') + text;
}

std::string padded_right(std::string_view text, size_t width) {
  const size_t columns = column_count(text);
  return std::string(text) + std::string(columns < width ? width - columns : 1, ' ');
}

std::string size_text(uint64_t size) {
  std::string text;
  append_bytes_human(text, size);
  return text;
}

// "0.52× (0.53×)": the best, and the median of the rounds.
std::string ratio_text(const BestAndMedian& ratio) {
  return decimal(ratio.best, 2) + "× (" + decimal(ratio.median, 2) + "×)";
}

void append_program(std::string& out, const CaseResult& result, BenchProgram program) {
  const BestAndMedian cost = packet_cost_ns(result, program);
  std::string rate;
  append_count_human(rate, static_cast<uint64_t>(packets_per_second(result, program)));
  out += "  " + padded_right(program_name(program), kNameWidth);
  out += padded_left(decimal(cost.best, 1), kNumberWidth);
  out += padded_left(decimal(cost.median, 1), kNumberWidth);
  out += padded_left(ratio_text(ratio_to_pcap(result, program)), kRatioWidth);
  out += padded_left(rate, kNumberWidth);
  out += padded_left(size_text(result.runs_of(program).resident_size_max), kNumberWidth);
  out += '\n';
}

void append_case(std::string& out, const CaseResult& result, bool is_quick) {
  out += '\n' + std::string(result.bench_case->name) + ": ";
  if (is_quick) {
    out += std::to_string(packet_count(result.shape)) + " packets\n";
  } else {
    out += std::string(result.bench_case->help) + '\n';
  }
  if (!result.weir.limits_hit.empty()) {
    out += "  limits were hit: " + result.weir.limits_hit + '\n';
  }
  if (result.bench_case->depth == BenchDepth::kMemory) {
    out += "  max RSS " + size_text(result.runs_of(BenchProgram::kWeirOneThread).resident_size_max);
    out += '\n';
    return;
  }
  out += "  " + padded_right("program", kNameWidth) + padded_left("ns/packet", kNumberWidth) +
         padded_left("median", kNumberWidth) + padded_left("to floor_pcap (median)", kRatioWidth) +
         padded_left("packets/s", kNumberWidth) + padded_left("max RSS", kNumberWidth) + '\n';
  for (size_t index = 0; index < kBenchProgramCount; ++index) {
    append_program(out, result, static_cast<BenchProgram>(index));
  }
}

// JSON as a value of what it is made of: `"key": value`, and objects and arrays of such.
std::string member(std::string_view key, std::string_view value) {
  std::string out;
  append_json_string(out, key);
  return out.append(": ").append(value);
}
std::string number(std::string_view key, uint64_t value) {
  return member(key, std::to_string(value));
}
std::string fraction(std::string_view key, double value) {
  return member(key, decimal(value, 4));
}
std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}
std::string enclosed(char open, const std::vector<std::string>& parts, char close) {
  std::string out(1, open);
  for (const std::string& part : parts) {
    if (out.size() > 1) out += ", ";
    out += part;
  }
  return out + close;
}
std::string object(const std::vector<std::string>& members) {
  return enclosed('{', members, '}');
}

std::string program_json(const CaseResult& result, BenchProgram program) {
  std::vector<std::string> members;
  if (result.bench_case->depth == BenchDepth::kTimes) {
    const BestAndMedian cost = packet_cost_ns(result, program);
    const BestAndMedian ratio = ratio_to_pcap(result, program);
    members = {fraction("packet_cpu_ns_best", cost.best),
               fraction("packet_cpu_ns_median", cost.median),
               fraction("ratio_to_floor_pcap_best", ratio.best),
               fraction("ratio_to_floor_pcap_median", ratio.median),
               fraction("packets_per_second_best", packets_per_second(result, program))};
  }
  members.push_back(number("resident_bytes_max", result.runs_of(program).resident_size_max));
  std::vector<std::string> words;
  const std::string file = file_of(*result.bench_case, false);
  for (const std::string& word : program_words(program, *result.bench_case, "weir", file)) {
    words.push_back(quoted(word));
  }
  members.push_back(member("command", enclosed('[', words, ']')));
  return object(members);
}

std::string case_json(const CaseResult& result) {
  std::vector<std::string> programs;
  for (size_t index = 0; index < kBenchProgramCount; ++index) {
    const BenchProgram program = static_cast<BenchProgram>(index);
    const bool has_run = result.runs_of(program).resident_size_max > 0;
    if (has_run) programs.push_back(member(program_name(program), program_json(result, program)));
  }
  std::vector<std::string> members = {number("packets", packet_count(result.shape)),
                                      number("flows", flow_count(result.shape)),
                                      number("flows_found", result.weir.flow_count.value_or(0)),
                                      member("limits_hit", quoted(result.weir.limits_hit))};
  if (result.unbroken_count) {
    members.push_back(number("legitimate_flows_unbroken", *result.unbroken_count));
  }
  members.push_back(member("programs", object(programs)));
  return object(members);
}

std::string figure_json(const Figure& figure) {
  std::vector<std::string> members = {fraction("value", figure.value)};
  if (figure.median) members.push_back(fraction("median", *figure.median));
  members.push_back(member("unit", quoted(figure.unit)));
  members.push_back(member("label", quoted(figure.label)));
  return object(members);
}

std::string processor_name() {
  std::ifstream lines("/proc/cpuinfo");
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("model name"))
      return line.substr(std::min(line.find(':') + 2, line.size()));
  }
  return "unknown processor";
}

// The word in brackets of "always [madvise] never".
std::string huge_pages() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string word;
  while (file >> word) {
    if (word.starts_with('[') && word.ends_with(']')) return word.substr(1, word.size() - 2);
  }
  return {};
}

}  // namespace

BenchMachine this_machine() {
  BenchMachine machine;
  machine.processor = processor_name();
  machine.core_count = static_cast<uint64_t>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
  machine.memory_size = machine_memory_size();
  machine.huge_pages = huge_pages();
  machine.libpcap = libpcap_version();
  return machine;
}

std::string report_text(const BenchReport& report) {
  const BenchMachine& machine = report.machine;
  std::string out =
      "weir " WEIR_VERSION " on " + machine.processor + ", " + std::to_string(machine.core_count) +
      " cores, " + size_text(machine.memory_size) + ", huge pages " +
      (machine.huge_pages.empty() ? "unknown" : machine.huge_pages) + ", " + machine.libpcap + '\n';
  out += "user and system CPU per packet, " + std::to_string(report.round_count) +
         (report.round_count == 1 ? " round" : " rounds") + " after one to warm up; captures in " +
         report.folder + '\n';
  if (report.is_quick) out += "quick: a hundredth of each capture, its figures mean nothing\n";
  for (const CaseResult& result : report.results) append_case(out, result, report.is_quick);

  const std::vector<Figure> figures = figures_of(report.results);
  if (!figures.empty()) out += '\n';
  for (const Figure& figure : figures) {
    const std::string separator = figure.unit == "×" || figure.unit == "%" ? "" : " ";
    std::string value = decimal(figure.value, figure.decimals) + separator;
    out += padded_left(value + std::string(figure.unit), kNumberWidth) + "  ";
    out += std::string(figure.label);
    if (figure.median) {
      out +=
          " (median " + decimal(*figure.median, figure.decimals) + std::string(figure.unit) + ')';
    }
    out += '\n';
  }
  return out;
}

std::string report_json(const BenchReport& report) {
  std::vector<std::string> cases;
  for (const CaseResult& result : report.results) {
    cases.push_back(member(result.bench_case->name, case_json(result)));
  }
  std::vector<std::string> figures;
  for (const Figure& figure : figures_of(report.results)) {
    figures.push_back(member(figure.key, figure_json(figure)));
  }
  const BenchMachine& machine = report.machine;
  const std::string machine_json =
      object({member("processor", quoted(machine.processor)), number("cores", machine.core_count),
              number("memory_bytes", machine.memory_size),
              member("huge_pages", quoted(machine.huge_pages)),
              member("libpcap", quoted(machine.libpcap))});
  return object({member("weir", quoted(WEIR_VERSION)), member("machine", machine_json),
                 number("rounds", report.round_count),
                 member("is_quick", report.is_quick ? "true" : "false"),
                 member("cases", object(cases)), member("figures", object(figures))}) +
         '\n';
}

}  // namespace weir
