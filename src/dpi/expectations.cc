// SPDX-License-Identifier: Apache-2.0
#include "dpi/expectations.h"

#include <algorithm>

namespace weir {

// What is in the table was announced by the flows it belongs to: an attacker who crafts collisions
// slows down at most count_max entries of its own.
size_t Expectations::Hash::operator()(const Key& key) const noexcept {
  uint64_t hash = key.transport_and_port * 0x9e3779b97f4a7c15u + key.kind;
  for (const AddressBytes* address : {&key.low, &key.high}) {
    for (const uint8_t byte : *address) hash = (hash ^ byte) * 0x100000001b3u;
  }
  return static_cast<size_t>(hash ^ hash >> 32);
}

Expectations::Key Expectations::key_of(const Payload& payload, Transport transport,
                                       uint16_t port) noexcept {
  Key key;
  key.low = std::min(payload.sender, payload.receiver);
  key.high = std::max(payload.sender, payload.receiver);
  key.transport_and_port = static_cast<uint32_t>(transport) << 16 | port;
  key.kind = static_cast<uint32_t>(payload.address_kind);
  return key;
}

void Expectations::add(const Payload& payload, Transport transport, uint16_t port, uint8_t protocol,
                       int64_t clock_ns) {
  const Entry entry{protocol, clock_ns + kExpectationLifetimeNs};
  const Key key = key_of(payload, transport, port);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    found->second = entry;
    return;
  }
  while (!by_age_.empty()) {
    const auto oldest = by_key_.find(by_age_.front());
    const bool is_over = oldest->second.until_ns < clock_ns;
    if (!is_over && by_key_.size() < count_max_) break;
    displaced_count_ += is_over ? 0 : 1;
    --port_counts_[oldest->first.transport_and_port & 0xffff];
    by_key_.erase(oldest);
    by_age_.pop_front();
  }
  by_key_.emplace(key, entry);
  ++port_counts_[port];
  by_age_.push_back(key);
}

uint8_t Expectations::find(const Payload& payload, int64_t clock_ns) const noexcept {
  for (const uint16_t port : {payload.receiver_port, payload.sender_port}) {
    if (port_counts_[port] == 0) continue;
    const auto found = by_key_.find(key_of(payload, payload.transport, port));
    if (found != by_key_.end() && found->second.until_ns >= clock_ns) return found->second.protocol;
  }
  return kUnknownApp;
}

}  // namespace weir
