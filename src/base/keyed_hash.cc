// SPDX-License-Identifier: Apache-2.0
#include "base/keyed_hash.h"

#include <sys/random.h>

#include <bit>

#include "base/assert.h"
#include "base/keyed_hash_aes.h"

namespace weir {

HashSecret HashSecret::random() {
  HashSecret secret;
  ASSERT(getrandom(&secret, sizeof secret, 0) == static_cast<ssize_t>(sizeof secret));
  return secret;
}

namespace {

struct SipState {
  uint64_t v0, v1, v2, v3;

  void round() noexcept {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
};

}  // namespace

// SipHash with one compression and three finalisation rounds (Aumasson and Bernstein, 2012). The
// input is always whole words, so the length block holds the length alone.
uint64_t keyed_hash(const HashSecret& secret, const uint64_t* words, size_t word_count) noexcept {
  SipState state{secret.k0 ^ 0x736f6d6570736575, secret.k1 ^ 0x646f72616e646f6d,
                 secret.k0 ^ 0x6c7967656e657261, secret.k1 ^ 0x7465646279746573};
  for (size_t index = 0; index < word_count; ++index) {
    state.v3 ^= words[index];
    state.round();
    state.v0 ^= words[index];
  }
  const uint64_t length = static_cast<uint64_t>(word_count * 8) << 56;
  state.v3 ^= length;
  state.round();
  state.v0 ^= length;
  state.v2 ^= 0xff;
  state.round();
  state.round();
  state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

namespace {

#if WEIR_X86_KERNELS

WEIR_AES_KERNEL uint64_t aes_hash(const KeyedHasher::Keys& keys, const HashBlock& block) noexcept {
  return aes::hash(keys, aes::load_fresh(block));
}
WEIR_AES_KERNEL uint64_t aes_hash(const KeyedHasher::Keys& keys,
                                  const std::array<HashBlock, 3>& blocks) noexcept {
  return aes::hash(keys, blocks);
}

#else

// Never called: has_aes() is false.
template <typename Blocks>
uint64_t aes_hash(const KeyedHasher::Keys&, const Blocks&) noexcept {
  return 0;
}

#endif

// SipHash in counter mode; no flow's key is hashed as a single word.
uint64_t derived(const HashSecret& secret, uint64_t index) noexcept {
  return keyed_hash(secret, &index, 1);
}

KeyedHasher::Keys derived_keys(const HashSecret& secret) noexcept {
  KeyedHasher::Keys keys;
  uint64_t index = 0;
  const auto derive = [&](HashBlock& key) {
    key.low = derived(secret, index++);
    key.high = derived(secret, index++);
  };
  derive(keys.single);
  for (HashBlock& key : keys.triple) derive(key);
  for (HashBlock& key : keys.rounds) derive(key);
  return keys;
}

}  // namespace

KeyedHasher::KeyedHasher(const HashSecret& secret) noexcept
    : KeyedHasher(secret, has_aes() ? HashAlgorithm::kAes : HashAlgorithm::kSipHash) {}

KeyedHasher::KeyedHasher(const HashSecret& secret, HashAlgorithm algorithm) noexcept
    : secret_(secret), algorithm_(algorithm), keys_(derived_keys(secret)) {
  ASSERT(algorithm == HashAlgorithm::kSipHash || has_aes());
}

uint64_t KeyedHasher::hash(const HashBlock& block) const noexcept {
  if (algorithm_ == HashAlgorithm::kAes) return aes_hash(keys_, block);
  const uint64_t words[] = {block.low, block.high};
  return keyed_hash(secret_, words, 2);
}

uint64_t KeyedHasher::hash(const std::array<HashBlock, 3>& blocks) const noexcept {
  if (algorithm_ == HashAlgorithm::kAes) return aes_hash(keys_, blocks);
  const uint64_t words[] = {blocks[0].low,  blocks[0].high, blocks[1].low,
                            blocks[1].high, blocks[2].low,  blocks[2].high};
  return keyed_hash(secret_, words, 6);
}

}  // namespace weir
