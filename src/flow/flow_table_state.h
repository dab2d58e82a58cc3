// SPDX-License-Identifier: Apache-2.0
//
// The inside of FlowTable, for the files that implement it and nobody else:
//
//   flow_table.cc         the hot path, and what the header promises
//   flow_table_begin.cc   how a flow begins
//   flow_table_end.cc     how it ends, and becomes records
//   flow_table_evict.cc   which one ends when memory is short
//   flow_table_inspect.cc what of it dpi/ gets to see
//
// Where things lie: the index (flow_index.h) says which slot a key may have; slot n is hots[n],
// colds[n] and, with an inspector, dpis[n], slabs that allocate in step; rare parts, wide addresses and shapes lie apart and are
// named by number. timer_wheel.h knows what may be due.
//
// Invariants: a slot is in the index and in the wheel exactly when its flow is live; the kinds of a
// free slot's key are kFreeKinds, so no key equals it; the blank rare part is all zero.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/slab.h"
#include "flow/flow_index.h"
#include "flow/flow_table.h"
#include "flow/live_flow.h"
#include "flow/timer_wheel.h"

namespace weir {

inline constexpr uint8_t kFreeKinds = 0xff;           // no key has them
inline constexpr uint32_t kChangedCountMax = 65'536;  // flows of one collection of changes

inline constexpr uint32_t kRareShare = 4;  // one flow in four may have a RareFlow
inline constexpr uint32_t kRareCountMin = 4096;

// A packet that is not steady, on its way to its flow.
struct Arrival {
  const PacketDigest& digest;
  const Frame& frame;
  const Packet* general;  // null: a plain packet
};

struct FlowTable::State {
  explicit State(const FlowTableOptions& table_options)
      : options(table_options),
        hasher(options.secret),
        own_pool(uint64_t{options.flow_count_max} * kFlowMemorySize + kOwnPoolSlack),
        pool(options.pool == nullptr ? own_pool : *options.pool),
        index(pool, std::min(options.flow_count_initial, options.flow_count_max)),
        hots(options.flow_count_max, pool),
        colds(options.flow_count_max, pool),
        dpis(options.inspector == nullptr ? 1 : options.flow_count_max, pool),
        inspector(options.inspector),
        rares(rare_count_max(), pool),
        wides(options.flow_count_max + 1, pool),
        shapes(options.secret),
        wheel(colds) {
    if (!options.tracks_changes) return;
    changed.reserve(kChangedCountMax);
    collected.reserve(kChangedCountMax);
  }

  // The slabs grow by steps; a small table is not to be refused its first ones.
  static constexpr uint64_t kOwnPoolSlack = 32 * 1024 * 1024;

  uint32_t rare_count_max() const noexcept {
    return std::max(options.flow_count_max / kRareShare,
                    std::min(options.flow_count_max, kRareCountMin));
  }
  int64_t timeout(const HotFlow& hot) const noexcept {
    return options.timeouts
        .idle_ns[static_cast<size_t>(hot.family())][static_cast<size_t>(hot.state)];
  }
  int64_t due_ns(const HotFlow& hot) const noexcept {
    const int64_t idle_ns = saturating_add(hot.last_clock_ns, timeout(hot));
    return hot.has(kFlowInInterval) ? std::min(idle_ns, hot.interval_end_ns) : idle_ns;
  }
  FlowKey key_of(const HotFlow& hot) const noexcept {
    FlowKey key = flow_key(hot.key);
    if (hot.key.is_whole()) return key;
    const WideAddresses& wide = wides[hot.key.a];
    key.a = wide.a;
    key.b = wide.b;
    key.zone = wide.zone;
    return key;
  }
  // Not kept: it is asked for once in a flow's life, and whenever the index grows.
  uint32_t hash_of(uint32_t slot) const noexcept {
    return static_cast<uint32_t>(hash_key(hasher, key_of(hots[slot])));
  }
  FlowParts parts_of(uint32_t slot) noexcept {
    HotFlow& hot = hots[slot];
    return {hot, colds[slot], hot.rare == kNoPart ? blank : rares[hot.rare]};
  }
  bool is_live(uint32_t slot) const noexcept { return hots[slot].key.kinds != kFreeKinds; }

  FlowState shown(const HotFlow& hot, int64_t clock_ns) const noexcept {
    return shown_state(hot.state, clock_ns - hot.last_clock_ns, timeout(hot));
  }

  bool is_flow_of(uint32_t slot, const PacketDigest& digest) const noexcept {
    return hots[slot].key.words() == digest.key.words();
  }
  bool is_wide_flow_of(uint32_t slot, CompactKey compact, const FlowKey& key) const noexcept {
    const HotFlow& hot = hots[slot];
    compact.a = hot.key.a;
    if (hot.key.words() != compact.words()) return false;
    const WideAddresses& wide = wides[hot.key.a];
    return wide.a == key.a && wide.b == key.b && wide.zone == key.zone;
  }
  // The flow of a digest; of a general one too, if `key` is its packet's.
  uint32_t find(const PacketDigest& digest, const FlowKey& key) const noexcept {
    if (digest.key.is_whole()) return find_anew(digest);
    return index.find(digest.hash, digest.hash_tag,
                      [&](uint32_t slot) { return is_wide_flow_of(slot, digest.key, key); });
  }

