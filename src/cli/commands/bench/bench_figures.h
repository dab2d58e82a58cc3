// SPDX-License-Identifier: Apache-2.0
//
// From the runs of a benchmark to its figures: costs per packet, ratios, memory of a flow.
//
// Times of one machine say little about another, and on a shared machine little about the next
// minute; ratios of programs that ran in turns on the same file say much. So a cost comes as the
// best of its rounds, and a ratio as that of the bests and as the median of the rounds' own ratios:
// neighbours in time had the same machine.
//
// Threads: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands/bench/bench_cases.h"
#include "cli/commands/bench/measured_run.h"

namespace weir {

struct ProgramRuns {
  std::vector<MeasuredRun> rounds;  // those that count: without the one that warms up
  uint64_t resident_size_max = 0;   // of all runs
};

struct CaseResult {
  const BenchCase* bench_case = nullptr;
  CaptureShape shape;
  std::array<ProgramRuns, kBenchProgramCount> programs;
  ProgramAnswer weir;                      // what weir found in it
  std::optional<uint64_t> unbroken_count;  // of a flood's legitimate flows

  const ProgramRuns& runs_of(BenchProgram program) const {
    return programs[static_cast<size_t>(program)];
  }
};

// Of the best round and of the round in the middle.
struct BestAndMedian {
  double best = 0;
  double median = 0;
};

// User and system CPU in ns per packet. There is at least one round.
BestAndMedian packet_cost_ns(const CaseResult& result, BenchProgram program);
// Its ratio to libpcap's loop.
BestAndMedian ratio_to_pcap(const CaseResult& result, BenchProgram program);
// Of wall time, best round.
double packets_per_second(const CaseResult& result, BenchProgram program);

// One figure that takes more than one program, or more than one case.
struct Figure {
  std::string_view key;    // in JSON
  std::string_view label;  // for people
  std::string_view unit;   // "×", "%", "bytes", "MB"
  int decimals = 0;        // for people
  double value = 0;        // for a ratio of times: of the bests
  std::optional<double> median;
};

// Those that the cases at hand allow.
std::vector<Figure> figures_of(const std::vector<CaseResult>& results);

}  // namespace weir
