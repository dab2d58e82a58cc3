// SPDX-License-Identifier: Apache-2.0
//
// The payload of one direction of a TCP connection, in order and without repetition, as far as fits.
//
//   consumed │ first byte not consumed (Half::seq)
//   ─────────┼──────────────────────────────────────────────▶
//            │ [ assembly: what is there and waits   ] hole [ held ]
//
// A segment that continues at Half::seq while nothing waits is parsed where it lies. What a parser
// leaves is copied, and parsed again with what follows. A segment behind a hole is held until the hole
// is filled; when too much is held, or it does not fit, the hole becomes a gap: parsing goes on behind
// it, and the parser is told. Bytes that a parser skips are neither waited for nor held.
#include <algorithm>

#include "dpi/inspection.h"

namespace weir {

void Inspector::State::drop(uint32_t& assembly) noexcept {
  if (assembly == kNoHandle) return;
  if ((assembly & kFullBit) != 0) {
    full_assemblies.free(assembly & ~kFullBit);
  } else {
    small_assemblies.free(assembly);
  }
  assembly = kNoHandle;
}

std::span<const uint8_t> Inspector::State::prefix(uint32_t assembly) noexcept {
  if (assembly == kNoHandle) return {};
  return (assembly & kFullBit) != 0 ? full_assemblies[assembly & ~kFullBit].prefix()
                                    : small_assemblies[assembly].prefix();
}

uint32_t Inspector::State::hole(uint32_t assembly) noexcept {
  if (assembly == kNoHandle) return 0;
  return (assembly & kFullBit) != 0 ? full_assemblies[assembly & ~kFullBit].hole_size()
                                    : small_assemblies[assembly].hole_size();
}

bool Inspector::State::insert(uint32_t& assembly, uint64_t offset,
                              std::span<const uint8_t> bytes) noexcept {
  if (assembly == kNoHandle) {
    const bool is_small =
        offset <= kSmallAssemblySize && bytes.size() <= kSmallAssemblySize - offset;
    const uint32_t slot = is_small ? small_assemblies.allocate() : full_assemblies.allocate();
    if (slot == kNoSlot) return false;
    if (is_small) {
      small_assemblies[slot].clear();
      assembly = slot;
    } else {
      full_assemblies[slot].clear();
      assembly = slot | kFullBit;
    }
  }
  if ((assembly & kFullBit) != 0)
    return full_assemblies[assembly & ~kFullBit].insert(offset, bytes);
  Small& small = small_assemblies[assembly];
  if (small.insert(offset, bytes)) return true;
  if (offset <= kSmallAssemblySize && bytes.size() <= kSmallAssemblySize - offset) return false;
  // It outgrows its size: move.
  const uint32_t slot = full_assemblies.allocate();
  if (slot == kNoSlot) return false;
  Full& full = full_assemblies[slot];
  full.range_count = small.range_count;
  for (uint32_t index = 0; index < small.range_count; ++index)
    full.ranges[index] = {small.ranges[index].begin, small.ranges[index].end};
  const uint32_t end = small.range_count == 0 ? 0 : small.ranges[small.range_count - 1].end;
  std::copy_n(small.bytes.begin(), end, full.bytes.begin());
  small_assemblies.free(assembly);
  assembly = slot | kFullBit;
  return full.insert(offset, bytes);
}

// The half moves on by `size` bytes, there or not.
void Inspector::State::consume(Half& half, uint64_t size) noexcept {
  half.offset += size;
  half.seq += static_cast<uint32_t>(size);
  if (half.assembly == kNoHandle) return;
  const auto cut = static_cast<uint32_t>(std::min<uint64_t>(size, kAssemblySizeMax));
  bool is_empty;
  if ((half.assembly & kFullBit) != 0) {
    Full& full = full_assemblies[half.assembly & ~kFullBit];
    full.consume(cut);
    is_empty = full.is_empty();
  } else {
    Small& small = small_assemblies[half.assembly];
    small.consume(std::min(cut, kSmallAssemblySize));
    is_empty = small.is_empty();
  }
  if (is_empty) drop(half.assembly);
}

bool Inspector::State::hold(Half& half, uint64_t at, std::span<const uint8_t> bytes) noexcept {
  if (insert(half.assembly, at, bytes)) return true;
  count(Limit::kDpiAssembly);
  return false;
}

// Parses `bytes`, which begin at the half's first byte not consumed.
Inspector::State::Taken Inspector::State::parse_stream(FlowDpi& flow, Inspection& inspection,
                                                       const Segment& segment, size_t side,
                                                       std::span<const uint8_t> bytes) {
  Half& half = inspection.halves[side];
  Taken taken;
  while (true) {
    const std::span<const uint8_t> rest = bytes.subspan(static_cast<size_t>(taken.size));
    if (rest.empty()) return taken;
    Payload payload = segment.payload;
    payload.bytes = rest;
    payload.wire_size = static_cast<uint32_t>(rest.size());
    payload.offset = half.offset + taken.size;
    payload.gap_before = half.has_gap;
    payload.is_midstream = inspection.is_midstream;
    if (static_cast<size_t>(payload.side) != side) {
      payload.side = static_cast<Side>(side);
      std::swap(payload.sender, payload.receiver);
      std::swap(payload.sender_port, payload.receiver_port);
    }
    if (inspection.protocol == kUnknownApp) {
      // Nothing is consumed until somebody has the flow.
      switch (classify(flow, inspection, payload, segment.clock_ns)) {
        case Found::kNothingYet:
          return taken;
        case Found::kNotHere:
          taken.size = bytes.size();
          half.need = 0;
          return taken;
        case Found::kNobody:
          taken.goes_on = false;
          return taken;
        case Found::kProtocol:
          break;
      }
      if (table.protocol(inspection.protocol).parse == nullptr) {
        taken.goes_on = false;
        return taken;
      }
      // What the other side said before comes first.
      if (inspection.first_side != side) {
        inspection.first_side = static_cast<uint8_t>(side);
        taken.goes_on = offer_waiting(flow, inspection, segment, 1 - side);
        if (!taken.goes_on) return taken;
      }
      continue;
    }
    const Parse result = parse(flow, inspection, payload, segment);
    half.has_gap = false;
    half.need = 0;
    const uint64_t wanted = result.size;
    switch (result.answer) {
      case Parse::Answer::kNext:
        if (wanted == 0) {
          half.need = static_cast<uint32_t>(rest.size()) + 1;
          return taken;
        }
        if (wanted > rest.size()) half.skip = wanted - rest.size();
        taken.size += std::min<uint64_t>(wanted, rest.size());
        break;
      case Parse::Answer::kNeed:
        half.need = std::max<uint32_t>(result.size, static_cast<uint32_t>(rest.size()) + 1);
        if (half.need > kAssemblySizeMax) {
          count(Limit::kDpiAssembly);
          note_error(inspection.protocol, "message_too_long");
          taken.goes_on = false;
        }
        return taken;
      case Parse::Answer::kDone:
        taken.goes_on = false;
        return taken;
      case Parse::Answer::kError:
        note_error(inspection.protocol, result.reason);
        taken.goes_on = false;
        return taken;
      case Parse::Answer::kHandover:
        taken.size += std::min<uint64_t>(wanted, rest.size());
        if (wanted > rest.size()) half.skip = wanted - rest.size();
        if (inspection.handover_count == kHandoverCountMax) {
          taken.goes_on = false;
          return taken;
        }
        hand_over(flow, inspection, result, segment.clock_ns);
        if (inspection.protocol != kUnknownApp &&
            table.protocol(inspection.protocol).parse == nullptr) {
          taken.goes_on = false;
          return taken;
        }
        break;
    }
  }
}

// Offers what waits in the half's assembly, if it is enough.
bool Inspector::State::offer_waiting(FlowDpi& flow, Inspection& inspection, const Segment& segment,
                                     size_t side) {
  Half& half = inspection.halves[side];
  const std::span<const uint8_t> waiting = prefix(half.assembly);
  if (waiting.empty() || waiting.size() < half.need) return true;
  const Taken taken = parse_stream(flow, inspection, segment, side, waiting);
  if (!taken.goes_on) return false;
  if (taken.size > 0) consume(half, taken.size);
  return true;
}

// New bytes at the half's first byte not consumed or, if something waits there, behind that.
bool Inspector::State::offer(FlowDpi& flow, Inspection& inspection, const Segment& segment,
                             size_t side, std::span<const uint8_t> bytes) {
  Half& half = inspection.halves[side];
  const Taken taken = parse_stream(flow, inspection, segment, side, bytes);
  if (!taken.goes_on) return false;
  if (taken.size > 0) consume(half, taken.size);
  const std::span<const uint8_t> rest = bytes.subspan(static_cast<size_t>(taken.size));
  return rest.empty() || hold(half, 0, rest);
}

// A segment that does not fit behind what waits, or behind a hole: what is missing is given up.
bool Inspector::State::give_up_waiting(FlowDpi& flow, Inspection& inspection,
                                       const Segment& segment, size_t side, uint64_t at,
                                       std::span<const uint8_t> bytes) {
  Half& half = inspection.halves[side];
  count(Limit::kDpiAssembly);
  const bool is_incomplete = half.assembly != kNoHandle && hole(half.assembly) == 0;
  const bool may_resume =
      inspection.protocol != kUnknownApp && table.protocol(inspection.protocol).every_message;
  if (is_incomplete && !may_resume) return false;
  drop(half.assembly);
  lose(half, at);
  return offer(flow, inspection, segment, side, bytes);
}

// The half moves on over bytes that nobody will see.
void Inspector::State::lose(Half& half, uint64_t size) noexcept {
  const uint64_t skipped = std::min(half.skip, size);
  half.skip -= skipped;
  half.held_count = 0;
  consume(half, size);
  if (skipped == size) return;
  half.has_gap = true;
  half.need = 0;
  ++statistics.gaps;
}

bool Inspector::State::take_stream(FlowDpi& flow, Inspection& inspection, const Segment& segment) {
  const size_t side = static_cast<size_t>(segment.payload.side);
  Half& half = inspection.halves[side];
  std::span<const uint8_t> bytes = segment.payload.bytes;
  // More than was captured, if the snap length cut it.
  uint64_t wire_size = std::max<uint64_t>(segment.payload.wire_size, bytes.size());
  if (!half.is_started) {
    half.is_started = true;
    half.seq = segment.is_begin_known ? segment.begin_seq : segment.seq;
    if (!segment.is_begin_known) inspection.is_midstream = true;
  }
  const auto trim = [&](uint64_t size) {
    bytes = bytes.subspan(std::min<size_t>(static_cast<size_t>(size), bytes.size()));
    wire_size -= size;
  };

  const auto distance = static_cast<int32_t>(segment.seq - half.seq);
  uint64_t at = 0;  // where the bytes belong, from the first one not consumed
  if (distance < 0) {
    ++statistics.overlaps;
    const auto known = static_cast<uint64_t>(-static_cast<int64_t>(distance));
    if (known >= wire_size) return true;
    trim(known);
  } else {
    at = static_cast<uint64_t>(distance);
  }
  if (half.skip > 0) {
    const uint64_t skipped = std::min(half.skip, at + wire_size);
    half.skip -= skipped;
    consume(half, skipped);
    if (skipped > at) trim(skipped - at);
    at -= std::min(at, skipped);
    if (wire_size == 0) return true;
  }
  const uint64_t cut_size = wire_size - bytes.size();
  const bool was_unclassified = inspection.protocol == kUnknownApp;

  bool goes_on = true;
  if (bytes.empty()) {
    // All of it was cut.
  } else if (at == 0 && half.assembly == kNoHandle && bytes.size() >= half.need) {
    goes_on = offer(flow, inspection, segment, side, bytes);
  } else {
    if (at > prefix(half.assembly).size()) ++statistics.reordered;
    if (!insert(half.assembly, at, bytes)) {
      goes_on = give_up_waiting(flow, inspection, segment, side, at, bytes);
    } else if (hole(half.assembly) > 0 && ++half.held_count < kHeldSegmentsMax) {
      return true;
    } else {
      if (hole(half.assembly) > 0) lose(half, hole(half.assembly));
      half.held_count = 0;
      goes_on = offer_waiting(flow, inspection, segment, side);
    }
  }
  if (!goes_on) return false;
  if (cut_size > 0) {
    const uint32_t end_seq = segment.seq + static_cast<uint32_t>(segment.payload.bytes.size());
    const auto waiting = static_cast<int32_t>(end_seq - half.seq);
    lose(half, static_cast<uint64_t>(std::max(waiting, 0)) + cut_size);
  }
  if (was_unclassified && inspection.protocol != kUnknownApp)
    return offer_waiting(flow, inspection, segment, 1 - side);
  return true;
}

}  // namespace weir
