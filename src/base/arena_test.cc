// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace weir {
namespace {

constexpr uint64_t kSeed = 20261120;

TEST(Arena, HandsOutWhatIsAskedForUpToItsLimit) {
  Arena arena(64);
  EXPECT_TRUE(arena.is_empty());
  EXPECT_EQ(arena.size_max(), 64u);
  EXPECT_EQ(arena.allocate(1).size(), 1u);
  EXPECT_FALSE(arena.is_empty());
  EXPECT_EQ(arena.used_size(), 16u);
  EXPECT_EQ(arena.allocate(48).size(), 48u);
  EXPECT_EQ(arena.used_size(), 64u);
  EXPECT_EQ(arena.refused_count(), 0u);
  EXPECT_TRUE(arena.allocate(1).empty());
  EXPECT_EQ(arena.refused_count(), 1u);
}

TEST(Arena, RefusesWhatNeverFitsAndGoesOn) {
  Arena arena(64);
  EXPECT_TRUE(arena.allocate(65).empty());
  EXPECT_TRUE(arena.allocate(SIZE_MAX).empty());
  EXPECT_TRUE(arena.allocate(SIZE_MAX - 15).empty());
  EXPECT_EQ(arena.refused_count(), 3u);
  EXPECT_TRUE(arena.is_empty());
  EXPECT_EQ(arena.allocate(64).size(), 64u);
}

TEST(Arena, GivesNothingForNothing) {
  Arena arena(16);
  EXPECT_TRUE(arena.allocate(0).empty());
  EXPECT_TRUE(arena.is_empty());
  EXPECT_EQ(arena.allocate(16).size(), 16u);
  EXPECT_TRUE(arena.allocate(0).empty());
  EXPECT_EQ(arena.refused_count(), 0u);
}

TEST(Arena, ResetTakesAllBackAndKeepsTheHighestUse) {
  Arena arena(1024);
  const std::span<uint8_t> first = arena.allocate(100);
  EXPECT_EQ(arena.used_size_max(), 112u);
  arena.reset();
  EXPECT_TRUE(arena.is_empty());
  EXPECT_EQ(arena.used_size_max(), 112u);
  EXPECT_EQ(arena.allocate(10).data(), first.data());
  EXPECT_EQ(arena.used_size_max(), 112u);
  EXPECT_TRUE(arena.allocate(1024).empty());
  arena.reset();
  EXPECT_EQ(arena.refused_count(), 1u);
  EXPECT_EQ(arena.used_size_max(), 112u);
}

// The model is a list of the pieces of this round; each is full of its own number.
TEST(Arena, PiecesAreAlignedAndNeverOverlap) {
  std::mt19937_64 random(kSeed);
  Arena arena(4096);
  uint64_t refused_count = 0;
  size_t used_size_max = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::span<uint8_t>> pieces;
    size_t used_size = 0;
    const size_t piece_count = random() % 40;
    for (size_t index = 0; index < piece_count; ++index) {
      const size_t size = 1 + random() % 400;
      const std::span<uint8_t> piece = arena.allocate(size);
      if (used_size + size > 4096) {
        ++refused_count;
        ASSERT_TRUE(piece.empty()) << "seed " << kSeed;
        continue;
      }
      ASSERT_EQ(piece.size(), size) << "seed " << kSeed;
      ASSERT_EQ(std::bit_cast<uint64_t>(piece.data()) % kArenaAlignment, 0u);
      used_size += (size + 15) / 16 * 16;
      for (uint8_t& byte : piece) byte = static_cast<uint8_t>(pieces.size());
      pieces.push_back(piece);
    }
    for (size_t index = 0; index < pieces.size(); ++index) {
      for (const uint8_t byte : pieces[index]) ASSERT_EQ(byte, index) << "seed " << kSeed;
    }
    used_size_max = std::max(used_size_max, used_size);
    ASSERT_EQ(arena.used_size(), used_size);
    ASSERT_EQ(arena.used_size_max(), used_size_max);
    ASSERT_EQ(arena.refused_count(), refused_count);
    ASSERT_EQ(arena.is_empty(), pieces.empty());
    arena.reset();
  }
}

TEST(ArenaDeathTest, HasALimitThatIsWhole) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(Arena(0), "size_max");
  EXPECT_DEATH(Arena(17), "size_max");
}

#ifdef WEIR_CHECKS_ACCESS
TEST(ArenaDeathTest, TheSanitizerFindsWhoUsesWhatIsNotTheirs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Arena arena(64);
  uint8_t* const bytes = arena.allocate(5).data();
  volatile uint8_t* const piece = bytes;
  piece[4] = 1;
  EXPECT_DEATH(piece[5] = 1, "use-after-poison") << "behind a piece";
  EXPECT_DEATH(piece[16] = 1, "use-after-poison") << "what nobody has";
  arena.reset();
  EXPECT_DEATH(piece[0] = 1, "use-after-poison") << "after reset()";
  EXPECT_EQ(arena.allocate(1).data(), bytes);
  piece[0] = 1;
}
#endif

}  // namespace
}  // namespace weir
