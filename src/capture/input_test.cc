// SPDX-License-Identifier: Apache-2.0
#include "capture/input.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include "capture/fault_injector.h"
#include "tests/support/frame_collector.h"

namespace weir {
namespace {

using test::Bytes;
using test::collect;
using test::open_bytes;
using test::pattern_bytes;
using test::PcapWriter;
using test::Seen;
using test::SeenFrame;

constexpr int64_t kSecond = 1'000'000'000;

Bytes capture(const std::vector<uint32_t>& seconds) {
  PcapWriter file(std::endian::little);
  for (size_t i = 0; i < seconds.size(); ++i) {
    file.record(seconds[i], 0, pattern_bytes(40 + i % 50, static_cast<uint32_t>(i)));
  }
  return file.bytes();
}

class InputTest : public testing::Test {
 protected:
  SourceOpener opener(Bytes bytes) {
    const std::string name = "file" + std::to_string(++opener_count_);
    return [this, name, bytes = std::move(bytes)](std::string&) {
      return open_bytes(bytes, names_, SIZE_MAX, name);
    };
  }
  SourceOpener missing(const std::string& message) {
    return [message](std::string& error) {
      error = message;
      return nullptr;
    };
  }
  Seen read(std::vector<SourceOpener> openers, uint32_t batch_size = 256, size_t held_max = 1) {
    Input input(std::move(openers));
    input.set_batch_size(batch_size);
    problems_.clear();
    input.on_problem([this](const std::string& message) { problems_.push_back(message); });
    Seen seen = collect(input, held_max);
    statistics_ = input.statistics();
    now_ns_ = input.now_ns();
    return seen;
  }
  static std::vector<int64_t> clocks(const Seen& seen) {
    std::vector<int64_t> result;
    for (const SeenFrame& frame : seen.frames) result.push_back(frame.clock_ns / kSecond);
    return result;
  }

