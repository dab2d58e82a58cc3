// SPDX-License-Identifier: Apache-2.0
//
// Assembly: pieces of a byte string that come in any order, put together: the begin of a stream while a
// message of it is incomplete, or a protocol's own string (QUIC's CRYPTO frames).
//
//   bytes   [ begin . . . . . . . . ) free [ range ) free [ range )
//             ^ first byte not consumed        what came after a hole
//
// What comes twice is taken once: the bytes that were there stay (an attacker who sends the same place
// twice changes nothing that was looked at).
//
// Limits: kAssemblySizeMax bytes from the first byte not consumed, kRangeCountMax ranges; a piece
// beyond is refused.
// Threads: one thread owns one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "weir/protocol.h"

namespace weir {

template <uint32_t kSize>
struct Assembly {
  static constexpr uint32_t kRangeCountMax = 16;  // browsers shuffle a QUIC hello into ten and more
  struct Range {
    uint32_t begin;
    uint32_t end;
  };

  uint32_t range_count;
  std::array<Range, kRangeCountMax> ranges;  // ascending, neither touching nor overlapping
  std::array<uint8_t, kSize> bytes;

  void clear() noexcept { range_count = 0; }

  // False when it does not fit; nothing is changed then.
  bool insert(uint64_t offset, std::span<const uint8_t> piece) noexcept {
    if (piece.empty()) return true;
    if (offset > kSize || piece.size() > kSize - offset) return false;
    const auto begin = static_cast<uint32_t>(offset);
    const auto end = static_cast<uint32_t>(offset + piece.size());
    // Ranges that touch [begin, end) become one with it.
    uint32_t first = 0;
    while (first < range_count && ranges[first].end < begin) ++first;
    uint32_t last = first;
    while (last < range_count && ranges[last].begin <= end) ++last;
    if (first == last && range_count == kRangeCountMax) return false;
    // Copies what is not there yet.
    uint32_t at = begin;
    for (uint32_t index = first; index < last && at < end; ++index) {
      if (at < ranges[index].begin) copy(piece, begin, at, ranges[index].begin);
      at = std::max(at, ranges[index].end);
    }
    if (at < end) copy(piece, begin, at, end);
    Range merged{begin, end};
    if (first < last) {
      merged.begin = std::min(begin, ranges[first].begin);
      merged.end = std::max(end, ranges[last - 1].end);
    }
    const auto at_index = [this](uint32_t index) {
      return ranges.begin() + static_cast<std::ptrdiff_t>(index);
    };
    if (first == last) {
      std::copy_backward(at_index(first), at_index(range_count), at_index(range_count + 1));
      ++range_count;
    } else {
      std::copy(at_index(last), at_index(range_count), at_index(first + 1));
      range_count -= last - first - 1;
    }
    ranges[first] = merged;
    return true;
  }

  // What is there from the begin on.
  std::span<const uint8_t> prefix() const noexcept {
    const bool has_begin = range_count > 0 && ranges[0].begin == 0;
    return std::span<const uint8_t>(bytes).first(has_begin ? ranges[0].end : 0);
  }
  // The hole before the first byte that is there.
  uint32_t hole_size() const noexcept { return range_count > 0 ? ranges[0].begin : 0; }
  bool is_empty() const noexcept { return range_count == 0; }

  // Forgets the first `size` bytes, there or not.
  void consume(uint32_t size) noexcept {
    uint32_t kept = 0;
    uint32_t end = 0;
    for (uint32_t index = 0; index < range_count; ++index) {
      if (ranges[index].end <= size) continue;
      end = ranges[index].end;
      const uint32_t begin = std::max(ranges[index].begin, size);
      ranges[kept++] = {begin - size, end - size};
    }
    range_count = kept;
    if (kept == 0) return;
    std::copy(bytes.begin() + size, bytes.begin() + end, bytes.begin());
  }

 private:
  void copy(std::span<const uint8_t> piece, uint32_t piece_begin, uint32_t from,
            uint32_t to) noexcept {
    std::copy_n(piece.begin() + (from - piece_begin), to - from, bytes.begin() + from);
  }
};

}  // namespace weir
