// SPDX-License-Identifier: Apache-2.0
#include "capture/fault_injector.h"

#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "tests/support/frame_collector.h"

namespace weir {
namespace {

using test::Bytes;
using test::collect;
using test::collect_bytes;
using test::open_bytes;
using test::pattern_bytes;
using test::PcapWriter;
using test::Seen;
using test::SeenFrame;

constexpr size_t kFrameCount = 5000;

const Bytes& capture() {
  static const Bytes bytes = [] {
    PcapWriter file(std::endian::little);
    for (uint32_t i = 0; i < kFrameCount; ++i)
      file.record(1'000'000 + i, 0, pattern_bytes(40 + i % 400, i));
    return file.bytes();
  }();
  return bytes;
}

struct Injected {
  Seen seen;
  SourceStatistics statistics;
};

Injected inject(const FaultOptions& options, uint32_t batch_size = 64, size_t held_max = 1) {
  InterfaceNames names;
  FaultInjector injector(open_bytes(capture(), names), options);
  injector.set_batch_size(batch_size);
  Injected result;
  result.seen = collect(injector, held_max);
  result.statistics = injector.statistics();
  return result;
}

TEST(FaultInjector, WithoutFaultsChangesNothing) {
  const Injected injected = inject({});
  EXPECT_EQ(injected.seen.frames, collect_bytes(capture()).frames);
  EXPECT_EQ(injected.seen.outcome, Next::kEnd);
  EXPECT_EQ(injected.statistics.delivered.frames, kFrameCount);
}

TEST(FaultInjector, FaultsDependOnSeedAndNotOnBatchSize) {
  FaultOptions options;
  options.drop = 0.1;
  options.truncate = 0.2;
  options.corrupt = 0.3;
  options.time_shift = 0.2;
  const Injected expected = inject(options);
  for (const uint32_t batch_size : {1u, 7u, 1000u}) {
    EXPECT_EQ(inject(options, batch_size, 9).seen.frames, expected.seen.frames);
  }
  options.seed = 2;
  EXPECT_NE(inject(options).seen.frames, expected.seen.frames);
}

TEST(FaultInjector, DroppedFramesAreCountedAndTheOthersUntouched) {
  FaultOptions options;
  options.drop = 0.25;
  const Injected injected = inject(options);
  EXPECT_EQ(injected.statistics.dropped + injected.seen.frames.size(), kFrameCount);
  EXPECT_NEAR(static_cast<double>(injected.statistics.dropped), 0.25 * kFrameCount, 200);
  EXPECT_EQ(injected.statistics.delivered.frames, injected.seen.frames.size());
  std::map<uint64_t, SeenFrame> originals;
  for (const SeenFrame& frame : collect_bytes(capture()).frames)
    originals[frame.file_offset] = frame;
  for (const SeenFrame& frame : injected.seen.frames)
    EXPECT_EQ(frame, originals.at(frame.file_offset));
}

TEST(FaultInjector, DropsEverything) {
  FaultOptions options;
  options.drop = 1;
  const Injected injected = inject(options);
  EXPECT_EQ(injected.seen.outcome, Next::kEnd);
  EXPECT_TRUE(injected.seen.frames.empty());
  EXPECT_EQ(injected.statistics.dropped, kFrameCount);
}

TEST(FaultInjector, TruncatedFramesAreShorterAndKeepTheirWireSize) {
  FaultOptions options;
  options.truncate = 1;
  const Injected injected = inject(options);
  const Seen original = collect_bytes(capture());
  ASSERT_EQ(injected.seen.frames.size(), kFrameCount);
  for (size_t i = 0; i < kFrameCount; ++i) {
    const SeenFrame& frame = injected.seen.frames[i];
    ASSERT_LT(frame.bytes.size(), original.frames[i].bytes.size());
    EXPECT_EQ(frame.wire_size, original.frames[i].wire_size);
  }
}

// Corrupted bytes are a copy: the source's own memory still holds the original ones.
TEST(FaultInjector, CorruptsUpToEightBitsOfACopy) {
  FaultOptions options;
  options.corrupt = 1;
  const Injected injected = inject(options, 64, 3);
  const Seen original = collect_bytes(capture());
  ASSERT_EQ(injected.seen.frames.size(), kFrameCount);
  size_t changed = 0;
  for (size_t i = 0; i < kFrameCount; ++i) {
    int bits = 0;
    for (size_t k = 0; k < original.frames[i].bytes.size(); ++k) {
      bits += std::popcount(
          static_cast<unsigned>(original.frames[i].bytes[k] ^ injected.seen.frames[i].bytes[k]));
    }
    EXPECT_LE(bits, 8);
    changed += bits > 0 ? 1 : 0;
  }
  EXPECT_GT(changed, kFrameCount * 9 / 10);
}

// A source over frames of the test's own, to see that neither they nor their bytes are written to.
class FixedSource final : public CaptureSource {
 public:
  FixedSource() : bytes_(pattern_bytes(100, 1)) {
    frame_.data = bytes_.data();
    frame_.captured_size = frame_.wire_size = 100;
    frame_.ts_ns = 1000;
  }
  void set_batch_size(uint32_t) override {}
  Next next(Batch& batch) override {
    if (is_read_) return Next::kEnd;
    is_read_ = true;
    batch.frames = {&frame_, 1};
    return Next::kData;
  }
  void release(Batch&) override {
    EXPECT_EQ(bytes_, pattern_bytes(100, 1));
    EXPECT_EQ(frame_.captured_size, 100u);
    EXPECT_EQ(frame_.ts_ns, 1000);
    ++release_count_;
  }
  void stop() noexcept override { is_read_ = true; }
  const std::string& error() const override { return name_; }
  const std::string& name() const override { return name_; }
  SourceStatistics statistics() const override { return {}; }
  int release_count() const { return release_count_; }

