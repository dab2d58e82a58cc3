// SPDX-License-Identifier: Apache-2.0
//
// Figures and reports from made-up runs, computed by hand.
#include "cli/commands/bench/bench_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands/bench/bench_report.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using enum BenchProgram;

// A case whose programs took these ns of CPU per packet in each of the rounds.
CaseResult result_of(const char* name, std::vector<std::vector<int64_t>> costs_ns,
                     uint64_t resident_size = 1'000'000) {
  CaseResult result;
  result.bench_case = find_bench_case(name);
  result.shape = result.bench_case->shape;
  const int64_t packets = static_cast<int64_t>(packet_count(result.shape));
  for (size_t program = 0; program < costs_ns.size(); ++program) {
    result.programs[program].resident_size_max = resident_size;
    for (const int64_t cost : costs_ns[program]) {
      MeasuredRun run;
      run.user_ns = cost * packets - 1000;
      run.system_ns = 1000;
      run.wall_ns = cost * packets;
      result.programs[program].rounds.push_back(run);
    }
  }
  result.weir.flow_count = flow_count(result.shape);
  return result;
}

CaseResult memory_of(const char* name, uint64_t resident_size) {
  CaseResult result = result_of(name, {});
  result.programs[static_cast<size_t>(kWeirOneThread)].resident_size_max = resident_size;
  return result;
}

const Figure* find(const std::vector<Figure>& figures, std::string_view key) {
  for (const Figure& figure : figures) {
    if (figure.key == key) return &figure;
  }
  return nullptr;
}

void expect_figure(const std::vector<Figure>& figures, std::string_view key, double value) {
  const Figure* const figure = find(figures, key);
  ASSERT_NE(figure, nullptr) << key;
  EXPECT_NEAR(figure->value, value, 0.001) << key;
}

const std::vector<std::vector<int64_t>> kSmall10k = {
    {9, 8, 10}, {40, 50, 42}, {20, 30, 22}, {22, 16, 18}};

TEST(BenchFigures, CostsAreBestAndMedianOfTheRounds) {
  const CaseResult result = result_of("small-10k", kSmall10k);
  EXPECT_NEAR(packet_cost_ns(result, kWeirOneThread).best, 20, 1e-6);
  EXPECT_NEAR(packet_cost_ns(result, kWeirOneThread).median, 22, 1e-6);
  EXPECT_NEAR(packets_per_second(result, kWeirTwoThreads), 1e9 / 16, 1);

  const CaseResult even = result_of("small-10k", {{1, 2, 4, 8}, {1, 1, 1, 1}});
  EXPECT_NEAR(packet_cost_ns(even, kFloorRead).median, 3, 1e-6);
}

// The median is that of the rounds' own ratios (20/40, 30/50, 22/42), not of medians.
TEST(BenchFigures, RatiosAreOfTheSameRounds) {
  const BestAndMedian ratio = ratio_to_pcap(result_of("small-10k", kSmall10k), kWeirOneThread);
  EXPECT_NEAR(ratio.best, 20.0 / 40, 1e-6);
  EXPECT_NEAR(ratio.median, 22.0 / 42, 1e-6);
}

TEST(BenchFigures, ShareOfACoreIsWhatAGigabitTakes) {
  const std::vector<Figure> figures =
      figures_of({result_of("small-10k", kSmall10k), result_of("imix", {{10}, {60}, {100}, {80}})});
  expect_figure(figures, "core_percent_64_byte_10k_flows", 1.488095 * 20 / 10);
  expect_figure(figures, "core_percent_imix", 0.327368 * 100 / 10);
  expect_figure(figures, "two_threads_10k", 20.0 / 16);
}

TEST(BenchFigures, GrowthAndCollisionCompareCases) {
  const std::vector<Figure> figures =
      figures_of({result_of("small-10k", kSmall10k),
                  result_of("small-1M", {{9, 9, 9}, {40, 40, 40}, {40, 50, 46}, {30, 30, 30}}),
                  result_of("collision", {{9}, {40}, {22}, {20}}),
                  result_of("scattered", {{9}, {40}, {20}, {20}})});
  expect_figure(figures, "growth_10k_1M", 2.0);
  EXPECT_NEAR(*find(figures, "growth_10k_1M")->median, 2.0, 1e-6);  // of 2.0, 1.67, 2.09
  expect_figure(figures, "collision_ratio", 1.1);
  EXPECT_EQ(find(figures, "growth_10k_10M"), nullptr);
}

