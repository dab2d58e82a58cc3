// SPDX-License-Identifier: Apache-2.0
//
// FragmentCache: which flow the pieces of a fragmented datagram belong to (RFC 791 section 3.2, RFC
// 8200 section 4.5). Nothing is reassembled. The first piece carries the ports; the cache remembers
// its flow key for the later ones. Pieces that come before the first one wait here as counters, and
// are credited to the flow when it comes.
//
// An entry lives for the timeout, counted from the first piece seen, whichever it was (a second
// first piece is another datagram that uses the identification again, and starts the time anew).
// What still waits when its entry ends is orphaned: decoded, but never of a flow.
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

// Pieces seen before their first piece, all sent by the same end.
struct WaitingPieces {
  FlowCounters counters;
  int64_t first_ts_ns = 0;
  int64_t last_ts_ns = 0;
};

class FragmentCache {
 public:
  FragmentCache(uint32_t entry_count_max, int64_t timeout_ns, const HashSecret& secret);

  enum class Placing : uint8_t {
    kFlowKnown,  // a later piece: `key` and `from_b` of the packet are now its datagram's
    kWaiting,    // a later piece, counted here until its first piece comes
    kRefused,    // the cache is full
  };
  // A later piece, at its frame's clock.
  Placing place_later(Packet& packet);
  // A first piece: remembered for those to come. Returns what waited for it (packets 0 when nothing
  // did). When the cache is full the piece itself is fine and is_remembered is false.
  WaitingPieces remember_first(const Packet& packet, bool& is_remembered);
  // End of input: everything that waits is orphaned, the cache is empty.
  void clear();

  // Pieces that are decoded and in no flow, by the layer their decoding ended in: orphaned, or
  // still waiting.
  FrameCount without_flow(Layer layer) const noexcept {
    return without_flow_[static_cast<size_t>(layer)];
  }
  size_t size() const noexcept { return entries_.size(); }

 private:
  // Identifies a datagram in one direction.
  struct DatagramKey {
    AddressBytes src{};
    AddressBytes dst{};
    uint32_t id = 0;
    uint32_t zone = 0;
    uint16_t proto_number = 0;
    AddressKind kind = AddressKind::kIpv4;
    ZoneKind zone_kind = ZoneKind::kNone;
    uint32_t reserved = 0;
    friend bool operator==(const DatagramKey& x, const DatagramKey& y) noexcept {
      return std::memcmp(&x, &y, sizeof x) == 0;
    }
  };
  static_assert(sizeof(DatagramKey) == 48 && std::has_unique_object_representations_v<DatagramKey>);
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
    Layer waiting_layer = Layer::kNone;
    FlowKey key;
    WaitingPieces waiting;
  };

  static DatagramKey datagram_of(const Packet& packet) noexcept;
  void expire(int64_t clock_ns);

  const uint32_t entry_count_max_;
  const int64_t timeout_ns_;
  std::unordered_map<DatagramKey, Entry, DatagramHash> entries_;
  std::list<Birth> births_;  // in order of clock; one per entry
  std::array<FrameCount, kLayerCount> without_flow_{};
};

}  // namespace weir
