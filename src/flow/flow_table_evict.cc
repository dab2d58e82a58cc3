// SPDX-License-Identifier: Apache-2.0
//
// Which flows end when memory is short (docs/decisions/003).
#include <bit>

#include "flow/flow_table_state.h"

namespace weir {
namespace {

// Eviction looks at a sample of slots and ends the worst quarter of its flows, or up to half of them
// when so many are worth nothing.
constexpr uint32_t kEvictSampleSize = 64;
constexpr uint32_t kEvictShare = 4;
constexpr uint32_t kEvictWorthlessShare = 2;
constexpr int kWorthShift = 56;  // above: worth in powers of two; below: recency

constexpr uint32_t kPressureCount = 64;  // slots looked at by one age()

}  // namespace

// What a flow is worth when room is needed: its traffic, halved with every 8 s of silence, in powers
// of two; among equals the longest silent first. A flow without an answer is worth nothing, and a
// closed one that only lingers even less.
uint64_t FlowTable::State::worth(uint32_t slot, int64_t clock_ns) noexcept {
  const HotFlow& hot = hots[slot];
  const uint64_t silence_ns =
      static_cast<uint64_t>(std::max<int64_t>(0, clock_ns - hot.last_clock_ns));
  constexpr uint64_t kRecencyMax = (uint64_t{1} << kWorthShift) - 1;
  const uint64_t recency = kRecencyMax - std::min(silence_ns >> 8, kRecencyMax);
  if (hot.state == FlowState::kClosed) return 0;
  if (options.eviction == Eviction::kLru) return recency;
  uint64_t bytes = 0;
  if (hot.state != FlowState::kNew) {
    const FlowParts parts = parts_of(slot);
    bytes = parts.total(0).bytes + parts.total(1).bytes;
  }
  const uint64_t halvings = silence_ns >> 33;
  const uint64_t traffic = halvings < 64 ? bytes >> halvings : 0;
  return static_cast<uint64_t>(std::bit_width(traffic)) << kWorthShift | recency;
}

// Ends the least worthy of a sample of flows. False when none may go.
// The sample is taken at even distances over the whole table, and the next one beside it, so it is
// like the table also when flows of a kind stand close together.
bool FlowTable::State::make_room(int64_t clock_ns, std::vector<FlowRecord>& records) {
  if (options.eviction == Eviction::kNone || counters.live == 0) return false;
  struct Candidate {
    uint64_t worth;
    uint32_t slot;
  };
  std::array<Candidate, kEvictSampleSize> sample;
  size_t count = 0;
  size_t worthless_count = 0;
  const uint32_t end_slot = hots.end_slot();
  const uint32_t stride = (end_slot + kEvictSampleSize - 1) / kEvictSampleSize;
  // A stride without a single live flow is possible: then the next one is looked at.
  for (uint32_t turn = 0; turn < stride && count == 0; ++turn) {
    hand = (hand + 1) % stride;
    for (uint32_t slot = hand; slot < end_slot; slot += stride) {
      if (!is_live(slot)) continue;
      sample[count] = {worth(slot, clock_ns), slot};
      const bool is_worthless = sample[count].worth >> kWorthShift == 0;
      worthless_count += is_worthless && options.eviction == Eviction::kValue ? 1 : 0;
      ++count;
    }
  }
  const auto first = sample.begin();
  const size_t victims = std::max(
      {size_t{1}, count / kEvictShare, std::min(worthless_count, count / kEvictWorthlessShare)});
  std::nth_element(first, first + static_cast<ptrdiff_t>(victims - 1),
                   first + static_cast<ptrdiff_t>(count),
                   [](const Candidate& x, const Candidate& y) { return x.worth < y.worth; });
  // All that ending them takes is asked for at once, and what the next sample will look at: one
  // after the other, these waits were half of what a flood costs.
  for (size_t at = 0; at < victims; ++at) {
    const uint32_t slot = sample[at].slot;
    __builtin_prefetch(&hots[slot].interval_end_ns, 1);
    __builtin_prefetch(&colds[slot], 1);
    __builtin_prefetch(&colds[slot].sequence, 1);
    index.prefetch(hash_of(slot));
  }
  for (size_t at = 0; at < victims; ++at) wheel.prefetch_neighbours(sample[at].slot);
  for (uint32_t slot = (hand + 1) % stride; slot < end_slot; slot += stride)
    __builtin_prefetch(&hots[slot]);
  for (size_t at = 0; at < victims; ++at)
    cut_short(sample[at].slot, clock_ns, EndReason::kResources, records);
  return true;
}

// Flows that never got an answer are what floods are made of: while the table is nearly full, they
// end after the pressure timeout.
void FlowTable::State::relieve_pressure(int64_t clock_ns, std::vector<FlowRecord>& records) {
  if (options.eviction == Eviction::kNone) return;
  const uint32_t end_slot = hots.end_slot();
  for (uint32_t step = 0; step < std::min(kPressureCount, end_slot); ++step) {
    if (pressure_hand >= end_slot) pressure_hand = 0;
    const uint32_t slot = pressure_hand++;
    if (!is_live(slot) || hots[slot].state != FlowState::kNew) continue;
    if (clock_ns - hots[slot].last_clock_ns <= options.pressure_timeout_ns) continue;
    if (expire(slot, clock_ns, records)) continue;
    ++limits[static_cast<size_t>(Limit::kFlowPressure)];
    cut_short(slot, clock_ns, EndReason::kResources, records);
  }
}

}  // namespace weir