  InterfaceNames names_;
  size_t opener_count_ = 0;
  std::vector<std::string> problems_;
  InputStatistics statistics_;
  int64_t now_ns_ = 0;
};

TEST_F(InputTest, NumbersFramesPerSource) {
  const Seen seen =
      read({opener(capture({10, 11, 12})), opener(capture({})), opener(capture({13, 14}))});
  ASSERT_EQ(seen.frames.size(), 5u);
  std::vector<std::pair<int, uint64_t>> numbers;
  for (const SeenFrame& frame : seen.frames) numbers.emplace_back(frame.source, frame.number);
  EXPECT_EQ(numbers,
            (std::vector<std::pair<int, uint64_t>>{{1, 1}, {1, 2}, {1, 3}, {3, 1}, {3, 2}}));
  EXPECT_EQ(clocks(seen), (std::vector<int64_t>{10, 11, 12, 13, 14}));
  EXPECT_EQ(now_ns_, 14 * kSecond);
  EXPECT_EQ(statistics_.sources_opened, 3u);
}

TEST_F(InputTest, NoSourcesIsTheEnd) {
  EXPECT_EQ(read({}).outcome, Next::kEnd);
  EXPECT_EQ(read({}).frames.size(), 0u);
}

TEST_F(InputTest, ProblemsAreReportedAndTheNextSourceGoesOn) {
  Bytes cut = capture({10, 11});
  cut.pop_back();
  const Seen seen = read({missing("a: no such file or directory"), opener(cut),
                          missing("b: permission denied"), opener(Bytes{}), opener(capture({12}))});
  EXPECT_EQ(seen.outcome, Next::kEnd);
  ASSERT_EQ(seen.frames.size(), 2u);
  EXPECT_EQ(seen.frames[0].source, 2);
  EXPECT_EQ(seen.frames[1].source, 5);
  EXPECT_EQ(problems_, (std::vector<std::string>{
                           "a: no such file or directory",
                           "file1: byte 80: record cut short: 41 bytes announced, 40 present",
                           "b: permission denied", "file2: is empty, not a capture file"}));
  EXPECT_EQ(statistics_.sources_failed, 4u);
  EXPECT_EQ(statistics_.sources_opened, 3u);
}

TEST_F(InputTest, StatisticsAreSumsOverAllSources) {
  PcapWriter first(std::endian::little);
  first.record(1, 0, pattern_bytes(60, 1), 1500);
  PcapWriter second(std::endian::little);
  second.record(2, 0, pattern_bytes(40, 1));
  read({opener(first.bytes()), opener(second.bytes())});
  EXPECT_EQ(statistics_.delivered.frames, 2u);
  EXPECT_EQ(statistics_.delivered.bytes, 1540u);
  EXPECT_EQ(statistics_.captured_bytes, 100u);
}

TEST_F(InputTest, LookAheadCrossesFileBoundary) {
  // A step of 3 h in the last frame of a file is confirmed, or not, by the first frame of the next
  // file that has one.
  const uint32_t far = 100'000 + 3 * 3600;
  Seen seen = read({opener(capture({100'000, far})), opener(capture({})), missing("gone"),
                    opener(capture({far + 1}))});
  EXPECT_EQ(clocks(seen), (std::vector<int64_t>{100'000, far, far + 1}));
  EXPECT_EQ(statistics_.time_outliers, 0u);

  seen = read({opener(capture({100'000, far})), opener(capture({})), opener(capture({100'001}))});
  EXPECT_EQ(clocks(seen), (std::vector<int64_t>{100'000, 100'000, 100'001}));
  EXPECT_EQ(statistics_.time_outliers, 1u);

  seen = read({opener(capture({100'000})), opener(capture({far})), opener(capture({far + 5}))});
  EXPECT_EQ(clocks(seen), (std::vector<int64_t>{100'000, far, far + 5}));

  seen = read({opener(capture({100'000})), opener(capture({far}))});
  EXPECT_EQ(clocks(seen), (std::vector<int64_t>{100'000, far}));
  EXPECT_EQ(statistics_.time_outliers, 0u);
}

TEST_F(InputTest, OlderSecondFileRebases) {
  const Seen seen =
      read({opener(capture({900'000, 900'001})), opener(capture({500'000, 500'002, 500'009}))});
  EXPECT_EQ(clocks(seen), (std::vector<int64_t>{900'000, 900'001, 900'001, 900'001, 900'008}));
  EXPECT_EQ(statistics_.time_rebases, 1u);
}

TEST_F(InputTest, ResultDoesNotDependOnBatchSizeOrOnHeldBatches) {
  constexpr uint64_t kSeed = 99;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 40; ++round) {
    std::vector<SourceOpener> openers;
    for (size_t i = 0; i < 1 + random() % 5; ++i) {
      std::vector<uint32_t> seconds;
      uint32_t now = 1'000'000;
      for (size_t k = 0; k < random() % 40; ++k) {
        now += 1;
        if (random() % 6 == 0) now += 7200;
        if (random() % 6 == 0) now -= 7200;
        seconds.push_back(random() % 6 == 0 ? static_cast<uint32_t>(random()) : now);
      }
      openers.push_back(opener(capture(seconds)));
    }
    const Seen expected = read(openers, 256);
    const InputStatistics expected_statistics = statistics_;
    SourceClock clock;  // the clock alone over all timestamps
    for (size_t i = 0; i < expected.frames.size(); ++i) {
      std::optional<int64_t> next;
      if (i + 1 < expected.frames.size()) next = expected.frames[i + 1].ts_ns;
      ASSERT_EQ(expected.frames[i].clock_ns, clock.advance(expected.frames[i].ts_ns, next));
    }
    for (const uint32_t batch_size : {1u, 2u, 7u, 64u}) {
      for (const size_t held_max : {1u, 4u}) {
        ASSERT_EQ(read(openers, batch_size, held_max).frames, expected.frames) << "round " << round;
        ASSERT_EQ(statistics_.time_outliers, expected_statistics.time_outliers);
        ASSERT_EQ(statistics_.time_rebases, expected_statistics.time_rebases);
        ASSERT_EQ(statistics_.delivered.frames, expected.frames.size());
      }
    }
  }
}

TEST_F(InputTest, IdleSourceResolvesPendingFrame) {
  const uint32_t far = 100'000 + 3 * 3600;
  FaultOptions options;
  options.idle_period = 2;
  Input input({[&](std::string&) {
    return std::make_unique<FaultInjector>(open_bytes(capture({100'000, far, far + 1}), names_),
                                           options);
  }});
  input.set_batch_size(2);
  InputBatch batch;
  ASSERT_EQ(input.next(batch), Next::kData);
  ASSERT_EQ(batch.batch.frames.size(), 2u);
  EXPECT_EQ(batch.batch.frames[1].clock_ns, int64_t{far} * kSecond);
  input.release(batch);
  ASSERT_EQ(input.next(batch), Next::kIdle);
  EXPECT_EQ(batch.batch.idle_clock_ns, int64_t{far} * kSecond);
  ASSERT_EQ(input.next(batch), Next::kData);
  input.release(batch);
}

TEST_F(InputTest, StopHandsOutWhatWasReadAhead) {
  const uint32_t far = 100'000 + 3 * 3600;
  Input input({opener(capture({100'000, far, far + 1, far + 2})), opener(capture({far + 3}))});
  input.set_batch_size(2);
  InputBatch batch;
  ASSERT_EQ(input.next(batch),
            Next::kData);  // has read the second batch to set the clock of the first
  input.release(batch);
  input.stop();
  ASSERT_EQ(input.next(batch), Next::kData);
  EXPECT_EQ(batch.batch.frames.size(), 2u);
  input.release(batch);
  EXPECT_EQ(input.next(batch), Next::kEnd);
  EXPECT_EQ(input.statistics().delivered.frames, 4u);
}

TEST_F(InputTest, StopBeforeTheFirstBatchOpensNothing) {
  bool was_opened = false;
  Input input({[&](std::string&) {
    was_opened = true;
    return nullptr;
  }});
  input.stop();
  InputBatch batch;
  EXPECT_EQ(input.next(batch), Next::kEnd);
  EXPECT_FALSE(was_opened);
}

// One thread calls next(), another release(), and both read the frames, with a mutex around the
// calls only: nothing depends on which thread it is (run under TSan and ASan).
TEST_F(InputTest, NextAndReleaseMayComeFromDifferentThreadsUnderAMutex) {
  PcapWriter large(std::endian::little);
  while (large.size() < 1'500'000) {
    large.record(static_cast<uint32_t>(large.size()), 0, pattern_bytes(700, 1));
  }
  const uint32_t far = 100'000 + 3 * 3600;
  Input input({opener(capture({100'000, far})), opener(large.bytes()), opener(capture({1, 2}))});
  input.set_batch_size(50);
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<InputBatch> handed_over;
  bool has_ended = false;
  uint64_t sum = 0;
  std::thread releaser([&] {
    for (;;) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return has_ended || handed_over.size() > 3; });
      if (handed_over.empty()) return;
      const bool takes_newest = handed_over.size() % 2 == 0;
      InputBatch batch = takes_newest ? handed_over.back() : handed_over.front();
      takes_newest ? handed_over.pop_back() : handed_over.pop_front();
      lock.unlock();
      for (const Frame& frame : batch.batch.frames) {
        for (const uint8_t byte : test::bytes_of(frame)) sum += byte;
      }
      lock.lock();
      input.release(batch);
    }
  });
  uint64_t expected_sum = 0;
  uint64_t frame_count = 0;
  for (;;) {
    InputBatch batch;
    {
      const std::lock_guard lock(mutex);
      if (input.next(batch) != Next::kData) break;
    }
    for (const Frame& frame : batch.batch.frames) {
      for (const uint8_t byte : test::bytes_of(frame)) expected_sum += byte;
    }
    frame_count += batch.batch.frames.size();
    const std::lock_guard lock(mutex);
    handed_over.push_back(batch);
    changed.notify_one();
  }
  {
    const std::lock_guard lock(mutex);
    has_ended = true;
  }
  changed.notify_one();
  releaser.join();
  EXPECT_EQ(sum, expected_sum);
  EXPECT_EQ(input.statistics().delivered.frames, frame_count);
}

// Sources come and go while another thread calls stop(): no source is touched after its end (run
// under TSan and ASan).
TEST_F(InputTest, StopFromAnotherThreadRacesWithClosing) {
  const Bytes bytes = capture({1, 2, 3});
  for (int round = 0; round < 50; ++round) {
    std::vector<SourceOpener> openers;
    for (int i = 0; i < 60; ++i) openers.push_back(opener(bytes));
    Input input(std::move(openers));
    std::thread stopper([&input, round] {
      std::this_thread::sleep_for(std::chrono::microseconds(37 * round));
      for (int i = 0; i < 20; ++i) input.stop();
    });
    const Seen seen = collect(input);
    stopper.join();
    EXPECT_EQ(seen.outcome, Next::kEnd);
    EXPECT_EQ(input.statistics().delivered.frames, seen.frames.size());
  }
}

TEST_F(InputTest, StopWakesASourceThatWaits) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string path = "/dev/fd/" + std::to_string(ends[0]);
  Input input({[&](std::string& error) { return open_capture_file(path, names_, error); }});
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    input.stop();
  });
  InputBatch batch;
  EXPECT_EQ(input.next(batch), Next::kEnd);
  stopper.join();
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace weir
