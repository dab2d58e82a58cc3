// SPDX-License-Identifier: Apache-2.0
//
// A keyed hash over 64-bit words, SipHash-1-3: without the secret nobody can craft colliding keys.
#pragma once

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

}  // namespace weir
