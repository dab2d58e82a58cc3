// SPDX-License-Identifier: Apache-2.0
#include "base/spsc_ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>

namespace weir {
namespace {

constexpr uint64_t kSeed = 20261120;

TEST(SpscRing, IsFirstInFirstOut) {
  SpscRing<int> ring(4);
  int element = -1;
  EXPECT_FALSE(ring.pop(element));
  EXPECT_EQ(element, -1);
  for (int number = 0; number < 4; ++number) EXPECT_TRUE(ring.push(int{number}));
  EXPECT_FALSE(ring.push(4));
  EXPECT_EQ(ring.size(), 4u);
  for (int number = 0; number < 4; ++number) {
    EXPECT_TRUE(ring.pop(element));
    EXPECT_EQ(element, number);
  }
  EXPECT_FALSE(ring.pop(element));
  EXPECT_EQ(ring.size(), 0u);
}

TEST(SpscRing, CapacityIsRoundedUpToAPowerOfTwo) {
  EXPECT_EQ(SpscRing<int>(1).capacity(), 1u);
  EXPECT_EQ(SpscRing<int>(3).capacity(), 4u);
  EXPECT_EQ(SpscRing<int>(4).capacity(), 4u);
  EXPECT_EQ(SpscRing<int>(1000).capacity(), 1024u);
}

TEST(SpscRing, OfCapacityOne) {
  SpscRing<int> ring(1);
  int element = 0;
  for (int number = 1; number < 10; ++number) {
    EXPECT_TRUE(ring.push(int{number}));
    EXPECT_FALSE(ring.push(100));
    EXPECT_TRUE(ring.pop(element));
    EXPECT_EQ(element, number);
    EXPECT_FALSE(ring.pop(element));
  }
}

TEST(SpscRing, AFullRingMovesNothing) {
  SpscRing<std::unique_ptr<int>> ring(1);
  EXPECT_TRUE(ring.push(std::make_unique<int>(1)));
  std::unique_ptr<int> second = std::make_unique<int>(2);
  EXPECT_FALSE(ring.push(std::move(second)));
  ASSERT_NE(second,
            nullptr);  // NOLINT(bugprone-use-after-move): that it was not moved is the point
  std::unique_ptr<int> first;
  EXPECT_TRUE(ring.pop(first));
  EXPECT_EQ(*first, 1);
  EXPECT_TRUE(ring.push(std::move(second)));
  EXPECT_TRUE(ring.pop(first));
  EXPECT_EQ(*first, 2);
}

// A type that cannot be made of nothing, and that counts its elements.
struct Counted {
  explicit Counted(int* counter) : alive(counter) { ++*alive; }
  Counted(Counted&& other) noexcept : alive(other.alive) { ++*alive; }
  Counted& operator=(Counted&&) noexcept = default;
  ~Counted() { --*alive; }
  int* alive;
};

TEST(SpscRing, ElementsLiveAsLongAsTheyAreInIt) {
  int alive = 0;
  {
    SpscRing<Counted> ring(8);
    EXPECT_EQ(alive, 0) << "places are not elements";
    for (int count = 0; count < 5; ++count) EXPECT_TRUE(ring.push(Counted(&alive)));
    EXPECT_EQ(alive, 5);
    {
      Counted element(&alive);
      EXPECT_TRUE(ring.pop(element));
    }
    EXPECT_EQ(alive, 4);
  }
  EXPECT_EQ(alive, 0);
}

TEST(SpscRing, IndicesOfTheTwoSidesAreOnLinesOfTheirOwn) {
  EXPECT_GE(alignof(SpscRing<int>), kCacheLineSize);
  EXPECT_GE(sizeof(SpscRing<int>), 3 * kCacheLineSize);
}

TEST(SpscRing, AgreesWithADequeOnRandomWalks) {
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (const size_t capacity : {1u, 2u, 8u, 64u}) {
    SpscRing<std::string> ring(capacity);
    std::deque<std::string> model;
    for (int step = 0; step < 20'000; ++step) {
      // Alternating phases, so that it is full and empty many times.
      const bool is_filling = step / 100 % 2 == 0;
      if (random() % 4 < (is_filling ? 3 : 1)) {
        std::string text = std::to_string(random());
        const bool has_room = model.size() < capacity;
        if (has_room) model.push_back(text);
        ASSERT_EQ(ring.push(std::move(text)), has_room);
      } else {
        std::string text = "untouched";
        std::string expected = text;
        if (!model.empty()) {
          expected = model.front();
          model.pop_front();
        }
        ASSERT_EQ(ring.pop(text), expected != "untouched");
        ASSERT_EQ(text, expected);
      }
      ASSERT_EQ(ring.size(), model.size());
    }
  }
}

// The elements are on the heap, written by one thread and read and freed by the other: what the
// thread sanitizer would mind if a push did not publish them.
void expect_passed_in_order(size_t capacity, uint64_t element_count) {
  SpscRing<std::unique_ptr<uint64_t>> ring(capacity);
  std::thread producer([&ring, element_count] {
    for (uint64_t number = 0; number < element_count; ++number) {
      auto element = std::make_unique<uint64_t>(number);
      while (!ring.push(std::move(element))) std::this_thread::yield();
    }
  });
  uint64_t out_of_order_count = 0;
  size_t size_most = 0;
  for (uint64_t number = 0; number < element_count; ++number) {
    std::unique_ptr<uint64_t> element;
    while (!ring.pop(element)) std::this_thread::yield();
    out_of_order_count += *element == number ? 0 : 1;
    size_most = std::max(size_most, ring.size());
  }
  producer.join();
  EXPECT_EQ(out_of_order_count, 0u);
  EXPECT_LE(size_most, capacity);
  EXPECT_EQ(ring.size(), 0u);
}

TEST(SpscRing, TwoThreadsPassAMillionElementsInOrder) {
  expect_passed_in_order(1024, 1'000'000);
}

TEST(SpscRing, TwoThreadsPassElementsInOrderOneByOne) {
  expect_passed_in_order(1, 20'000);
}

}  // namespace
}  // namespace weir
