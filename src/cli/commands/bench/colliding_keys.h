// SPDX-License-Identifier: Apache-2.0
//
// Flow keys that collide: what somebody sends who knows how a program hashes its flows and wants
// all of them in one bucket. A keyed hash does not care; a benchmark shows it.
//
// Three families, each with all its keys equal under several hashes that programs use without a
// secret:
//
//   0  CRC-32C of the 5-tuple; XOR of the addresses, of the ports, and of both
//   1  CRC-32 (IEEE 802.3) of the 5-tuple; the same XORs
//   2  sums of the addresses, of the ports, and of both
//
// CRC and XOR are linear: which differences between two keys they do not see is the kernel of a
// matrix over GF(2), which a short elimination finds. A family has 2^12 keys, because 44 free bits
// (an address and a port; the other end follows from XOR) meet 32 equations.
//
// Threads: pure functions.
#pragma once

#include <cstdint>

#include "cli/commands/bench/endpoints.h"

namespace weir {

inline constexpr uint32_t kCollisionFamilyCount = 3;
inline constexpr uint32_t kCollisionFamilySize = 4096;
inline constexpr uint32_t kCollidingKeyCount = kCollisionFamilyCount * kCollisionFamilySize;

class CollidingKeys {
 public:
  CollidingKeys();
  // Key `index` of all of them, below kCollidingKeyCount; neighbours belong to different families.
  Endpoints at(uint32_t index) const;

 private:
  // A difference is the bits of an address (low 28) and of a port (next 16).
  static constexpr unsigned kDimensionCount = 12;
  using Basis = uint64_t[kDimensionCount];

  Basis unseen_[2];  // of families 0 and 1: differences that keep the CRC
};

// A key of the same ranges of addresses and ports that collides with nothing on purpose.
Endpoints scattered_key(uint32_t index);

}  // namespace weir
