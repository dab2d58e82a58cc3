// SPDX-License-Identifier: Apache-2.0
//
// Expectations: flows that other flows announced, by address pair and port (FTP's data connections,
// SIP's media). The two ends of an announcement and of what it announces are the same, so both are in
// one shard.
//
// Limits: count_max at once (at most 65,535), kExpectationLifetimeNs of the clock each; the oldest makes room, counted
// when it was still wanted.
// Threads: one thread owns it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "base/keyed_hash.h"
#include "weir/protocol.h"

namespace weir {

inline constexpr int64_t kExpectationLifetimeNs = 300'000'000'000;

class Expectations {
 public:
  explicit Expectations(uint32_t count_max)
      : count_max_(std::min<uint32_t>(count_max, UINT16_MAX)) {}

  // The pair of `payload`, in whichever order.
  void add(const Payload& payload, Transport transport, uint16_t port, uint8_t protocol,
           int64_t clock_ns);
  // Who was announced for a flow with this payload, by either port; kUnknownApp when nobody.
  uint8_t find(const Payload& payload, int64_t clock_ns) const noexcept;
  bool is_empty() const noexcept { return by_key_.empty(); }
  uint64_t displaced_count() const noexcept { return displaced_count_; }

 private:
  struct Key {
    AddressBytes low{};
    AddressBytes high{};
    uint32_t transport_and_port = 0;
    uint32_t kind = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    size_t operator()(const Key& key) const noexcept;
  };
  struct Entry {
    uint8_t protocol = kUnknownApp;
    int64_t until_ns = 0;
  };
  static Key key_of(const Payload& payload, Transport transport, uint16_t port) noexcept;

  const uint32_t count_max_;
  // How many announcements there are of each port, of any transport: most flows are asked no further.
  std::array<uint16_t, 65'536> port_counts_{};
  std::unordered_map<Key, Entry, Hash> by_key_;
  std::deque<Key> by_age_;  // of the first announcement; the keys of by_key_
  uint64_t displaced_count_ = 0;
};

}  // namespace weir
