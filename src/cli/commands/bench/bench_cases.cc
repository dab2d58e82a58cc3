// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/bench_cases.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "cli/commands/bench/colliding_keys.h"
#include "flow/flow_fields.h"

namespace weir {
namespace {

using enum CaptureKind;
using enum BenchDepth;

// THE table of captures. The first three are the ones all figures of weir are quoted for.
constexpr BenchCase kCases[] = {
    {"small-10k",
     {kSmall, 10'000, 1500, 1},
     kTimes,
     true,
     "",
     "10,000 flows, 15 M packets of 60 bytes"},
    {"small-1M",
     {kSmall, 1'000'000, 15, 2},
     kTimes,
     true,
     "",
     "1,000,000 flows, 15 M packets of 60 bytes"},
    {"imix",
     {kImix, 100'000, 32, 3},
     kTimes,
     true,
     "",
     "100,000 flows, 3.2 M packets of 60, 590 and 1,514 bytes (7:4:1)"},
    {"flood",
     {kFlood, 1000, 1000, 5},
     kTimes,
     true,
     "256M",
     "10 M new flows of one packet around 1,000 legitimate ones, in 256 MiB"},
    {"collision",
     {kCollision, kCollidingKeyCount, 250, 6},
     kTimes,
     true,
     "",
     "12,288 flows that hash functions without a key confuse, 3 M packets"},
    {"scattered",
     {kScattered, kCollidingKeyCount, 250, 6},
     kTimes,
     true,
     "",
     "12,288 flows with random keys, to compare collision with"},
    {"small-100k",
     {kSmall, 100'000, 15, 2},
     kMemory,
     true,
     "",
     "100,000 flows: what a flow takes, with small-1M"},
    {"small6-100k",
     {kSmall6, 100'000, 3, 2},
     kMemory,
     true,
     "",
     "100,000 IPv6 flows: what one takes, with small6-1M"},
    {"small6-1M", {kSmall6, 1'000'000, 3, 2}, kMemory, true, "", "1,000,000 IPv6 flows"},
    {"small-10M",
     {kSmall, 10'000'000, 3, 4},
     kTimes,
     false,
     "4G",
     "10,000,000 flows, 30 M packets of 60 bytes, in 4 GiB"},
};

constexpr uint32_t kQuickDivisor = 100;
constexpr uint32_t kQuickPacketsPerFlowMax = 15;

// The number that follows "key": in JSON that weir wrote; there is one such key, or the first is
// meant.
std::optional<uint64_t> number_after(std::string_view json, std::string_view key) {
  const std::string pattern = '"' + std::string(key) + "\":";
  const size_t found = json.find(pattern);
  if (found == std::string_view::npos) return std::nullopt;
  std::string_view rest = json.substr(found + pattern.size());
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  uint64_t value = 0;
  const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (problem != std::errc()) return std::nullopt;
  return value;
}

// The names in "limits_hit": ["a", "b"], without what surrounds them.
std::string limits_hit(std::string_view json) {
  constexpr std::string_view kBegin = "\"limits_hit\": [";
  const size_t begin = json.find(kBegin);
  if (begin == std::string_view::npos) return {};
  std::string names(json.substr(begin + kBegin.size()));
  names.resize(std::min(names.find(']'), names.size()));
  std::erase(names, '"');
  return names;
}

std::vector<std::string> read_words(const BenchCase& bench_case, const std::string& self,
                                    const std::string& capture, std::string_view threads) {
  std::vector<std::string> words = {self, "read", capture, "-q", "-t", std::string(threads)};
  if (!bench_case.memory_limit.empty()) {
    words.insert(words.end(), {"--memory-limit", std::string(bench_case.memory_limit)});
  }
  return words;
}

}  // namespace

std::string_view program_name(BenchProgram program) {
  constexpr std::string_view kNames[kBenchProgramCount] = {"floor_read", "floor_pcap", "weir -t 1",
                                                           "weir -t 2"};
  return kNames[static_cast<size_t>(program)];
}

std::span<const BenchCase> bench_cases() {
  return kCases;
}

const BenchCase* find_bench_case(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kCases), std::end(kCases),
                   [name](const BenchCase& bench_case) { return bench_case.name == name; });
  return found == std::end(kCases) ? nullptr : found;
}

CaptureShape shape_of(const BenchCase& bench_case, bool is_quick) {
  CaptureShape shape = bench_case.shape;
  if (!is_quick) return shape;
  shape.flow_count /= kQuickDivisor;
  shape.packets_per_flow = std::min(shape.packets_per_flow, kQuickPacketsPerFlowMax);
  return shape;
}

std::string file_of(const BenchCase& bench_case, bool is_quick) {
  return std::string(bench_case.name) + (is_quick ? "-quick.pcap" : ".pcap");
}

std::vector<std::string> program_words(BenchProgram program, const BenchCase& bench_case,
                                       const std::string& self, const std::string& capture) {
  const bool is_floor = program == BenchProgram::kFloorRead || program == BenchProgram::kFloorPcap;
  if (is_floor) return {self, "bench", "--step", std::string(program_name(program)), capture};
  const bool is_alone = program == BenchProgram::kWeirOneThread;
  std::vector<std::string> words = read_words(bench_case, self, capture, is_alone ? "1" : "2");
  words.insert(words.end(), {"--format", "none", "--stats", "-"});
  return words;
}

std::vector<std::string> flood_check_words(const BenchCase& flood, uint32_t legitimate_count,
                                           const std::string& self, const std::string& capture) {
  std::vector<std::string> words = read_words(flood, self, capture, "1");
  words.insert(words.end(), {"--format", "json", "--sort", "-packets", "--limit",
                             std::to_string(legitimate_count)});
  return words;
}

std::optional<ProgramAnswer> read_answer(BenchProgram program, std::string_view output) {
  const bool is_floor = program == BenchProgram::kFloorRead || program == BenchProgram::kFloorPcap;
  ProgramAnswer answer;
  const std::optional<uint64_t> packets = number_after(output, is_floor ? "packets" : "frames");
  if (!packets) return std::nullopt;
  answer.packet_count = *packets;
  if (is_floor) return answer;
  answer.flow_count = number_after(output, "created");
  answer.limits_hit = limits_hit(output);
  if (!answer.flow_count) return std::nullopt;
  return answer;
}

uint64_t count_unbroken(std::string_view records, uint64_t packets_per_flow) {
  uint64_t count = 0;
  while (!records.empty()) {
    const size_t size = std::min(records.find('\n'), records.size());
    const std::string_view record = records.substr(0, size);
    const uint64_t packets = number_after(record, kSrcPacketsField).value_or(0) +
                             number_after(record, kDstPacketsField).value_or(0);
    if (packets == packets_per_flow) ++count;
    records.remove_prefix(std::min(size + 1, records.size()));
  }
  return count;
}

}  // namespace weir
