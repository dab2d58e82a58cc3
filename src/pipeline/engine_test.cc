// SPDX-License-Identifier: Apache-2.0
//
// The whole path from a source to records: the same records for any number of threads, batch size
// and sweep, and every frame accounted for. The end-to-end tests do this over real captures; here
// the input is made to be difficult.
#include "pipeline/engine.h"

#include <gtest/gtest.h>

#include <random>

#include "capture/fault_injector.h"
#include "flow/flow_model.h"
#include "tests/support/frame_source.h"

namespace weir::test {
namespace {

constexpr int64_t kStartNs = 1'700'000'000 * kSecondNs;

// A few hundred conversations of every kind over hours, with gaps, steps back, fragments in and out
// of order, tags, layer-2 frames, cut and foreign frames.
std::vector<TestFrame> difficult_frames(uint32_t seed, size_t count) {
  std::mt19937 random(seed);
  std::vector<TestFrame> frames;
  int64_t ts_ns = kStartNs;
  const auto address = [](uint32_t host) { return "10.0.0." + std::to_string(host % 12 + 1); };
  for (size_t index = 0; index < count; ++index) {
    const auto draw = static_cast<uint32_t>(random() % 1000);
    ts_ns += draw < 900   ? int64_t{draw} * 1'000'000
             : draw < 990 ? int64_t{draw - 890} * kSecondNs
             : draw < 998 ? 3 * 3600 * kSecondNs
                          : -2 * 3600 * kSecondNs;
    const std::string src = address(static_cast<uint32_t>(random()));
    const std::string dst = address(static_cast<uint32_t>(random()));
    PacketBuilder packet = ethernet();
    if (random() % 4 == 0) packet.vlan(static_cast<uint16_t>(random() % 3));
    const auto port = static_cast<uint16_t>(1000 + random() % 3);
    switch (random() % 7) {
      case 0:
        packet.ipv4(src.c_str(), dst.c_str()).udp(port, 53).payload_of_size(random() % 100);
        break;
      case 1:
        packet.ipv4(src.c_str(), dst.c_str()).icmp(random() % 2 == 0 ? 8 : 0, 0).payload_of_size(8);
        break;
      case 2:
        packet
            .ipv4(src.c_str(), dst.c_str(),
                  {.id = static_cast<uint16_t>(random() % 4), .more_fragments = true})
            .udp(port, 2049, {.length = 2000})
            .payload_of_size(1472);
        break;
      case 3:
        packet
            .ipv4(src.c_str(), dst.c_str(),
                  {.protocol = 17,
                   .id = static_cast<uint16_t>(random() % 4),
                   .fragment_offset = 1480})
            .payload_of_size(512);
        break;
      case 4:
        packet.arp(1, src.c_str(), dst.c_str());
        break;
      default:
        packet.ipv4(src.c_str(), dst.c_str())
            .tcp(port, 80,
                 {.flags = static_cast<uint8_t>(random() & 0x3f),
                  .seq = static_cast<uint32_t>(random() % 5000),
                  .ack = static_cast<uint32_t>(random() % 5000)})
            .payload_of_size(random() % 50);
    }
    TestFrame frame{.ts_ns = ts_ns, .bytes = packet.bytes(), .link_type = 1, .wire_size = 0};
    if (random() % 20 == 0) {
      frame.wire_size = static_cast<uint32_t>(frame.bytes.size());
      frame.bytes.resize(random() % frame.bytes.size());
    }
    if (random() % 50 == 0) frame.link_type = 147;
    frames.push_back(std::move(frame));
  }
  return frames;
}

struct Outcome {
  std::vector<std::string> records;
  Statistics statistics;
};

Outcome run(const EngineOptions& options, std::vector<SourceOpener> openers) {
  Input input(std::move(openers));
  input.on_problem([](const std::string&) {});
  Engine engine(options);
  std::vector<FlowRecord> records;
  engine.run(input, [&](std::span<const FlowRecord> batch) {
    records.insert(records.end(), batch.begin(), batch.end());
  });
  return {describe_sorted(std::move(records)), engine.statistics()};
}

SourceOpener opener_of(std::vector<TestFrame> frames, std::string failure = "") {
  return [frames = std::move(frames),
          failure = std::move(failure)](std::string&) -> std::unique_ptr<CaptureSource> {
    return std::make_unique<FrameSource>(frames, failure);
  };
}

// The frames as two sources, the boundary somewhere in the middle.
std::vector<SourceOpener> split(const std::vector<TestFrame>& frames, size_t at) {
  const auto middle = frames.begin() + static_cast<ptrdiff_t>(at);
  return {opener_of({frames.begin(), middle}),
          opener_of({middle, frames.end()}, "broken on purpose")};
}

TEST(Engine, RecordsAreTheSameForAnyThreadsBatchSizeAndSweep) {
  for (const uint32_t seed : {1u, 2u, 3u}) {
    const std::vector<TestFrame> frames = difficult_frames(seed, 1500);
    EngineOptions options;
    options.interim = true;
    options.table.secret = HashSecret::random();
    options.sweep = SweepMode::kNever;
    const Outcome expected = run(options, split(frames, 700));
    EXPECT_TRUE(imbalance(expected.statistics).is_zero());
    EXPECT_EQ(expected.statistics.delivered.frames, frames.size());
    EXPECT_GT(expected.statistics.of_class(VerdictClass::kUnflowed).frames, 0u);
    EXPECT_GT(expected.statistics.of_class(VerdictClass::kErrors).frames, 0u);
    EXPECT_GT(expected.statistics.of_class(VerdictClass::kIgnored).frames, 0u);

    for (const uint32_t threads : {1u, 2u, 4u}) {
      for (const uint32_t batch_size : {1u, 7u, 64u, 1024u}) {
        for (const SweepMode sweep : {SweepMode::kNever, SweepMode::kAlways, SweepMode::kAuto}) {
          options.thread_count = threads;
          options.batch_size = batch_size;
          options.sweep = sweep;
          options.table.secret = HashSecret::random();
          const Outcome outcome = run(options, split(frames, 700));
          ASSERT_EQ(outcome.records, expected.records)
              << "seed " << seed << " threads " << threads << " batch " << batch_size << " sweep "
              << static_cast<int>(sweep);
          EXPECT_TRUE(imbalance(outcome.statistics).is_zero());
          EXPECT_EQ(outcome.statistics.flows.created, expected.statistics.flows.created);
        }
      }
    }
  }
}

TEST(Engine, EveryLimitSetToOneStillBalances) {
  for (const uint32_t threads : {1u, 2u}) {
    EngineOptions options;
    options.thread_count = threads;
    options.batch_size = 1;
    options.table.flow_count_max = 1;
    options.table.flow_count_initial = 1;
    options.fragments.entry_count_max = 1;
    options.fragments.timeout_ns = 1;
    options.table.timeouts.active_ns = 1;
    for (const FlowFamily family :
         {FlowFamily::kTcp, FlowFamily::kUdp, FlowFamily::kIcmp, FlowFamily::kOther}) {
      options.table.timeouts.set_family(family, 1);
    }
    options.table.timeouts.set_linger(0);
    const Outcome outcome = run(options, {opener_of(difficult_frames(9, 1000))});
    EXPECT_TRUE(imbalance(outcome.statistics).is_zero());
    EXPECT_GT(outcome.statistics.limits_hit[static_cast<size_t>(Limit::kFlowCount)], 0u);
  }
}

TEST(Engine, FaultsBetweenSourceAndEngineAreAccountedFor) {
  EngineOptions options;
  const auto opener = [](std::string&) -> std::unique_ptr<CaptureSource> {
    FaultOptions faults;
    faults.seed = 7;
    faults.drop = 0.1;
    faults.truncate = 0.1;
    faults.corrupt = 0.1;
    return std::make_unique<FaultInjector>(std::make_unique<FrameSource>(difficult_frames(4, 2000)),
                                           faults);
  };
  const Outcome outcome = run(options, {opener});
  EXPECT_TRUE(imbalance(outcome.statistics).is_zero());
  EXPECT_LT(outcome.statistics.delivered.frames, 2000u);
  EXPECT_GT(outcome.statistics.of_class(VerdictClass::kErrors).frames, 100u);
}

TEST(Engine, AnEmptyInputHasNoFlowsAndBalances) {
  for (const uint32_t threads : {1u, 3u}) {
    EngineOptions options;
    options.thread_count = threads;
    const Outcome outcome = run(options, {});
    EXPECT_TRUE(outcome.records.empty());
    EXPECT_TRUE(imbalance(outcome.statistics).is_zero());
  }
}

}  // namespace
}  // namespace weir::test
