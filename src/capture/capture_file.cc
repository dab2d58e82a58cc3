// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_file.h"

#include <optional>
#include <utility>
#include <vector>

#include "capture/capture_format.h"
#include "capture/record_parser.h"
#include "capture/slot_pool.h"

namespace weir {

namespace {

class CaptureFile final : public CaptureSource {
 public:
  CaptureFile(std::unique_ptr<ByteStream> stream, const std::string& name, InterfaceNames& names)
      : stream_(std::move(stream)), name_(name), names_(names) {}

  // Chooses the format. False when stopped or broken.
  bool start();

  void set_batch_size(uint32_t frame_count_max) override {
    ASSERT(frame_count_max >= 1);
    ASSERT(frame_count_max <= kBatchFrameCountMax);
    batch_size_ = frame_count_max;
  }
  void keep_names(NameRecords& records) override {
    name_records_ = &records;
    if (parser_ != nullptr) parser_->keep_names(records);
  }
  Next next(Batch& batch) override;
  void release(Batch& batch) override;
  void stop() noexcept override { stream_->stop(); }

  const std::string& error() const override { return error_; }
  const std::string& name() const override { return name_; }
  SourceStatistics statistics() const override;

 private:
  // The memory behind a batch: its frames, and the hold on the block of their bytes.
  struct Slot {
    std::vector<Frame> frames = std::vector<Frame>(kBatchFrameCountMax);
    uint32_t block = 0;
    bool is_held = false;
  };

  Next parse_into(Slot& slot, Batch& batch);
  Next deliver(Slot& slot, const FrameSlots& frames, Batch& batch);
  Next finish();
  Next fail(const Damage& damage);
  Next fail(const std::string& what);

  std::unique_ptr<ByteStream> stream_;
  const std::string name_;
  InterfaceNames& names_;
  NameRecords* name_records_ = nullptr;
  std::unique_ptr<RecordParser> parser_;
  SlotPool<Slot> slots_;
  uint32_t batch_size_ = kBatchFrameCountDefault;
  std::optional<Next> outcome_;  // kEnd or kError, once it is known
  FrameCount delivered_;
  std::string error_;
};

bool CaptureFile::start() {
  const Recognition recognition = recognize_capture(*stream_);
  ByteStream::Fill fill = recognition.fill;
  size_t header_size = 0;
  if (recognition.format != nullptr) {
    header_size = recognition.format->header_size(stream_->available());
    fill = stream_->fill(header_size);
  }
  switch (fill) {
    case ByteStream::Fill::kStopped:
      outcome_ = Next::kEnd;
      return false;
    case ByteStream::Fill::kFailed:
      fail(stream_->failure());
      return false;
    case ByteStream::Fill::kEnd:
      fail(Damage{0, "file header cut short: " + std::to_string(header_size) + " bytes needed, " +
                         std::to_string(stream_->end_offset()) + " present"});
      return false;
    case ByteStream::Fill::kFilled:
      break;
  }
  if (recognition.format == nullptr) {
    fail(recognition.reason);
    return false;
  }
  parser_ = recognition.format->make(*stream_, name_, names_);
  if (name_records_ != nullptr) parser_->keep_names(*name_records_);
  return true;
}

Next CaptureFile::next(Batch& batch) {
  batch = Batch{};
  if (outcome_.has_value()) return *outcome_;
  if (stream_->is_stopped()) return finish();
  if (parser_ == nullptr && !start()) return *outcome_;
  const uint32_t token = slots_.take();
  const Next result = parse_into(slots_[token], batch);
  if (result == Next::kData) {
    batch.token = token;
  } else {
    slots_.give_back(token);
  }
  return result;
}

Next CaptureFile::parse_into(Slot& slot, Batch& batch) {
  FrameSlots frames(std::span<Frame>(slot.frames).first(batch_size_));
  for (;;) {
    const Parsed parsed = parser_->parse(*stream_, frames);
    // Filling the stream may move on to another block, and damage is reported after what came
    // before it.
    if (frames.count() > 0) return deliver(slot, frames, batch);
    if (parsed.outcome == Parsed::Outcome::kDamaged) return fail(parser_->damage());
    DASSERT(parsed.outcome == Parsed::Outcome::kShort);
    switch (stream_->fill(parsed.needed)) {
      case ByteStream::Fill::kFilled:
        break;
      case ByteStream::Fill::kStopped:
        return finish();
      case ByteStream::Fill::kFailed:
        return fail(stream_->failure());
      case ByteStream::Fill::kEnd: {
        Damage damage;
        return parser_->is_cut(*stream_, damage) ? fail(damage) : finish();
      }
    }
  }
}

Next CaptureFile::deliver(Slot& slot, const FrameSlots& frames, Batch& batch) {
  slot.block = stream_->hold();
  slot.is_held = true;
  batch.frames = std::span<Frame>(slot.frames).first(frames.count());
  delivered_.frames += frames.count();
  delivered_.bytes += frames.wire_bytes();
  return Next::kData;
}

void CaptureFile::release(Batch& batch) {
  ASSERT(batch.token < slots_.size());
  const uint32_t token = static_cast<uint32_t>(batch.token);
  Slot& slot = slots_[token];
  ASSERT(slot.is_held);
  slot.is_held = false;
  stream_->release(slot.block);
  slots_.give_back(token);
  batch = Batch{};
}

SourceStatistics CaptureFile::statistics() const {
  SourceStatistics statistics;
  statistics.delivered = delivered_;
  if (parser_ != nullptr) {
    statistics.time_clamped = parser_->time_clamped();
    statistics.dropped_reported = parser_->dropped_reported();
  }
  return statistics;
}

Next CaptureFile::finish() {
  outcome_ = Next::kEnd;
  return Next::kEnd;
}

Next CaptureFile::fail(const Damage& damage) {
  return fail("byte " + std::to_string(damage.offset) + ": " + damage.what);
}

Next CaptureFile::fail(const std::string& what) {
  error_ = name_ + ": " + what;
  outcome_ = Next::kError;
  return Next::kError;
}

}  // namespace

std::unique_ptr<CaptureSource> open_capture_file(const std::string& path, InterfaceNames& names,
                                                 std::string& error) {
  std::string reason;
  std::unique_ptr<ByteStream> stream = ByteStream::open(path, reason);
  if (stream == nullptr) {
    error = path + ": " + reason;
    return nullptr;
  }
  const bool may_block = stream->may_block();
  auto file = std::make_unique<CaptureFile>(std::move(stream), path, names);
  if (!may_block && !file->start()) {
    error = file->error();
    return nullptr;
  }
  return file;
}

std::unique_ptr<CaptureSource> open_capture_stream(std::unique_ptr<ByteStream> stream,
                                                   const std::string& name, InterfaceNames& names) {
  return std::make_unique<CaptureFile>(std::move(stream), name, names);
}

}  // namespace weir
