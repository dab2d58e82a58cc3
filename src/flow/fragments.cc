// SPDX-License-Identifier: Apache-2.0
#include "flow/fragments.h"

#include <algorithm>
#include <bit>

namespace weir {

FragmentCache::FragmentCache(uint32_t entry_count_max, int64_t timeout_ns, const HashSecret& secret)
    : entry_count_max_(entry_count_max),
      timeout_ns_(timeout_ns),
      entries_(0, DatagramHash{secret}) {}

size_t FragmentCache::DatagramHash::operator()(const DatagramKey& key) const noexcept {
  const auto words = std::bit_cast<std::array<uint64_t, 6>>(key);
  return keyed_hash(secret, words.data(), words.size());
}

FragmentCache::DatagramKey FragmentCache::datagram_of(const Packet& packet) noexcept {
  DatagramKey datagram;
  datagram.src = packet.from_b ? packet.key.b : packet.key.a;
  datagram.dst = packet.from_b ? packet.key.a : packet.key.b;
  datagram.id = packet.fragment_id;
  datagram.zone = packet.key.zone;
  // RFC 8200 identifies by addresses and identification alone: a later piece names the first header
  // after the fragment header, which need not be the transport's.
  if (packet.key.kind == AddressKind::kIpv4) datagram.proto_number = packet.key.proto_number;
  datagram.kind = packet.key.kind;
  datagram.zone_kind = packet.key.zone_kind;
  return datagram;
}

void FragmentCache::expire(int64_t clock_ns) {
  while (!births_.empty() && clock_ns - births_.front().clock_ns > timeout_ns_) {
    entries_.erase(births_.front().key);
    births_.pop_front();
  }
}

FragmentCache::Placing FragmentCache::place_later(Packet& packet) {
  const int64_t clock_ns = packet.frame->clock_ns;
  expire(clock_ns);
  const DatagramKey datagram = datagram_of(packet);
  auto found = entries_.find(datagram);
  if (found == entries_.end()) {
    if (entries_.size() >= entry_count_max_) return Placing::kRefused;
    found = entries_.emplace(datagram, Entry{}).first;
    found->second.birth = births_.insert(births_.end(), {clock_ns, datagram});
  }
  Entry& entry = found->second;
  if (entry.has_first) {
    packet.key = entry.key;
    packet.from_b = entry.from_b;
    packet.has_ports = entry.has_ports;
    return Placing::kFlowKnown;
  }
  WaitingPieces& waiting = entry.waiting;
  const int64_t ts_ns = packet.frame->ts_ns;
  waiting.first_ts_ns =
      waiting.counters.packets == 0 ? ts_ns : std::min(waiting.first_ts_ns, ts_ns);
  waiting.last_ts_ns = waiting.counters.packets == 0 ? ts_ns : std::max(waiting.last_ts_ns, ts_ns);
  waiting.counters.packets += 1;
  waiting.counters.bytes += packet.frame->wire_size;
  waiting.counters.ip_bytes += packet.ip_size;
  waiting.counters.payload_bytes += packet.payload_size;
  entry.waiting_layer = packet.layer;
  without_flow_[static_cast<size_t>(packet.layer)].add(packet.frame->wire_size);
  return Placing::kWaiting;
}

WaitingPieces FragmentCache::remember_first(const Packet& packet, bool& is_remembered) {
  const int64_t clock_ns = packet.frame->clock_ns;
  expire(clock_ns);
  const DatagramKey datagram = datagram_of(packet);
  auto found = entries_.find(datagram);
  if (found == entries_.end()) {
    is_remembered = entries_.size() < entry_count_max_;
    if (!is_remembered) return {};
    found = entries_.emplace(datagram, Entry{}).first;
    found->second.birth = births_.insert(births_.end(), {clock_ns, datagram});
  }
  is_remembered = true;
  Entry& entry = found->second;
  if (entry.has_first) {
    // The identification is used again, for the next datagram: its pieces have their own time.
    entry.birth->clock_ns = clock_ns;
    births_.splice(births_.end(), births_, entry.birth);
  }
  const WaitingPieces waiting = entry.waiting;
  if (waiting.counters.packets > 0) {
    FrameCount& count = without_flow_[static_cast<size_t>(entry.waiting_layer)];
    count.frames -= waiting.counters.packets;
    count.bytes -= waiting.counters.bytes;
  }
  entry.waiting = {};
  entry.has_first = true;
  entry.key = packet.key;
  entry.from_b = packet.from_b;
  entry.has_ports = packet.has_ports;
  return waiting;
}

void FragmentCache::clear() {
  entries_.clear();
  births_.clear();
}

}  // namespace weir
