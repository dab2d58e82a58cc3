// SPDX-License-Identifier: Apache-2.0
//
// What the fuzz targets of the capture formats have in common: the bytes are read twice, in large
// reads with large batches and in small reads with small batches, and both must bring the same
// frames and the same end.
#pragma once

#include "tests/support/frame_collector.h"

namespace weir::test {

// frame_collector reads all bytes of every frame (AddressSanitizer watches) and asserts that no
// batch is empty.
inline void check_capture(const Bytes& bytes, uint32_t small_batch, size_t small_read) {
  const Seen seen = collect_bytes(bytes);
  ASSERT(seen.outcome == Next::kEnd || seen.outcome == Next::kError);
  ASSERT((seen.outcome == Next::kError) == !seen.error.empty());
  ASSERT(seen.error.find('\n') == std::string::npos);
  uint64_t end = 0;
  for (const SeenFrame& frame : seen.frames) {
    ASSERT(frame.file_offset >= end);
    end = frame.file_offset + frame.bytes.size() + 1;
    ASSERT(end <= bytes.size());
    ASSERT(frame.bytes.size() <= kFrameSizeMax);
    ASSERT(!frame.is_oversized || frame.bytes.empty());
    ASSERT(frame.ts_ns >= 0);
  }

  InterfaceNames names;
  NameRecords records;
  const auto source = open_bytes(bytes, names, small_read);
  source->set_batch_size(small_batch);
  source->keep_names(records);  // reads what is skipped above, which must not change the frames
  const Seen again = collect(*source, 4, small_batch);
  ASSERT(again.frames == seen.frames);
  ASSERT(again.outcome == seen.outcome);
  ASSERT(again.error == seen.error);
  Batch batch;
  ASSERT(source->next(batch) == seen.outcome);  // an end is final
}

}  // namespace weir::test
