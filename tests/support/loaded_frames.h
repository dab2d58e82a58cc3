// SPDX-License-Identifier: Apache-2.0
//
// LoadedFrames: the frames of many captures in memory, one after the other, to be replayed. For
// tests that measure the engine without reading.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "capture/capture_file.h"

namespace weir::test {

class LoadedFrames {
 public:
  // Adds the frames of a capture, numbered and with their timestamps as clock made never to step
  // back. Stops at bytes_max in all. False when there was no room for the whole file.
  bool load(const std::string& path, uint64_t bytes_max) {
    InterfaceNames names;
    std::string error;
    const std::unique_ptr<CaptureSource> source = open_capture_file(path, names, error);
    if (source == nullptr) return true;
    Batch batch;
    for (Next next = source->next(batch); next == Next::kData; next = source->next(batch)) {
      for (const Frame& frame : batch.frames) {
        if (size_ + frame.captured_size > bytes_max) {
          source->release(batch);
          return false;
        }
        add(frame);
      }
      source->release(batch);
    }
    return true;
  }

  std::span<Frame> frames() { return frames_; }

 private:
  void add(const Frame& frame) {
    auto bytes = std::make_unique<uint8_t[]>(frame.captured_size);
    std::copy_n(frame.data, frame.captured_size, bytes.get());
    Frame copy = frame;
    copy.data = bytes.get();
    copy.number = frames_.size() + 1;
    copy.source = 1;
    copy.clock_ns = frames_.empty() ? frame.ts_ns : std::max(frame.ts_ns, frames_.back().clock_ns);
    size_ += frame.captured_size;
    frames_.push_back(copy);
    bytes_.push_back(std::move(bytes));
  }

  std::vector<Frame> frames_;
  std::vector<std::unique_ptr<uint8_t[]>> bytes_;
  uint64_t size_ = 0;
};

}  // namespace weir::test
