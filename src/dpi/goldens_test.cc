// SPDX-License-Identifier: Apache-2.0
//
// The goldens of every protocol, damaged in every way that costs no thought: cut anywhere, bits
// turned over, texts replaced by any byte, segments cut, joined, swapped and sent twice. Nothing may
// break; what PayloadPlayer checks holds for whatever is found; and a stream that only comes in other
// pieces says the same.
//
// Method: seeds are fixed and printed with what fails. Large captures are cut at every so many bytes,
// so that a capture costs kPlayedSizeMax and not the square of its size; sanitizers do a tenth.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "dpi/golden_flows.h"
#include "tests/support/scale.h"

namespace weir {
namespace {

using test::Findings;
using test::Golden;
using test::goldens;
using test::kScale;
using test::PayloadFlow;
using test::PayloadPlayer;
using test::Piece;

constexpr size_t kPlayedSizeMax = 4 * 1024 * 1024 / kScale;  // bytes shown of each flow's damage
constexpr uint32_t kFlipCount = 2000 / kScale;               // of each capture
constexpr uint32_t kSegmentationCount = 100 / kScale;        // of each flow
constexpr size_t kTextSizeMin = 3;
constexpr int64_t kSilenceNs = 1'000'000'000'000;  // outlasts every announcement

class Goldens : public testing::Test {
 protected:
  void SetUp() override {
    if (goldens().empty()) GTEST_SKIP() << "no goldens (ctest sets WEIR_SOURCE_DIR)";
  }
  Findings play(const PayloadFlow& flow, const std::string& what) {
    player_.advance_clock(kSilenceNs);
    Findings findings = player_.play(flow);
    // One failure for each thing that is wrong, however often it happens.
    const std::string broken = player_.take_broken();
    if (!broken.empty() && seen_.insert(broken).second) ADD_FAILURE() << broken << ": " << what;
    return findings;
  }

