// SPDX-License-Identifier: Apache-2.0
//
// FragmentCache: which flow the pieces of a fragmented datagram belong to (RFC 791 section 3.2, RFC
// 8200 section 4.5). Nothing is reassembled. The first piece carries the ports; the cache remembers
// its flow key for the later ones. Pieces that come before the first one wait here as counters, and
// travel with the first piece to its flow.
//
// It stands between decoding and sharding, where packets are still in capture order: the pieces of
// a tunnel's outer datagram name other addresses than the flow inside, so only their key, once
// known, tells their shard.
//
// An entry lives for the timeout, counted from the first piece seen, whichever it was (a second
// first piece is another datagram that uses the identification again, and starts the time anew).
// What still waits when its entry ends is orphaned: decoded, but never of a flow.
//
// The pieces of a tunnel's datagram belong to the flow of the packet inside. The first of them has
// counted that packet's whole length, by its own length field, so the others add frames and wire
// bytes only.
//
// Limits: entry_count_max entries, then new datagrams are refused. Memory is allocated as entries
// appear, never by a wire length. Threads: one thread.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "net/packet.h"
#include "weir/statistics.h"

namespace weir {

struct FragmentOptions {
  uint32_t entry_count_max = 65'536;
  int64_t timeout_ns = 30'000'000'000;
};

class FragmentCache {
 public:
  FragmentCache(const FragmentOptions& options, const HashSecret& secret);

  // Takes every packet in capture order. Returns whether it is ready for the flow table: it is decoded, and its key is
  // known. A first piece always is, and brings what waited for it; a later piece when its first one is known, and then
  // has its key. Else the piece waits here, or its verdict has become unflowed{fragment_limit}.
  bool admit(Packet& packet) {
    if (packet.verdict != Verdict::kDecoded) return false;
    return packet.fragment == FragmentKind::kWhole || resolve(packet);
  }
  // End of input: everything that waits is orphaned, the cache is empty.
  void clear();

  // Moves the pieces that have no flow, orphaned or still waiting, from decoded to
  // unflowed{fragment}: their verdict was kDecoded when they came. Adds the limit's count.
  void add_statistics(Statistics& statistics) const noexcept;
  size_t size() const noexcept { return entries_.size(); }

 private:
  struct DatagramHash {
    HashSecret secret;
    size_t operator()(const DatagramKey& key) const noexcept;
  };
  struct Birth {
    int64_t clock_ns;
    DatagramKey key;
  };
  struct Entry {
    std::list<Birth>::iterator birth;
    bool has_first = false;
    bool from_b = false;
    bool has_ports = false;
    bool is_tunnel = false;  // the key is that of a packet inside the datagram
    Layer waiting_layer = Layer::kNone;
    FlowKey key;
    EarlyPieces waiting;
  };

  bool resolve(Packet& packet);
  Entry* find_or_create(const DatagramKey& datagram, int64_t clock_ns);
  void wait(Entry& entry, const Packet& packet) noexcept;
  void take_waiting(Entry& entry, Packet& packet) noexcept;
  void expire(int64_t clock_ns);

  const FragmentOptions options_;
  const HashSecret secret_;
  const KeyedHasher hasher_;
  std::unordered_map<DatagramKey, Entry, DatagramHash> entries_;
  std::list<Birth> births_;  // in order of clock; one per entry
  std::array<FrameCount, kLayerCount> without_flow_{};
  uint64_t limit_hit_count_ = 0;
};

}  // namespace weir
