// SPDX-License-Identifier: Apache-2.0
//
// What `weir bench` says: tables for people, one JSON object for machines.
//
// The object, in order: `weir` (version), `machine`, `rounds`, `is_quick`, `cases` by name (packets,
// flows, and by program what it took) and `figures` by name. Keys name their unit.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "cli/commands/bench/bench_figures.h"

namespace weir {

// What the figures depend on beside weir.
struct BenchMachine {
  std::string processor;
  uint64_t core_count = 0;
  uint64_t memory_size = 0;
  std::string huge_pages;  // "always", "madvise" or "never"; empty: unknown
  std::string libpcap;
};

BenchMachine this_machine();

struct BenchReport {
  BenchMachine machine;
  std::string folder;  // where the captures lay
  uint64_t round_count = 0;
  bool is_quick = false;
  std::vector<CaseResult> results;
};

std::string report_text(const BenchReport& report);
std::string report_json(const BenchReport& report);

}  // namespace weir