 private:
  PayloadPlayer player_;
  std::set<std::string> seen_;
};

// Of all cuts of a flow, every how many are tried.
size_t stride_of(const PayloadFlow& flow) {
  return 1 + flow.size() * flow.size() / kPlayedSizeMax;
}

PayloadFlow without_bytes(const PayloadFlow& flow) {
  PayloadFlow copy = flow;
  copy.pieces.clear();
  return copy;
}

TEST_F(Goldens, HaveFlowsOfEveryKindWithoutDamage) {
  for (const Golden& golden : goldens()) {
    EXPECT_FALSE(golden.flows.empty()) << golden.name;
    for (const PayloadFlow& flow : golden.flows) play(flow, golden.name);
  }
}

TEST_F(Goldens, MayEndAnywhere) {
  for (const Golden& golden : goldens()) {
    for (const PayloadFlow& flow : golden.flows) {
      const size_t stride = stride_of(flow);
      PayloadFlow cut = without_bytes(flow);
      size_t next = 0;  // the cut to try, in bytes since the begin of the flow
      size_t before = 0;
      for (const Piece& piece : flow.pieces) {
        for (; next < before + piece.bytes.size(); next += stride) {
          Piece part = piece;
          part.bytes.assign(piece.bytes.begin(),
                            piece.bytes.begin() + static_cast<std::ptrdiff_t>(next - before));
          part.wire_size = static_cast<uint32_t>(part.bytes.size());
          cut.pieces.push_back(std::move(part));
          play(cut, golden.name + " ends after " + std::to_string(next));
          cut.pieces.pop_back();
        }
        cut.pieces.push_back(piece);
        before += piece.bytes.size();
      }
    }
  }
}

// By the snap length, or because its sender sent no more; what follows comes all the same.
TEST_F(Goldens, MayHaveAnyPieceCut) {
  for (const Golden& golden : goldens()) {
    for (const PayloadFlow& flow : golden.flows) {
      const size_t stride = 2 * stride_of(flow);
      for (size_t index = 0; index < flow.pieces.size(); ++index) {
        PayloadFlow cut = flow;
        Piece& piece = cut.pieces[index];
        const Piece& whole = flow.pieces[index];
        for (size_t size = 0; size < whole.bytes.size(); size += stride) {
          piece.bytes.assign(whole.bytes.begin(),
                             whole.bytes.begin() + static_cast<std::ptrdiff_t>(size));
          for (const size_t wire_size : {size_t{whole.wire_size}, size}) {
            piece.wire_size = static_cast<uint32_t>(wire_size);
            play(cut, golden.name + ": piece " + std::to_string(index) + " cut to " +
                          std::to_string(size));
          }
        }
      }
    }
  }
}

TEST_F(Goldens, MayHaveAnyBitsTurnedOver) {
  for (const Golden& golden : goldens()) {
    std::mt19937 random(1);
    const auto below = [&random](size_t limit) { return static_cast<size_t>(random() % limit); };
    for (uint32_t round = 0; round < kFlipCount && !golden.flows.empty(); ++round) {
      PayloadFlow flow = golden.flows[below(golden.flows.size())];
      const size_t flip_count = below(2) == 0 ? 1 : 1 + below(16);
      for (size_t flip = 0; flip < flip_count; ++flip) {
        Piece& piece = flow.pieces[below(flow.pieces.size())];
        if (piece.bytes.empty()) continue;
        // Lengths and types come first, so half of the damage does.
        const size_t reach =
            below(2) == 0 ? piece.bytes.size() : std::min<size_t>(piece.bytes.size(), 64);
        piece.bytes[below(reach)] ^= static_cast<uint8_t>(1u << below(8));
      }
      play(flow, golden.name + ": flip " + std::to_string(round) + " of seed 1");
    }
  }
}

struct Text {
  size_t piece;
  size_t begin;
  size_t size;
};

std::vector<Text> texts_of(const PayloadFlow& flow) {
  std::vector<Text> texts;
  for (size_t index = 0; index < flow.pieces.size(); ++index) {
    const test::PayloadBytes& bytes = flow.pieces[index].bytes;
    for (size_t begin = 0; begin < bytes.size();) {
      size_t end = begin;
      // Words, so that the separators of text protocols stay.
      while (end < bytes.size() && bytes[end] > 0x20 && bytes[end] < 0x7f && bytes[end] != ':')
        ++end;
      if (end - begin >= kTextSizeMin) texts.push_back({index, begin, end - begin});
      begin = end + 1;
    }
  }
  return texts;
}

TEST_F(Goldens, MayHaveAnyBytesInTheirTexts) {
  for (const Golden& golden : goldens()) {
    std::mt19937 random(2);
    for (const PayloadFlow& flow : golden.flows) {
      const std::vector<Text> texts = texts_of(flow);
      if (texts.empty()) continue;
      const size_t stride = 1 + flow.size() * 512 / kPlayedSizeMax;
      for (size_t value = random() % stride; value < 256; value += stride) {
        const auto byte = static_cast<uint8_t>(value);
        for (const bool is_whole : {false, true}) {
          PayloadFlow hostile = flow;
          for (const Text& text : texts) {
            if (random() % 4 != 0) continue;
            test::PayloadBytes& bytes = hostile.pieces[text.piece].bytes;
            // The first letter makes a formula; others, and all of them, make broken UTF-8.
            bytes[text.begin] = byte;
            if (random() % 2 == 0) bytes[text.begin + random() % text.size] = byte;
            for (size_t at = 0; is_whole && at < text.size; ++at) bytes[text.begin + at] = byte;
          }
          play(hostile, golden.name + ": texts with byte " + std::to_string(value));
        }
      }
    }
  }
}

// A run of pieces of one side: what may be cut and joined without changing who spoke before whom.
struct Turn {
  Side side;
  uint64_t offset;
  int64_t ts_ns;  // of its last piece: when it was complete
  test::PayloadBytes bytes;
};

// Empty when the stream has holes, was cut, or comes out of order: then other pieces may say other
// things.
std::vector<Turn> turns_of(const PayloadFlow& flow) {
  std::vector<Turn> turns;
  std::array<uint64_t, 2> next{};
  for (const Piece& piece : flow.pieces) {
    const size_t side = static_cast<size_t>(piece.side);
    if (!flow.is_begin_known[side]) return {};
    if (piece.offset != next[side] || piece.wire_size != piece.bytes.size()) return {};
    next[side] += piece.bytes.size();
    if (turns.empty() || turns.back().side != piece.side)
      turns.push_back({piece.side, piece.offset, piece.ts_ns, {}});
    turns.back().ts_ns = piece.ts_ns;
    turns.back().bytes.insert(turns.back().bytes.end(), piece.bytes.begin(), piece.bytes.end());
  }
  return turns;
}

Piece piece_of(const Turn& turn, size_t begin, size_t end) {
  Piece piece;
  piece.side = turn.side;
  piece.offset = turn.offset + begin;
  piece.ts_ns = turn.ts_ns;
  piece.wire_size = static_cast<uint32_t>(end - begin);
  piece.bytes.assign(turn.bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                     turn.bytes.begin() + static_cast<std::ptrdiff_t>(end));
  return piece;
}

constexpr size_t kWholeTurnSizeMax = 8 * 1024;  // that fits into what waits, twice
constexpr size_t kSwapDistanceMax = kHeldSegmentsMax / 2;
// Streams that come in so many pieces are within the budgets of packets.
constexpr size_t kPieceCountMax = kExtractPacketsMax - 1;
constexpr size_t kUnknownPieceCountMax = kClassifyPacketsMax - 1;  // of each side

PayloadFlow in_turns(const PayloadFlow& flow, const std::vector<Turn>& turns) {
  PayloadFlow whole = without_bytes(flow);
  for (const Turn& turn : turns) whole.pieces.push_back(piece_of(turn, 0, turn.bytes.size()));
  return whole;
}

// The turn in pieces, some swapped, one perhaps repeated; no more than count_max.
std::vector<Piece> pieces_of(const Turn& turn, size_t count_max, std::mt19937& random) {
  const auto below = [&random](size_t limit) { return static_cast<size_t>(random() % limit); };
  const bool repeats = count_max > 1 && below(2) == 0;
  const size_t count = 1 + below(count_max - (repeats ? 1 : 0));
  std::vector<size_t> cuts = {0, turn.bytes.size()};
  while (cuts.size() <= count) cuts.push_back(below(turn.bytes.size() + 1));
  std::ranges::sort(cuts);
  std::vector<Piece> pieces;
  for (size_t at = 0; at + 1 < cuts.size(); ++at) {
    if (cuts[at] < cuts[at + 1]) pieces.push_back(piece_of(turn, cuts[at], cuts[at + 1]));
  }
  if (turn.bytes.size() <= kWholeTurnSizeMax && below(2) == 0) {
    const size_t one = below(pieces.size());
    std::swap(pieces[one], pieces[std::min(one + below(kSwapDistanceMax), pieces.size() - 1)]);
  }
  if (repeats) pieces.push_back(pieces[below(pieces.size())]);
  return pieces;
}

// A stream of the goldens that can be cut otherwise, and what it says.
struct Stream {
  std::string name;
  PayloadFlow flow;
  std::vector<Turn> turns;
  size_t known_count = 0;  // turns it takes until the app is known; all of them when handed over
  bool hears_every_message = false;
  Findings expected;
};

// "0+12 >0+30": who sent which bytes of the stream; the responder's after a ">".
std::string description_of(const PayloadFlow& flow) {
  std::string text = ", in pieces";
  for (const Piece& piece : flow.pieces) {
    text += piece.side == Side::kInitiator ? " " : " >";
    text += std::to_string(piece.offset) + "+" + std::to_string(piece.bytes.size());
  }
  return text;
}

class GoldenStreams : public Goldens {
 protected:
  std::vector<Stream> streams() {
    std::vector<Stream> streams;
    for (const Golden& golden : goldens()) {
      for (size_t index = 0; index < golden.flows.size(); ++index) {
        Stream stream{.name = golden.name + ": flow " + std::to_string(index),
                      .flow = golden.flows[index],
                      .turns = {},
                      .expected = {}};
        if (!stream.flow.is_stream() || stream.flow.size() >= kExtractSizeMax) continue;
        stream.turns = turns_of(stream.flow);
        if (stream.turns.empty()) continue;
        PayloadFlow whole = in_turns(stream.flow, stream.turns);
        stream.expected = play(whole, stream.name);
        const uint8_t number = test::played_catalog().protocol_number(stream.expected.app);
        if (number == kUnknownApp) continue;
        const bool is_handed_over = stream.expected.path != stream.expected.app;
        stream.known_count = stream.turns.size();
        stream.hears_every_message =
            !is_handed_over && test::played_catalog().protocols()[number - 1u]->every_message;
        while (!is_handed_over && !whole.pieces.empty()) {
          whole.pieces.pop_back();
          if (!play(whole, stream.name).is_known_early) break;
          stream.known_count = whole.pieces.size();
        }
        streams.push_back(std::move(stream));
      }
    }
    return streams;
  }
  void expect_same(const Stream& stream, const PayloadFlow& cut, const std::string& how) {
    const Findings found = play(cut, stream.name + how);
    EXPECT_EQ(found.json, stream.expected.json) << stream.name << how << description_of(cut);
    EXPECT_EQ(found.path, stream.expected.path) << stream.name << how << description_of(cut);
  }
};

TEST_F(GoldenStreams, SayTheSameInOtherPieces) {
  for (const Stream& stream : streams()) {
    // What each turn may come in.
    const size_t unknown_turns = std::max<size_t>((stream.known_count + 1) / 2, 1);
    const size_t unknown_max = kUnknownPieceCountMax / unknown_turns;
    const size_t known_max =
        stream.hears_every_message ? kPieceCountMax : kPieceCountMax / stream.turns.size();
    if (unknown_max == 0 || known_max == 0) continue;
    for (uint32_t seed = 1; seed <= kSegmentationCount && !HasFailure(); ++seed) {
      std::mt19937 random(seed);
      PayloadFlow cut = without_bytes(stream.flow);
      for (size_t index = 0; index < stream.turns.size(); ++index) {
        const size_t count_max =
            index < stream.known_count ? std::min(unknown_max, known_max) : known_max;
        for (Piece& piece : pieces_of(stream.turns[index], count_max, random))
          cut.pieces.push_back(std::move(piece));
      }
      expect_same(stream, cut, ", seed " + std::to_string(seed));
    }
  }
}

// Those that hear every message hear those in segments of one byte too.
TEST_F(GoldenStreams, SayTheSameByteByByteOnceTheyAreKnown) {
  for (const Stream& stream : streams()) {
    if (!stream.hears_every_message) continue;
    PayloadFlow cut = without_bytes(stream.flow);
    for (size_t index = 0; index < stream.turns.size(); ++index) {
      const size_t size = stream.turns[index].bytes.size();
      const size_t step = index < stream.known_count ? size : 1;
      for (size_t at = 0; at < size; at += step)
        cut.pieces.push_back(piece_of(stream.turns[index], at, at + step));
    }
    expect_same(stream, cut, " byte by byte");
  }
}

// The seeds of the fuzz target are made of goldens; what they say is what the golden says.
TEST_F(Goldens, AreTheSameAsScripts) {
  for (const Golden& golden : goldens()) {
    for (const PayloadFlow& flow : golden.flows) {
      if (flow.is_stream() && turns_of(flow).empty()) continue;
      test::PayloadBytes bytes;
      test::append_script(bytes, kUnknownApp, flow);
      const test::PayloadScript script = test::read_script(bytes);
      ASSERT_EQ(script.flows.size(), 1u) << golden.name;
      const PayloadFlow& read = script.flows[0].flow;
      ASSERT_EQ(read.pieces.size(), flow.pieces.size()) << golden.name;
      for (size_t index = 0; index < flow.pieces.size(); ++index) {
        EXPECT_EQ(read.pieces[index].bytes, flow.pieces[index].bytes) << golden.name;
        EXPECT_EQ(read.pieces[index].side, flow.pieces[index].side) << golden.name;
      }
      EXPECT_EQ(play(read, golden.name).app, play(flow, golden.name).app) << golden.name;
    }
  }
}

}  // namespace
}  // namespace weir
