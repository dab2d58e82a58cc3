// SPDX-License-Identifier: Apache-2.0
//
// SourceClock: turns the timestamps of frames, in file order, into the clock that decides lifetimes
// (docs/decisions/001-contracts.md).
//
//   * The clock is the running maximum of ts. It starts at the first frame's ts and never steps back.
//   * A forward step over kStepMaxNs counts only if the next frame agrees (its ts is not more than
//     kStepMaxNs before this one's) or there is none. Else the frame keeps the old clock and counts
//     as time_outlier.
//   * The second of two successive frames more than kStepMaxNs behind the clock re-bases: from it on
//     an offset is added so that its ts equals the clock, and the clock goes on.
//
// The result depends on the sequence of timestamps alone, never on where batches are cut: a step
// that needs the next frame is passed that frame's ts, from the next batch if need be.
//
// Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "weir/frame.h"

namespace weir {

class SourceClock {
 public:
  static constexpr int64_t kStepMaxNs = 3'600'000'000'000;  // 1 h

  // True when the clock of a frame with this ts depends on the frame after it.
  bool needs_next(int64_t ts_ns) const noexcept;
  // The clock of the frame, and the new state. next_ts_ns is looked at only when needs_next(ts_ns);
  // pass nullopt when there is no next frame.
  int64_t advance(int64_t ts_ns, std::optional<int64_t> next_ts_ns) noexcept;

  // Does for the first frames of `frames` what advance() would do frame by frame, as long as they are
  // ordinary: within kStepMaxNs of the clock, either way, so that none needs the next. Sets their
  // clock_ns and returns how many they were, none before the first frame of all; the frame behind
  // them, if there is one, is for advance().
  size_t advance_run(std::span<Frame> frames) noexcept;

  bool has_started() const noexcept { return has_started_; }
  int64_t now_ns() const noexcept { return clock_ns_; }
  uint64_t outlier_count() const noexcept { return outlier_count_; }
  uint64_t rebase_count() const noexcept { return rebase_count_; }

 private:
  bool has_started_ = false;
  bool is_behind_ = false;  // the previous frame was more than kStepMaxNs behind
  int64_t clock_ns_ = 0;
  int64_t offset_ns_ = 0;
  uint64_t outlier_count_ = 0;
  uint64_t rebase_count_ = 0;
};

}  // namespace weir
