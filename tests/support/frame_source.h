// SPDX-License-Identifier: Apache-2.0
//
// FrameSource: a CaptureSource over frames a test makes: built packets with times. Poisons a
// batch's bytes when it is released, so that a reader who holds on to them reads rubbish (and ASan
// says so).
#pragma once

#include <algorithm>
#include <list>
#include <string>
#include <vector>

#include "capture/capture_source.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

struct TestFrame {
  int64_t ts_ns = 0;
  Bytes bytes;
  uint16_t link_type = 1;
  uint32_t wire_size = 0;  // 0: as many as there are bytes
};

class FrameSource : public CaptureSource {
 public:
  explicit FrameSource(std::vector<TestFrame> frames, std::string failure = "")
      : frames_(std::move(frames)), failure_(std::move(failure)) {}

  void set_batch_size(uint32_t frame_count_max) override { batch_size_ = frame_count_max; }

  Next next(Batch& batch) override {
    if (next_ == frames_.size()) return failure_.empty() ? Next::kEnd : Next::kError;
    Held& held = held_.emplace_back();
    held.token = ++token_;
    const size_t end = std::min(frames_.size(), next_ + batch_size_);
    for (; next_ < end; ++next_) {
      const TestFrame& from = frames_[next_];
      held.bytes.push_back(from.bytes);
      Frame frame;
      frame.data = held.bytes.back().data();
      frame.captured_size = static_cast<uint32_t>(from.bytes.size());
      frame.wire_size = from.wire_size != 0 ? from.wire_size : frame.captured_size;
      frame.ts_ns = from.ts_ns;
      frame.link_type = from.link_type;
      held.frames.push_back(frame);
      delivered_.add(frame.wire_size);
    }
    batch.frames = held.frames;
    batch.token = held.token;
    return Next::kData;
  }

  void release(Batch& batch) override {
    held_.remove_if([&](const Held& held) { return held.token == batch.token; });
    batch = {};
  }
  void stop() noexcept override { next_ = frames_.size(); }
  const std::string& error() const override { return failure_; }
  const std::string& name() const override { return name_; }
  SourceStatistics statistics() const override {
    return {.delivered = delivered_, .dropped = 0, .time_clamped = 0};
  }

 private:
  struct Held {
    uint64_t token = 0;
    std::vector<Frame> frames;
    std::vector<Bytes> bytes;
  };
  std::vector<TestFrame> frames_;
  std::string failure_;
  std::string name_ = "test";
  std::list<Held> held_;
  uint32_t batch_size_ = kBatchFrameCountDefault;
  size_t next_ = 0;
  uint64_t token_ = 0;
  FrameCount delivered_;
};

}  // namespace weir::test
