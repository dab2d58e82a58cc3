// SPDX-License-Identifier: Apache-2.0
//
// PcapngParser: the pcapng capture file format (draft-ietf-opsawg-pcapng).
//
//   block: type u32 | total length u32 | body, padded to 4 | total length again u32
//
//   SHB 0a0d0d0a  begins a section: byte-order magic 1a2b3c4d, version; forgets the interfaces
//   IDB 1         an interface: link type, snap length, options if_name, if_tsresol, if_tsoffset
//   EPB 6         interface, time high and low, captured and original length, bytes, options
//                 (flags: direction)
//   PB  2         the same, obsolete: the interface number has 16 bits and is followed by a drop
//                 count
//   SPB 3         original length, bytes: interface 0, no time; it gets that of the frame before
//                 it, else 0
//   NRB 4         host names of addresses, which go to NameRecords
//   ISB 5         interface, time, options: how many frames the writer lost on the interface; the
//                 last one of an interface counts
//
// Other blocks (decryption secrets, custom blocks, …) are skipped by their length. Every section
// may have its own byte order. Time is converted to nanoseconds exactly for every resolution,
// rounding down, and clamped to 1970..2262.
//
// Damage: a length that is no multiple of 4, under the minimum of the block or over
// kRecordLengthMax; two lengths that differ; an interface number nobody described. Packet blocks
// that are longer than kRecordSizeMax, or whose frame is longer than kFrameSizeMax, are skipped and
// delivered as oversized. Damage inside name records and statistics hides those and nothing else.
//
// Not here: opening, reading, batches (capture_file.cc); what options and name records look like
// (pcapng_options.h); decryption secrets.
#pragma once

#include <bit>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "capture/interface_names.h"
#include "capture/pcapng_options.h"
#include "capture/record_parser.h"

namespace weir {

// Interfaces are kept in memory: more than this in one section is damage.
inline constexpr size_t kSectionInterfaceCountMax = 65'536;
// Names a file can add to the run; the interfaces after that are called as the file is.
inline constexpr size_t kFileInterfaceNameCountMax = 4096;
// Longer if_name values are cut.
inline constexpr size_t kInterfaceNameSizeMax = 256;

class PcapngParser final : public RecordParser {
 public:
  // True if these are the first four bytes of such a file.
  static bool knows(std::span<const uint8_t> start);
  // Interfaces without a name are called `file_name`.
  PcapngParser(const std::string& file_name, InterfaceNames& names);

  Parsed parse(ByteStream& stream, FrameSlots& out) override;
  bool is_cut(const ByteStream& stream, Damage& damage) const override;
  const Damage& damage() const override { return damage_; }
  uint64_t time_clamped() const override { return time_clamped_; }
  uint64_t dropped_reported() const override;
  void keep_names(NameRecords& records) override { name_records_ = &records; }

 private:
  // How the ticks of an interface become nanoseconds: ticks · multiplier / divisor / 2^shift.
  struct TimeUnit {
    uint32_t multiplier = 1000;  // if_tsresol 6: microseconds
    uint64_t divisor = 1;        // 0: so large that the result is 0
    uint32_t shift = 0;
    int64_t offset_s = 0;  // if_tsoffset
    // Fewer ticks than this become nanoseconds by the multiplication alone; 0: never.
    uint64_t plain_ticks_end = 0;
  };
  struct Interface {
    uint32_t name = 0;  // index into the InterfaceNames
    uint16_t link_type = 0;
    uint32_t snap_size = 0;  // 0: no limit
    TimeUnit unit;
  };
  struct Block {
    uint64_t offset = 0;
    uint32_t type = 0;
    uint32_t size = 0;  // total, as announced
  };
  // A block that is consumed without having been available whole.
  struct Skip {
    bool is_active = false;
    bool has_frame = false;   // deliver `frame` when the block turns out to be complete
    uint32_t name_bytes = 0;  // of name records that are still to be read
    Block block;
    Frame frame;
  };
  enum class Step : uint8_t { kNext, kShort, kDamaged };

  static TimeUnit time_unit(uint8_t resolution);

  template <std::endian kOrder>
  void parse_plain_packets(ByteStream& stream, FrameSlots& out);
  Step parse_block(ByteStream& stream, FrameSlots& out);
  Step parse_section(ByteStream& stream, ByteReader reader, const Block& block);
  Step parse_interface(ByteStream& stream, ByteReader reader, const Block& block);
  Step add_interface(ByteReader reader, const Block& block);
  Step parse_interface_options(ByteReader reader, const Block& block, Interface& interface);
  Step parse_packet(ByteStream& stream, ByteReader reader, const Block& block, FrameSlots& out);
  Step parse_simple_packet(ByteStream& stream, ByteReader reader, const Block& block,
                           FrameSlots& out);
  Step parse_statistics(ByteStream& stream, ByteReader reader, const Block& block);
  Step parse_names(ByteStream& stream);
  Step begin_names(ByteStream& stream, const Block& block);
  void end_section();
  Step begin_skip(ByteStream& stream, const Block& block);
  Step finish_skip(ByteStream& stream, FrameSlots& out);
  Step deliver(ByteStream& stream, const Block& block, const Frame& frame, FrameSlots& out);
  bool has_valid_size(const Block& block, uint32_t size_min);
  bool has_matching_trailer(ByteReader trailer, const Block& block);
  Step need(size_t size);
  Step fail(const Block& block, std::string what);
  uint32_t name_index(std::span<const uint8_t> name);
  int64_t time_ns(const TimeUnit& unit, uint64_t ticks);

  const std::string file_name_;
  InterfaceNames& names_;
  size_t names_added_ = 0;
  std::endian order_ = std::endian::little;
  std::vector<Interface> interfaces_;  // of the section
  std::vector<InterfaceDrops> drops_;  // of the section, one for each interface
  uint64_t dropped_before_ = 0;        // in the sections before
  NameRecords* name_records_ = nullptr;
  int64_t last_ts_ns_ = 0;
  Skip skip_;
  size_t needed_ = 0;
  uint64_t time_clamped_ = 0;
  Damage damage_;
};

}  // namespace weir
