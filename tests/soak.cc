// SPDX-License-Identifier: Apache-2.0
//
// weir_soak [--packets N] FILE…: days of traffic in seconds. The frames of the captures are replayed
// over and over through decoder and flow table while the clock runs over three retention windows
// (3 h), N packets in all (default 100 million), evenly. Every frame is accounted for at the end,
// and the memory of the process must not grow from the second window to the third.
//
// The exit code is 1 when it does, or when an identity does not hold.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "pipeline/batch_work.h"
#include "pipeline/shard.h"
#include "tests/support/loaded_frames.h"

namespace {

using namespace weir;

constexpr uint64_t kLoadedSizeMax = 256 << 20;
constexpr int64_t kWindowNs = 3600 * kSecondNs;
constexpr size_t kWindowCount = 3;
constexpr size_t kBurstSize = 64;
constexpr uint64_t kSampleInterval = 1 << 18;  // packets between two looks at the memory
// What may come and go between samples: a step of a slab is at most this.
constexpr uint64_t kSlackSize = 2 << 20;

uint64_t resident_size() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

int run(std::span<Frame> frames, uint64_t packet_count) {
  FlowTableOptions options;
  options.secret = HashSecret::random();
  options.flow_count_max = 1'000'000;
  const Decoder decoder({}, options.secret);
  FragmentCache fragments({}, options.secret);
  Shard shard(options, SweepMode::kAuto);
  BatchWork work(1);
  Statistics statistics;
  std::vector<FlowRecord> records;
  std::array<uint64_t, kWindowCount> largest{};
  uint64_t record_count = 0;

  const int64_t start_ns = 1'700'000'000 * kSecondNs;
  const double step_ns =
      static_cast<double>(kWindowNs * kWindowCount) / static_cast<double>(packet_count);
  int64_t clock_ns = start_ns;
  uint64_t done = 0;
  uint64_t next_sample = 0;
  while (done < packet_count) {
    for (size_t begin = 0; begin < frames.size() && done < packet_count; begin += kBurstSize) {
      const std::span<Frame> burst = frames.subspan(
          begin,
          std::min({kBurstSize, frames.size() - begin, static_cast<size_t>(packet_count - done)}));
      for (Frame& frame : burst) {
        clock_ns = start_ns + static_cast<int64_t>(static_cast<double>(done) * step_ns);
        frame.ts_ns = frame.clock_ns = clock_ns;
        frame.number = ++done;
        statistics.delivered.add(frame.wire_size);
      }
      work.decode(decoder, burst);
      work.admit(decoder, fragments, statistics);
      shard.process(work.burst(0), clock_ns, records);
      record_count += records.size();
      records.clear();
      if (done < next_sample) continue;
      next_sample += kSampleInterval;
      const size_t window = static_cast<size_t>((clock_ns - start_ns) / kWindowNs);
      uint64_t& most = largest[std::min(window, kWindowCount - 1)];
      most = std::max(most, resident_size());
    }
  }
  while (!shard.finish_some(clock_ns, records)) {
  }
  record_count += records.size();
  fragments.clear();
  fragments.add_statistics(statistics);
  shard.add_statistics(statistics);
  const bool is_balanced = imbalance(statistics).is_zero();
  const bool is_flat = largest[2] <= largest[1] + kSlackSize;
  std::printf("%llu packets of %zu frames over %zu h: %llu flows, %llu records; memory",
              static_cast<unsigned long long>(done), frames.size(), kWindowCount,
              static_cast<unsigned long long>(statistics.flows.created),
              static_cast<unsigned long long>(record_count));
  for (const uint64_t size : largest) std::printf(" %.1f", static_cast<double>(size) / (1 << 20));
  std::printf(" MiB; %s, %s\n", is_balanced ? "balanced" : "NOT BALANCED",
              is_flat ? "flat" : "GROWING");
  return is_balanced && is_flat ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t packet_count = 100'000'000;
  weir::test::LoadedFrames loaded;
  for (int index = 1; index < argc; ++index) {
    if (std::strcmp(argv[index], "--packets") == 0 && index + 1 < argc) {
      packet_count = std::strtoull(argv[++index], nullptr, 10);
    } else {
      loaded.load(argv[index], kLoadedSizeMax);
    }
  }
  if (loaded.frames().empty() || packet_count == 0) {
    std::fprintf(stderr, "usage: weir_soak [--packets N] FILE...\n");
    return 2;
  }
  return run(loaded.frames(), packet_count);
}
