// SPDX-License-Identifier: Apache-2.0
//
// Keyed hashes: without the secret nobody can craft keys that collide.
//
// keyed_hash() is SipHash-1-3 over any number of 64-bit words. KeyedHasher is for the keys of
// flows, one block of 16 bytes or three: six rounds of AES where the processor has them (0.4 ns a
// block within a loop, 2 ns by a call), else SipHash-1-3 (6 and 11 ns). Which one is decided by the
// processor alone, so all hashers of a process that share a secret agree.
//
// Deliberately not a MAC: the hash never leaves the process. What an attacker sees of it is at most
// how long a look-up took.
//
// Threads: any; a hasher is immutable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace weir {

struct HashSecret {
  uint64_t k0 = 0;
  uint64_t k1 = 0;

  // From the kernel's random generator (getrandom). Aborts when the kernel has none: no secret, no
  // table.
  static HashSecret random();
};

uint64_t keyed_hash(const HashSecret& secret, const uint64_t* words, size_t word_count) noexcept;

enum class HashAlgorithm : uint8_t { kSipHash, kAes };

struct alignas(16) HashBlock {
  uint64_t low = 0;
  uint64_t high = 0;

  friend bool operator==(const HashBlock&, const HashBlock&) = default;
};

// A secret and what is derived from it: to be made once, as deriving takes longer than hashing, and
// copied at will (192 bytes).
class KeyedHasher {
 public:
  // The faster algorithm of this processor. Implicit, for whoever hashes but now and then.
  KeyedHasher(const HashSecret& secret) noexcept;
  // A given one, for tests. kAes asks for has_aes().
  KeyedHasher(const HashSecret& secret, HashAlgorithm algorithm) noexcept;

  HashAlgorithm algorithm() const noexcept { return algorithm_; }

  // All 64 bits depend on every bit of the input and of the secret, and on the number of blocks.
  uint64_t hash(const HashBlock& block) const noexcept;
  uint64_t hash(const std::array<HashBlock, 3>& blocks) const noexcept;

  // What AES is keyed with (base/keyed_hash_aes.h).
  struct Keys {
    HashBlock single;                 // added to a block that comes alone
    std::array<HashBlock, 3> triple;  // added to each of three
    std::array<HashBlock, 6> rounds;
  };
  const Keys& keys() const noexcept { return keys_; }

 private:
  HashSecret secret_;
  HashAlgorithm algorithm_;
  Keys keys_;
};

}  // namespace weir
