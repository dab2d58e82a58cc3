// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "capture/pcap_file.h"
#include "capture/pcapng_file.h"
#include "capture/record_parser.h"
#include "capture/slot_pool.h"

namespace weir {

namespace {

constexpr size_t kMagicSize = 4;

struct Compression {
  const char* name;
  std::array<uint8_t, kMagicSize> magic;
  size_t magic_size;
};
constexpr std::array kCompressions{
    Compression{"gzip", {0x1f, 0x8b, 0, 0}, 2},  Compression{"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4},
    Compression{"xz", {0xfd, '7', 'z', 'X'}, 4}, Compression{"lz4", {0x04, 0x22, 0x4d, 0x18}, 4},
    Compression{"bzip2", {'B', 'Z', 'h', 0}, 3},
};

// What is wrong with bytes that begin no capture we read.
std::string describe_unknown(std::span<const uint8_t> start) {
  if (start.empty()) return "is empty, not a capture file";
  for (const Compression& compression : kCompressions) {
    const auto magic = std::span(compression.magic).first(compression.magic_size);
    if (start.size() >= magic.size() && std::equal(magic.begin(), magic.end(), start.begin())) {
      return std::string("compressed with ") + compression.name + "; decompress it first";
    }
  }
  std::string text = "not a pcap or pcapng capture: it begins with";
  for (const uint8_t byte : start.first(std::min(start.size(), kMagicSize))) {
    text += ' ';
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 0xf];
  }
  return text;
}

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
  std::unique_ptr<RecordParser> parser_;
  SlotPool<Slot> slots_;
  uint32_t batch_size_ = kBatchFrameCountDefault;
  std::optional<Next> outcome_;  // kEnd or kError, once it is known
  FrameCount delivered_;
  std::string error_;
};

bool CaptureFile::start() {
  ByteStream::Fill fill = stream_->fill(kMagicSize);
  const std::span<const uint8_t> start = stream_->available();
  if (fill == ByteStream::Fill::kFilled && PcapngParser::knows(start)) {
    parser_ = std::make_unique<PcapngParser>(name_, names_);
    return true;
  }
  const bool is_pcap = fill == ByteStream::Fill::kFilled && PcapParser::knows(start);
  if (is_pcap) fill = stream_->fill(kPcapFileHeaderSize);
  switch (fill) {
    case ByteStream::Fill::kStopped:
      outcome_ = Next::kEnd;
      return false;
    case ByteStream::Fill::kFailed:
      fail(stream_->failure());
      return false;
    case ByteStream::Fill::kFilled:
    case ByteStream::Fill::kEnd:
      break;
  }
  if (!is_pcap) {
    fail(describe_unknown(start));
    return false;
  }
  if (fill == ByteStream::Fill::kEnd) {
    fail(Damage{0, "file header cut short: " + std::to_string(kPcapFileHeaderSize) +
                       " bytes needed, " + std::to_string(stream_->end_offset()) + " present"});
    return false;
  }
  parser_ = std::make_unique<PcapParser>(*stream_, names_.intern(name_));
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
        return fail(Damage{stream_->end_offset(), stream_->failure()});
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
  if (parser_ != nullptr) statistics.time_clamped = parser_->time_clamped();
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
