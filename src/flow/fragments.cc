// SPDX-License-Identifier: Apache-2.0
#include "flow/fragments.h"

#include <algorithm>
#include <bit>

namespace weir {
namespace {

// Whether the flow's addresses are the datagram's own, and not those of a packet inside.
bool is_between_ends_of(const DatagramKey& datagram, const Packet& packet) noexcept {
  const FlowKey& key = packet.key;
  return key.kind == datagram.kind && (packet.from_b ? key.b : key.a) == datagram.src &&
         (packet.from_b ? key.a : key.b) == datagram.dst;
}

}  // namespace

FragmentCache::FragmentCache(const FragmentOptions& options, const HashSecret& secret)
    : options_(options), secret_(secret), hasher_(secret), entries_(0, DatagramHash{secret}) {}

size_t FragmentCache::DatagramHash::operator()(const DatagramKey& key) const noexcept {
  const auto words = std::bit_cast<std::array<uint64_t, 6>>(key);
  return keyed_hash(secret, words.data(), words.size());
}

// Births are in order of the clock and every entry has exactly one, so what is due is at the front.
void FragmentCache::expire(int64_t clock_ns) {
  while (!births_.empty() && clock_ns - births_.front().clock_ns > options_.timeout_ns) {
    entries_.erase(births_.front().key);
    births_.pop_front();
  }
}

// Null when the datagram is new and the cache is full.
FragmentCache::Entry* FragmentCache::find_or_create(const DatagramKey& datagram, int64_t clock_ns) {
  const auto found = entries_.find(datagram);
  if (found != entries_.end()) return &found->second;
  if (entries_.size() >= options_.entry_count_max) {
    ++limit_hit_count_;
    return nullptr;
  }
  Entry& entry = entries_.emplace(datagram, Entry{}).first->second;
  entry.birth = births_.insert(births_.end(), {clock_ns, datagram});
  return &entry;
}

void FragmentCache::wait(Entry& entry, const Packet& packet) noexcept {
  EarlyPieces& waiting = entry.waiting;
  const int64_t ts_ns = packet.frame->ts_ns;
  const bool is_first = waiting.counters.packets == 0;
  waiting.first_ts_ns = is_first ? ts_ns : std::min(waiting.first_ts_ns, ts_ns);
  waiting.last_ts_ns = is_first ? ts_ns : std::max(waiting.last_ts_ns, ts_ns);
  waiting.counters.packets += 1;
  waiting.counters.bytes += packet.frame->wire_size;
  waiting.counters.ip_bytes += packet.ip_size;
  waiting.counters.payload_bytes += packet.payload_size;
  entry.waiting_layer = packet.layer;
  without_flow_[static_cast<size_t>(packet.layer)].add(packet.frame->wire_size);
}

void FragmentCache::take_waiting(Entry& entry, Packet& packet) noexcept {
  if (entry.waiting.counters.packets == 0) return;
  FrameCount& count = without_flow_[static_cast<size_t>(entry.waiting_layer)];
  count.frames -= entry.waiting.counters.packets;
  count.bytes -= entry.waiting.counters.bytes;
  packet.early = entry.waiting;
  entry.waiting = {};
}

bool FragmentCache::resolve(Packet& packet) {
  const int64_t clock_ns = packet.frame->clock_ns;
  const bool is_first = packet.fragment == FragmentKind::kFirst;
  packet.early = {};
  expire(clock_ns);
  Entry* const entry = find_or_create(packet.datagram, clock_ns);
  if (entry == nullptr) {
    if (!is_first) packet.verdict = Verdict::kUnflowedFragmentLimit;
    return is_first;
  }
  if (is_first) {
    if (entry->has_first) {
      // The identification is used again, for the next datagram: its pieces have their own time.
      entry->birth->clock_ns = clock_ns;
      births_.splice(births_.end(), births_, entry->birth);
    }
    take_waiting(*entry, packet);
    entry->has_first = true;
    entry->key = packet.key;
    entry->from_b = packet.from_b;
    entry->has_ports = packet.has_ports;
    entry->is_tunnel = !is_between_ends_of(packet.datagram, packet);
    if (entry->is_tunnel) packet.early.counters.ip_bytes = packet.early.counters.payload_bytes = 0;
    return true;
  }
  if (!entry->has_first) {
    wait(*entry, packet);
    return false;
  }
  packet.key = entry->key;
  packet.from_b = entry->from_b;
  packet.has_ports = entry->has_ports;
  if (entry->is_tunnel) {
    // The packet inside was counted whole with the first piece, by its own length.
    packet.ip_size = packet.payload_size = packet.payload_captured = 0;
  }
  packet.hash = hash_key(hasher_, packet.key);
  return true;
}

void FragmentCache::clear() {
  entries_.clear();
  births_.clear();
}

void FragmentCache::add_statistics(Statistics& statistics) const noexcept {
  for (size_t layer = 0; layer < kLayerCount; ++layer) {
    statistics.move(static_cast<Layer>(layer), Verdict::kDecoded, Verdict::kUnflowedFragment,
                    without_flow_[layer]);
  }
  statistics.limits_hit[static_cast<size_t>(Limit::kFragmentCount)] += limit_hit_count_;
}

}  // namespace weir
