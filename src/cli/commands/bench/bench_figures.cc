// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/bench_figures.h"

#include <algorithm>
#include <functional>

#include "base/assert.h"

namespace weir {
namespace {

using enum BenchProgram;

// Packets a second that fill 1 Gbit/s: what a frame takes on the wire is itself, its check sequence
// (4), preamble (8) and the gap behind it (12). IMIX is 7:4:1 of 60, 590 and 1,514 bytes.
constexpr double kWireOverhead = 4 + 8 + 12;
constexpr double kBytesPerSecond = 1e9 / 8;
constexpr double kSmallPacketRate = kBytesPerSecond / (60 + kWireOverhead);
constexpr double kImixPacketRate =
    kBytesPerSecond / ((7 * 60.0 + 4 * 590.0 + 1514.0) / 12 + kWireOverhead);

constexpr double kMegabyte = 1e6;

double median(std::vector<double> values) {
  ASSERT(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> packet_costs_ns(const CaseResult& result, BenchProgram program) {
  std::vector<double> costs;
  for (const MeasuredRun& run : result.runs_of(program).rounds) {
    costs.push_back(static_cast<double>(run.cpu_ns()) /
                    static_cast<double>(packet_count(result.shape)));
  }
  return costs;
}

std::vector<double> walls_ns(const CaseResult& result, BenchProgram program) {
  std::vector<double> walls;
  for (const MeasuredRun& run : result.runs_of(program).rounds) {
    walls.push_back(static_cast<double>(run.wall_ns));
  }
  return walls;
}

// Costs of the same rounds, one by one.
BestAndMedian ratio(const std::vector<double>& costs, const std::vector<double>& others) {
  ASSERT(costs.size() == others.size());
  std::vector<double> ratios;
  for (size_t round = 0; round < costs.size(); ++round) {
    ratios.push_back(costs[round] / std::max(others[round], 1e-9));
  }
  const double best = *std::min_element(costs.begin(), costs.end());
  const double other = *std::min_element(others.begin(), others.end());
  return {best / std::max(other, 1e-9), median(ratios)};
}

// The figures as they come, from the results that are there.
class FigureList {
 public:
  explicit FigureList(const std::vector<CaseResult>& results) : results_(results) {}

  // Null when the case was not measured.
  const CaseResult* find(std::string_view name) const {
    for (const CaseResult& result : results_) {
      if (result.bench_case->name == name) return &result;
    }
    return nullptr;
  }

  // The same, and null when there is no round that counts.
  const CaseResult* find_timed(std::string_view name) const {
    const CaseResult* const result = find(name);
    return result == nullptr || result->runs_of(kWeirOneThread).rounds.empty() ? nullptr : result;
  }

  void add(const Figure& figure) { figures_.push_back(figure); }
  void add_ratio(std::string_view key, std::string_view label, const BestAndMedian& value) {
    add({key, label, "×", 2, value.best, value.median});
  }

  void add_core_share(std::string_view key, std::string_view label, std::string_view name,
                      double packet_rate) {
    const CaseResult* const result = find_timed(name);
    if (result == nullptr) return;
    const BestAndMedian cost = packet_cost_ns(*result, kWeirOneThread);
    const double percent_per_ns = packet_rate / 1e9 * 100;
    add({key, label, "%", 1, cost.best * percent_per_ns, cost.median * percent_per_ns});
  }

  // What a packet costs in one case, over what it costs in another.
  void add_cost_ratio(std::string_view key, std::string_view label, std::string_view name,
                      std::string_view other_name) {
    const CaseResult* const result = find_timed(name);
    const CaseResult* const other = find_timed(other_name);
    if (result == nullptr || other == nullptr) return;
    add_ratio(
        key, label,
        ratio(packet_costs_ns(*result, kWeirOneThread), packet_costs_ns(*other, kWeirOneThread)));
  }

  void add_speedup(std::string_view key, std::string_view label, std::string_view name) {
    const CaseResult* const result = find_timed(name);
    if (result == nullptr) return;
    add_ratio(key, label,
              ratio(walls_ns(*result, kWeirOneThread), walls_ns(*result, kWeirTwoThreads)));
  }

  // The slope of the peak of memory between two cases.
  void add_flow_size(std::string_view key, std::string_view label, std::string_view fewer,
                     std::string_view more) {
    const CaseResult* const low = find(fewer);
    const CaseResult* const high = find(more);
    if (low == nullptr || high == nullptr) return;
    const double bytes = resident_size(*high) - resident_size(*low);
    const uint64_t flows = flow_count(high->shape) - flow_count(low->shape);
    add({key, label, "bytes", 0, bytes / static_cast<double>(flows), std::nullopt});
  }

  void add_resident_size(std::string_view key, std::string_view label, std::string_view name) {
    const CaseResult* const result = find(name);
    if (result == nullptr) return;
    add({key, label, "MB", 1, resident_size(*result) / kMegabyte, std::nullopt});
  }

  // What is left of the flood's cost when its legitimate packets cost what a steady one does.
  void add_flood_cost() {
    const CaseResult* const flood = find_timed("flood");
    const CaseResult* const steady = find_timed("small-10k");
    if (flood == nullptr || steady == nullptr) return;
    const double parts = static_cast<double>(kFloodPackets);
    const std::vector<double> steady_costs = packet_costs_ns(*steady, kWeirOneThread);
    std::vector<double> costs = packet_costs_ns(*flood, kWeirOneThread);
    for (size_t round = 0; round < costs.size(); ++round) {
      costs[round] = (costs[round] * (parts + 1) - steady_costs[round]) / parts;
    }
    add_ratio("flood_packet_ratio", "a packet of the flood to a steady one (small-10k)",
              ratio(costs, steady_costs));
  }
  void add_flood_survivors() {
    const CaseResult* const flood = find("flood");
    if (flood == nullptr || !flood->unbroken_count) return;
    const double percent = 100 * static_cast<double>(*flood->unbroken_count) /
                           static_cast<double>(flood->shape.flow_count);
    add({"flood_unbroken_percent", "legitimate flows of the flood that are one whole record", "%",
         1, percent, std::nullopt});
  }

  std::vector<Figure> take() { return std::move(figures_); }

 private:
  static double resident_size(const CaseResult& result) {
    return static_cast<double>(result.runs_of(kWeirOneThread).resident_size_max);
  }

  const std::vector<CaseResult>& results_;
  std::vector<Figure> figures_;
};

}  // namespace

BestAndMedian packet_cost_ns(const CaseResult& result, BenchProgram program) {
  const std::vector<double> costs = packet_costs_ns(result, program);
  return {*std::min_element(costs.begin(), costs.end()), median(costs)};
}

BestAndMedian ratio_to_pcap(const CaseResult& result, BenchProgram program) {
  return ratio(packet_costs_ns(result, program), packet_costs_ns(result, kFloorPcap));
}

double packets_per_second(const CaseResult& result, BenchProgram program) {
  const std::vector<double> walls = walls_ns(result, program);
  const double best_ns = std::max(*std::min_element(walls.begin(), walls.end()), 1.0);
  return static_cast<double>(packet_count(result.shape)) / best_ns * 1e9;
}

std::vector<Figure> figures_of(const std::vector<CaseResult>& results) {
  FigureList list(results);
  list.add_core_share("core_percent_64_byte_10k_flows",
                      "of a core for 1 Gbit/s of 64-byte frames (1.488 M/s), 10,000 flows",
                      "small-10k", kSmallPacketRate);
  list.add_core_share("core_percent_64_byte_1M_flows",
                      "of a core for 1 Gbit/s of 64-byte frames, 1,000,000 flows", "small-1M",
                      kSmallPacketRate);
  list.add_core_share("core_percent_imix",
                      "of a core for 1 Gbit/s of IMIX (0.327 M/s), 100,000 flows", "imix",
                      kImixPacketRate);
  list.add_cost_ratio("growth_10k_1M", "a packet with 1,000,000 flows to one with 10,000",
                      "small-1M", "small-10k");
  list.add_cost_ratio("growth_10k_10M", "a packet with 10,000,000 flows to one with 10,000",
                      "small-10M", "small-10k");
  list.add_speedup("two_threads_10k", "one thread to two, wall time, 10,000 flows", "small-10k");
  list.add_speedup("two_threads_1M", "one thread to two, wall time, 1,000,000 flows", "small-1M");
  list.add_flow_size("ipv4_flow_bytes", "of memory for an IPv4 flow (max RSS, 100 k to 1 M flows)",
                     "small-100k", "small-1M");
  list.add_flow_size("ipv6_flow_bytes", "of memory for an IPv6 flow (the same)", "small6-100k",
                     "small6-1M");
  list.add_resident_size("resident_megabytes_10k", "of memory, whole process, 10,000 flows",
                         "small-10k");
  list.add_resident_size("resident_megabytes_flood",
                         "of memory, whole process, flood with a limit of 256 MiB", "flood");
  list.add_flood_cost();
  list.add_flood_survivors();
  list.add_cost_ratio("collision_ratio", "a packet of colliding flows to one of random ones",
                      "collision", "scattered");
  return list.take();
}

}  // namespace weir
