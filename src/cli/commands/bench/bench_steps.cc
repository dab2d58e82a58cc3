// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/bench_steps.h"

#include <memory>

#include "base/text.h"
#include "cli/commands/bench/bench_cases.h"
#include "cli/commands/bench/capture_generator.h"
#include "cli/commands/bench/floors.h"
#include "cli/commands/bench/measured_run.h"
#include "cli/exit_code.h"
#include "cli/results.h"
#include "cli/user_message.h"

namespace weir {
namespace {

using Words = std::span<const std::string>;

int print_count(const std::string& path, const FloorCount& count) {
  if (!count.error.empty()) {
    print_error(printable(path) + ": " + printable(count.error));
    return kExitFailure;
  }
  return print_results("{\"packets\": " + std::to_string(count.packet_count) + "}\n");
}

int step_floor_read(Words operands) {
  return print_count(operands[0], floor_read(operands[0]));
}

int step_floor_pcap(Words operands) {
  return print_count(operands[0], floor_pcap(operands[0]));
}

int step_make(Words operands) {
  constexpr std::string_view kQuick = "-quick";
  std::string_view name = operands[0];
  const bool is_quick = name.ends_with(kQuick);
  if (is_quick) name.remove_suffix(kQuick.size());
  const BenchCase* const bench_case = find_bench_case(name);
  if (bench_case == nullptr) {
    print_error(in_quotes(operands[0]) + ": unknown case");
    return kExitUsage;
  }
  std::string error;
  const std::unique_ptr<OutputStream> stream = OutputStream::create(operands[1], error);
  if (stream == nullptr) {
    print_error(error);
    return kExitFailure;
  }
  write_capture(shape_of(*bench_case, is_quick), *stream);
  return finish_results(*stream);
}

int step_measure(Words operands) {
  const InterruptWatch watch;
  const MeasuredRun run = run_measured({operands.begin(), operands.end()});
  if (!run.error.empty()) {
    print_error(run.error);
    return kExitFailure;
  }
  std::string out = "{\"exit_code\": " + std::to_string(run.exit_code) +
                    ", \"user_ns\": " + std::to_string(run.user_ns) +
                    ", \"system_ns\": " + std::to_string(run.system_ns) +
                    ", \"wall_ns\": " + std::to_string(run.wall_ns) +
                    ", \"resident_bytes_max\": " + std::to_string(run.resident_size_max) +
                    ", \"output\": ";
  append_json_string(out, run.output);
  return print_results(out + "}\n");
}

struct Step {
  std::string_view name;
  size_t operand_count_min;
  size_t operand_count_max;
  int (*run)(Words operands);
};

constexpr size_t kMeasuredWordCountMax = 1000;

constexpr Step kSteps[] = {
    {"floor_read", 1, 1, step_floor_read},
    {"floor_pcap", 1, 1, step_floor_pcap},
    {"make", 2, 2, step_make},
    {"measure", 1, kMeasuredWordCountMax, step_measure},
};

}  // namespace

int run_bench_step(Words words) {
  for (const Step& step : kSteps) {
    if (words.empty() || step.name != words[0]) continue;
    const Words operands = words.subspan(1);
    if (operands.size() >= step.operand_count_min && operands.size() <= step.operand_count_max) {
      return step.run(operands);
    }
  }
  print_error(std::string(kStepOption) + ": expected a step and what it takes");
  return kExitUsage;
}

}  // namespace weir
