// SPDX-License-Identifier: Apache-2.0
//
// weir_worst_packet FILE…: how long the slowest packet takes. Each capture is replayed five times,
// packet by packet, through decoder, flow table and protocols; a packet's time is the least of the five, so
// that what the machine did meanwhile does not count. What is done between bursts (ageing, memory)
// is timed apart, as it is bounded apart.
//
// It prints and judges nothing.
#include <chrono>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "flow/flow_fields.h"
#include "flow/flow_table.h"
#include "flow/fragments.h"
#include "net/decode.h"
#include "tests/support/loaded_frames.h"

namespace {

using namespace weir;

constexpr int kReplayCount = 5;
constexpr uint64_t kLoadedSizeMax = 1 << 30;

int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

struct Worst {
  int64_t ns = 0;
  std::string file;
  uint64_t number = 0;
  void take(int64_t more_ns, const std::string& name, uint64_t frame) {
    if (more_ns <= ns) return;
    ns = more_ns;
    file = name;
    number = frame;
  }
};

struct Times {
  std::vector<int64_t> packet;
  std::vector<int64_t> between;
};

void replay(std::span<const Frame> frames, const Decoder& decoder, const HashSecret& secret,
            Times& least) {
  FlowTableOptions options;
  options.secret = secret;
  static const ProtocolTable protocols(flow_catalog());
  MemoryPool pool(uint64_t{256} << 20);
  Inspector inspector(protocols, {}, pool);
  options.inspector = &inspector;
  FlowTable table(options);
  FragmentCache fragments({}, secret);
  std::vector<Packet> generals(1);
  std::vector<FlowRecord> records;
  records.reserve(1 << 16);
  PacketDigest digest;
  const uint16_t order = 0;
  table.maintain();
  for (size_t at = 0; at < frames.size(); ++at) {
    const int64_t start_ns = now_ns();
    decoder.digest(frames.subspan(at, 1), &digest, generals.data());
    if ((digest.key.bits & kDigestGeneral) != 0) {
      if (!fragments.admit(generals[0])) digest.key.bits |= kDigestNoFlow;
      if (generals[0].fragment == FragmentKind::kLater)
        decoder.digest_general(generals[0], 0, digest);
    }
    table.update({{&digest, 1}, {&order, 1}, &frames[at], generals.data()}, records);
    const int64_t counted_ns = now_ns();
    table.maintain();
    table.age(frames[at].clock_ns, records);
    const int64_t end_ns = now_ns();
    least.packet[at] = std::min(least.packet[at], counted_ns - start_ns);
    least.between[at] = std::min(least.between[at], end_ns - counted_ns);
    records.clear();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const HashSecret secret = HashSecret::random();
  const Decoder decoder({}, secret);
  Worst packet;
  Worst between;
  double sum_ns = 0;
  uint64_t count = 0;
  for (int index = 1; index < argc; ++index) {
    test::LoadedFrames loaded;
    loaded.load(argv[index], kLoadedSizeMax);
    const std::span<const Frame> frames = loaded.frames();
    Times least;
    least.packet.assign(frames.size(), std::numeric_limits<int64_t>::max());
    least.between = least.packet;
    for (int round = 0; round < kReplayCount; ++round) replay(frames, decoder, secret, least);
    for (size_t at = 0; at < frames.size(); ++at) {
      packet.take(least.packet[at], argv[index], at + 1);
      between.take(least.between[at], argv[index], at + 1);
      sum_ns += static_cast<double>(least.packet[at]);
    }
    count += frames.size();
  }
  if (count == 0) {
    std::fprintf(stderr, "usage: weir_worst_packet FILE...\n");
    return 2;
  }
  std::printf("%llu packets, mean %.0f ns\n", static_cast<unsigned long long>(count),
              sum_ns / static_cast<double>(count));
  std::printf("worst packet: %lld ns, frame %llu of %s\n", static_cast<long long>(packet.ns),
              static_cast<unsigned long long>(packet.number), packet.file.c_str());
  std::printf("worst between bursts: %lld ns, after frame %llu of %s\n",
              static_cast<long long>(between.ns), static_cast<unsigned long long>(between.number),
              between.file.c_str());
  return 0;
}
