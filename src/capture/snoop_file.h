// SPDX-License-Identifier: Apache-2.0
//
// SnoopParser: the capture file format of Solaris' snoop (RFC 1761), which its tools write to this
// day.
//
//   file header, 16 bytes                     record header, 24 bytes, then the captured bytes
//   0: "snoop" and three zeros                0: original length on the wire
//   8: version 2 (Shomiti's tools: 3 to 5)    4: captured length
//  12: data link type, see kLinkTypes         8: record length: header, captured bytes, padding
//                                            12: drops so far
//                                            16: seconds since 1970, unsigned   20: microseconds
//
// All fields big-endian. The data link types are those of DLPI, not of libpcap; those without a
// LINKTYPE number get kLinkTypeNone, so their frames are counted and not looked into.
//
// Records over kFrameSizeMax are skipped and delivered as oversized; record lengths over
// kRecordLengthMax or smaller than what they hold are damage. Not here: Shomiti's trailer in the
// padding.
#pragma once

#include <memory>

#include "capture/record_parser.h"

namespace weir {

inline constexpr size_t kSnoopFileHeaderSize = 16;
// No LINKTYPE number at all.
inline constexpr uint16_t kLinkTypeNone = 0xffff;

class SnoopParser final : public RecordParser {
 public:
  // True if these first eight bytes begin such a file.
  static bool knows(std::span<const uint8_t> start);
  // Consumes the file header, which must be available whole.
  SnoopParser(ByteStream& stream, uint32_t interface);

  Parsed parse(ByteStream& stream, FrameSlots& out) override;
  bool is_cut(const ByteStream& stream, Damage& damage) const override;
  const Damage& damage() const override { return damage_; }
  uint64_t time_clamped() const override { return 0; }  // 32 bits of seconds reach 1970..2106
  uint64_t dropped_reported() const override { return dropped_reported_; }

 private:
  struct Record {
    uint32_t captured_size = 0;
    uint32_t size = 0;
    uint32_t dropped = 0;
  };

  Parsed parse_records(ByteStream& stream, FrameSlots& out);
  Parsed parse_long_record(ByteStream& stream, const Record& record, const Frame& frame);
  Parsed fail(uint64_t offset, std::string what);

  Frame pattern_;               // what all frames of the file have in common
  bool has_oversized_ = false;  // a record is being skipped …
  Frame oversized_;             // … and this frame stands for it
  uint32_t oversized_record_size_ = 0;
  uint64_t dropped_reported_ = 0;
  bool is_unknown_version_ = false;
  Damage damage_;
};

}  // namespace weir
