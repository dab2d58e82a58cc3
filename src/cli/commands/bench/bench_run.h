// SPDX-License-Identifier: Apache-2.0
//
// BenchRun: one run of `weir bench`: makes the captures, lets the programs take turns on them,
// checks that all of them saw the same packets, and removes the captures.
//
// Each round goes through all cases and all programs, so that what else the machine does is spread
// over them. The first round only warms up; what is measured once (memory, what is left of a
// flood's legitimate flows) is measured in it.
//
// Threads: one thread; one InterruptWatch at a time (measured_run.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/commands/bench/bench_report.h"
#include "cli/commands/bench/capture_folder.h"

namespace weir {

struct BenchPlan {
  std::vector<const BenchCase*> cases;
  uint64_t round_count = 5;
  bool is_quick = false;
  std::string folder;  // empty: a new one where there is room
  bool keeps_captures = false;
  bool shows_progress = false;
};

// How a run ended.
enum class BenchEnd : uint8_t {
  kDone,
  kInterrupted,  // by a signal; the report has the rounds that were complete, maybe none
  kFailed,       // `error` says why
};

class BenchRun {
 public:
  explicit BenchRun(const BenchPlan& plan);

  BenchEnd run();
  const BenchReport& report() const { return report_; }
  const std::string& error() const { return error_; }

 private:
  bool find_folder();
  bool make_captures();
  bool make_capture(const BenchCase& bench_case);
  bool run_round(uint64_t round);
  bool run_case(CaseResult& result, uint64_t round, std::vector<MeasuredRun>& runs);
  bool check_flood(CaseResult& result);
  // Starts a child and says in `error_` what went wrong with it.
  bool run_child(const std::vector<std::string>& words, MeasuredRun& run);
  std::string capture_of(const BenchCase& bench_case) const;
  void progress(const std::string& text) const;

  const BenchPlan plan_;
  CaptureFolder folder_;
  BenchReport report_;
  std::string error_;
};

}  // namespace weir
