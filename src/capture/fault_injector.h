// SPDX-License-Identifier: Apache-2.0
//
// FaultInjector: a source that owns a source and spoils what it brings, for tests: frames are lost,
// cut, have bits flipped and clocks that jump; the source idles or breaks.
//
// What happens to a frame depends on the seed and on the how-many-th frame of the inner source it
// is, never on where batches are cut. The inner source's memory is not touched: frames are copied,
// and so are the bytes of those that get bits flipped; the copies live as long as the batch.
//
// Threads: as CaptureSource.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/capture_source.h"
#include "capture/slot_pool.h"

namespace weir {

// Probabilities are 0 to 1.
struct FaultOptions {
  uint64_t seed = 1;
  double drop = 0;      // the frame is not handed out; counted in dropped
  double truncate = 0;  // captured_size becomes a random smaller number
  double corrupt = 0;   // one to eight bits of the captured bytes flip
  double time_shift =
      0;  // ts moves by up to time_shift_max_ns either way, not below 0: frames out of order
  int64_t time_shift_max_ns = 1'000'000'000;
  uint32_t idle_period =
      0;  // every n-th next() says kIdle at the last ts; 0 = never, else at least 2
  std::optional<uint64_t> error_after;  // breaks after this many frames of the inner source
};

class FaultInjector final : public CaptureSource {
 public:
  FaultInjector(std::unique_ptr<CaptureSource> inner, const FaultOptions& options);

  void set_batch_size(uint32_t frame_count_max) override {
    inner_->set_batch_size(frame_count_max);
  }
  void keep_names(NameRecords& records) override { inner_->keep_names(records); }
  Next next(Batch& batch) override;
  void release(Batch& batch) override;
  void stop() noexcept override { inner_->stop(); }

  const std::string& error() const override { return error_; }
  const std::string& name() const override { return inner_->name(); }
  SourceStatistics statistics() const override;

 private:
  struct Slot {
    std::vector<Frame> frames;
    std::vector<std::vector<uint8_t>> copies;  // of the bytes of corrupted frames
    Batch inner;
    bool is_held = false;
  };

  bool spoil_batch(Slot& slot);
  bool spoil_frame(Frame& frame, Slot& slot);
  Next fail(std::string message);

  std::unique_ptr<CaptureSource> inner_;
  const FaultOptions options_;
  SlotPool<Slot> slots_;
  uint64_t frame_count_ = 0;  // of the inner source
  uint64_t call_count_ = 0;
  uint64_t dropped_ = 0;
  FrameCount delivered_;
  int64_t last_ts_ns_ = 0;
  bool has_failed_ = false;
  std::string error_;
};

}  // namespace weir