  // Hot path: one function when compiled, which saves a tenth of its time.
  [[gnu::always_inline]] void prefetch(const PacketDigest& digest, uint32_t& hint) const noexcept;
  [[gnu::always_inline]] uint32_t find(const PacketDigest& digest, uint32_t hint) const noexcept;
  [[gnu::always_inline]] bool take_plain(const PacketDigest& digest, uint32_t slot) noexcept;
  [[gnu::noinline]] uint32_t find_anew(const PacketDigest& digest) const noexcept;
  void note_changed(uint32_t slot) noexcept;

  template <typename IndexOf>
  void update(const DigestBurst& burst, const IndexOf& index_of, std::vector<FlowRecord>& records);

  // Everything else a packet may mean.
  [[gnu::noinline]] uint32_t arrive(uint32_t slot, const Arrival& arrival,
                                    std::vector<FlowRecord>& records);
  bool take(uint32_t slot, const PacketDigest& digest, std::vector<FlowRecord>& records);
  bool is_over(uint32_t slot, const PacketDigest& digest, std::vector<FlowRecord>& records);
  uint32_t begin_flow(const Arrival& arrival, std::vector<FlowRecord>& records);
  uint32_t create(const Arrival& arrival, std::vector<FlowRecord>& records);
  bool take_slot(uint32_t& slot) noexcept;
  void give_back(uint32_t slot) noexcept;
  void begin(uint32_t slot, const Arrival& arrival);
  void orient(HotFlow& hot, const Arrival& arrival) const noexcept;
  void take_shape(HotFlow& hot, const Arrival& arrival);
  bool account(uint32_t slot, const PacketDigest& digest, std::vector<FlowRecord>& records);
  uint32_t process(Packet& packet, const PacketDigest& digest, std::vector<FlowRecord>& records);
  void credit(uint32_t slot, const Packet& first_piece) noexcept;
  void refuse(const Arrival& arrival) noexcept;
  void inspect(uint32_t slot, const Arrival& arrival) noexcept;
  void keep_packet_fields(uint32_t slot, const Arrival& arrival);
  static Transport transport_of(const HotFlow& hot) noexcept;

  void migrate(uint32_t bucket_count) {
    index.migrate(
        bucket_count, [this](uint32_t slot) { return hash_of(slot); },
        [this](uint32_t slot) { __builtin_prefetch(&hots[slot]); });
  }

  // Rare parts.
  bool give_rare(uint32_t slot) noexcept;
  void keep_rare(uint32_t slot, const FlowParts& parts) noexcept;

  // Ends.
  FlowRecord& append_record(uint32_t slot, FlowState shown, EndReason reason,
                            std::vector<FlowRecord>& records);
  void emit_interim(uint32_t slot, std::vector<FlowRecord>& records);
  bool expire(uint32_t slot, int64_t clock_ns, std::vector<FlowRecord>& records);
  void cut_short(uint32_t slot, int64_t clock_ns, EndReason reason,
                 std::vector<FlowRecord>& records);
  void end(uint32_t slot, int64_t alive_until_ns, EndReason reason, FlowState shown,
           std::vector<FlowRecord>& records);
  void look(uint32_t slot, int64_t clock_ns, std::vector<FlowRecord>& records);
  void relieve_pressure(int64_t clock_ns, std::vector<FlowRecord>& records);
  uint64_t worth(uint32_t slot, int64_t clock_ns) noexcept;
  bool make_room(int64_t clock_ns, std::vector<FlowRecord>& records);

  const FlowTableOptions options;
  const KeyedHasher hasher;
  MemoryPool own_pool;
  MemoryPool& pool;
  FlowIndex index;
  Slab<HotFlow, SlabUse::kScanned> hots;
  Slab<ColdFlow> colds;
  Slab<FlowDpi> dpis;  // with an inspector only
  Inspector* const inspector;
  Slab<RareFlow> rares;
  Slab<WideAddresses> wides;
  ShapeTable shapes;
  TimerWheel<Slab<ColdFlow>> wheel;
  RareFlow blank{};
  // Slots, some of which may have changed hands: for the next collection, and of the running one.
  std::vector<uint32_t> changed;
  std::vector<uint32_t> collected;
  size_t collected_count = 0;  // that are done with
  uint32_t hand = 0;           // where the next sample of eviction begins
  uint32_t pressure_hand = 0;
  uint32_t finish_cursor = 0;
  bool is_finishing = false;
  std::array<uint16_t, 2> plain_shapes{ShapeTable::kBlank,
                                       ShapeTable::kBlank};  // last one of TCP, UDP

  FlowStatistics counters;  // but for the live ones, which are walked
  std::array<uint64_t, kLimitCount> limits{};
  std::array<FrameCount, kLayerCount> refused{};
  uint64_t swept_count = 0;
  uint64_t sweep_error_count = 0;
};

}  // namespace weir
