// SPDX-License-Identifier: Apache-2.0
//
// A worker and a consumer of any speed: what arrives is in order, adds up, and what does not arrive
// is counted.
#include "pipeline/publisher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "net/decode.h"
#include "pipeline/shard.h"
#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

constexpr int64_t kStartNs = 1'700'000'000 * kSecondNs;

// Conversations of TCP and UDP that begin and end all the time.
class Traffic {
 public:
  explicit Traffic(size_t count) {
    std::mt19937 random(7);
    frames_.resize(count);
    bytes_.resize(count);
    for (size_t index = 0; index < count; ++index) {
      const uint16_t port = static_cast<uint16_t>(2000 + random() % 300);
      const bool is_reply = random() % 2 == 0;
      const char* const src = is_reply ? "10.0.0.2" : "10.0.0.1";
      const char* const dst = is_reply ? "10.0.0.1" : "10.0.0.2";
      PacketBuilder packet = ethernet().ipv4(src, dst);
      if (port % 2 == 0) {
        packet.udp(is_reply ? 53 : port, is_reply ? port : 53);
      } else {
        const uint8_t flags = random() % 20 == 0 ? 0x11 : random() % 10 == 0 ? 0x02 : 0x10;
        packet.tcp(is_reply ? 80 : port, is_reply ? port : 80, {.flags = flags});
      }
      bytes_[index] = packet.payload_of_size(random() % 40).bytes();
      Frame& frame = frames_[index];
      frame.data = bytes_[index].data();
      frame.captured_size = frame.wire_size = static_cast<uint32_t>(bytes_[index].size());
      frame.ts_ns = frame.clock_ns = kStartNs + static_cast<int64_t>(index) * 20'000'000;
      frame.number = index + 1;
      frame.source = 1;
      frame.link_type = 1;
    }
  }
  std::span<const Frame> frames() const { return frames_; }

 private:
  std::vector<Frame> frames_;
  std::vector<Bytes> bytes_;
};

FlowTableOptions table_options() {
  FlowTableOptions options;
  options.secret = HashSecret{3, 4};
  options.tracks_changes = true;
  return options;
}

// The worker: every frame through a shard with the publisher, then the end.
void run_worker(const Traffic& traffic, Publisher& publisher,
                const std::function<void()>& while_waiting) {
  const FlowTableOptions options = table_options();
  const Decoder decoder({}, options.secret);
  Shard shard(options, SweepMode::kAuto, &publisher);
  std::vector<FlowRecord> records;
  std::array<PacketDigest, 64> digests;
  std::vector<Packet> generals(64);
  std::array<uint16_t, 64> order;
  std::iota(order.begin(), order.end(), uint16_t{0});
  const std::span<const Frame> frames = traffic.frames();
  for (size_t begin = 0; begin < frames.size(); begin += 64) {
    const auto burst = frames.subspan(begin, std::min<size_t>(64, frames.size() - begin));
    decoder.digest(burst, digests.data(), generals.data());
    shard.process({std::span(digests).first(burst.size()), std::span(order).first(burst.size()),
                   burst.data(), generals.data()},
                  burst.back().clock_ns, records);
    EXPECT_TRUE(records.empty());
  }
  const int64_t clock_ns = frames.back().clock_ns;
  while (!shard.finish_some(clock_ns, records)) {
  }
  while (!publisher.finish(clock_ns)) while_waiting();
}

// What a consumer makes of it.
struct Picture {
  struct Seen {
    uint64_t packets = 0;
    bool is_final = false;
  };
  std::map<uint64_t, Seen> flows;
  std::vector<FlowRecord> finals;
  std::set<uint64_t> started;

