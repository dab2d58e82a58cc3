// SPDX-License-Identifier: Apache-2.0
#include "base/keyed_hash.h"

#include <sys/random.h>

#include <bit>

#include "base/assert.h"

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

}  // namespace weir
