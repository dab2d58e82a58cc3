// SPDX-License-Identifier: Apache-2.0
#include "base/slab.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <map>
#include <new>
#include <random>
#include <vector>

namespace weir {
namespace {

constexpr uint64_t kSeed = 20261120;
constexpr uint64_t kMegabyte = 1024 * 1024;

struct Element {
  uint32_t number = 0;
  uint32_t check = 0;
  uint64_t words[7] = {};
};
static_assert(sizeof(Element) == 64);
constexpr uint32_t kStepCount = kSlabStepSizeMin / sizeof(Element);  // elements of the first step

// So large that a page holds no whole number of them.
struct OddElement {
  uint32_t number = 0;
  uint32_t check = 0;
  uint32_t words[1001] = {};
};

template <typename T>
void write(T& element, uint32_t number) {
  element.number = number;
  element.check = ~number;
  element.words[std::size(element.words) - 1] = number;
}

template <typename T>
void expect_intact(const T& element, uint32_t number) {
  ASSERT_EQ(element.number, number);
  ASSERT_EQ(element.check, ~number);
  ASSERT_EQ(element.words[std::size(element.words) - 1], number);
}

bool is_resident(const void* begin, uint64_t size) {
  const auto page_size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t skipped = std::bit_cast<uint64_t>(begin) % page_size;
  void* const first = std::bit_cast<void*>(std::bit_cast<uint64_t>(begin) - skipped);
  std::vector<unsigned char> pages((size + skipped + page_size - 1) / page_size);
  if (mincore(first, size + skipped, pages.data()) != 0) return false;
  return std::all_of(pages.begin(), pages.end(),
                     [](unsigned char page) { return (page & 1) != 0; });
}

TEST(Slab, HandsOutSlotsInOrderAndFreedOnesFirstLastFreedFirst) {
  MemoryPool pool(kMegabyte);
  Slab<Element> slab(1000, pool);
  for (uint32_t slot = 0; slot < 10; ++slot) EXPECT_EQ(slab.allocate(), slot);
  slab.free(3);
  slab.free(7);
  slab.free(5);
  EXPECT_EQ(slab.used_count(), 7u);
  EXPECT_EQ(slab.end_slot(), 10u);
  EXPECT_EQ(slab.allocate(), 5u);
  EXPECT_EQ(slab.allocate(), 7u);
  EXPECT_EQ(slab.allocate(), 3u);
  EXPECT_EQ(slab.allocate(), 10u);
  EXPECT_EQ(slab.used_count(), 11u);
  EXPECT_EQ(slab.end_slot(), 11u);
}

TEST(Slab, AnElementIsZeroFirstAndLaterAsItWasFreedSaveFourBytes) {
  MemoryPool pool(kMegabyte);
  Slab<Element> slab(1000, pool);
  const uint32_t slot = slab.allocate();
  EXPECT_EQ(slab[slot].number, 0u);
  EXPECT_EQ(slab[slot].words[6], 0u);
  write(slab[slot], 99);
  slab.free(slot);
  ASSERT_EQ(slab.allocate(), slot);
  EXPECT_EQ(slab[slot].check, ~99u);
  EXPECT_EQ(slab[slot].words[6], 99u);
}

// The address sanitizer would object if the slab were not a scanned one.
TEST(Slab, AScannedSlabShowsElementsThatNobodyHas) {
  MemoryPool pool(kMegabyte);
  Slab<Element, SlabUse::kScanned> slab(1000, pool);
  for (uint32_t slot = 0; slot < 10; ++slot) write(slab[slab.allocate()], slot);
  slab.free(2);
  slab.free(5);
  for (uint32_t slot = 0; slot < slab.end_slot(); ++slot) EXPECT_EQ(slab[slot].check, ~slot);
}

TEST(Slab, BeginsOnAHugePageAndIsContiguous) {
  MemoryPool pool(64 * kMegabyte);
  Slab<Element> slab(100'000, pool);
  for (uint32_t slot = 0; slot < 100'000; ++slot) ASSERT_EQ(slab.allocate(), slot);
  EXPECT_EQ(std::bit_cast<uint64_t>(&slab[0]) % kSlabStepSizeMax, 0u);
  EXPECT_EQ(std::bit_cast<uint64_t>(&slab[99'999]),
            std::bit_cast<uint64_t>(&slab[0]) + 99'999 * sizeof(Element));
}

TEST(Slab, CommitsNothingBeforeItIsAskedThenStepsThatDouble) {
  MemoryPool pool(64 * kMegabyte);
  Slab<Element> slab(1'000'000, pool);
  EXPECT_EQ(slab.committed_size(), 0u);
  EXPECT_EQ(pool.used_size(), 0u);
  std::vector<uint64_t> sizes = {0};
  for (uint32_t slot = 0; slot < 100'000; ++slot) {
    ASSERT_EQ(slab.allocate(), slot);
    ASSERT_EQ(slab.committed_size(), pool.used_size());
    if (slab.committed_size() != sizes.back()) sizes.push_back(slab.committed_size());
  }
  const uint64_t step = kSlabStepSizeMin;
  EXPECT_EQ(sizes,
            (std::vector<uint64_t>{0, step, 2 * step, 4 * step, 8 * step, 16 * step, 2 * kMegabyte,
                                   4 * kMegabyte, 6 * kMegabyte, 8 * kMegabyte}));
}

TEST(Slab, ReturnsEverythingOnDestruction) {
  MemoryPool pool(kMegabyte);
  {
    Slab<Element> slab(1000, pool);
    slab.allocate();
    EXPECT_GT(pool.used_size(), 0u);
  }
  EXPECT_EQ(pool.used_size(), 0u);
}

TEST(Slab, ResetForgetsElementsAndReturnsTheirMemory) {
  MemoryPool pool(4 * kMegabyte);
  Slab<Element> slab(10'000, pool);
  for (int round = 0; round < 3; ++round) {
    for (uint32_t slot = 0; slot < 10'000; ++slot) {
      ASSERT_EQ(slab.allocate(), slot);
      ASSERT_EQ(slab[slot].check, 0u) << "memory is new after a reset";
      write(slab[slot], slot);
    }
    EXPECT_EQ(slab.allocate(), kNoSlot);
    slab.free(17);
    const void* const begin = &slab[0];
    slab.reset();
    EXPECT_EQ(pool.used_size(), 0u);
    EXPECT_EQ(slab.committed_size(), 0u);
    EXPECT_EQ(slab.used_count(), 0u);
    EXPECT_EQ(slab.end_slot(), 0u);
    EXPECT_FALSE(is_resident(begin, 1));
  }
  EXPECT_EQ(slab.refused_count(), 3u) << "a counter is not memory";
  slab.reset();
  EXPECT_EQ(pool.used_size(), 0u);
}

// The locked pages cannot be dropped; where locking is not possible this is the test above.
TEST(Slab, ResetOfLockedMemoryBeginsWithZerosToo) {
  MemoryPool pool(kMegabyte);
  Slab<Element> slab(1000, pool);
  write(slab[slab.allocate()], 5);
  const bool is_locked = mlock(&slab[0], 4096) == 0;
  slab.reset();
  EXPECT_EQ(slab.used_count(), 0u);
  ASSERT_EQ(slab.allocate(), 0u);
  EXPECT_EQ(slab[0].check, 0u);
  if (is_locked) munlock(&slab[0], 4096);
}

TEST(Slab, CountMaxRefusesAndIsCounted) {
  MemoryPool pool(kMegabyte);
  Slab<Element> slab(3, pool);
  for (uint32_t slot = 0; slot < 3; ++slot) EXPECT_EQ(slab.allocate(), slot);
  EXPECT_EQ(slab.allocate(), kNoSlot);
  EXPECT_EQ(slab.allocate(), kNoSlot);
  EXPECT_EQ(slab.refused_count(), 2u);
  EXPECT_EQ(slab.used_count(), 3u);
  EXPECT_EQ(pool.refused_count(), 0u) << "the pool had room";
  slab.free(1);
  EXPECT_EQ(slab.allocate(), 1u);
}

TEST(Slab, OfOneElement) {
  MemoryPool pool(kMegabyte);
  Slab<OddElement> slab(1, pool);
  for (uint32_t round = 0; round < 3; ++round) {
    EXPECT_TRUE(slab.prepare(1));
    EXPECT_FALSE(slab.prepare(2));
    ASSERT_EQ(slab.allocate(), 0u);
    write(slab[0], round);
    EXPECT_FALSE(slab.prepare(1));
    EXPECT_EQ(slab.allocate(), kNoSlot);
    expect_intact(slab[0], round);
    slab.free(0);
  }
  EXPECT_EQ(slab.refused_count(), 3u);
}

TEST(Slab, PoolsOfEverySizeUpToAStepAreUsedByWholePages) {
  const auto page_size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  for (const uint64_t limit : {uint64_t{0}, uint64_t{1}, page_size - 1, page_size, page_size + 1,
                               kSlabStepSizeMin - 1, kSlabStepSizeMin, 3 * page_size}) {
    SCOPED_TRACE(limit);
    MemoryPool pool(limit);
    Slab<Element> slab(1'000'000, pool);
    uint32_t count = 0;
    while (slab.allocate() != kNoSlot) write(slab[count], count), ++count;
    EXPECT_EQ(count, limit / page_size * page_size / sizeof(Element));
    for (uint32_t slot = 0; slot < count; ++slot) expect_intact(slab[slot], slot);
    EXPECT_LE(pool.used_size(), limit);
    EXPECT_EQ(pool.refused_count(), 1u);
    EXPECT_EQ(slab.refused_count(), 1u);
    EXPECT_FALSE(slab.prepare(1));
    EXPECT_EQ(pool.refused_count(), 1u) << "a wish is not counted";
  }
}

TEST(Slab, AFullPoolIsAskedAgainOnceInAWhileAndByPrepare) {
  MemoryPool pool(kSlabStepSizeMin);
  Slab<Element> slab(1'000'000, pool);
  ASSERT_TRUE(pool.reserve(kSlabStepSizeMin));
  EXPECT_EQ(slab.allocate(), kNoSlot);
  EXPECT_EQ(pool.refused_count(), 1u);
  for (uint32_t count = 1; count < kRefusalsPerAttempt; ++count) {
    EXPECT_EQ(slab.allocate(), kNoSlot);
  }
  EXPECT_EQ(pool.refused_count(), 1u);
  EXPECT_EQ(slab.refused_count(), kRefusalsPerAttempt);
  EXPECT_EQ(slab.allocate(), kNoSlot);
  EXPECT_EQ(pool.refused_count(), 2u);

  pool.release(kSlabStepSizeMin);
  EXPECT_EQ(slab.allocate(), kNoSlot) << "it does not know yet";
  EXPECT_TRUE(slab.prepare(1));
  EXPECT_EQ(slab.allocate(), 0u);
}

TEST(Slab, AFullPoolIsAskedAgainWithoutPrepareToo) {
  MemoryPool pool(kSlabStepSizeMin);
  Slab<Element> slab(1'000'000, pool);
  ASSERT_TRUE(pool.reserve(kSlabStepSizeMin));
  EXPECT_EQ(slab.allocate(), kNoSlot);
  pool.release(kSlabStepSizeMin);
  uint32_t refused_count = 1;
  while (slab.allocate() == kNoSlot) ++refused_count;
  EXPECT_EQ(refused_count, kRefusalsPerAttempt);
}

TEST(Slab, PreparedAllocationsNeitherCommitNorFault) {
  for (const SlabPages pages : {SlabPages::kHuge, SlabPages::kSmall}) {
    MemoryPool pool(16 * kMegabyte);
    Slab<OddElement> slab(2'000, pool, pages);
    uint32_t end = 0;
    for (const uint32_t count : {1u, 15u, 64u, 500u, 1u, 900u}) {
      ASSERT_TRUE(slab.prepare(count));
      const uint64_t committed_size = slab.committed_size();
      for (uint32_t index = 0; index < count; ++index, ++end) {
        ASSERT_EQ(slab.allocate(), end);
        ASSERT_TRUE(is_resident(&slab[end], sizeof(OddElement)));
        write(slab[end], end);
      }
      EXPECT_EQ(slab.committed_size(), committed_size);
    }
    for (uint32_t slot = 0; slot < end; ++slot) expect_intact(slab[slot], slot);
  }
}

TEST(Slab, PrepareTakesFreeSlotsIntoAccount) {
  MemoryPool pool(kMegabyte);
  Slab<Element> slab(1'000'000, pool);
  for (uint32_t slot = 0; slot < kStepCount; ++slot) ASSERT_EQ(slab.allocate(), slot);
  for (uint32_t slot = 0; slot < 100; ++slot) slab.free(slot);
  EXPECT_TRUE(slab.prepare(100));
  EXPECT_EQ(slab.committed_size(), kSlabStepSizeMin);
  EXPECT_TRUE(slab.prepare(101));
  EXPECT_EQ(slab.committed_size(), 2 * kSlabStepSizeMin);
}

TEST(Slab, PrepareLeavesTheElementsAlone) {
  MemoryPool pool(16 * kMegabyte);
  Slab<OddElement> slab(2'000, pool);
  for (uint32_t slot = 0; slot < 1'000; ++slot) {
    ASSERT_EQ(slab.allocate(), slot);
    write(slab[slot], slot);
    if (slot % 7 == 0) {
      ASSERT_TRUE(slab.prepare(slot % 50));
    }
  }
  for (uint32_t slot = 0; slot < 1'000; ++slot) expect_intact(slab[slot], slot);
}

// A process for which the kernel makes no huge pages.
TEST(SlabDeathTest, WorksWithoutHugePages) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) _exit(0);  // a kernel without them
        MemoryPool pool(16 * kMegabyte);
        Slab<Element> slab(100'000, pool);
        bool is_right = slab.prepare(70'000);
        for (uint32_t slot = 0; slot < 100'000; ++slot) {
          is_right = slab.allocate() == slot && is_right;
          write(slab[slot], slot);
        }
        for (uint32_t slot = 0; slot < 100'000; ++slot) {
          is_right = slab[slot].number == slot && is_right;
        }
        _exit(is_right ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

// As a kernel before 5.14 would answer. False when this one cannot be made to.
bool refuse_madvise_populate() {
  constexpr uint32_t kPopulateWrite = 23;
  sock_filter rows[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_madvise, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kPopulateWrite, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {static_cast<unsigned short>(std::size(rows)), rows};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(SlabDeathTest, PreparesWithoutMadvisePopulateToo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        if (!refuse_madvise_populate()) _exit(0);
        MemoryPool pool(kMegabyte);
        Slab<Element> slab(10'000, pool);
        write(slab[slab.allocate()], 7);
        const bool is_prepared = slab.prepare(5'000);
        const bool is_there = is_resident(&slab[0], 5'001 * sizeof(Element));
        const bool is_intact = slab[0].number == 7 && slab[0].check == ~7u;
        _exit(is_prepared && is_there && is_intact ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

// A process that may have no more memory; the pool has room.
TEST(SlabDeathTest, ASystemThatRefusesIsLikeAPoolThatRefuses) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        MemoryPool pool(16 * kMegabyte);
        Slab<Element> slab(100'000, pool);
        rlimit before = {};
        getrlimit(RLIMIT_DATA, &before);
        rlimit none = before;
        none.rlim_cur = 1;  // 0 would mean no limit
        setrlimit(RLIMIT_DATA, &none);
        const bool is_refused = slab.allocate() == kNoSlot && !slab.prepare(1);
        const bool is_clean = slab.refused_count() == 1 && pool.used_size() == 0;
        setrlimit(RLIMIT_DATA, &before);
        const bool is_well_again = slab.prepare(1) && slab.allocate() == 0;
        _exit(is_refused && is_clean && is_well_again ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(SlabDeathTest, AStrayAccessFaults) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        MemoryPool pool(kMegabyte);
        Slab<Element> slab(1'000'000, pool);
        Element* const first = &slab[slab.allocate()];
        write(first[kStepCount], 1);  // the first that is not committed
      },
      "");
}

#ifdef WEIR_CHECKS_ACCESS
TEST(SlabDeathTest, UseOfAFreeElementIsFound) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  MemoryPool pool(kMegabyte);
  Slab<Element> slab(1000, pool);
  const uint32_t slot = slab.allocate();
  Element& element = slab[slot];
  EXPECT_DEATH(write((&element)[1], 1), "use-after-poison") << "never handed out";
  slab.free(slot);
  EXPECT_DEATH(write(element, 1), "use-after-poison") << "freed";
  EXPECT_EQ(slab.allocate(), slot);
  EXPECT_EQ(slab.allocate(), slot + 1);
  slab.free(slot);
  EXPECT_DEATH(slab.free(slot), "use-after-poison") << "freed twice";
  ASSERT_EQ(slab.allocate(), slot);
  write(element, 1);
}
#endif

TEST(Slab, ARangeThatTheSystemHasNotThrows) {
  struct Page64 {
    unsigned char bytes[kSlabStepSizeMin];
  };
  MemoryPool pool(kMegabyte);
  EXPECT_THROW(Slab<Page64>(kNoSlot - 1, pool), std::bad_alloc);
  EXPECT_EQ(pool.used_size(), 0u);
}

// Random allocations, frees, preparations and resets beside a map of what every slot should hold.
template <typename T>
void walk(uint64_t seed, uint32_t count_max, uint64_t pool_size) {
  SCOPED_TRACE(testing::Message() << "seed " << seed << " count_max " << count_max << " pool "
                                  << pool_size);
  std::mt19937_64 random(seed);
  MemoryPool pool(pool_size);
  Slab<T> slab(count_max, pool, seed % 2 == 0 ? SlabPages::kHuge : SlabPages::kSmall);
  const auto page_size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t usable_size = pool_size / page_size * page_size;
  const uint64_t capacity = std::min<uint64_t>(count_max, usable_size / sizeof(T));

  std::map<uint32_t, uint32_t> used;  // slot → number
  std::vector<uint32_t> free_slots;   // the last is the next
  uint32_t end_slot = 0;
  uint64_t refused_count = 0;
  uint32_t number = 0;
  for (int phase = 0; phase < 40; ++phase) {
    const uint64_t allocations_of_16 = random() % 17;  // phases of growing and of shrinking
    for (int step = 0; step < 500; ++step) {
      if (random() % 64 == 0) {
        const auto count = static_cast<uint32_t>(random() % 100);
        const bool has_room = used.size() + count <= capacity;
        ASSERT_EQ(slab.prepare(count), has_room);
      } else if (random() % 16 < allocations_of_16) {
        uint32_t expected = kNoSlot;
        if (!free_slots.empty()) {
          expected = free_slots.back();
          free_slots.pop_back();
        } else if (end_slot < capacity) {
          expected = end_slot++;
        }
        const uint32_t slot = slab.allocate();
        ASSERT_EQ(slot, expected);
        if (slot == kNoSlot) {
          ++refused_count;
        } else {
          write(slab[slot], ++number);
          used[slot] = number;
        }
      } else if (!used.empty()) {
        auto place = used.lower_bound(static_cast<uint32_t>(random() % (end_slot + 1)));
        if (place == used.end()) place = used.begin();
        expect_intact(slab[place->first], place->second);
        slab.free(place->first);
        free_slots.push_back(place->first);
        used.erase(place);
      }
      ASSERT_EQ(slab.used_count(), used.size());
      ASSERT_EQ(slab.end_slot(), end_slot);
      ASSERT_EQ(slab.refused_count(), refused_count);
      ASSERT_EQ(slab.committed_size(), pool.used_size());
      ASSERT_LE(pool.used_size(), pool_size);
    }
    for (const auto& [slot, expected] : used) expect_intact(slab[slot], expected);
    if (random() % 10 == 0) {
      slab.reset();
      used.clear();
      free_slots.clear();
      end_slot = 0;
    }
  }
}

TEST(Slab, AgreesWithAMapOnRandomWalks) {
  uint64_t seed = kSeed;
  for (const uint64_t pool_size : {uint64_t{1}, uint64_t{10'000}, uint64_t{100'000},
                                   kSlabStepSizeMin, 3 * kMegabyte, 100 * kMegabyte}) {
    for (const uint32_t count_max : {1u, 2u, 100u, 1500u, 1'000'000u}) {
      walk<Element>(++seed, count_max, pool_size);
      walk<OddElement>(++seed, count_max, pool_size);
    }
  }
}

}  // namespace
}  // namespace weir