  void see(uint64_t id, uint64_t packets, bool is_final) {
    Seen& seen = flows[id];
    EXPECT_FALSE(seen.is_final) << "nothing comes after the final record";
    EXPECT_GE(packets, seen.packets) << "totals never shrink";
    seen = {packets, is_final};
  }
  void apply(const UpdateBatch& batch) {
    for (const FlowRecord& record : batch.records) {
      see(record.id, record.src.total.packets + record.dst.total.packets, record.is_final);
      if (record.is_final) finals.push_back(record);
    }
    for (const FlowRecord& record : batch.started) {
      see(record.id, record.src.total.packets + record.dst.total.packets, false);
      EXPECT_TRUE(started.insert(record.id).second) << "told of for the first time once";
    }
    for (const FlowUpdate& update : batch.updates) {
      EXPECT_TRUE(started.contains(update.id));
      see(update.id, update.src.packets + update.dst.packets, false);
    }
  }
  uint64_t packets() const {
    uint64_t sum = 0;
    for (const FlowRecord& record : finals)
      sum += record.src.total.packets + record.dst.total.packets;
    return sum;
  }
};

void take_all(Publisher& publisher, Picture& picture) {
  while (UpdateBatch* const batch = publisher.take()) {
    picture.apply(*batch);
    publisher.give_back(batch);
  }
}

TEST(Publisher, AConsumerOfAnySpeedGetsEveryFinalRecordInOrder) {
  const Traffic traffic(20'000);
  for (const uint32_t pause_us : {0u, 50u, 2000u}) {
    SCOPED_TRACE(pause_us);
    Publisher publisher({.batch_count = 4, .batch_size = 32, .waiting_count_max = 100'000});
    std::atomic<bool> has_ended = false;
    Picture picture;
    std::thread consumer([&] {
      while (!has_ended.load(std::memory_order_acquire)) {
        if (UpdateBatch* const batch = publisher.take()) {
          picture.apply(*batch);
          publisher.give_back(batch);
        }
        if (pause_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
      }
      take_all(publisher, picture);
    });
    run_worker(traffic, publisher, [] { std::this_thread::yield(); });
    has_ended.store(true, std::memory_order_release);
    consumer.join();
    EXPECT_EQ(picture.packets(), traffic.frames().size());
    for (const auto& [id, seen] : picture.flows) EXPECT_TRUE(seen.is_final) << id;
    const PublisherStatistics statistics = publisher.statistics();
    EXPECT_EQ(statistics.records_lost, 0u);
    EXPECT_EQ(statistics.started, picture.started.size());
    EXPECT_GT(statistics.updates, 0u);
  }
}

TEST(Publisher, WithoutAConsumerTheWorkerGoesOnAndCountsWhatIsLost) {
  const Traffic traffic(20'000);
  Picture all;
  Publisher read({.waiting_count_max = 1'000'000});
  run_worker(traffic, read, [&] { take_all(read, all); });
  take_all(read, all);
  ASSERT_EQ(read.statistics().records_lost, 0u);
  const uint64_t record_count = read.statistics().records;

  Publisher unread({.batch_count = 1, .batch_size = 1, .waiting_count_max = 10});
  Picture rest;
  run_worker(traffic, unread, [&] { take_all(unread, rest); });
  take_all(unread, rest);
  const PublisherStatistics statistics = unread.statistics();
  EXPECT_GT(statistics.records_lost, 0u);
  EXPECT_GT(statistics.deferred, 0u);
  EXPECT_EQ(statistics.records + statistics.records_lost, record_count);
}

TEST(Publisher, ChangesOfABusyFlowCoalesceBetweenIntervals) {
  const Traffic traffic(20'000);
  Publisher slow({.batch_count = 1000, .interval_ns = 60 * kSecondNs});
  Publisher fast({.batch_count = 1000, .interval_ns = kSecondNs / 10});
  for (Publisher* const publisher : {&slow, &fast}) {
    Picture picture;
    run_worker(traffic, *publisher, [&] { take_all(*publisher, picture); });
    take_all(*publisher, picture);
    EXPECT_EQ(picture.packets(), traffic.frames().size());
  }
  EXPECT_LT(slow.statistics().updates * 4, fast.statistics().updates);
}

}  // namespace
}  // namespace weir::test