TEST(BenchFigures, MemoryOfAFlowIsASlope) {
  const std::vector<Figure> figures =
      figures_of({memory_of("small-1M", 200'000'000), memory_of("small-100k", 65'000'000),
                  memory_of("small6-1M", 230'000'000), memory_of("small6-100k", 50'000'000)});
  expect_figure(figures, "ipv4_flow_bytes", 150);
  expect_figure(figures, "ipv6_flow_bytes", 200);
}

// 11 packets at 30 ns are 330, less a legitimate one at 20: 31 for each of the ten of the flood.
TEST(BenchFigures, FloodIsWhatItsLegitimatePacketsLeave) {
  CaseResult flood = result_of("flood", {{9}, {40}, {30}, {30}}, 300'000'000);
  flood.unbroken_count = 995;
  const std::vector<Figure> figures =
      figures_of({flood, result_of("small-10k", {{9}, {40}, {20}, {20}})});
  expect_figure(figures, "flood_packet_ratio", 31.0 / 20);
  expect_figure(figures, "flood_unbroken_percent", 99.5);
  expect_figure(figures, "resident_megabytes_flood", 300);
}

TEST(BenchFigures, OneCaseAloneHasNoFiguresOfTwo) {
  const std::vector<Figure> figures = figures_of({result_of("collision", {{9}, {40}, {22}, {20}})});
  EXPECT_TRUE(figures.empty());
}

BenchReport report_of(std::vector<CaseResult> results) {
  BenchReport report;
  report.machine.processor = "a \"processor\"";
  report.machine.core_count = 2;
  report.folder = "/somewhere";
  report.round_count = 3;
  report.results = std::move(results);
  return report;
}

TEST(BenchReport, TableHasProgramsAndFigures) {
  CaseResult small = result_of("small-10k", kSmall10k, 12'345'678);
  small.weir.limits_hit = "flow_limit";
  const std::string text = report_text(report_of({small, memory_of("small-100k", 65'000'000)}));
  EXPECT_THAT(text, HasSubstr("small-10k: 10,000 flows, 15 M packets of 60 bytes\n"));
  EXPECT_THAT(text, HasSubstr("  limits were hit: flow_limit\n"));
  EXPECT_THAT(text, HasSubstr("  weir -t 1           20.0        22.0             "
                              "0.50× (0.52×)      50.0 M     12.3 MB\n"));
  EXPECT_THAT(text, HasSubstr("  max RSS 65.0 MB\n"));
  EXPECT_THAT(text, HasSubstr("       1.25×  one thread to two"));
  EXPECT_THAT(text, Not(HasSubstr("quick")));
}

TEST(BenchReport, JsonHasTheSame) {
  CaseResult flood = result_of("flood", {{9, 9, 9}, {40, 40, 40}, {30, 30, 30}, {30, 30, 30}});
  flood.unbroken_count = 7;
  const std::string json = report_json(report_of({result_of("small-10k", kSmall10k), flood}));
  EXPECT_THAT(json, HasSubstr("\"processor\": \"a \\\"processor\\\"\""));
  EXPECT_THAT(json, HasSubstr("\"rounds\": 3, \"is_quick\": false"));
  EXPECT_THAT(json, HasSubstr("\"weir -t 1\": {\"packet_cpu_ns_best\": 20.0000, "
                              "\"packet_cpu_ns_median\": 22.0000, "
                              "\"ratio_to_floor_pcap_best\": 0.5000"));
  EXPECT_THAT(json, HasSubstr("\"legitimate_flows_unbroken\": 7"));
  EXPECT_THAT(json, HasSubstr("\"two_threads_10k\": {\"value\": 1.2500, \"median\": "));
}

}  // namespace
}  // namespace weir
