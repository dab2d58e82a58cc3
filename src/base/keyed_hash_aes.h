// SPDX-License-Identifier: Apache-2.0
//
// The AES rounds of KeyedHasher, for keyed_hash.cc and for loops that have a block in a register
// already (net/packet_digest_aes.cc). Only functions marked WEIR_AES_KERNEL can call them, and only
// where has_aes() says so are those to be called. Empty on other processors.
//
//   one block     x = block ^ single, then six rounds
//   three blocks  x = sum over the blocks of four rounds of (block ^ triple[i]), then two more
//
// A round is AESENC: SubBytes, ShiftRows, MixColumns, and one of the secret keys added. The hash is
// the low half of x.
//
// Why this many: after two rounds every byte depends on every other. Over four rounds with
// independent keys, no difference of two inputs leads to a given difference of outputs with a
// probability above 2^-110 (Keliher and Sui, 2007), which makes the sum over blocks a universal
// hash (Minematsu and Tsunoo, FSE 2006): keys of three blocks practically never meet before the
// last two rounds, and those spread what differs over all the bits that a table takes some of. A
// single block goes through a permutation and meets another only in the bits that are used. With
// one round between chained blocks, as fast hashes have it, two keys can be steered into each other
// with a chance of 2^-6 per byte and no knowledge of the secret.
#pragma once

#include "base/cpu_features.h"
#include "base/keyed_hash.h"

#if WEIR_X86_KERNELS

#include <immintrin.h>

// The instructions has_aes() stands for.
#define WEIR_AES_KERNEL [[gnu::target("aes,sse4.2")]]

namespace weir::aes {

WEIR_AES_KERNEL inline __m128i load(const HashBlock& block) noexcept {
  return __builtin_bit_cast(__m128i, block);
}

// The same of words that have only just been written: loading both at once would stall until they
// are in the cache, 5 ns.
WEIR_AES_KERNEL inline __m128i load_fresh(const HashBlock& block) noexcept {
  return _mm_set_epi64x(static_cast<int64_t>(loaded_alone(block.high)),
                        static_cast<int64_t>(loaded_alone(block.low)));
}

WEIR_AES_KERNEL inline __m128i first_rounds(const KeyedHasher::Keys& keys, __m128i x) noexcept {
  for (size_t round = 0; round < 4; ++round) x = _mm_aesenc_si128(x, load(keys.rounds[round]));
  return x;
}

WEIR_AES_KERNEL inline __m128i last_rounds(const KeyedHasher::Keys& keys, __m128i x) noexcept {
  x = _mm_aesenc_si128(x, load(keys.rounds[4]));
  return _mm_aesenc_si128(x, load(keys.rounds[5]));
}

// The hash is the low half.
WEIR_AES_KERNEL inline __m128i mix(const KeyedHasher::Keys& keys, __m128i block) noexcept {
  return last_rounds(keys, first_rounds(keys, _mm_xor_si128(block, load(keys.single))));
}

WEIR_AES_KERNEL inline uint64_t low_half(__m128i x) noexcept {
  return static_cast<uint64_t>(_mm_cvtsi128_si64(x));
}

WEIR_AES_KERNEL inline uint64_t hash(const KeyedHasher::Keys& keys, __m128i block) noexcept {
  return low_half(mix(keys, block));
}

WEIR_AES_KERNEL inline uint64_t hash(const KeyedHasher::Keys& keys,
                                     const std::array<HashBlock, 3>& blocks) noexcept {
  __m128i sum = _mm_setzero_si128();
  for (size_t index = 0; index < blocks.size(); ++index) {
    const __m128i masked = _mm_xor_si128(load_fresh(blocks[index]), load(keys.triple[index]));
    sum = _mm_xor_si128(sum, first_rounds(keys, masked));
  }
  return low_half(last_rounds(keys, sum));
}

}  // namespace weir::aes

#endif
