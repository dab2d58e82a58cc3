// SPDX-License-Identifier: Apache-2.0
//
// Input: several sources read one after the other as one sequence of batches, with the frames
// numbered and the clock set. It is the numbering stage: everything that must be decided in capture
// order, before any sharding, is decided here (Frame::number, source, clock_ns).
//
// Sources are opened when their turn comes, so a thousand files need one descriptor. A source that
// cannot be opened or breaks is reported to the problem callback, what it delivered before is kept,
// and the next source goes on. One SourceClock runs through all of them.
//
// A batch whose last frame's clock depends on the next frame is completed by reading one batch
// ahead; the look-ahead batch is outstanding meanwhile.
//
// Threads: one thread at a time, which need not always be the same: next() and release() may come
// from different threads if the callers hold the same mutex around each. Batches are numbered before
// next() returns them and then left alone, so the thread that has one reads it without the mutex
// (release() waits for it as long as next() waits for a pipe). statistics(), now_ns() and what
// next() adds to, name_records() and the InterfaceNames of the openers, are under the same mutex.
// The callbacks (openers, on_problem) run on the thread that calls next(). stop() from any thread or
// a signal handler, without a mutex.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/capture_source.h"
#include "capture/source_clock.h"

namespace weir {

// Opens the source when its turn comes: a source, or null and a one-line message in `error`.
using SourceOpener = std::function<std::unique_ptr<CaptureSource>(std::string& error)>;

struct InputStatistics {
  FrameCount delivered;
  uint64_t captured_bytes = 0;
  uint64_t dropped = 0;
  uint64_t time_outliers = 0;
  uint64_t time_rebases = 0;
  uint64_t time_clamped = 0;
  uint64_t dropped_reported = 0;       // by the writers of the files; in no identity
  uint64_t name_records = 0;           // addresses whose name the files gave
  uint64_t name_records_rejected = 0;  // more than NameRecords keeps
  uint32_t sources_opened = 0;
  uint32_t sources_failed = 0;  // could not be opened, or broke
};

struct InputBatch {
  Batch batch;
  CaptureSource* source = nullptr;  // whose memory it is
};

class Input {
 public:
  // At most 65,535 sources (16 bits of the flow id); more is the caller's error.
  explicit Input(std::vector<SourceOpener> openers);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  void set_batch_size(uint32_t frame_count_max);
  // Called with one line for the user for each source that could not be opened or broke.
  void on_problem(std::function<void(const std::string& message)> callback);

  // kData, kIdle or kEnd; never kError: a broken source is a problem, and the next one goes on.
  // With kIdle, idle_clock_ns has become the clock; only kData is released.
  Next next(InputBatch& out);
  // In any order. A source is closed when it has ended and all its batches are released.
  void release(InputBatch& batch);
  // What has been read is still handed out, then next() returns kEnd.
  void stop() noexcept;

  // The clock after the last frame handed out: what finish() of the flow table is given.
  int64_t now_ns() const noexcept { return clock_.now_ns(); }
  InputStatistics statistics() const;
  // Host names the sources carried so far.
  const NameRecords& name_records() const { return name_records_; }

 private:
  struct OpenSource {
    std::unique_ptr<CaptureSource> source;
    uint16_t ordinal = 0;
    uint64_t frame_count = 0;        // numbered so far
    uint32_t outstanding_count = 0;  // batches fetched and not released
    bool has_ended = false;
  };
  struct Fetched {
    Next outcome = Next::kEnd;  // never kError
    InputBatch batch;
    OpenSource* from = nullptr;
  };

  Fetched fetch();
  bool open_next();
  void end_reading();
  void close(OpenSource& open);
  void set_clocks(const Fetched& fetched);
  std::optional<int64_t> first_ts_ahead();
  void report(const std::string& message);

  std::vector<SourceOpener> openers_;
  size_t opened_count_ = 0;  // openers whose turn has come
  std::function<void(const std::string& message)> on_problem_;
  uint32_t batch_size_ = kBatchFrameCountDefault;
  SourceClock clock_;
  NameRecords name_records_;

  // Opened and not closed: the one being read and those that ended and have batches outstanding.
  std::deque<std::unique_ptr<OpenSource>> open_;
  OpenSource* reading_ = nullptr;
  std::optional<Fetched> ahead_;
  InputStatistics totals_;  // of what is counted here, and of closed sources

  // stop() must reach the source being read and never one that is being destroyed: it announces
  // itself in stopping_count_ before it looks at stoppable_, and end_reading() waits for it after
  // clearing stoppable_.
  std::atomic<CaptureSource*> stoppable_{nullptr};
  std::atomic<uint32_t> stopping_count_{0};
  std::atomic<bool> is_stopped_{false};
};

}  // namespace weir
