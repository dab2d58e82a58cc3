// SPDX-License-Identifier: Apache-2.0
#include "capture/pcapng_file.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

namespace weir {

namespace {

constexpr uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kObsoletePacket = 2;
constexpr uint32_t kSimplePacket = 3;
constexpr uint32_t kNameResolution = 4;
constexpr uint32_t kInterfaceStatistics = 5;
constexpr uint32_t kEnhancedPacket = 6;

constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;

constexpr uint32_t kBlockHeaderSize = 8;  // type and total length
constexpr uint32_t kTrailerSize = 4;      // total length again
constexpr uint32_t kBlockSizeMin = kBlockHeaderSize + kTrailerSize;
constexpr uint32_t kSectionFieldsSize = 16;
constexpr uint32_t kSectionSizeMin = kBlockSizeMin + kSectionFieldsSize;
constexpr uint32_t kInterfaceSizeMin = kBlockSizeMin + 8;
constexpr uint32_t kPacketFieldsSize = 20;
constexpr uint32_t kPacketSizeMin = kBlockSizeMin + kPacketFieldsSize;
constexpr uint32_t kSimplePacketFieldsSize = 4;
constexpr uint32_t kSimplePacketSizeMin = kBlockSizeMin + kSimplePacketFieldsSize;
constexpr uint32_t kNameRecordHeaderSize = 4;

constexpr uint16_t kOptionInterfaceName = 2;
constexpr uint16_t kOptionTimeResolution = 9;
constexpr uint16_t kOptionTimeOffset = 14;

std::string number(uint64_t value) {
  return std::to_string(value);
}

std::string hexadecimal(uint32_t value) {
  std::string text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[(value >> shift) & 0xf];
  return text;
}

// A hostile file may announce any number of drops.
uint64_t add_saturated(uint64_t a, uint64_t b) {
  return a > std::numeric_limits<uint64_t>::max() - b ? std::numeric_limits<uint64_t>::max()
                                                      : a + b;
}

}  // namespace

bool PcapngParser::knows(std::span<const uint8_t> start) {
  return ByteReader(start).be32() == kSectionHeader;
}

PcapngParser::PcapngParser(const std::string& file_name, InterfaceNames& names)
    : file_name_(file_name), names_(names) {}

Parsed PcapngParser::parse(ByteStream& stream, FrameSlots& out) {
  while (!out.is_full()) {
    if (!skip_.is_active) {
      if (order_ == std::endian::big) {
        parse_plain_packets<std::endian::big>(stream, out);
      } else {
        parse_plain_packets<std::endian::little>(stream, out);
      }
      if (out.is_full()) break;
    }
    const Step step = skip_.is_active ? finish_skip(stream, out) : parse_block(stream, out);
    if (step == Step::kShort) return {Parsed::Outcome::kShort, needed_};
    if (step == Step::kDamaged) return {Parsed::Outcome::kDamaged, 0};
  }
  return {};
}

// Nearly all blocks of nearly all files are complete, correct enhanced packets without options.
// This takes a run of them and leaves everything else, also everything wrong, to parse_block(),
// which could do these too. Written like PcapParser::parse_plain_records(): 60-byte packets take
// 15.5 ns each, read() included, instead of 19.5 with a reader that checks every field.
template <std::endian kOrder>
void PcapngParser::parse_plain_packets(ByteStream& stream, FrameSlots& out) {
  constexpr bool kIsBig = kOrder == std::endian::big;
  std::span<const uint8_t> rest = stream.available();
  const size_t size = rest.size();
  const uint64_t end_offset = stream.end_offset();
  const std::span<const Interface> interfaces = interfaces_;
  const std::span<Frame> room = out.room();
  uint64_t wire_bytes = 0;
  size_t count = 0;
  for (; count < room.size() && rest.size() >= kPacketSizeMin; ++count) {
    ByteReader header(rest.first(kBlockHeaderSize + kPacketFieldsSize));
    const uint32_t type = header.u32(kOrder);
    const uint32_t block_size = header.u32(kOrder);
    const uint32_t index = header.u32(kOrder);
    const uint64_t time_high = header.u32(kOrder);
    const uint64_t ticks = time_high << 32 | header.u32(kOrder);
    const uint64_t sizes = header.u64(kOrder);
    const uint32_t captured_size = static_cast<uint32_t>(kIsBig ? sizes >> 32 : sizes);
    const uint32_t wire_size = static_cast<uint32_t>(kIsBig ? sizes : sizes >> 32);
    if (type != kEnhancedPacket || block_size > rest.size() || captured_size > kFrameSizeMax) break;
    if (block_size != kPacketSizeMin + captured_size + pcapng_padding(captured_size)) break;
    ByteReader trailer(rest.first(block_size).last(kTrailerSize));
    if (trailer.u32(kOrder) != block_size) break;
    if (index >= interfaces.size()) break;
    const Interface& interface = interfaces[index];
    const TimeUnit& unit = interface.unit;
    Frame& frame = room[count];
    frame = Frame{};
    frame.interface = interface.name;
    frame.link_type = interface.link_type;
    frame.data = rest.subspan(kBlockHeaderSize + kPacketFieldsSize).data();
    frame.captured_size = captured_size;
    frame.wire_size = wire_size;
    frame.ts_ns = ticks < unit.plain_ticks_end ? static_cast<int64_t>(ticks * unit.multiplier)
                                               : time_ns(unit, ticks);
    frame.file_offset = end_offset - rest.size();
    wire_bytes += wire_size;
    rest = rest.subspan(block_size);
  }
  if (count > 0) last_ts_ns_ = room[count - 1].ts_ns;
  out.take(count, wire_bytes);
  stream.consume(size - rest.size());
}

PcapngParser::Step PcapngParser::parse_block(ByteStream& stream, FrameSlots& out) {
  ByteReader reader(stream.available());
  Block block;
  block.offset = stream.offset();
  block.type = reader.u32(order_);
  if (block.type == kSectionHeader) {  // reads the same in both byte orders, its length does not
    ByteReader magic = reader;
    magic.skip(4);
    const uint32_t order_mark = magic.u32(order_);
    if (!magic.ok()) return need(kBlockHeaderSize + 4);
    if (order_mark != kByteOrderMagic) {
      if (__builtin_bswap32(order_mark) != kByteOrderMagic) {
        return fail(block, "byte-order magic " + hexadecimal(order_mark) + ": expected " +
                               hexadecimal(kByteOrderMagic));
      }
      order_ = order_ == std::endian::big ? std::endian::little : std::endian::big;
    }
  }
  block.size = reader.u32(order_);
  if (!reader.ok()) return need(kBlockHeaderSize);

  switch (block.type) {
    case kEnhancedPacket:
    case kObsoletePacket:
      return parse_packet(stream, reader, block, out);
    case kSimplePacket:
      return parse_simple_packet(stream, reader, block, out);
    case kSectionHeader:
      return parse_section(stream, reader, block);
    case kInterfaceDescription:
      return parse_interface(stream, reader, block);
    case kInterfaceStatistics:
      return parse_statistics(stream, reader, block);
    case kNameResolution:
      if (!has_valid_size(block, kBlockSizeMin)) return Step::kDamaged;
      return name_records_ == nullptr ? begin_skip(stream, block) : begin_names(stream, block);
    default:
      if (!has_valid_size(block, kBlockSizeMin)) return Step::kDamaged;
      return begin_skip(stream, block);
  }
}

// Its options (comments, mostly) may be of any length and are skipped with the block.
PcapngParser::Step PcapngParser::parse_section(ByteStream& stream, ByteReader reader,
                                               const Block& block) {
  if (!has_valid_size(block, kSectionSizeMin)) return Step::kDamaged;
  reader.skip(4);  // byte-order magic
  const uint16_t major = reader.u16(order_);
  reader.skip(kSectionFieldsSize - 6);
  if (!reader.ok()) return need(kBlockHeaderSize + kSectionFieldsSize);
  if (major != 1) return fail(block, "pcapng version " + number(major) + ": only 1 is known");
  end_section();
  return begin_skip(stream, block);
}

void PcapngParser::end_section() {
  dropped_before_ = dropped_reported();
  interfaces_.clear();
  drops_.clear();
}

uint64_t PcapngParser::dropped_reported() const {
  uint64_t sum = dropped_before_;
  for (const InterfaceDrops& drops : drops_) {
    sum = add_saturated(sum, add_saturated(drops.by_interface, drops.by_system));
  }
  return sum;
}

PcapngParser::Step PcapngParser::parse_interface(ByteStream& stream, ByteReader reader,
                                                 const Block& block) {
  if (!has_valid_size(block, kInterfaceSizeMin)) return Step::kDamaged;
  if (block.size > kRecordSizeMax) {
    return fail(block, "block length " + number(block.size) + ": at most " +
                           number(kRecordSizeMax) + " allowed for its type");
  }
  if (stream.available().size() < block.size) return need(block.size);
  ByteReader body = reader.prefix(block.size - kBlockSizeMin);
  reader.skip(block.size - kBlockSizeMin);
  if (!has_matching_trailer(reader, block)) return Step::kDamaged;
  const Step step = add_interface(body, block);
  if (step == Step::kNext) stream.consume(block.size);
  return step;
}

PcapngParser::Step PcapngParser::add_interface(ByteReader reader, const Block& block) {
  if (interfaces_.size() == kSectionInterfaceCountMax) {
    return fail(block, "interface description " + number(kSectionInterfaceCountMax + 1) +
                           " of the section: at most " + number(kSectionInterfaceCountMax) +
                           " allowed");
  }
  Interface interface;
  interface.link_type = reader.u16(order_);
  reader.skip(2);
  interface.snap_size = reader.u32(order_);
  interface.name = names_.intern(file_name_);
  if (parse_interface_options(reader, block, interface) != Step::kNext) return Step::kDamaged;
  interfaces_.push_back(interface);
  drops_.emplace_back();
  return Step::kNext;
}

PcapngParser::Step PcapngParser::parse_interface_options(ByteReader reader, const Block& block,
                                                         Interface& interface) {
  int64_t offset_s = 0;
  PcapngOption option;
  while (next_pcapng_option(reader, order_, option)) {
    ByteReader value(option.value);
    if (option.code == kOptionInterfaceName) {
      interface.name = name_index(option.value);
    } else if (option.code == kOptionTimeResolution && option.size == 1) {
      interface.unit = time_unit(value.u8());
    } else if (option.code == kOptionTimeOffset && option.size == 8) {
      offset_s = static_cast<int64_t>(value.u64(order_));
    }
  }
  interface.unit.offset_s = offset_s;
  if (interface.unit.divisor == 1 && interface.unit.shift == 0 && offset_s == 0) {
    interface.unit.plain_ticks_end =
        std::numeric_limits<int64_t>::max() / interface.unit.multiplier;
  }
  if (reader.ok()) return Step::kNext;
  return fail(block, "option " + number(option.code) + " of the interface description: " +
                         number(option.size) + " bytes announced, the block is too short");
}

uint32_t PcapngParser::name_index(std::span<const uint8_t> name) {
  std::string text;
  for (const uint8_t byte : name.first(std::min(name.size(), kInterfaceNameSizeMax))) {
    if (byte == 0) break;
    text += static_cast<char>(byte);
  }
  if (text.empty() || names_added_ == kFileInterfaceNameCountMax) return names_.intern(file_name_);
  const size_t count = names_.size();
  const uint32_t index = names_.intern(text);
  names_added_ += names_.size() - count;
  return index;
}

PcapngParser::Step PcapngParser::parse_packet(ByteStream& stream, ByteReader reader,
                                              const Block& block, FrameSlots& out) {
  if (!has_valid_size(block, kPacketSizeMin)) return Step::kDamaged;
  const bool is_obsolete = block.type == kObsoletePacket;
  const uint32_t index = is_obsolete ? reader.u16(order_) : reader.u32(order_);
  if (is_obsolete) reader.skip(2);  // drop count
  const uint64_t time_high = reader.u32(order_);
  const uint64_t time_low = reader.u32(order_);
  const uint32_t captured_size = reader.u32(order_);
  Frame frame;
  frame.wire_size = reader.u32(order_);
  if (!reader.ok()) return need(kBlockHeaderSize + kPacketFieldsSize);
  if (captured_size > block.size - kPacketSizeMin) {
    return fail(block, "captured length " + number(captured_size) + ": the block has room for " +
                           number(block.size - kPacketSizeMin));
  }
  if (index >= interfaces_.size()) {
    return fail(block, "interface " + number(index) + ": the section describes " +
                           number(interfaces_.size()));
  }
  const bool is_oversized = captured_size > kFrameSizeMax || block.size > kRecordSizeMax;
  if (!is_oversized && stream.available().size() < block.size) return need(block.size);

  // From here on the block is delivered unless its trailer is wrong.
  const Interface& interface = interfaces_[index];
  frame.interface = interface.name;
  frame.link_type = interface.link_type;
  frame.file_offset = block.offset;
  if (is_oversized) {
    frame.is_oversized = true;
    frame.ts_ns = time_ns(interface.unit, time_high << 32 | time_low);
    last_ts_ns_ = frame.ts_ns;
    skip_.has_frame = true;
    skip_.frame = frame;
    return begin_skip(stream, block);
  }
  frame.captured_size = captured_size;
  frame.data = reader.bytes(captured_size).data();
  const uint32_t options_size = block.size - kPacketSizeMin - captured_size;
  ByteReader options = reader.prefix(options_size);
  reader.skip(options_size);
  if (!has_matching_trailer(reader, block)) return Step::kDamaged;
  frame.ts_ns = time_ns(interface.unit, time_high << 32 | time_low);
  last_ts_ns_ = frame.ts_ns;
  if (options_size >= 4) {
    options.skip(pcapng_padding(captured_size));
    frame.direction = pcapng_packet_direction(options, order_);
  }
  return deliver(stream, block, frame, out);
}

PcapngParser::Step PcapngParser::parse_simple_packet(ByteStream& stream, ByteReader reader,
                                                     const Block& block, FrameSlots& out) {
  if (!has_valid_size(block, kSimplePacketSizeMin)) return Step::kDamaged;
  Frame frame;
  frame.wire_size = reader.u32(order_);
  if (!reader.ok()) return need(kBlockHeaderSize + kSimplePacketFieldsSize);
  if (interfaces_.empty()) {
    return fail(block, "simple packet block: the section describes no interface");
  }
  const Interface& interface = interfaces_[0];
  uint32_t captured_size = frame.wire_size;
  if (interface.snap_size > 0) captured_size = std::min(captured_size, interface.snap_size);
  const uint32_t room = block.size - kSimplePacketSizeMin;
  if (captured_size > room) {
    return fail(block, "captured length " + number(captured_size) + ": the block has room for " +
                           number(room));
  }
  frame.interface = interface.name;
  frame.link_type = interface.link_type;
  frame.file_offset = block.offset;
  frame.ts_ns = last_ts_ns_;
  if (captured_size > kFrameSizeMax || block.size > kRecordSizeMax) {
    frame.is_oversized = true;
    skip_.has_frame = true;
    skip_.frame = frame;
    return begin_skip(stream, block);
  }
  if (stream.available().size() < block.size) return need(block.size);
  frame.captured_size = captured_size;
  frame.data = reader.bytes(captured_size).data();
  reader.skip(room - captured_size);
  if (!has_matching_trailer(reader, block)) return Step::kDamaged;
  return deliver(stream, block, frame, out);
}

PcapngParser::Step PcapngParser::deliver(ByteStream& stream, const Block& block, const Frame& frame,
                                         FrameSlots& out) {
  out.add(frame);
  stream.consume(block.size);
  return Step::kNext;
}

PcapngParser::Step PcapngParser::parse_statistics(ByteStream& stream, ByteReader reader,
                                                  const Block& block) {
  if (!has_valid_size(block, kBlockSizeMin)) return Step::kDamaged;
  if (block.size > kRecordSizeMax) return begin_skip(stream, block);
  if (stream.available().size() < block.size) return need(block.size);
  ByteReader body = reader.prefix(block.size - kBlockSizeMin);
  reader.skip(block.size - kBlockSizeMin);
  if (!has_matching_trailer(reader, block)) return Step::kDamaged;
  const uint32_t index = body.u32(order_);
  body.skip(8);  // time
  if (body.ok() && index < drops_.size()) read_interface_drops(body, order_, drops_[index]);
  stream.consume(block.size);
  return Step::kNext;
}

// Name blocks may be larger than what is kept contiguous, so they are read record by record.
PcapngParser::Step PcapngParser::begin_names(ByteStream& stream, const Block& block) {
  stream.consume(kBlockHeaderSize);
  skip_.is_active = true;
  skip_.block = block;
  skip_.name_bytes = block.size - kBlockSizeMin;
  return Step::kNext;
}

// The next name record; what is behind the last one is skipped.
PcapngParser::Step PcapngParser::parse_names(ByteStream& stream) {
  if (skip_.name_bytes >= kNameRecordHeaderSize) {
    ByteReader reader(stream.available());
    const uint16_t type = reader.u16(order_);
    const uint16_t size = reader.u16(order_);
    if (!reader.ok()) return need(kNameRecordHeaderSize);
    const uint32_t padded_size = kNameRecordHeaderSize + size + pcapng_padding(size);
    if (type != kPcapngOptionEnd && padded_size <= skip_.name_bytes) {
      if (stream.available().size() < padded_size) return need(padded_size);
      read_name_record(type, reader.bytes(size), *name_records_);
      stream.consume(padded_size);
      skip_.name_bytes -= padded_size;
      return Step::kNext;
    }
  }
  stream.skip(skip_.name_bytes);
  skip_.name_bytes = 0;
  return Step::kNext;
}

PcapngParser::Step PcapngParser::begin_skip(ByteStream& stream, const Block& block) {
  skip_.is_active = true;
  skip_.block = block;
  stream.skip(block.size - kTrailerSize);
  return Step::kNext;
}

PcapngParser::Step PcapngParser::finish_skip(ByteStream& stream, FrameSlots& out) {
  if (skip_.name_bytes > 0) return parse_names(stream);
  if (stream.skip_remaining() > 0 || stream.available().size() < kTrailerSize) {
    return need(kTrailerSize);
  }
  if (!has_matching_trailer(ByteReader(stream.available()), skip_.block)) return Step::kDamaged;
  stream.consume(kTrailerSize);
  if (skip_.has_frame) out.add(skip_.frame);
  skip_.is_active = false;
  skip_.has_frame = false;
  return Step::kNext;
}

bool PcapngParser::has_valid_size(const Block& block, uint32_t size_min) {
  const char* wrong = nullptr;
  if (block.size % 4 != 0) wrong = "not a multiple of 4";
  if (wrong == nullptr && block.size >= size_min && block.size <= kRecordLengthMax) return true;
  std::string what = "block length " + number(block.size) + ": ";
  if (wrong != nullptr) {
    what += wrong;
  } else if (block.size < size_min) {
    what += "at least " + number(size_min) + " needed";
  } else {
    what += "at most " + number(kRecordLengthMax) + " allowed";
  }
  static_cast<void>(fail(block, std::move(what)));
  return false;
}

bool PcapngParser::has_matching_trailer(ByteReader trailer, const Block& block) {
  const uint32_t again = trailer.u32(order_);
  if (again == block.size) return true;
  static_cast<void>(fail(block, "block length " + number(block.size) + " at its start, " +
                                    number(again) + " at its end"));
  return false;
}

PcapngParser::Step PcapngParser::need(size_t size) {
  needed_ = size;
  return Step::kShort;
}

PcapngParser::Step PcapngParser::fail(const Block& block, std::string what) {
  damage_ = {block.offset, std::move(what)};
  return Step::kDamaged;
}

bool PcapngParser::is_cut(const ByteStream& stream, Damage& damage) const {
  const uint64_t block_offset = skip_.is_active ? skip_.block.offset : stream.offset();
  const uint64_t present = stream.end_offset() - block_offset;
  if (present == 0) return false;
  damage.offset = block_offset;
  if (present < kBlockHeaderSize) {
    damage.what = "block header cut short: " + number(kBlockHeaderSize) + " bytes needed, " +
                  number(present) + " present";
    return true;
  }
  uint32_t announced = skip_.block.size;
  if (!skip_.is_active) {
    ByteReader reader(stream.available());
    const uint32_t type = reader.u32(order_);
    announced = reader.u32(order_);
    if (type == kSectionHeader && present < kBlockHeaderSize + 4) {  // of unknown byte order
      damage.what = "section header cut short: " + number(present) + " bytes present";
      return true;
    }
  }
  damage.what =
      "block cut short: " + number(announced) + " bytes announced, " + number(present) + " present";
  return true;
}

// if_tsresol: 10^-n s, or 2^-n s when the top bit is set.
PcapngParser::TimeUnit PcapngParser::time_unit(uint8_t resolution) {
  constexpr uint32_t kNanosecondExponent = 9;
  constexpr uint32_t kDivisorExponentMax = 19;  // 10^19 is the last power of ten in 64 bits
  const uint32_t exponent = resolution & 0x7f;
  TimeUnit unit;
  unit.multiplier = 1;
  if ((resolution & 0x80) != 0) {
    unit.multiplier = 1'000'000'000;
    unit.shift = exponent;
    return unit;
  }
  for (uint32_t i = exponent; i < kNanosecondExponent; ++i) unit.multiplier *= 10;
  const uint32_t divisor_exponent =
      exponent > kNanosecondExponent ? exponent - kNanosecondExponent : 0;
  if (divisor_exponent > kDivisorExponentMax) {
    unit.divisor = 0;  // more than 2^64 ticks to the nanosecond
    return unit;
  }
  for (uint32_t i = 0; i < divisor_exponent; ++i) unit.divisor *= 10;
  return unit;
}

int64_t PcapngParser::time_ns(const TimeUnit& unit, uint64_t ticks) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  // At most (2^64 − 1) · 10^9 < 2^94; the offset adds less than 2^93.
  unsigned __int128 scaled = static_cast<unsigned __int128>(ticks) * unit.multiplier;
  if (unit.shift > 0) scaled >>= unit.shift;
  if (unit.divisor == 0) scaled = 0;
  if (unit.divisor > 1) scaled = static_cast<uint64_t>(scaled) / unit.divisor;
  const __int128 total =
      static_cast<__int128>(scaled) + static_cast<__int128>(unit.offset_s) * 1'000'000'000;
  if (total >= 0 && total <= kMax) return static_cast<int64_t>(total);
  ++time_clamped_;
  return total < 0 ? 0 : kMax;
}

}  // namespace weir
