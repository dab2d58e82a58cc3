// SPDX-License-Identifier: Apache-2.0
//
// Twice the bytes cost twice the time, whoever wrote them: the goldens repeated in one flow, in one
// segment, and begun and then continued for ever, byte by byte, with whatever keeps a parser waiting,
// counting or descending.
//
// Method: the processor time of this thread for one input and for another of twice its size; the
// median of kMeasurementCount each; the quotient is at most kQuotientMax. A quadratic parser has 4. No
// time is judged by itself. A failure is measured again kAttemptCount times, for a busy machine.
#include <gtest/gtest.h>
#include <time.h>

#include <map>

#include "dpi/golden_flows.h"
#include "tests/support/scale.h"

namespace weir {
namespace {

using test::Golden;
using test::goldens;
using test::kScale;
using test::PayloadBytes;
using test::PayloadFlow;
using test::PayloadPlayer;
using test::Piece;

constexpr double kQuotientMax = 2.5;
constexpr size_t kMeasurementCount = 3;
constexpr size_t kAttemptCount = 10;  // the least counts: others work on this machine too
constexpr size_t kRepeatedCountMax = 2000 / kScale;
constexpr size_t kRepeatedSizeMax = 512 * 1024 / kScale;
constexpr size_t kWaitingSizeMax = kAssemblySizeMax;  // of one message
constexpr int64_t kMeasuredNsMin = 1'000'000;  // inputs that take less are shown several times

int64_t thread_time_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

int64_t time_of(PayloadPlayer& player, const PayloadFlow& flow, size_t times) {
  std::array<int64_t, kMeasurementCount> measured{};
  for (int64_t& time : measured) {
    const int64_t begin = thread_time_ns();
    for (size_t round = 0; round < times; ++round) player.skim(flow);
    time = thread_time_ns() - begin;
  }
  std::ranges::sort(measured);
  return measured[kMeasurementCount / 2];
}

// How often a flow has to be shown to take kMeasuredNsMin.
size_t times_for(PayloadPlayer& player, const PayloadFlow& flow) {
  const int64_t begin = thread_time_ns();
  player.skim(flow);
  const int64_t once = std::max<int64_t>(thread_time_ns() - begin, 1000);
  return static_cast<size_t>(1 + kMeasuredNsMin / once);
}

void expect_linear(const PayloadFlow& once, const PayloadFlow& twice, const std::string& what) {
  PayloadPlayer player;
  player.skim(twice);  // what is touched for the first time costs more
  double quotient = 0;
  for (size_t attempt = 0; attempt < kAttemptCount; ++attempt) {
    const size_t times = times_for(player, once);
    quotient = static_cast<double>(time_of(player, twice, times)) /
               static_cast<double>(time_of(player, once, times));
    if (quotient <= kQuotientMax) return;
  }
  ADD_FAILURE() << what << ": twice the input takes " << quotient << " times the time";
}

struct Sample {
  std::string name;
  PayloadFlow flow;
};

// The first flow of each path, over streams and over datagrams.
std::vector<Sample> samples() {
  std::map<std::string, Sample> by_path;
  PayloadPlayer player;
  for (const Golden& golden : goldens()) {
    for (const PayloadFlow& flow : golden.flows) {
      const std::string path = player.play(flow).path;
      if (path.empty()) continue;
      by_path.emplace(path + (flow.is_stream() ? " stream" : " datagrams"),
                      Sample{golden.name + " (" + path + ")", flow});
    }
  }
  std::vector<Sample> samples;
  for (auto& [path, sample] : by_path) samples.push_back(std::move(sample));
  return samples;
}

PayloadFlow repeated(const PayloadFlow& flow, size_t count) {
  PayloadFlow result = flow;
  std::array<uint64_t, 2> size{};
  for (const Piece& piece : flow.pieces) {
    uint64_t& end = size[static_cast<size_t>(piece.side)];
    end = std::max(end, piece.offset + piece.wire_size);
  }
  const int64_t duration = flow.pieces.back().ts_ns;
  for (size_t round = 1; round < count; ++round) {
    for (const Piece& piece : flow.pieces) {
      result.pieces.push_back(piece);
      result.pieces.back().offset += round * size[static_cast<size_t>(piece.side)];
      result.pieces.back().ts_ns += static_cast<int64_t>(round) * duration;
    }
  }
  return result;
}

class GoldensTime : public testing::Test {
 protected:
  // A sanitizer's own work does not grow as ours does: it fills freed memory and walks tables.
  void SetUp() override {
    if (kScale != 1) GTEST_SKIP() << "times say nothing in a sanitizer build";
  }
};

TEST_F(GoldensTime, GrowsWithTheMessagesOfAFlow) {
  for (const Sample& sample : samples()) {
    const size_t size = std::max<size_t>(sample.flow.size(), 1);
    const size_t count = std::clamp<size_t>(kRepeatedSizeMax / size, 4, kRepeatedCountMax) / 2;
    expect_linear(repeated(sample.flow, count), repeated(sample.flow, 2 * count),
                  sample.name + " repeated");
  }
}

// What one side says, in one segment or datagram as large as may be.
TEST_F(GoldensTime, GrowsWithTheMessagesOfASegment) {
  for (const Sample& sample : samples()) {
    for (const size_t side : {size_t{0}, size_t{1}}) {
      PayloadBytes said;
      for (const Piece& piece : sample.flow.pieces) {
        if (static_cast<size_t>(piece.side) == side)
          said.insert(said.end(), piece.bytes.begin(), piece.bytes.end());
      }
      if (said.empty()) continue;
      const auto flow_of = [&](size_t size) {
        PayloadFlow flow = sample.flow;
        flow.pieces.assign(1, Piece{});
        Piece& piece = flow.pieces[0];
        piece.side = static_cast<Side>(side);
        while (piece.bytes.size() < size)
          piece.bytes.insert(piece.bytes.end(), said.begin(), said.end());
        piece.bytes.resize(size);
        piece.wire_size = static_cast<uint32_t>(size);
        return flow;
      };
      expect_linear(flow_of(32 * 1024), flow_of(64 * 1024 - 512), sample.name + " in one segment");
    }
  }
}

// What keeps parsers busy: letters of a line, empty lines, blanks, nested BER, JSON and XML, zeros,
// length bytes, pointers and options.
const std::vector<std::pair<std::string, PayloadBytes>>& fillings() {
  static const std::vector<std::pair<std::string, PayloadBytes>> fillings = {
      {"letters", {'a'}},
      {"line ends", {'\r', '\n'}},
      {"short lines", {'a', ':', ' ', 'b', '\r', '\n'}},
      {"blanks", {' '}},
      {"carriage returns", {'\r'}},
      {"nested BER", {0x30, 0x80}},
      {"brackets", {'{', '[', '<', '(', '"'}},
      {"zeros", {0}},
      {"ones", {1}},
      {"options of two bytes", {1, 2}},
      {"pointers", {0xc0, 0x0c}},
      {"all bits", {0xff}},
  };
  return fillings;
}

// The begin of what `side` said first, then the filling for ever.
TEST_F(GoldensTime, GrowsWithTheSizeOfAMessageThatNeverEnds) {
  constexpr size_t kPlaceCount = 2;
  for (const Sample& sample : samples()) {
    const Piece& first = sample.flow.pieces[0];
    for (size_t place = 1; place <= kPlaceCount; ++place) {
      const size_t begin_size = first.bytes.size() * place / kPlaceCount;
      if (begin_size > kWaitingSizeMax / 4) break;
      for (const auto& [name, filling] : fillings()) {
        const auto flow_of = [&, filling = &filling](size_t size) {
          PayloadFlow flow = sample.flow;
          flow.pieces.clear();
          Piece begin = first;
          begin.bytes.resize(begin_size);
          begin.wire_size = static_cast<uint32_t>(begin_size);
          if (!flow.is_stream()) {
            while (begin.bytes.size() < size)
              begin.bytes.insert(begin.bytes.end(), filling->begin(), filling->end());
            begin.wire_size = static_cast<uint32_t>(begin.bytes.size());
            flow.pieces.push_back(std::move(begin));
            return flow;
          }
          // Twice as many segments of one byte.
          for (size_t at = 0; begin_size + at < size; ++at) {
            Piece piece;
            piece.side = first.side;
            piece.offset = first.offset + begin_size + at;
            piece.bytes = {(*filling)[at % filling->size()]};
            piece.wire_size = 1;
            flow.pieces.push_back(std::move(piece));
          }
          flow.pieces.insert(flow.pieces.begin(), std::move(begin));
          return flow;
        };
        const size_t size = (kWaitingSizeMax - 64) / (sample.flow.is_stream() ? kScale : 1);
        expect_linear(
            flow_of(size / 2), flow_of(size),
            sample.name + " begun with " + std::to_string(begin_size) + " bytes, then " + name);
      }
    }
  }
}

}  // namespace
}  // namespace weir
