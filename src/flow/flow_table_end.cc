// SPDX-License-Identifier: Apache-2.0
//
// How a flow ends: due, reopened, or for want of memory; and the records it becomes on the way.
#include <exception>

#include "flow/flow_table_state.h"

namespace weir {

bool FlowTable::State::give_rare(uint32_t slot) noexcept {
  HotFlow& hot = hots[slot];
  if (hot.rare != kNoPart) return true;
  const uint32_t rare = rares.allocate();
  if (rare == kNoSlot) {
    ++limits[static_cast<size_t>(Limit::kFlowDetail)];
    return false;
  }
  rares[rare] = RareFlow{};
  hot.rare = rare;
  return true;
}

// What update_flow() wrote into the blank becomes the flow's own, or is forgotten and counted.
void FlowTable::State::keep_rare(uint32_t slot, const FlowParts& parts) noexcept {
  if (!parts.uses_rare || &parts.rare != &blank) return;
  if (give_rare(slot)) {
    rares[hots[slot].rare] = blank;
  } else {
    HotFlow& hot = hots[slot];
    hot.history_size = std::min<uint8_t>(hot.history_size, kHotHistorySize);
    hot.sides[0].has_hole = hot.sides[1].has_hole = false;
  }
  blank = RareFlow{};
}

FlowRecord& FlowTable::State::append_record(uint32_t slot, FlowState shown, EndReason reason,
                                            std::vector<FlowRecord>& records) {
  const FlowParts parts = parts_of(slot);
  FlowRecord& record = records.emplace_back();
  make_record(parts, key_of(parts.hot), shapes[parts.hot.shape], shown, reason, record);
  if (inspector != nullptr) inspector->fill(dpis[slot], record);
  return record;
}

// An interval that had packets has ended: publish what the flow was at that time. What came after
// is not in it, because every packet looks here first.
void FlowTable::State::emit_interim(uint32_t slot, std::vector<FlowRecord>& records) {
  HotFlow& hot = hots[slot];
  if (options.makes_interim_records && give_rare(slot)) {
    const FlowState shown =
        shown_state(hot.state, hot.interval_end_ns - hot.last_clock_ns, timeout(hot));
    const FlowRecord& record = append_record(slot, shown, EndReason::kActive, records);
    const size_t src = hot.has(kFlowFromB) ? 1 : 0;
    rares[hot.rare].published[src] = record.src.total;
    rares[hot.rare].published[1 - src] = record.dst.total;
  }
  ++counters.interim_records;
  ++colds[slot].sequence;
  hot.set(kFlowInInterval, false);
}

// Ends a flow that was alive until alive_until_ns. An interim record that fell due while it was
// comes first.
void FlowTable::State::end(uint32_t slot, int64_t alive_until_ns, EndReason reason, FlowState shown,
                           std::vector<FlowRecord>& records) {
  HotFlow& hot = hots[slot];
  // Asked of memory now, needed when the record is made.
  const uint32_t hash = is_finishing ? 0 : hash_of(slot);
  if (!is_finishing) {
    index.prefetch(hash);
    wheel.prefetch_neighbours(slot);
  }
  if (hot.has(kFlowInInterval) && hot.interval_end_ns <= alive_until_ns)
    emit_interim(slot, records);
  if (inspector != nullptr) inspector->end(dpis[slot], hot.last_clock_ns);
  const FlowRecord& record = append_record(slot, shown, reason, records);
  ++counters.ended[static_cast<size_t>(reason)];
  ++counters.ended_by_state[static_cast<size_t>(shown)];
  counters.in_ended.frames += record.src.total.packets + record.dst.total.packets;
  counters.in_ended.bytes += record.src.total.bytes + record.dst.total.bytes;

  // When all flows end, so do the wheel and the index, as a whole.
  if (!is_finishing) {
    wheel.disarm(slot);
    index.erase(hash, slot);
  }
  if (inspector != nullptr) inspector->release(dpis[slot]);
  shapes.release(hot.shape);
  if (!hot.key.is_whole()) wides.free(hot.key.a);
  if (hot.rare != kNoPart) rares.free(hot.rare);
  give_back(slot);
  --counters.live;
}

// Ends the flow if it is due at clock_ns; returns true if it did. The one place the lifetime rule
// is written.
bool FlowTable::State::expire(uint32_t slot, int64_t clock_ns, std::vector<FlowRecord>& records) {
  const HotFlow& hot = hots[slot];
  const int64_t timeout_ns = timeout(hot);
  if (clock_ns - hot.last_clock_ns <= timeout_ns) return false;
  end(slot, saturating_add(hot.last_clock_ns, timeout_ns), timeout_reason(hot.state),
      next_state(hot.family(), hot.state, FlowEvent::kTimeout), records);
  return true;
}

// Ends a flow before its time, unless it was due. A connection that is closed has ended by itself;
// only its linger is cut short.
void FlowTable::State::cut_short(uint32_t slot, int64_t clock_ns, EndReason reason,
                                 std::vector<FlowRecord>& records) {
  if (expire(slot, clock_ns, records)) return;
  const HotFlow& hot = hots[slot];
  const bool is_closed = hot.state == FlowState::kClosed;
  end(slot, clock_ns, is_closed ? EndReason::kEnd : reason, shown(hot, clock_ns), records);
}

// Whether the flow cannot have the packet, because it is over: then it has been ended.
bool FlowTable::State::is_over(uint32_t slot, const PacketDigest& digest,
                               std::vector<FlowRecord>& records) {
  if (expire(slot, digest.clock_ns, records)) return true;
  const HotFlow& hot = hots[slot];
  const bool is_closing = hot.state == FlowState::kClosing || hot.state == FlowState::kClosed;
  if (!is_closing || (digest.key.bits & kDigestTcp) == 0) return false;
  const int sender = digest.key.bits & kDigestFromB;
  if (!is_new_connection(hot.sides, digest.tcp_flags, digest.tcp_seq, sender)) return false;
  end(slot, digest.clock_ns, EndReason::kEnd, hot.state, records);
  return true;
}

// A sweep at a flow that may be due.
void FlowTable::State::look(uint32_t slot, int64_t clock_ns, std::vector<FlowRecord>& records) {
  const uint64_t ended_before = counters.live;
  // What a failing step throws leaves the flow as it was; it comes up again with the next tick.
  int64_t again_ns = clock_ns + kSecondNs / 2;
  wheel.arm(slot, again_ns, clock_ns);
  try {
    if (options.before_sweep_step) options.before_sweep_step();
    HotFlow& hot = hots[slot];
    if (!expire(slot, clock_ns, records)) {
      if (hot.has(kFlowInInterval) && clock_ns >= hot.interval_end_ns) emit_interim(slot, records);
      again_ns = due_ns(hot);
      wheel.disarm(slot);
      wheel.arm(slot, saturating_add(again_ns, int64_t{1}), clock_ns);
    }
  } catch (const std::exception&) {
    ++sweep_error_count;
  }
  swept_count += ended_before - counters.live;
}

}  // namespace weir
