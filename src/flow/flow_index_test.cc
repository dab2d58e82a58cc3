// SPDX-License-Identifier: Apache-2.0
#include "flow/flow_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <unordered_map>
#include <vector>

#include "tests/support/scale.h"

namespace weir {

// What only the index itself knows: its buckets.
struct FlowIndexTest {
  using Bucket = FlowIndex::Bucket;

  static uint32_t match(const Bucket& bucket, uint16_t tag) {
    return FlowIndex::match(bucket, tag);
  }
  static uint32_t match_one_by_one(const Bucket& bucket, uint16_t tag) {
    return FlowIndex::match_one_by_one(bucket, tag);
  }

  // How many entries lie in their home bucket, in the next one, and so on.
  struct Layout {
    std::vector<uint64_t> by_distance = std::vector<uint64_t>(FlowIndex::kProbeMax);
    uint64_t wrong_overflows = 0;  // buckets whose count is not that of the keys that passed them

    uint64_t entries() const {
      uint64_t sum = 0;
      for (const uint64_t count : by_distance) sum += count;
      return sum;
    }
    // Looked at by a look-up that finds its key, on average.
    double buckets_per_hit() const {
      double sum = 0;
      for (size_t distance = 0; distance < by_distance.size(); ++distance)
        sum += static_cast<double>(by_distance[distance] * (distance + 1));
      return sum / static_cast<double>(entries());
    }
  };
  // Of the table that insert() fills.
  template <typename HashOf>
  static Layout layout(const FlowIndex& index, const HashOf& hash_of) {
    Layout result;
    const uint32_t bucket_count = index.table_.mask + 1;
    std::vector<uint32_t> passed(bucket_count);
    for (uint32_t number = 0; number < bucket_count; ++number) {
      const Bucket& bucket = index.table_.buckets[number];
      for (uint32_t at = 0; at < FlowIndex::kBucketSize; ++at) {
        if (bucket.tags[at] == 0) continue;
        const uint32_t home = hash_of(bucket.slots[at]) & index.table_.mask;
        const uint32_t distance = (number - home) & index.table_.mask;
        ++result.by_distance.at(distance);
        for (uint32_t step = 0; step < distance; ++step)
          ++passed[(home + step) & index.table_.mask];
      }
    }
    for (uint32_t number = 0; number < bucket_count; ++number)
      result.wrong_overflows += index.table_.buckets[number].overflow != passed[number];
    return result;
  }

  // Whether every bucket where a key of this hash may lie is full.
  static bool is_full_around(const FlowIndex& index, uint32_t hash) {
    for (uint32_t probe = 0; probe < FlowIndex::kProbeMax; ++probe) {
      if (match(index.table_.buckets[(hash + probe) & index.table_.mask], 0) != 0) return false;
    }
    return true;
  }
};

namespace test {
namespace {

using Random = std::independent_bits_engine<std::mt19937, 32, uint32_t>;

constexpr uint64_t kAmple = uint64_t{1} << 32;
constexpr uint32_t kAccepted = FlowIndex::kProbeMax * FlowIndex::kBucketSize;

// A hash and a tag for any number; the same again for the same number.
uint64_t mixed(uint64_t number) {
  number += 0x9e37'79b9'7f4a'7c15;
  number = (number ^ number >> 30) * 0xbf58'476d'1ce4'e5b9;
  number = (number ^ number >> 27) * 0x94d0'49bb'1331'11eb;
  return number ^ number >> 31;
}
uint32_t hash_of(uint32_t slot) {
  return static_cast<uint32_t>(mixed(slot));
}
uint16_t tag_of(uint32_t slot) {
  return static_cast<uint16_t>(mixed(slot) >> 32);
}

bool is_found(const FlowIndex& index, uint32_t hash, uint16_t tag, uint32_t slot) {
  return index.find(hash, tag, [slot](uint32_t found) { return found == slot; }) == slot;
}

struct Entry {
  uint32_t hash = 0;
  uint16_t tag = 0;
  bool is_there = false;
};

// The index and what should be in it.
struct Walk {
  explicit Walk(uint32_t entry_count_initial) : index(pool, entry_count_initial) {}

