// SPDX-License-Identifier: Apache-2.0
//
// Endpoints: who talks to whom in a capture made for a benchmark.
//
// Threads: values.
#pragma once

#include <cstdint>

namespace weir {

// In host byte order. An IPv6 capture puts the addresses behind a documentation prefix.
struct Endpoints {
  uint32_t client_address = 0;
  uint32_t server_address = 0;
  uint16_t client_port = 0;
  uint16_t server_port = 0;
  bool is_udp = false;
};

// SplitMix64: a number from a number, to scatter what is counted.
constexpr uint64_t scatter(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

}  // namespace weir
