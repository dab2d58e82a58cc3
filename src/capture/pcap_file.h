// SPDX-License-Identifier: Apache-2.0
//
// PcapParser: the classic capture file format of libpcap (draft-ietf-opsawg-pcap).
//
//   file header, 24 bytes                        record header, 16 bytes, then the captured bytes
//   0: magic, see below                          0: seconds since 1970, unsigned (to 2106)
//   4: version: major, minor                     4: µs or ns; a second and more is simply added
//   8: zone, 12: accuracy (0 in practice)        8: captured length
//  16: snap length (not trusted)                12: original length on the wire
//  20: link type (low 16 bits; above: FCS)
//
// All fields in the byte order of the magic:
//
//   a1b2c3d4   µs
//   a1b23c4d   ns
//   a1b2cd34   µs, Kuznetzov's patch of Linux 2.2: record headers of 24 bytes, the extra ones
//              (interface, protocol, direction) are skipped
//   1c0001ac   ns, Ixia's hardware captures: 4 more bytes of file header, the size of all records
//   1c0001ab   µs, Ixia's software captures: the same
//
// Writers before version 2.4, and DG/UX (543.0), had the two lengths in either order: there the
// larger one is the original length. AIX writes version 2.2 with interface types (6, 9, 15, 24) for
// link types and nanoseconds. Variants that the magic does not tell apart (SuSE 6.3, Red Hat 6.1,
// Nokia) would have to be guessed from the records and are read as what the magic says.
//
// Both lengths are kept as recorded, also when the original one is the smaller: frame.len in tshark
// is the original length too. A record over kFrameSizeMax is skipped and delivered as oversized;
// one over kRecordLengthMax is damage. Not here: opening, reading, batches (capture_file.cc).
#pragma once

#include <bit>
#include <memory>

#include "capture/record_parser.h"

namespace weir {

inline constexpr size_t kPcapFileHeaderSize = 24;

class PcapParser final : public RecordParser {
 public:
  // True if these are the first four bytes of such a file.
  static bool knows(std::span<const uint8_t> start);
  // Length of the file header with that magic.
  static size_t header_size(std::span<const uint8_t> start);
  // Consumes the file header, which must be available whole.
  PcapParser(ByteStream& stream, uint32_t interface);

  Parsed parse(ByteStream& stream, FrameSlots& out) override;
  bool is_cut(const ByteStream& stream, Damage& damage) const override;
  const Damage& damage() const override { return damage_; }
  uint64_t time_clamped() const override { return 0; }  // 32 bits of seconds reach 1970..2106

 private:
  template <std::endian kOrder>
  void parse_plain_records(ByteStream& stream, FrameSlots& out);
  template <std::endian kOrder>
  Parsed parse_records(ByteStream& stream, FrameSlots& out);
  Parsed parse_long_record(ByteStream& stream, uint32_t captured_size);

  std::endian order_ = std::endian::little;
  uint32_t header_size_ = 16;      // of a record
  bool may_swap_lengths_ = false;  // version before 2.4
  uint32_t fraction_unit_ns_ = 1000;
  Frame pattern_;                    // what all frames of the file have in common
  bool has_oversized_ = false;       // a record is being skipped …
  Frame oversized_;                  // … and this frame stands for it
  uint32_t oversized_captured_ = 0;  // its captured length
  Damage damage_;
};

}  // namespace weir