  MemoryPool pool{kAmple};
  FlowIndex index;
  std::vector<Entry> entries;  // by slot
  std::vector<uint32_t> there;
  std::unordered_multimap<uint64_t, uint32_t> slots;  // by hash and tag

  static uint64_t key_of(const Entry& entry) {
    return uint64_t{entry.hash} << 16 | std::max<uint16_t>(entry.tag, 1);
  }

  bool insert(uint32_t hash, uint16_t tag) {
    uint32_t slot = 0;
    while (slot < entries.size() && entries[slot].is_there) ++slot;
    if (slot == entries.size()) entries.emplace_back();
    if (!index.insert(hash, tag, slot)) return false;
    entries[slot] = {hash, tag, true};
    slots.emplace(key_of(entries[slot]), slot);
    there.push_back(slot);
    return true;
  }

  void erase(size_t which) {
    const uint32_t slot = there[which];
    there[which] = there.back();
    there.pop_back();
    Entry& entry = entries[slot];
    index.erase(entry.hash, slot);
    entry.is_there = false;
    auto [at, end] = slots.equal_range(key_of(entry));
    while (at->second != slot) ++at;
    slots.erase(at);
  }

  void migrate(uint32_t bucket_count) {
    index.migrate(bucket_count, [this](uint32_t slot) { return entries[slot].hash; });
  }

