// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/bench_cases.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/commands/bench/colliding_keys.h"

namespace weir {
namespace {

TEST(BenchCases, AreWithinTheLimitsOfTheGenerator) {
  std::set<std::string_view> names;
  for (const BenchCase& bench_case : bench_cases()) {
    names.insert(bench_case.name);
    for (const bool is_quick : {false, true}) {
      const CaptureShape shape = shape_of(bench_case, is_quick);
      EXPECT_GT(shape.flow_count, 0u);
      EXPECT_GT(shape.packets_per_flow, 0u);
      EXPECT_LE(shape.flow_count, kShapeFlowCountMax);
      EXPECT_LT(packet_count(shape), kShapePacketCountMax);
      if (shape.kind == CaptureKind::kCollision) {
        EXPECT_LE(shape.flow_count, kCollidingKeyCount);
      }
    }
  }
  EXPECT_EQ(names.size(), bench_cases().size());
}

TEST(BenchCases, QuickOnesAreSmallAndHaveOtherFiles) {
  for (const BenchCase& bench_case : bench_cases()) {
    EXPECT_LE(packet_count(shape_of(bench_case, true)), 300'000u) << bench_case.name;
    EXPECT_NE(file_of(bench_case, true), file_of(bench_case, false));
  }
}

TEST(BenchCases, AreFoundByName) {
  ASSERT_NE(find_bench_case("small-1M"), nullptr);
  EXPECT_EQ(flow_count(find_bench_case("small-1M")->shape), 1'000'000u);
  EXPECT_EQ(packet_count(find_bench_case("flood")->shape), 11'000'000u);
  EXPECT_EQ(flow_count(find_bench_case("flood")->shape), 10'001'000u);
  EXPECT_EQ(find_bench_case("small"), nullptr);
}

TEST(BenchCases, ProgramsGetTheLimitOfTheCase) {
  const std::vector<std::string> words =
      program_words(BenchProgram::kWeirTwoThreads, *find_bench_case("flood"), "w", "f.pcap");
  const std::vector<std::string> expected = {"w",        "read", "f.pcap",         "-q",
                                             "-t",       "2",    "--memory-limit", "256M",
                                             "--format", "none", "--stats",        "-"};
  EXPECT_EQ(words, expected);
  const std::vector<std::string> floor = {"w", "bench", "--step", "floor_pcap", "f.pcap"};
  EXPECT_EQ(program_words(BenchProgram::kFloorPcap, *find_bench_case("imix"), "w", "f.pcap"),
            floor);
}

TEST(BenchCases, AnswersAreRead) {
  const auto floor = read_answer(BenchProgram::kFloorRead, "{\"packets\": 12}\n");
  ASSERT_TRUE(floor);
  EXPECT_EQ(floor->packet_count, 12u);
  EXPECT_FALSE(floor->flow_count);

  const auto weir = read_answer(BenchProgram::kWeirOneThread,
                                "{\n  \"frames\": 34,\n  \"flows\": {\n    \"created\": 5\n  },\n"
                                "  \"limits_hit\": [\"flow_limit\", \"b\"]\n}\n");
  ASSERT_TRUE(weir);
  EXPECT_EQ(weir->packet_count, 34u);
  EXPECT_EQ(weir->flow_count, 5u);
  EXPECT_EQ(weir->limits_hit, "flow_limit, b");

  EXPECT_FALSE(read_answer(BenchProgram::kFloorPcap, "12"));
  EXPECT_FALSE(read_answer(BenchProgram::kWeirOneThread, "{\"frames\": 34}"));
  EXPECT_FALSE(read_answer(BenchProgram::kWeirOneThread, ""));
}

TEST(BenchCases, UnbrokenFlowsHaveAllTheirPacketsInOneRecord) {
  const std::string records =
      "{\"src_packets\":500,\"dst_packets\":500,\"x\":1}\n"
      "{\"src_packets\":999,\"dst_packets\":1}\n"
      "{\"src_packets\":500,\"dst_packets\":499}\n"
      "{\"src_packets\":1000}\n"
      "{}";
  EXPECT_EQ(count_unbroken(records, 1000), 3u);
  EXPECT_EQ(count_unbroken("", 1000), 0u);
}

}  // namespace
}  // namespace weir
