// SPDX-License-Identifier: Apache-2.0
//
// RecordParser: what a capture file format is to CaptureFile: bytes of a ByteStream in, frames out.
// One call per batch, so the virtual call is not per packet.
//
// A parser consumes whole records only. It never reads itself: when a record is not complete it
// says how many bytes it needs, and CaptureFile fills the stream. It never fails before it has
// given the frames that came before the damage; called again, it reports the same damage again.
//
// Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "capture/byte_stream.h"
#include "capture/name_records.h"
#include "weir/frame.h"

namespace weir {

// Longer records are damage, not data (a length field is never believed without a
// cap).
inline constexpr uint32_t kRecordLengthMax = 16 * 1024 * 1024;

// The frames of a batch while it is being filled.
class FrameSlots {
 public:
  explicit FrameSlots(std::span<Frame> room) : room_(room) {}
  bool is_full() const { return count_ == room_.size(); }
  size_t count() const { return count_; }
  uint64_t wire_bytes() const { return wire_bytes_; }
  // Where the next frames go. A parser of many frames fills these in place and says with take() how
  // many: kept in a loop's own variables, neither the count nor the sum of wire sizes goes through
  // memory for every frame.
  std::span<Frame> room() const { return room_.subspan(count_); }
  void take(size_t frame_count, uint64_t wire_bytes) {
    DASSERT(frame_count <= room_.size() - count_);
    count_ += frame_count;
    wire_bytes_ += wire_bytes;
  }
  void add(const Frame& frame) {
    DASSERT(!is_full());
    room_[count_++] = frame;
    wire_bytes_ += frame.wire_size;
  }

 private:
  std::span<Frame> room_;
  size_t count_ = 0;
  uint64_t wire_bytes_ = 0;
};

// Where a file stops making sense, and how: "record cut short: 60 bytes announced, 12 present".
struct Damage {
  uint64_t offset = 0;
  std::string what;
};

struct Parsed {
  enum class Outcome : uint8_t {
    kFull,     // no room for another frame
    kShort,    // fill the stream with `needed` bytes and call again
    kDamaged,  // see damage()
  };
  Outcome outcome = Outcome::kFull;
  size_t needed = 0;
};

class RecordParser {
 public:
  virtual ~RecordParser() = default;
  RecordParser(const RecordParser&) = delete;
  RecordParser& operator=(const RecordParser&) = delete;

  virtual Parsed parse(ByteStream& stream, FrameSlots& out) = 0;
  // Called when the stream ended where parse() needed more. False: it ended between two records, as
  // it should.
  virtual bool is_cut(const ByteStream& stream, Damage& damage) const = 0;
  virtual const Damage& damage() const = 0;
  // Timestamps outside 1970..2262 that were set to the nearest of them.
  virtual uint64_t time_clamped() const = 0;
  // Drops that the file's writer recorded.
  virtual uint64_t dropped_reported() const { return 0; }
  // Where to put host names the file gives; without it they are skipped.
  virtual void keep_names(NameRecords& records) { static_cast<void>(records); }

 protected:
  RecordParser() = default;
};

}  // namespace weir
