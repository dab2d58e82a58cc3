// SPDX-License-Identifier: Apache-2.0
//
// weir bench: what weir costs on this machine.
//
// Makes captures, lets the simplest programs there could be and weir itself read them in turns, and
// prints what each took. It measures and never judges: what is asked of weir is written where it
// can be argued with.
//
// Exit code: 1 when something could not be run or did not find the packets there are, or when a
// signal came before the first round was complete; else 0.
#include <unistd.h>

#include <memory>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/commands/bench/bench_run.h"
#include "cli/commands/bench/bench_steps.h"
#include "cli/exit_code.h"
#include "cli/results.h"
#include "cli/suggestion.h"
#include "cli/terminal.h"
#include "cli/user_message.h"

namespace weir {
namespace {

constexpr uint64_t kRoundCountMax = 1000;

struct BenchOptions {
  BenchPlan plan;
  std::optional<uint64_t> round_count;
  std::string only;
  std::string json_path;
  bool takes_all = false;
};

std::string case_names() {
  std::string names;
  for (const BenchCase& bench_case : bench_cases()) {
    names += (names.empty() ? "" : ", ") + std::string(bench_case.name);
  }
  return names;
}

CommandLine bench_line(BenchOptions& options) {
  CommandLine line;
  line.name = "weir bench";
  line.synopsis = "[options]";
  line.description =
      "Measures what weir costs on this machine. Makes captures of small packets, of a mix, of "
      "floods; lets the least programs that could read them and weir read them in turns; prints "
      "CPU per packet, ratios and memory. Takes some minutes and 5 GB for the captures, in a RAM "
      "disk when there is room, which are removed again.";
  line.options = {
      switch_option("Measuring", "--quick",
                    "A hundredth of each capture and one round: whether it all runs. The figures "
                    "mean nothing.",
                    options.plan.is_quick),
      count_option("Measuring", "--rounds", "Rounds beside the one that warms up. Default 5.", 1,
                   kRoundCountMax, options.round_count),
      text_option("Measuring", "--only", "CASE", "One case of " + case_names() + '.', options.only),
      switch_option("Measuring", "--all", "Also those with 10 million flows (2.3 GB more).",
                    options.takes_all),
      text_option("Output", "--json", "FILE",
                  "Write the figures to this file as one JSON object; - for standard output, "
                  "instead of the tables.",
                  options.json_path),
      text_option("Captures", "--folder", "DIR",
                  "Where the captures are made; those already there are used and stay. Default: a "
                  "new folder in /dev/shm, TMPDIR or /tmp.",
                  options.plan.folder),
      switch_option("Captures", "--keep", "Do not remove the captures.",
                    options.plan.keeps_captures),
  };
  line.examples = {
      {"weir bench", "The tables, after some minutes."},
      {"weir bench --only small-10k --rounds 3", "How fast is it?"},
      {"weir bench --folder /dev/shm --keep --json figures.json",
       "Next time the captures are there."},
  };
  return line;
}

bool choose_cases(const BenchOptions& options, std::vector<const BenchCase*>& cases) {
  if (!options.only.empty()) {
    cases = {find_bench_case(options.only)};
    if (cases[0] != nullptr) return true;
    std::vector<std::string_view> names;
    for (const BenchCase& bench_case : bench_cases()) names.push_back(bench_case.name);
    print_error("--only: expected one of " + case_names() + ", got " + in_quotes(options.only) +
                did_you_mean(options.only, names));
    return false;
  }
  for (const BenchCase& bench_case : bench_cases()) {
    if (bench_case.is_default || options.takes_all) cases.push_back(&bench_case);
  }
  return true;
}

int write_json(const std::string& path, const BenchReport& report) {
  std::string error;
  const std::unique_ptr<OutputStream> stream = OutputStream::create(path, error);
  if (stream == nullptr) {
    print_error(error);
    return kExitFailure;
  }
  stream->buffer() += report_json(report);
  return finish_results(*stream);
}

int print_report(const std::string& json_path, const BenchReport& report) {
  if (json_path == "-") return print_results(report_json(report));
  const int code = print_results(report_text(report));
  if (code != kExitDone || json_path.empty()) return code;
  return write_json(json_path, report);
}

}  // namespace

int run_bench(const Invocation& invocation) {
  const std::span<const std::string> arguments = invocation.arguments;
  if (!arguments.empty() && arguments[0] == kStepOption) {
    return run_bench_step(arguments.subspan(1));
  }
  BenchOptions options;
  if (std::optional<int> code = parse_command_line(bench_line(options), arguments)) return *code;
  BenchPlan& plan = options.plan;
  if (!choose_cases(options, plan.cases)) return kExitUsage;
  if (plan.is_quick) plan.round_count = 1;
  if (options.round_count) plan.round_count = *options.round_count;
  plan.shows_progress = is_terminal(STDERR_FILENO);

  BenchRun run(plan);
  const BenchEnd end = run.run();
  const uint64_t round_count = run.report().round_count;
  if (end == BenchEnd::kFailed) {
    print_error(run.error());
    return kExitFailure;
  }
  if (end == BenchEnd::kInterrupted) {
    const std::string when =
        std::to_string(round_count) + " of " + std::to_string(plan.round_count) + " rounds";
    if (round_count == 0) {
      print_error("stopped by a signal after " + when);
      return kExitFailure;
    }
    print_warning("stopped by a signal after " + when);
  }
  return print_report(options.json_path, run.report());
}

}  // namespace weir
