// SPDX-License-Identifier: Apache-2.0
#include "base/keyed_hash.h"

#include <gtest/gtest.h>

#include <set>

namespace weir {
namespace {

TEST(KeyedHash, DependsOnSecretLengthAndEveryBit) {
  const HashSecret secret{1, 2};
  std::set<uint64_t> seen;
  uint64_t words[3] = {0, 0, 0};
  for (size_t count = 0; count <= 3; ++count)
    EXPECT_TRUE(seen.insert(keyed_hash(secret, words, count)).second);
  for (size_t word = 0; word < 3; ++word) {
    for (int bit = 0; bit < 64; ++bit) {
      words[word] ^= uint64_t{1} << bit;
      EXPECT_TRUE(seen.insert(keyed_hash(secret, words, 3)).second) << word << ":" << bit;
      words[word] ^= uint64_t{1} << bit;
    }
  }
  EXPECT_TRUE(seen.insert(keyed_hash(HashSecret{1, 3}, words, 3)).second);
  EXPECT_TRUE(seen.insert(keyed_hash(HashSecret{0, 2}, words, 3)).second);
}

TEST(KeyedHash, RandomSecretsDiffer) {
  const HashSecret one = HashSecret::random();
  const HashSecret other = HashSecret::random();
  EXPECT_FALSE(one.k0 == other.k0 && one.k1 == other.k1);
}

}  // namespace
}  // namespace weir