  // Looks for all keys of a hash and tag: each is offered, nothing is that is not there or has
  // another tag, and the work is bounded.
  void check(uint32_t hash, uint16_t tag) const {
    const uint64_t key = key_of({hash, tag, true});
    std::vector<uint32_t> offered;
    const uint32_t none = index.find(hash, tag, [&](uint32_t slot) {
      offered.push_back(slot);
      return false;
    });
    ASSERT_EQ(none, FlowIndex::kNone);
    ASSERT_LE(offered.size(), 2 * kAccepted);
    for (const uint32_t slot : offered) {
      ASSERT_TRUE(entries[slot].is_there);
      ASSERT_EQ(std::max<uint16_t>(entries[slot].tag, 1), std::max<uint16_t>(tag, 1));
    }
    const auto [begin, end] = slots.equal_range(key);
    for (auto at = begin; at != end; ++at) {
      ASSERT_NE(std::find(offered.begin(), offered.end(), at->second), offered.end());
      ASSERT_TRUE(is_found(index, hash, tag, at->second));
    }
    const uint32_t hint = index.candidate(hash, tag);
    ASSERT_TRUE(hint == FlowIndex::kNone || entries[hint].is_there);
  }
};

// Keys from many (all different) to few (many share hash and tag), entries moved after every
// insertion, seldom, or never.
TEST(FlowIndex, RandomWalkEqualsAMultimap) {
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    Random random(static_cast<uint32_t>(7000 + round));
    const uint32_t hash_mask = round % 3 == 0 ? 0xffff'ffff : round % 3 == 1 ? 0xff0 : 0x7;
    const uint16_t tag_mask = round % 2 == 0 ? 0xffff : 3;
    const uint32_t migrate_one_in = round % 4 == 0 ? 1 : round % 4 == 1 ? 50 : 0;
    const bool is_growing_walk = round % 5 != 0;
    Walk walk(round % 7 == 0 ? 5000 : 1);
    uint64_t refused = 0;
    for (int step = 0; step < 4000; ++step) {
      const uint32_t hash = random() & hash_mask;
      const auto tag = static_cast<uint16_t>(random() & tag_mask);
      // Up, then down again.
      const bool is_upward = is_growing_walk ? step < 2600 : random() % 2 == 0;
      const uint32_t dice = random() % 10;
      if (dice < (is_upward ? 6u : 2u)) {
        refused += !walk.insert(hash, tag);
      } else if (dice < 8 && !walk.there.empty()) {
        walk.erase(random() % walk.there.size());
      }
      if (migrate_one_in != 0 && random() % migrate_one_in == 0) walk.migrate(1 + random() % 3);
      if (random() % 4 == 0 && !walk.there.empty()) {
        const uint32_t slot = walk.there[random() % walk.there.size()];
        walk.index.settle(walk.entries[slot].hash, slot);
      }
      ASSERT_EQ(walk.index.count(), walk.there.size());
      ASSERT_NO_FATAL_FAILURE(walk.check(hash, tag));
      if (walk.there.empty()) continue;
      const Entry& known = walk.entries[walk.there[random() % walk.there.size()]];
      ASSERT_NO_FATAL_FAILURE(walk.check(known.hash, known.tag));
    }
    if (hash_mask == 0xffff'ffff && migrate_one_in == 1) {
      EXPECT_EQ(refused, 0u);
    }
    EXPECT_LE(walk.index.probe_longest(), FlowIndex::kProbeMax);
    while (!walk.there.empty()) walk.erase(walk.there.size() - 1);
    EXPECT_EQ(walk.index.count(), 0u);
    const FlowIndexTest::Layout empty =
        FlowIndexTest::layout(walk.index, [](uint32_t) { return 0u; });
    EXPECT_EQ(empty.entries(), 0u);
    EXPECT_EQ(empty.wrong_overflows, 0u) << "an erased key has taken its counts back";
  }
}

TEST(FlowIndex, KeysOfOneHashAndTagAreToldApartByTheCaller) {
  MemoryPool pool(kAmple);
  FlowIndex index(pool, 100);
  for (uint32_t slot = 0; slot < 25; ++slot) ASSERT_TRUE(index.insert(77, 5, slot));
  for (uint32_t slot = 0; slot < 25; ++slot) EXPECT_TRUE(is_found(index, 77, 5, slot));
  index.erase(77, 13);
  EXPECT_FALSE(is_found(index, 77, 5, 13));
  EXPECT_TRUE(is_found(index, 77, 5, 24));
  EXPECT_FALSE(is_found(index, 77, 6, 24));
}

TEST(FlowIndex, ATagOfZeroIsATagLikeAnother) {
  MemoryPool pool(kAmple);
  FlowIndex index(pool, 1);
  ASSERT_TRUE(index.insert(3, 0, 8));
  EXPECT_TRUE(is_found(index, 3, 0, 8));
  EXPECT_EQ(index.candidate(3, 0), 8u);
  index.erase(3, 8);
  EXPECT_EQ(index.candidate(3, 0), FlowIndex::kNone);
  EXPECT_EQ(index.find(3, 0, [](uint32_t) { return true; }), FlowIndex::kNone);
}

TEST(FlowIndex, AVectorComparesAsOneByOne) {
  Random random(11);
  for (int round = 0; round < 100'000; ++round) {
    FlowIndexTest::Bucket bucket;
    const uint16_t few = static_cast<uint16_t>(random() & 0xfff3);
    for (uint16_t& tag : bucket.tags)
      tag = random() % 3 == 0 ? few : random() % 3 == 0 ? 0 : static_cast<uint16_t>(random());
    // What stands behind the tags may look like one.
    bucket.overflow = random() % 2 == 0 ? few : 0;
    bucket.reserved = random() % 2 == 0 ? few : 0;
    for (uint32_t& slot : bucket.slots)
      slot = random() % 2 == 0 ? uint32_t{few} << 16 | few : static_cast<uint32_t>(random());
    for (const uint16_t tag : {few, uint16_t{0}, uint16_t{0x8000}, bucket.tags[random() % 10]}) {
      ASSERT_EQ(FlowIndexTest::match(bucket, tag), FlowIndexTest::match_one_by_one(bucket, tag));
    }
  }
}

// Somebody who knows the secret: all keys hash alike. A table that is not crowded by others does
// not grow for them.
TEST(FlowIndex, KeysThatHashAlikeAreRefusedBeyondTheProbes) {
  MemoryPool pool(kAmple);
  FlowIndex index(pool, 100'000);
  const uint32_t capacity = index.capacity();
  constexpr uint32_t kHash = 0xffff'fff0;  // the probes go round the end
  for (uint32_t slot = 0; slot < kAccepted; ++slot) ASSERT_TRUE(index.insert(kHash, 9, slot));
  for (uint32_t slot = kAccepted; slot < 3 * kAccepted; ++slot)
    ASSERT_FALSE(index.insert(kHash, 9, slot));
  EXPECT_EQ(index.count(), kAccepted);
  EXPECT_EQ(index.capacity(), capacity);
  EXPECT_FALSE(index.is_growing());
  EXPECT_EQ(index.probe_longest(), FlowIndex::kProbeMax);
  uint32_t compared = 0;
  index.find(kHash, 9, [&](uint32_t) { return ++compared == 0; });
  EXPECT_EQ(compared, kAccepted);
  for (uint32_t slot = 0; slot < kAccepted; ++slot) ASSERT_TRUE(is_found(index, kHash, 9, slot));

  // Others are refused only if theirs is the very bucket, and each that leaves makes room for one.
  for (uint32_t slot = 0; slot < 30'000; ++slot) {
    ASSERT_TRUE(index.insert(hash_of(slot), tag_of(slot), 1000 + slot) ||
                FlowIndexTest::is_full_around(index, hash_of(slot)));
  }
  EXPECT_GT(index.count(), kAccepted + 30'000 - 20);
  index.erase(kHash, 17);
  EXPECT_TRUE(index.insert(kHash, 9, 17));
  EXPECT_FALSE(index.insert(kHash, 9, 900));
}

// In a small table the same crowd is most of what there is, so it grows once, and what then does
// not fit into the new table stays in the old one.
TEST(FlowIndex, ACrowdInASmallTableIsBoundedAndEndsWithItsKeys) {
  MemoryPool pool(kAmple);
  FlowIndex index(pool, 1);
  const auto same = [](uint32_t) { return 5u; };
  std::vector<uint32_t> accepted;
  for (uint32_t slot = 0; slot < 4 * kAccepted; ++slot) {
    if (index.insert(5, 9, slot)) accepted.push_back(slot);
    index.migrate(1, same);
  }
  EXPECT_GE(accepted.size(), kAccepted);
  EXPECT_LE(accepted.size(), 2 * kAccepted);
  EXPECT_LE(index.capacity(), 8 * kAccepted);
  uint32_t compared = 0;
  index.find(5, 9, [&](uint32_t) { return ++compared == 0; });
  EXPECT_LE(compared, 2 * kAccepted);
  for (const uint32_t slot : accepted) ASSERT_TRUE(is_found(index, 5, 9, slot));

  for (const uint32_t slot : accepted) index.erase(5, slot);
  index.migrate(UINT32_MAX, same);
  EXPECT_FALSE(index.is_growing());
  for (uint32_t slot = 0; slot < 10'000; ++slot) {
    ASSERT_TRUE(index.insert(hash_of(slot), tag_of(slot), slot));
    index.migrate(1, hash_of);
  }
}

// 10 M keys come and go while their number stays the same. The counts that end a look-up are exact
// after that. A key that found its home full stays away although there is room at home later, so
// after some turnovers more are away than in a table filled just now; then it stays as it is.
TEST(FlowIndex, DoesNotDecayUnderChurn) {
  constexpr uint32_t kTurnover = 100;
  for (const uint32_t load_percent : {50u, 65u}) {
    SCOPED_TRACE(load_percent);
    MemoryPool pool(kAmple);
    FlowIndex index(pool, 50'000 / kScale);
    const uint32_t capacity = index.capacity();
    const uint32_t live = capacity / 100 * load_percent;
    std::vector<uint32_t> numbers(live);  // by slot: which key it has
    const auto hash_at = [&](uint32_t slot) { return hash_of(numbers[slot]); };
    for (uint32_t slot = 0; slot < live; ++slot) {
      numbers[slot] = slot;
      ASSERT_TRUE(index.insert(hash_of(slot), tag_of(slot), slot));
    }
    const double fresh = FlowIndexTest::layout(index, hash_at).buckets_per_hit();

    Random random(23);
    double settled = 0;
    for (uint32_t number = live; number < live * kTurnover; ++number) {
      const uint32_t slot = random() % live;
      index.erase(hash_at(slot), slot);
      numbers[slot] = number;
      ASSERT_TRUE(index.insert(hash_of(number), tag_of(number), slot));
      if (number == live * 10) settled = FlowIndexTest::layout(index, hash_at).buckets_per_hit();
    }
    EXPECT_EQ(index.capacity(), capacity);
    EXPECT_EQ(index.count(), live);
    const FlowIndexTest::Layout churned = FlowIndexTest::layout(index, hash_at);
    EXPECT_EQ(churned.entries(), live);
    EXPECT_EQ(churned.wrong_overflows, 0u);
    EXPECT_LE(churned.buckets_per_hit(), 1.3 * fresh);
    EXPECT_LE(churned.buckets_per_hit(), 1.05 * settled);
    EXPECT_LE(index.probe_longest(), FlowIndex::kProbeMax) << "of all that ever were";
    for (uint32_t slot = 0; slot < live; ++slot)
      ASSERT_TRUE(is_found(index, hash_at(slot), tag_of(numbers[slot]), slot));
    for (uint32_t slot = 0; slot < live; ++slot) index.erase(hash_at(slot), slot);
    EXPECT_EQ(FlowIndexTest::layout(index, hash_at).wrong_overflows, 0u);
  }
}

// As the table does with every flow that has a packet of the general kind.
TEST(FlowIndex, KeysSettledFourTimesInTheirLifeStayAtHomeUnderChurn) {
  MemoryPool pool(kAmple);
  FlowIndex index(pool, 50'000 / kScale);
  const uint32_t live = index.capacity() / 100 * 65;
  std::vector<uint32_t> numbers(live);
  const auto hash_at = [&](uint32_t slot) { return hash_of(numbers[slot]); };
  for (uint32_t slot = 0; slot < live; ++slot) {
    numbers[slot] = slot;
    ASSERT_TRUE(index.insert(hash_of(slot), tag_of(slot), slot));
  }
  const double fresh = FlowIndexTest::layout(index, hash_at).buckets_per_hit();
  Random random(29);
  for (uint32_t number = live; number < live * 20; ++number) {
    const uint32_t slot = random() % live;
    index.erase(hash_at(slot), slot);
    numbers[slot] = number;
    ASSERT_TRUE(index.insert(hash_of(number), tag_of(number), slot));
    for (int packet = 0; packet < 4; ++packet) {
      const uint32_t seen = random() % live;
      index.settle(hash_at(seen), seen);
      ASSERT_TRUE(is_found(index, hash_at(seen), tag_of(numbers[seen]), seen));
    }
  }
  const FlowIndexTest::Layout churned = FlowIndexTest::layout(index, hash_at);
  EXPECT_EQ(churned.entries(), live);
  EXPECT_EQ(churned.wrong_overflows, 0u);
  // 1.08 without settling; the rest is keys that were never seen again after they were moved out.
  EXPECT_LE(churned.buckets_per_hit(), 1.03 * fresh);
  for (uint32_t slot = 0; slot < live; ++slot) index.erase(hash_at(slot), slot);
  EXPECT_EQ(FlowIndexTest::layout(index, hash_at).wrong_overflows, 0u);
}

TEST(FlowIndex, APoolThatRefusesTheInitialSizeIsBadAlloc) {
  MemoryPool pool(sizeof(FlowIndexTest::Bucket));
  EXPECT_THROW(FlowIndex(pool, 100), std::bad_alloc);
  EXPECT_EQ(pool.used_size(), 0u);
}

// Without room to grow the table fills beyond its load, and refuses only where nothing is free.
TEST(FlowIndex, APoolThatRefusesGrowthFillsWhatThereIs) {
  const uint64_t initial_size = [] {
    MemoryPool probe(kAmple);
    const FlowIndex index(probe, 1000);
    return probe.used_size();
  }();
  MemoryPool pool(initial_size);
  FlowIndex index(pool, 1000);
  std::vector<uint32_t> there;
  for (uint32_t slot = 0; slot < 2 * index.capacity(); ++slot) {
    if (index.insert(hash_of(slot), tag_of(slot), slot)) {
      there.push_back(slot);
    } else {
      ASSERT_TRUE(FlowIndexTest::is_full_around(index, hash_of(slot)));
    }
    ASSERT_FALSE(index.is_growing());
  }
  EXPECT_EQ(index.count(), there.size());
  EXPECT_GT(index.count(), index.capacity() * 95 / 100);
  EXPECT_GT(pool.refused_count(), 0u);
  EXPECT_EQ(pool.used_size(), initial_size);
  for (const uint32_t slot : there) ASSERT_TRUE(is_found(index, hash_of(slot), tag_of(slot), slot));
  EXPECT_EQ(FlowIndexTest::layout(index, hash_of).wrong_overflows, 0u);
  index.erase(hash_of(there[7]), there[7]);
  EXPECT_TRUE(index.insert(hash_of(there[7]), 1, there[7]));
}

TEST(FlowIndex, GivesAllMemoryBack) {
  MemoryPool pool(kAmple);
  {
    FlowIndex index(pool, 1);
    const uint64_t initial_size = pool.used_size();
    for (uint32_t slot = 0; slot < 9; ++slot) index.insert(hash_of(slot), tag_of(slot), slot);
    ASSERT_TRUE(index.is_growing());
    EXPECT_EQ(pool.used_size(), 3 * initial_size);
    index.migrate(UINT32_MAX, hash_of);
    EXPECT_FALSE(index.is_growing());
    EXPECT_EQ(pool.used_size(), 2 * initial_size);
  }
  EXPECT_EQ(pool.used_size(), 0u);
}

TEST(FlowIndex, ClearForgetsAllAlsoWhileGrowing) {
  MemoryPool pool(kAmple);
  FlowIndex index(pool, 1);
  for (uint32_t slot = 0; slot < 10; ++slot) ASSERT_TRUE(index.insert(hash_of(slot), 1, slot));
  ASSERT_TRUE(index.is_growing());
  index.clear();
  EXPECT_FALSE(index.is_growing());
  EXPECT_EQ(index.count(), 0u);
  for (uint32_t slot = 0; slot < 10; ++slot) EXPECT_FALSE(is_found(index, hash_of(slot), 1, slot));
  for (uint32_t slot = 0; slot < 10; ++slot) ASSERT_TRUE(index.insert(hash_of(slot), 1, slot));
  EXPECT_EQ(index.count(), 10u);
}

// From the smallest table, with one bucket moved for each insertion, as the flow table does.
TEST(FlowIndex, GrowsToTenMillion) {
  constexpr uint32_t kCount = 10'000'000 / (kScale * kScale);
  MemoryPool pool(kAmple);
  FlowIndex index(pool, 1);
  for (uint32_t slot = 0; slot < kCount; ++slot) {
    ASSERT_TRUE(index.insert(hash_of(slot), tag_of(slot), slot));
    if (index.is_growing()) index.migrate(1, hash_of);
  }
  EXPECT_EQ(index.count(), kCount);
  EXPECT_GE(index.capacity(), kCount);
  EXPECT_LE(index.capacity(), 3 * kCount) << "the load is over two fifths just after growing";
  for (uint32_t slot = 0; slot < kCount; slot += 3)
    ASSERT_TRUE(is_found(index, hash_of(slot), tag_of(slot), slot));
  EXPECT_FALSE(is_found(index, hash_of(kCount), tag_of(kCount), kCount));
}

}  // namespace
}  // namespace test
}  // namespace weir
