// SPDX-License-Identifier: Apache-2.0
#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace weir {
namespace {

constexpr uint64_t kSeed = 20261120;

TEST(MemoryBudget, SharesAreThoseOfTheList) {
  const MemoryBudget budget(1'000'000'000);
  EXPECT_EQ(budget.limit_size(), 1'000'000'000u);
  EXPECT_EQ(budget.pool(Pool::kFlows).limit_size(), 400'000'000u);
  EXPECT_EQ(budget.pool(Pool::kDpi).limit_size(), 150'000'000u);
  EXPECT_EQ(budget.pool(Pool::kStore).limit_size(), 350'000'000u);
  EXPECT_EQ(budget.pool(Pool::kBuffers).limit_size(), 100'000'000u);
}

TEST(MemoryBudget, ReadingGivesTheShareOfTheStoreToTheFlows) {
  const MemoryBudget budget = MemoryBudget::for_reading(1'000'000'000);
  EXPECT_EQ(budget.limit_size(), 1'000'000'000u);
  EXPECT_EQ(budget.pool(Pool::kFlows).limit_size(), 750'000'000u);
  EXPECT_EQ(budget.pool(Pool::kDpi).limit_size(), 150'000'000u);
  EXPECT_EQ(budget.pool(Pool::kStore).limit_size(), 0u);
  EXPECT_EQ(budget.pool(Pool::kBuffers).limit_size(), 100'000'000u);
}

TEST(MemoryBudget, PoolsNeverAddUpToMoreThanTheLimit) {
  for (const uint64_t limit :
       {uint64_t{0}, uint64_t{1}, uint64_t{99}, uint64_t{101}, uint64_t{1} << 30, UINT64_MAX}) {
    const MemoryStatistics statistics = MemoryBudget(limit).statistics();
    uint64_t rest = limit;
    for (const PoolStatistics& pool : statistics.pools) {
      ASSERT_LE(pool.limit_size, rest) << limit;
      rest -= pool.limit_size;
    }
    EXPECT_LT(rest, kPoolCount) << "lost by rounding of " << limit;
  }
}

TEST(MemoryBudget, SharesMayBeChosen) {
  const MemoryBudget budget(200, PoolShares{10, 20, 30, 0});
  EXPECT_EQ(budget.pool(Pool::kFlows).limit_size(), 20u);
  EXPECT_EQ(budget.pool(Pool::kDpi).limit_size(), 40u);
  EXPECT_EQ(budget.pool(Pool::kStore).limit_size(), 60u);
  EXPECT_EQ(budget.pool(Pool::kBuffers).limit_size(), 0u);
}

TEST(MemoryBudget, NothingBorrows) {
  MemoryBudget budget(1000);
  EXPECT_TRUE(budget.pool(Pool::kFlows).reserve(400));
  EXPECT_FALSE(budget.pool(Pool::kFlows).reserve(1));
  EXPECT_TRUE(budget.pool(Pool::kStore).reserve(350));

  const MemoryStatistics statistics = budget.statistics();
  EXPECT_EQ(statistics.limit_size, 1000u);
  EXPECT_EQ(statistics[Pool::kFlows].used_size, 400u);
  EXPECT_EQ(statistics[Pool::kFlows].refused_count, 1u);
  EXPECT_EQ(statistics[Pool::kDpi].used_size, 0u);
  EXPECT_EQ(statistics[Pool::kStore].refused_count, 0u);
  budget.pool(Pool::kFlows).release(400);
  budget.pool(Pool::kStore).release(350);
}

TEST(MemoryBudget, EveryPoolHasANameOfItsOwnAndHelp) {
  std::set<std::string> names;
  for (size_t index = 0; index < kPoolCount; ++index) {
    const auto pool = static_cast<Pool>(index);
    EXPECT_TRUE(names.insert(pool_name(pool)).second) << pool_name(pool);
    EXPECT_STRNE(pool_help(pool), "");
  }
  EXPECT_EQ(names, (std::set<std::string>{"flows", "dpi", "store", "buffers"}));
}

TEST(MemoryPool, TakesAllOrNothing) {
  MemoryPool pool(10);
  EXPECT_TRUE(pool.reserve(7));
  EXPECT_FALSE(pool.reserve(4));
  EXPECT_FALSE(pool.reserve(UINT64_MAX));
  EXPECT_EQ(pool.used_size(), 7u);
  EXPECT_EQ(pool.available_size(), 3u);
  EXPECT_EQ(pool.refused_count(), 2u);
  EXPECT_TRUE(pool.reserve(3));
  pool.release(9);
  EXPECT_EQ(pool.used_size(), 1u);
  EXPECT_EQ(pool.peak_size(), 10u);
  pool.release(1);
}

TEST(MemoryPool, OfNothingRefusesAllButNothing) {
  MemoryPool pool(0);
  EXPECT_TRUE(pool.reserve(0));
  EXPECT_FALSE(pool.reserve(1));
  EXPECT_EQ(pool.peak_size(), 0u);
}

TEST(MemoryPool, OfOneByteAndOfAllBytes) {
  MemoryPool one(1);
  EXPECT_TRUE(one.reserve(1));
  EXPECT_FALSE(one.reserve(1));
  one.release(1);
  MemoryPool all(UINT64_MAX);
  EXPECT_TRUE(all.reserve(UINT64_MAX - 1));
  EXPECT_FALSE(all.reserve(2));
  EXPECT_TRUE(all.reserve(1));
  all.release(UINT64_MAX);
}

TEST(MemoryPoolDeathTest, ReleasingMoreThanWasReservedIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        MemoryPool pool(10);
        if (pool.reserve(3)) pool.release(4);
      },
      "bug");
}

TEST(MemoryPool, PartsShareTheirParent) {
  MemoryPool whole(100);
  {
    MemoryPool left(60, &whole);
    MemoryPool right(60, &whole);  // more than is left of the parent: it refuses in its own right
    EXPECT_TRUE(left.reserve(60));
    EXPECT_EQ(whole.used_size(), 60u);
    EXPECT_FALSE(left.reserve(1)) << "a part has a limit of its own";
    EXPECT_EQ(right.available_size(), 40u);
    EXPECT_FALSE(right.reserve(41)) << "the parent is full";
    EXPECT_EQ(right.used_size(), 0u);
    EXPECT_EQ(right.peak_size(), 0u) << "what was refused was never used";
    EXPECT_TRUE(right.reserve(40));
    EXPECT_EQ(left.refused_count(), 1u);
    EXPECT_EQ(right.refused_count(), 1u);
    EXPECT_EQ(whole.refused_count(), 2u) << "the parent speaks for its parts";
    left.release(60);
    right.release(40);
  }
  EXPECT_EQ(whole.used_size(), 0u);
  EXPECT_EQ(whole.peak_size(), 100u);
}

TEST(MemoryPool, AgreesWithPlainSums) {
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  constexpr uint64_t kWholeLimit = 1000;
  constexpr uint64_t kPartLimits[] = {500, 400, 300};
  struct Sums {
    uint64_t used = 0;
    uint64_t peak = 0;
    uint64_t refused = 0;
  };
  MemoryPool whole(kWholeLimit);
  std::deque<MemoryPool> parts;
  for (const uint64_t limit : kPartLimits) parts.emplace_back(limit, &whole);
  Sums whole_sums;
  Sums part_sums[std::size(kPartLimits)];

  for (int step = 0; step < 20'000; ++step) {
    const size_t index = random() % parts.size();
    Sums& sums = part_sums[index];
    if (random() % 2 == 0) {
      const uint64_t size = random() % 200;
      const bool fits =
          sums.used + size <= kPartLimits[index] && whole_sums.used + size <= kWholeLimit;
      ASSERT_EQ(parts[index].reserve(size), fits);
      for (Sums* each : {&sums, &whole_sums}) {
        each->used += fits ? size : 0;
        each->peak = std::max(each->peak, each->used);
        each->refused += fits ? 0 : 1;
      }
    } else {
      const uint64_t size = random() % (sums.used + 1);
      parts[index].release(size);
      sums.used -= size;
      whole_sums.used -= size;
    }
    for (const auto& [pool, expected] :
         {std::pair(&parts[index], sums), std::pair(&whole, whole_sums)}) {
      const PoolStatistics statistics = pool->statistics();
      ASSERT_EQ(statistics.used_size, expected.used);
      ASSERT_EQ(statistics.peak_size, expected.peak);
      ASSERT_EQ(statistics.refused_count, expected.refused);
    }
  }
  for (size_t index = 0; index < parts.size(); ++index) parts[index].release(part_sums[index].used);
}

// Two workers with a part each and one on the whole, which has room for one and a half of them.
TEST(MemoryPool, NeverPassesItsLimitWhileThreadsRace) {
  constexpr uint64_t kLimit = 150;
  constexpr uint64_t kPartLimit = 100;
  constexpr int kStepCount = 30'000;
  MemoryPool whole(kLimit);
  MemoryPool left(kPartLimit, &whole);
  MemoryPool right(kPartLimit, &whole);
  // What the threads really hold, counted beside the pool: raised after a reservation succeeded and
  // lowered before it is given back, so never more than the pool says.
  std::atomic<uint64_t> held = 0;
  std::atomic<uint64_t> refused = 0;
  std::atomic<bool> is_over = false;

  const auto walk = [&](MemoryPool& pool, uint64_t seed) {
    std::mt19937_64 random(seed);
    uint64_t own = 0;
    for (int step = 0; step < kStepCount; ++step) {
      const uint64_t size = random() % 40 + 1;
      if (random() % 2 == 0) {
        if (pool.reserve(size)) {
          own += size;
          if (held.fetch_add(size) + size > kLimit) is_over = true;
        } else {
          ++refused;
        }
      } else {
        const uint64_t portion = std::min(size, own);
        held -= portion;
        own -= portion;
        pool.release(portion);
      }
      const PoolStatistics statistics = whole.statistics();
      if (statistics.used_size > kLimit || statistics.peak_size > kLimit) is_over = true;
    }
    held -= own;
    pool.release(own);
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&] { walk(left, kSeed); });
  threads.emplace_back([&] { walk(right, kSeed + 1); });
  threads.emplace_back([&] { walk(whole, kSeed + 2); });
  for (std::thread& thread : threads) thread.join();

  EXPECT_FALSE(is_over);
  EXPECT_EQ(whole.used_size(), 0u);
  EXPECT_EQ(left.used_size(), 0u);
  EXPECT_EQ(right.used_size(), 0u);
  EXPECT_EQ(whole.refused_count(), refused.load());
  EXPECT_GT(refused.load(), 0u) << "the limit was never hit: the test shows nothing";
}

}  // namespace
}  // namespace weir
