// SPDX-License-Identifier: Apache-2.0
#include "capture/snoop_file.h"

#include <algorithm>
#include <utility>

#include "base/byte_reader.h"

namespace weir {

namespace {

constexpr uint32_t kRecordHeaderSize = 24;
constexpr uint32_t kVersionSolaris = 2;
constexpr uint32_t kVersionShomitiMax = 5;

// Data link types of DLPI (snoop-datalink-types at IANA) that have a LINKTYPE number.
struct LinkTypePair {
  uint32_t data_link;
  uint16_t link_type;
};
constexpr LinkTypePair kLinkTypes[] = {
    {0, 1},             // IEEE 802.3: Ethernet
    {2, 6},             // IEEE 802.5: token ring
    {4, 1},             // Ethernet
    {8, 10},            // FDDI
    {14, 0},            // software loopback
    {16, 122},          // IP over Fibre Channel
    {18, 123},          // SunATM
    {0x80000005, 226},  // ipnet
};
// Shomiti's hardware writes versions 3 to 5 and numbers of its own.
constexpr LinkTypePair kLinkTypesShomiti[] = {
    {0, 1},  {2, 6},  {4, 1},  {8, 10},  // as above
    {10, 1}, {12, 1}, {19, 1},           // fast, gigabit and 10 gigabit Ethernet
    {11, 6}, {13, 6}, {14, 6},           // token rings
};

uint16_t link_type_of(std::span<const LinkTypePair> pairs, uint32_t data_link) {
  for (const LinkTypePair& pair : pairs) {
    if (pair.data_link == data_link) return pair.link_type;
  }
  return kLinkTypeNone;
}

}  // namespace

bool SnoopParser::knows(std::span<const uint8_t> start) {
  ByteReader reader(start);
  return reader.be32() == 0x736e6f6f && reader.be32() == 0x70000000;
}

SnoopParser::SnoopParser(ByteStream& stream, uint32_t interface) {
  ByteReader reader(stream.available());
  reader.skip(8);
  const uint32_t version = reader.be32();
  const uint32_t data_link = reader.be32();
  ASSERT(reader.ok());
  stream.consume(kSnoopFileHeaderSize);
  pattern_.interface = interface;
  pattern_.link_type = version == kVersionSolaris ? link_type_of(kLinkTypes, data_link)
                                                  : link_type_of(kLinkTypesShomiti, data_link);
  if (version < kVersionSolaris || version > kVersionShomitiMax) {
    is_unknown_version_ = true;
    damage_ = {8, "snoop version " + std::to_string(version) + ": only 2 to 5 are known"};
  }
}

Parsed SnoopParser::parse(ByteStream& stream, FrameSlots& out) {
  if (is_unknown_version_) return {Parsed::Outcome::kDamaged, 0};
  if (has_oversized_) {
    if (stream.skip_remaining() > 0) return {Parsed::Outcome::kShort, 0};
    out.add(oversized_);
    has_oversized_ = false;
  }
  return parse_records(stream, out);
}

Parsed SnoopParser::parse_records(ByteStream& stream, FrameSlots& out) {
  Frame frame = pattern_;
  while (!out.is_full()) {
    ByteReader reader(stream.available());
    Record record;
    frame.wire_size = reader.be32();
    record.captured_size = reader.be32();
    record.size = reader.be32();
    record.dropped = reader.be32();
    const int64_t seconds = reader.be32();
    const int64_t microseconds = reader.be32();
    if (!reader.ok()) return {Parsed::Outcome::kShort, kRecordHeaderSize};
    frame.ts_ns = seconds * 1'000'000'000 + microseconds * 1000;
    frame.file_offset = stream.offset();
    if (record.size > kRecordLengthMax) {
      return fail(stream.offset(), "record length " + std::to_string(record.size) + ": at most " +
                                       std::to_string(kRecordLengthMax) + " allowed");
    }
    if (uint64_t{kRecordHeaderSize} + record.captured_size > record.size) {
      return fail(stream.offset(), "record length " + std::to_string(record.size) +
                                       ": too small for " + std::to_string(record.captured_size) +
                                       " captured bytes");
    }
    if (record.captured_size > kFrameSizeMax || record.size > kRecordSizeMax) {
      return parse_long_record(stream, record, frame);
    }
    if (stream.available().size() < record.size) return {Parsed::Outcome::kShort, record.size};
    frame.captured_size = record.captured_size;
    frame.data = reader.bytes(record.captured_size).data();
    dropped_reported_ = record.dropped;
    out.add(frame);
    stream.consume(record.size);
  }
  return {};
}

Parsed SnoopParser::parse_long_record(ByteStream& stream, const Record& record,
                                      const Frame& frame) {
  oversized_ = frame;
  oversized_.data = nullptr;
  oversized_.captured_size = 0;
  oversized_.is_oversized = true;
  oversized_record_size_ = record.size;
  has_oversized_ = true;
  dropped_reported_ = record.dropped;
  stream.skip(record.size);
  return {Parsed::Outcome::kShort, 0};
}

Parsed SnoopParser::fail(uint64_t offset, std::string what) {
  damage_ = {offset, std::move(what)};
  return {Parsed::Outcome::kDamaged, 0};
}

bool SnoopParser::is_cut(const ByteStream& stream, Damage& damage) const {
  const uint64_t record_offset = has_oversized_ ? oversized_.file_offset : stream.offset();
  const uint64_t present = stream.end_offset() - record_offset;
  if (present == 0) return false;
  damage.offset = record_offset;
  if (present < kRecordHeaderSize) {
    damage.what = "record header cut short: " + std::to_string(kRecordHeaderSize) +
                  " bytes needed, " + std::to_string(present) + " present";
    return true;
  }
  uint32_t announced = oversized_record_size_;
  if (!has_oversized_) {
    ByteReader reader(stream.available());
    reader.skip(8);
    announced = reader.be32();
  }
  damage.what = "record cut short: " + std::to_string(announced) + " bytes announced, " +
                std::to_string(present) + " present";
  return true;
}

}  // namespace weir
