// SPDX-License-Identifier: Apache-2.0
//
// Reads a source or an input to its end and keeps what came out, for comparison. Up to `held_max`
// batches are outstanding at any time and are released in an order chosen by a seed, after their
// bytes were compared with what they were when the batch came: a source that reuses memory too
// early is found.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "capture/capture_file.h"
#include "capture/capture_source.h"
#include "capture/input.h"
#include "tests/support/capture_writer.h"

namespace weir::test {

struct SeenFrame {
  Bytes bytes;
  uint32_t wire_size = 0;
  int64_t ts_ns = 0;
  int64_t clock_ns = 0;
  uint64_t number = 0;
  uint64_t file_offset = 0;
  uint32_t interface = 0;
  uint16_t source = 0;
  uint16_t link_type = 0;
  bool is_oversized = false;
  Direction direction = Direction::kUnknown;
  bool operator==(const SeenFrame&) const = default;
};

struct Seen {
  std::vector<SeenFrame> frames;
  Next outcome = Next::kData;  // the last: kEnd or kError
  std::string error;
  size_t batch_count = 0;
  size_t idle_count = 0;
  size_t largest_batch = 0;
};

inline Bytes bytes_of(const Frame& frame) {
  return frame.captured_size == 0 ? Bytes{} : Bytes(frame.data, frame.data + frame.captured_size);
}

inline SeenFrame seen_frame(const Frame& frame) {
  return {bytes_of(frame), frame.wire_size,    frame.ts_ns,     frame.clock_ns,
          frame.number,    frame.file_offset,  frame.interface, frame.source,
          frame.link_type, frame.is_oversized, frame.direction};
}

// `Reader` is a CaptureSource with BatchType Batch, or an Input with InputBatch.
template <typename BatchType, typename Reader>
Seen collect_from(Reader& reader, size_t held_max, uint64_t seed) {
  struct Held {
    BatchType batch;
    size_t first = 0;
  };
  Seen seen;
  std::vector<Held> held;
  std::mt19937_64 random(seed);
  const auto frames_of = [](const BatchType& batch) {
    if constexpr (requires { batch.frames; }) {
      return batch.frames;
    } else {
      return batch.batch.frames;
    }
  };
  const auto release_one = [&] {
    const size_t index = random() % held.size();
    size_t position = held[index].first;
    for (const Frame& frame : frames_of(held[index].batch)) {
      ASSERT(seen_frame(frame) == seen.frames[position++]);
    }
    reader.release(held[index].batch);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
  };
  for (;;) {
    BatchType batch;
    seen.outcome = reader.next(batch);
    if (seen.outcome == Next::kIdle) {
      ++seen.idle_count;
      continue;
    }
    if (seen.outcome != Next::kData) break;
    ASSERT(!frames_of(batch).empty());
    ++seen.batch_count;
    seen.largest_batch = std::max(seen.largest_batch, frames_of(batch).size());
    held.push_back({batch, seen.frames.size()});
    for (const Frame& frame : frames_of(batch)) seen.frames.push_back(seen_frame(frame));
    if (held.size() >= held_max) release_one();
  }
  while (!held.empty()) release_one();
  return seen;
}

inline Seen collect(CaptureSource& source, size_t held_max = 1, uint64_t seed = 1) {
  Seen seen = collect_from<Batch>(source, held_max, seed);
  if (seen.outcome == Next::kError) seen.error = source.error();
  return seen;
}

inline Seen collect(Input& input, size_t held_max = 1, uint64_t seed = 1) {
  return collect_from<InputBatch>(input, held_max, seed);
}

inline std::unique_ptr<CaptureSource> open_bytes(Bytes bytes, InterfaceNames& names,
                                                 size_t read_size_max = SIZE_MAX,
                                                 const std::string& name = "x.pcap") {
  return open_capture_stream(ByteStream::from_memory(std::move(bytes), read_size_max), name, names);
}

inline Seen collect_bytes(const Bytes& bytes, uint32_t batch_size = kBatchFrameCountDefault,
                          size_t read_size_max = SIZE_MAX) {
  InterfaceNames names;
  const auto source = open_bytes(bytes, names, read_size_max);
  source->set_batch_size(batch_size);
  return collect(*source);
}

}  // namespace weir::test
