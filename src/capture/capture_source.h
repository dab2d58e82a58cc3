// SPDX-License-Identifier: Apache-2.0
//
// CaptureSource: where frames come from. The contract of every source: capture files, standard
// input, and later AF_PACKET rings and TUN devices. Decorators (fault_injector) are sources that
// own a source.
//
// A source hands out batches. Life of a batch:
//
//   next(batch) == kData   the frames and the bytes they point to belong to the batch …
//   release(batch)         … until here. Several batches may be outstanding and may be released in
//   any order.
//
// A source never copies what it need not, delivers what it has before it reports damage (kData
// first, then kError), and counts what it loses. It fills every member of Frame but number, source
// and clock_ns, which the numbering stage owns (capture/input.h).
//
// Threads: one thread at a time. Callers that call from several (a reader calls next(), a worker
// release()) hold the same mutex around each call; nothing depends on which thread it is. The frames
// of an outstanding batch and their bytes are touched by no call but the release() of that batch, so
// they are read without the mutex. stop() may be called by any thread or signal handler, without a
// mutex, and makes a blocked or later next() return kEnd within 100 ms.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "capture/name_records.h"
#include "weir/frame.h"
#include "weir/statistics.h"

namespace weir {

enum class Next : uint8_t {
  kData,   // the batch holds at least one frame
  kIdle,   // live sources: nothing arrived; idle_clock_ns holds the time
  kEnd,    // no more frames, ever
  kError,  // the source broke: see error(); no more frames, ever
};

struct Batch {
  std::span<Frame> frames;    // in capture order
  int64_t idle_clock_ns = 0;  // with kIdle: the source's time now, ns since 1970
  uint64_t token = 0;         // the source's own; names the memory to give back
};

struct SourceStatistics {
  FrameCount delivered;  // frames handed out in batches
  uint64_t dropped = 0;  // frames known to exist and not handed out (kernel drops, injected faults)
  uint64_t time_clamped = 0;
  // Frames the writer of a file says it lost, as far as it says so: they never existed for weir and
  // are in none of its identities.
  uint64_t dropped_reported = 0;
};

class CaptureSource {
 public:
  virtual ~CaptureSource() = default;
  CaptureSource(const CaptureSource&) = delete;
  CaptureSource& operator=(const CaptureSource&) = delete;

  // Most frames a batch may hold; takes effect with the next batch. 1..kBatchFrameCountMax.
  virtual void set_batch_size(uint32_t frame_count_max) = 0;
  // Where to put host names the source itself carries; `records` must outlive it. Called before the
  // first next(), if at all.
  virtual void keep_names(NameRecords& records) { static_cast<void>(records); }
  virtual Next next(Batch& batch) = 0;
  virtual void release(Batch& batch) = 0;
  virtual void stop() noexcept = 0;

  // One line for the user: "name: byte 4096: record cut short: 60 bytes announced, 12 present".
  // Valid after kError.
  virtual const std::string& error() const = 0;
  virtual const std::string& name() const = 0;  // as given by the user: path, "-" or interface
  virtual SourceStatistics statistics() const = 0;

 protected:
  CaptureSource() = default;
};

inline constexpr uint32_t kBatchFrameCountMax = 1024;
inline constexpr uint32_t kBatchFrameCountDefault = 256;

}  // namespace weir
