// SPDX-License-Identifier: Apache-2.0
//
// What `weir bench` measures: the table of its captures, and the programs that read them in turns.
//
// Threads: immutable; any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands/bench/capture_shape.h"

namespace weir {

// In the order in which they run; names are what tables and JSON call them.
enum class BenchProgram : uint8_t { kFloorRead, kFloorPcap, kWeirOneThread, kWeirTwoThreads };
inline constexpr size_t kBenchProgramCount = 4;
std::string_view program_name(BenchProgram program);

// How much of a case there is to measure.
enum class BenchDepth : uint8_t {
  kTimes,   // all programs, in every round
  kMemory,  // weir alone, once: its peak of memory
};

struct BenchCase {
  std::string_view name;
  CaptureShape shape;
  BenchDepth depth;
  bool is_default;                // else only with --all, or when asked for by name
  std::string_view memory_limit;  // weir's setting for this case; empty: whatever is in force
  std::string_view help;
};

std::span<const BenchCase> bench_cases();
// Null when there is none of that name.
const BenchCase* find_bench_case(std::string_view name);

// The shape of a case; with --quick a hundredth of it, made and read in no time, whose figures mean
// nothing.
CaptureShape shape_of(const BenchCase& bench_case, bool is_quick);
// The name of its file. Quick captures have other names: a folder may hold both.
std::string file_of(const BenchCase& bench_case, bool is_quick);

// What runs a program on a capture; `self` is the executable of weir.
std::vector<std::string> program_words(BenchProgram program, const BenchCase& bench_case,
                                       const std::string& self, const std::string& capture);
// What prints the legitimate flows of a flood, as far as they are whole: the flows with the most
// packets, as JSON lines.
std::vector<std::string> flood_check_words(const BenchCase& flood, uint32_t legitimate_count,
                                           const std::string& self, const std::string& capture);

// What a program said on its standard output.
struct ProgramAnswer {
  uint64_t packet_count = 0;
  std::optional<uint64_t> flow_count;  // of weir
  std::string limits_hit;              // of weir: their names, as in `--stats`; empty: none
};
std::optional<ProgramAnswer> read_answer(BenchProgram program, std::string_view output);

// Of the records that flood_check_words prints: flows with all the packets that were sent.
uint64_t count_unbroken(std::string_view records, uint64_t packets_per_flow);

}  // namespace weir