 private:
  const std::string name_ = "fixed";
  Bytes bytes_;
  Frame frame_;
  bool is_read_ = false;
  int release_count_ = 0;
};

TEST(FaultInjector, NeverWritesToMemoryOfTheInnerSource) {
  auto fixed = std::make_unique<FixedSource>();
  const FixedSource* inner = fixed.get();
  FaultOptions options;
  options.truncate = options.corrupt = options.time_shift = 1;
  FaultInjector injector(std::move(fixed), options);
  collect(injector);
  EXPECT_EQ(inner->release_count(), 1);
}

TEST(FaultInjector, ShiftedTimesStayInRangeAndNearTheOriginal) {
  FaultOptions options;
  options.time_shift = 1;
  options.time_shift_max_ns = 5'000'000'000;
  const Injected injected = inject(options);
  const Seen original = collect_bytes(capture());
  bool has_step_back = false;
  for (size_t i = 0; i < kFrameCount; ++i) {
    EXPECT_LE(std::abs(injected.seen.frames[i].ts_ns - original.frames[i].ts_ns),
              options.time_shift_max_ns);
    if (i > 0 && injected.seen.frames[i].ts_ns < injected.seen.frames[i - 1].ts_ns)
      has_step_back = true;
  }
  EXPECT_TRUE(has_step_back);
}

TEST(FaultInjector, BreaksAfterTheFramesItWasTold) {
  for (const uint64_t count : {0u, 1u, 63u, 64u, 65u, 4999u}) {
    FaultOptions options;
    options.error_after = count;
    const Injected injected = inject(options);
    EXPECT_EQ(injected.seen.frames.size(), count);
    EXPECT_EQ(injected.seen.outcome, Next::kError);
    EXPECT_EQ(injected.seen.error,
              "x.pcap: fault injected after " + std::to_string(count) + " frames");
  }
}

TEST(FaultInjector, IdlesBetweenBatches) {
  FaultOptions options;
  options.idle_period = 2;
  const Injected injected = inject(options);
  EXPECT_EQ(injected.seen.frames, collect_bytes(capture()).frames);
  EXPECT_GE(injected.seen.idle_count, kFrameCount / 64 - 1);
}

TEST(FaultInjector, InjectorsStack) {
  InterfaceNames names;
  FaultOptions options;
  options.drop = 0.5;
  auto inner = std::make_unique<FaultInjector>(open_bytes(capture(), names), options);
  options.seed = 2;
  options.corrupt = 0.5;
  FaultInjector outer(std::move(inner), options);
  const Seen seen = collect(outer, 5);
  EXPECT_EQ(outer.statistics().dropped + seen.frames.size(), kFrameCount);
}

}  // namespace
}  // namespace weir
