// SPDX-License-Identifier: Apache-2.0
//
// A packet of a known flow that changes nothing but counters is done in take_plain(); everything
// else goes through arrive(), which is written once for plain packets and others.
#include "flow/flow_table_state.h"

namespace weir {
namespace {

// Packets between asking memory for an index bucket, or a flow, and using it (measured in
// docs/decisions/002). A power of two: the hints of the flows go round.
constexpr size_t kBucketPrefetchDistance = 64;
constexpr size_t kFlowPrefetchDistance = 32;

constexpr uint32_t kAgeCountMax = 64;         // flows looked at by one age(), unless they are late
constexpr uint32_t kMigrateBucketCount = 16;  // a burst of 64 new flows fills fewer
constexpr uint32_t kPrepareCount = 64;
constexpr uint32_t kFinishCount = 1024;

// The part of flow_count_max above which flows without an answer get little time.
constexpr uint64_t kPressureNumerator = 4;
constexpr uint64_t kPressureDenominator = 5;

}  // namespace

// Counts the packet to the flow. False, and nothing done, when the flow cannot count on.
bool FlowTable::State::account(uint32_t slot, const PacketDigest& digest,
                               std::vector<FlowRecord>& records) {
  HotFlow& hot = hots[slot];
  const int64_t clock_ns = digest.clock_ns;
  const int64_t active_ns = options.timeouts.active_ns;
  // 32 bits overflow once in 4 GB; from then on the flow needs a rare part.
  FlowDeltas sum;
  const bool fits = add(hot.deltas[digest.key.bits & kDigestFromB], deltas_of(digest), sum);
  if (!fits && !give_rare(slot)) return false;

  const int64_t due_before_ns = due_ns(hot);
  if (clock_ns >= hot.interval_end_ns) {
    if (hot.has(kFlowInInterval)) emit_interim(slot, records);
    const int64_t intervals = (clock_ns - hot.interval_end_ns) / active_ns + 1;
    hot.set_interval_end(saturating_multiply_add(hot.interval_end_ns, intervals, active_ns));
  }
  hot.set(kFlowInInterval, active_ns > 0);
  hot.take_own_last_ts();
  hot.last_clock_ns = clock_ns;
  FlowParts parts = parts_of(slot);
  if (!update_flow(parts, digest)) ++limits[static_cast<size_t>(Limit::kHistorySize)];
  hot.share_last_ts();
  keep_rare(slot, parts);
  if (options.tracks_changes) note_changed(slot);
  // Due earlier than the wheel knows: a connection that closes, or an interval that begins again.
  const int64_t due_after_ns = due_ns(hot);
  if (due_after_ns < due_before_ns) {
    wheel.disarm(slot);
    wheel.arm(slot, due_after_ns, clock_ns);
  }
  return true;
}

// Counts the packet to the flow of its key. False when that one is over, and ended: a new one begins.
bool FlowTable::State::take(uint32_t slot, const PacketDigest& digest,
                            std::vector<FlowRecord>& records) {
  if (is_over(slot, digest, records)) return false;
  if (account(slot, digest, records)) return true;
  cut_short(slot, digest.clock_ns, EndReason::kResources, records);
  return false;
}

// Brings a packet that is not steady to its flow, whatever it means. `slot` has its key, or is
// kNoSlot; the result is where it was counted, kNoSlot when there was no room for a new flow.
uint32_t FlowTable::State::arrive(uint32_t slot, const Arrival& arrival,
                                  std::vector<FlowRecord>& records) {
  if (slot != kNoSlot && take(slot, arrival.digest, records)) {
    index.settle(arrival.digest.hash, slot);
  } else {
    slot = begin_flow(arrival, records);
    if (slot == kNoSlot) {
      refuse(arrival);
      return kNoSlot;
    }
  }
  if (hots[slot].has(kFlowInspected)) inspect(slot, arrival);
  return slot;
}

// Pieces that came before the first one belong to the flow as if they had come with it.
void FlowTable::State::credit(uint32_t slot, const Packet& first_piece) noexcept {
  FlowParts parts = parts_of(slot);
  const EarlyPieces& early = first_piece.early;
  const size_t sender = first_piece.from_b ? 1 : 0;
  const FlowCounters& counted = early.counters;
  const uint64_t largest =
      std::max({counted.packets, counted.bytes, counted.ip_bytes, counted.payload_bytes});
  const FlowDeltas adds = {
      static_cast<uint32_t>(counted.packets), static_cast<uint32_t>(counted.bytes),
      static_cast<uint32_t>(counted.ip_bytes), static_cast<uint32_t>(counted.payload_bytes)};
  FlowDeltas sum;
  if (largest <= UINT32_MAX && add(parts.hot.deltas[sender], adds, sum)) {
    parts.hot.deltas[sender] = sum;
  } else if (give_rare(slot)) {
    add(rares[parts.hot.rare].folded[sender], counted);
  } else {
    refused[static_cast<size_t>(first_piece.layer)] += {counted.packets, counted.bytes};
  }
  ColdFlow& cold = colds[slot];
  cold.first_ts_ns = std::min(cold.first_ts_ns, early.first_ts_ns);
  const int64_t last_ts_ns = std::max(parts.hot.last_ts_ns(), early.last_ts_ns);
  parts.hot.take_own_last_ts();
  parts.hot.own_last_ts_ns = last_ts_ns;
}

void FlowTable::State::refuse(const Arrival& arrival) noexcept {
  const bool is_tcp = (arrival.digest.key.bits & kDigestTcp) != 0;
  const Layer plain_layer = is_tcp ? Layer::kTcp : Layer::kUdp;
  const Layer layer = arrival.general == nullptr ? plain_layer : arrival.general->layer;
  refused[static_cast<size_t>(layer)].add(arrival.digest.wire_size);
}

// A packet that is not plain; the result is that of arrive().
uint32_t FlowTable::State::process(Packet& packet, const PacketDigest& digest,
                                   std::vector<FlowRecord>& records) {
  const uint64_t created_before = counters.created;
  const uint32_t slot = arrive(find(digest, packet.key), {digest, *packet.frame, &packet}, records);
  packet.flow_created = counters.created != created_before;
  if (slot == kNoSlot) {
    packet.verdict = Verdict::kUnflowedFlowLimit;
  } else if (packet.fragment == FragmentKind::kFirst && packet.early.counters.packets > 0) {
    credit(slot, packet);
  }
  return slot;
}

// A packet's look-up waits for its index bucket, and then for its flow. Both are asked for while
// earlier packets are worked on. What is found is a hint: flows may come and go in between.
inline void FlowTable::State::prefetch(const PacketDigest& digest, uint32_t& hint) const noexcept {
  hint = index.candidate(digest.hash, digest.hash_tag);
  if (hint == FlowIndex::kNone) return;
  __builtin_prefetch(&hots[hint], 1);
  __builtin_prefetch(&hots[hint].interval_end_ns, 1);
}

void FlowTable::State::note_changed(uint32_t slot) noexcept {
  HotFlow& hot = hots[slot];
  if (hot.has(kFlowChanged) || changed.size() == kChangedCountMax) return;
  hot.set(kFlowChanged, true);
  changed.push_back(slot);
}

inline uint32_t FlowTable::State::find(const PacketDigest& digest, uint32_t hint) const noexcept {
  return hint != FlowIndex::kNone && is_flow_of(hint, digest) ? hint : find_anew(digest);
}

uint32_t FlowTable::State::find_anew(const PacketDigest& digest) const noexcept {
  return index.find(digest.hash, digest.hash_tag,
                    [&](uint32_t slot) { return is_flow_of(slot, digest); });
}

// A plain packet of a flow that is neither due nor changed by it; else false, nothing done.
inline bool FlowTable::State::take_plain(const PacketDigest& digest, uint32_t slot) noexcept {
  HotFlow& hot = hots[slot];
  if (hot.may_interval_have_ended(digest.clock_ns)) return false;
  if (digest.clock_ns - hot.last_clock_ns > timeout(hot)) return false;
  if (!count_steady(hot, digest)) return false;
  if (options.tracks_changes) note_changed(slot);
  return true;
}

FlowTable::FlowTable(const FlowTableOptions& options) : state_(std::make_unique<State>(options)) {}

FlowTable::~FlowTable() = default;

void FlowTable::update(std::span<Packet* const> packets, std::vector<FlowRecord>& records) {
  for (Packet* const packet : packets) {
    const uint32_t slot = state_->process(*packet, digest_of(*packet, 0), records);
    packet->flow_id = slot == kNoSlot ? 0 : state_->colds[slot].id;
    if (slot != kNoSlot && state_->inspector != nullptr)
      packet->app_path = state_->dpis[slot].path();
  }
}

// `index_of(n)` is that of the table's nth digest of the burst.
template <typename IndexOf>
[[gnu::always_inline]] inline void FlowTable::State::update(const DigestBurst& burst,
                                                            const IndexOf& index_of,
                                                            std::vector<FlowRecord>& records) {
  const size_t count = burst.order.size();
  const auto digest_at = [&](size_t at) -> const PacketDigest& {
    return burst.digests[index_of(at)];
  };
  std::array<uint32_t, kFlowPrefetchDistance> hints;
  for (size_t at = 0; at < std::min(count, kBucketPrefetchDistance); ++at)
    index.prefetch(digest_at(at).hash);
  for (size_t at = 0; at < std::min(count, kFlowPrefetchDistance); ++at)
    prefetch(digest_at(at), hints[at]);
  for (size_t at = 0; at < count; ++at) {
    if (at + kBucketPrefetchDistance < count)
      index.prefetch(digest_at(at + kBucketPrefetchDistance).hash);
    const PacketDigest& digest = digest_at(at);
    uint32_t& next_hint = hints[at % kFlowPrefetchDistance];
    const uint32_t hint = next_hint;
    if (at + kFlowPrefetchDistance < count)
      prefetch(digest_at(at + kFlowPrefetchDistance), next_hint);
    if ((digest.key.bits & (kDigestGeneral | kDigestNoFlow)) == 0) {
      const uint32_t slot = find(digest, hint);
      if (slot == kNoSlot || !take_plain(digest, slot))
        arrive(slot, {digest, burst.frames[digest.index], nullptr}, records);
    } else if ((digest.key.bits & kDigestNoFlow) == 0) {
      process(burst.generals[digest.index], digest, records);
    }
  }
}

void FlowTable::update(const DigestBurst& burst, std::vector<FlowRecord>& records) {
  if (burst.order.size() == burst.digests.size()) {
    state_->update(
        burst, [](size_t at) { return at; }, records);
  } else {
    state_->update(
        burst, [&burst](size_t at) { return size_t{burst.order[at]}; }, records);
  }
}

void FlowTable::age(int64_t clock_ns, std::vector<FlowRecord>& records) {
  State& state = *state_;
  if (!state.wheel.is_quiet(clock_ns)) {
    state.wheel.fire(
        clock_ns, kAgeCountMax, [&](uint32_t slot) { state.look(slot, clock_ns, records); },
        [&](uint32_t slot) {
          __builtin_prefetch(&state.hots[slot], 1);
          __builtin_prefetch(&state.hots[slot].interval_end_ns, 1);
          __builtin_prefetch(&state.colds[slot].sequence, 1);
        });
  }
  const uint64_t high_water =
      uint64_t{state.options.flow_count_max} * kPressureNumerator / kPressureDenominator;
  if (state.counters.live > high_water) state.relieve_pressure(clock_ns, records);
}

void FlowTable::maintain() noexcept {
  State& state = *state_;
  if (state.index.is_growing()) state.migrate(kMigrateBucketCount);
  if (state.inspector != nullptr) state.inspector->maintain();
  if (state.counters.live >= state.options.flow_count_max) return;
  state.hots.prepare(kPrepareCount);
  state.colds.prepare(kPrepareCount);
  if (state.inspector != nullptr) state.dpis.prepare(kPrepareCount);
}

void FlowTable::sweep(int64_t clock_ns, std::vector<FlowRecord>& records) {
  State& state = *state_;
  for (uint32_t slot = 0; slot < state.hots.end_slot(); ++slot) {
    if (!state.is_live(slot)) continue;
    state.wheel.disarm(slot);
    state.look(slot, clock_ns, records);
  }
}

bool FlowTable::finish_some(int64_t clock_ns, std::vector<FlowRecord>& records) {
  State& state = *state_;
  uint32_t count = 0;
  uint32_t& slot = state.finish_cursor;
  state.is_finishing = true;
  for (; slot < state.hots.end_slot() && count < kFinishCount; ++slot) {
    if (!state.is_live(slot)) continue;
    ++count;
    state.cut_short(slot, clock_ns, EndReason::kForced, records);
  }
  if (slot < state.hots.end_slot()) return false;
  slot = 0;
  state.is_finishing = false;
  state.index.clear();
  state.wheel.clear();
  return true;
}

void FlowTable::finish(int64_t clock_ns, std::vector<FlowRecord>& records) {
  while (!finish_some(clock_ns, records)) {
  }
}

uint32_t FlowTable::slot_of(const FlowKey& key, uint64_t hash) const noexcept {
  PacketDigest digest;
  digest.key = compact_key(key);
  digest.hash = static_cast<uint32_t>(hash);
  digest.hash_tag = tag_of_hash(hash);
  return state_->find(digest, key);
}

bool FlowTable::snapshot(const FlowKey& key, uint64_t hash, int64_t clock_ns,
                         FlowRecord& record) const {
  State& state = *state_;
  const uint32_t slot = slot_of(key, hash);
  if (slot == kNoSlot) return false;
  const FlowParts parts = state.parts_of(slot);
  const HotFlow& hot = parts.hot;
  record = FlowRecord{};
  make_record(parts, key, state.shapes[hot.shape], state.shown(hot, clock_ns), EndReason::kNone,
              record);
  if (state.inspector != nullptr) state.inspector->fill(state.dpis[slot], record);
  return true;
}

void FlowTable::stop_inspection(const FlowKey& key, uint64_t hash, int64_t clock_ns) noexcept {
  State& state = *state_;
  const uint32_t slot = slot_of(key, hash);
  if (slot == kNoSlot || !state.hots[slot].has(kFlowInspected)) return;
  state.inspector->stop(state.dpis[slot], clock_ns);
  state.hots[slot].set(kFlowInspected, false);
}

Side FlowTable::sender_of(const Packet& packet) const noexcept {
  const uint32_t slot = slot_of(packet.key, packet.hash);
  if (slot == kNoSlot) return Side::kInitiator;
  return state_->hots[slot].has(kFlowFromB) == packet.from_b ? Side::kInitiator : Side::kResponder;
}

void FlowTable::begin_collection() {
  State& state = *state_;
  if (state.collected_count < state.collected.size()) return;
  state.collected.clear();
  state.collected_count = 0;
  state.collected.swap(state.changed);
}

bool FlowTable::collect_changes(size_t count_max, int64_t clock_ns,
                                std::vector<FlowRecord>& started,
                                std::vector<FlowUpdate>& updates) {
  State& state = *state_;
  for (size_t count = 0; count < count_max && state.collected_count < state.collected.size();
       ++count) {
    const uint32_t slot = state.collected[state.collected_count++];
    if (!state.is_live(slot) || !state.hots[slot].has(kFlowChanged)) continue;
    const FlowParts parts = state.parts_of(slot);
    HotFlow& hot = parts.hot;
    hot.set(kFlowChanged, false);
    const FlowState shown = state.shown(hot, clock_ns);
    if ((hot.steady & kFlowAnnounced) == 0) {
      hot.set_steady(kFlowAnnounced, true);
      FlowRecord& record = started.emplace_back();
      make_record(parts, state.key_of(hot), state.shapes[hot.shape], shown, EndReason::kNone,
                  record);
      if (state.inspector != nullptr) state.inspector->fill(state.dpis[slot], record);
      continue;
    }
    const size_t src = hot.has(kFlowFromB) ? 1 : 0;
    updates.push_back(
        {parts.cold.id, hot.last_ts_ns(), shown, parts.total(src), parts.total(1 - src)});
  }
  return state.collected_count < state.collected.size();
}

FlowStatistics FlowTable::statistics(int64_t clock_ns) const {
  State& state = *state_;
  FlowStatistics result = state.counters;
  result.live = 0;
  for (uint32_t slot = 0; slot < state.hots.end_slot(); ++slot) {
    if (!state.is_live(slot)) continue;
    const FlowParts parts = state.parts_of(slot);
    const HotFlow& hot = parts.hot;
    ++result.live;
    ++result.live_by_state[static_cast<size_t>(state.shown(hot, clock_ns))];
    for (size_t side = 0; side < 2; ++side) {
      const FlowCounters total = parts.total(side);
      result.in_live.frames += total.packets;
      result.in_live.bytes += total.bytes;
    }
  }
  return result;
}

void FlowTable::add_refused(Statistics& statistics) const noexcept {
  for (size_t layer = 0; layer < kLayerCount; ++layer) {
    statistics.move(static_cast<Layer>(layer), Verdict::kDecoded, Verdict::kUnflowedFlowLimit,
                    state_->refused[layer]);
  }
  for (size_t limit = 0; limit < kLimitCount; ++limit)
    statistics.limits_hit[limit] += state_->limits[limit];
}

uint64_t FlowTable::limit_hits(Limit limit) const noexcept {
  return state_->limits[static_cast<size_t>(limit)];
}

uint64_t FlowTable::live_count() const noexcept {
  return state_->counters.live;
}

uint64_t FlowTable::swept_count() const noexcept {
  return state_->swept_count;
}

uint64_t FlowTable::sweep_error_count() const noexcept {
  return state_->sweep_error_count;
}

}  // namespace weir
