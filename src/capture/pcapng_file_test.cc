// SPDX-License-Identifier: Apache-2.0
#include "capture/pcapng_file.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/frame_collector.h"

namespace weir {
namespace {

using test::Bytes;
using test::ByteWriter;
using test::collect;
using test::collect_bytes;
using test::open_bytes;
using test::pattern_bytes;
using test::PcapngWriter;
using test::Seen;

constexpr std::endian kOrders[] = {std::endian::little, std::endian::big};

Bytes text_bytes(std::string_view text) {
  return Bytes(text.begin(), text.end());
}

std::string at(uint64_t offset, const std::string& what) {
  return "x.pcap: byte " + std::to_string(offset) + ": " + what;
}

TEST(PcapngFile, ReadsAllPacketBlocksInBothByteOrders) {
  for (const std::endian order : kOrders) {
    PcapngWriter file(order);
    file.section();
    file.interface(1);
    file.interface(101);
    const Bytes bytes = pattern_bytes(61, 1);
    const uint64_t enhanced = file.enhanced(1, 5'000'000'001, bytes, 1500);
    const uint64_t simple = file.simple(bytes);
    const uint64_t obsolete = file.obsolete(0, 7, bytes);
    const Seen seen = collect_bytes(file.bytes());
    ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
    ASSERT_EQ(seen.frames.size(), 3u);
    EXPECT_EQ(seen.frames[0].bytes, bytes);
    EXPECT_EQ(seen.frames[0].wire_size, 1500u);
    EXPECT_EQ(seen.frames[0].ts_ns, 5'000'000'001'000);
    EXPECT_EQ(seen.frames[0].link_type, 101);
    EXPECT_EQ(seen.frames[0].file_offset, enhanced);
    EXPECT_EQ(seen.frames[1].bytes, bytes);
    EXPECT_EQ(seen.frames[1].wire_size, 61u);
    EXPECT_EQ(seen.frames[1].ts_ns, 5'000'000'001'000);
    EXPECT_EQ(seen.frames[1].link_type, 1);
    EXPECT_EQ(seen.frames[1].file_offset, simple);
    EXPECT_EQ(seen.frames[2].bytes, bytes);
    EXPECT_EQ(seen.frames[2].ts_ns, 7000);
    EXPECT_EQ(seen.frames[2].file_offset, obsolete);
  }
}

TEST(PcapngFile, SimplePacketIsCutBySnapLengthAndHasNoTimeBeforeOthers) {
  PcapngWriter file(std::endian::little);
  file.section();
  file.interface(1, {}, 40);
  file.simple(pattern_bytes(40, 1), 1000);
  const Seen seen = collect_bytes(file.bytes());
  ASSERT_EQ(seen.frames.size(), 1u) << seen.error;
  EXPECT_EQ(seen.frames[0].bytes, pattern_bytes(40, 1));
  EXPECT_EQ(seen.frames[0].wire_size, 1000u);
  EXPECT_EQ(seen.frames[0].ts_ns, 0);
}

TEST(PcapngFile, EverySectionHasItsByteOrderAndItsInterfaces) {
  PcapngWriter file(std::endian::little);
  file.section();
  file.interface(1);
  file.interface(113);
  file.enhanced(1, 1, pattern_bytes(10, 1));
  file.section(std::endian::big);
  file.interface(101);
  file.enhanced(0, 2, pattern_bytes(11, 2));
  file.section(std::endian::little);
  const uint64_t bad = file.enhanced(0, 3, pattern_bytes(12, 3));
  const Seen seen = collect_bytes(file.bytes());
  ASSERT_EQ(seen.frames.size(), 2u);
  EXPECT_EQ(seen.frames[0].link_type, 113);
  EXPECT_EQ(seen.frames[1].link_type, 101);
  EXPECT_EQ(seen.frames[1].bytes, pattern_bytes(11, 2));
  EXPECT_EQ(seen.error, at(bad, "interface 0: the section describes 0"));
}

TEST(PcapngFile, InterfaceNumberOutOfRangeIsDamage) {
  for (const std::endian order : kOrders) {
    PcapngWriter file(order);
    file.section();
    file.interface();
    file.enhanced(0, 1, pattern_bytes(10, 1));
    const uint64_t bad = file.enhanced(1, 1, pattern_bytes(10, 1));
    const Seen seen = collect_bytes(file.bytes());
    EXPECT_EQ(seen.frames.size(), 1u);
    EXPECT_EQ(seen.error, at(bad, "interface 1: the section describes 1"));
  }
}

TEST(PcapngFile, SimplePacketWithoutInterfaceIsDamage) {
  PcapngWriter file(std::endian::little);
  file.section();
  const uint64_t bad = file.simple(pattern_bytes(10, 1));
  EXPECT_EQ(collect_bytes(file.bytes()).error,
            at(bad, "simple packet block: the section describes no interface"));
}

TEST(PcapngFile, NamesInterfacesByOptionElseByFile) {
  PcapngWriter file(std::endian::big);
  file.section();
  file.interface(1, {{2, text_bytes("eth0")}});
  file.interface(1);
  file.interface(1, {{2, Bytes{'l', 'o', 0, 'x'}}});
  file.interface(1, {{2, Bytes(1000, 'n')}});
  for (uint32_t i = 0; i < 4; ++i) file.enhanced(i, 1, pattern_bytes(10, i));
  InterfaceNames names;
  const auto source = open_bytes(file.bytes(), names);
  const Seen seen = collect(*source);
  ASSERT_EQ(seen.frames.size(), 4u) << seen.error;
  EXPECT_EQ(names.name(seen.frames[0].interface), "eth0");
  EXPECT_EQ(names.name(seen.frames[1].interface), "x.pcap");
  EXPECT_EQ(names.name(seen.frames[2].interface), "lo");
  EXPECT_EQ(names.name(seen.frames[3].interface), std::string(kInterfaceNameSizeMax, 'n'));
}

TEST(PcapngFile, InterfaceNamesOfOneFileAreBounded) {
  PcapngWriter file(std::endian::little);
  file.section();
  for (size_t i = 0; i < kFileInterfaceNameCountMax + 10; ++i) {
    file.interface(1, {{2, text_bytes("if" + std::to_string(i))}});
  }
  file.enhanced(kFileInterfaceNameCountMax + 5, 1, pattern_bytes(10, 1));
  InterfaceNames names;
  const auto source = open_bytes(file.bytes(), names);
  const Seen seen = collect(*source);
  ASSERT_EQ(seen.frames.size(), 1u) << seen.error;
  EXPECT_EQ(names.name(seen.frames[0].interface), "x.pcap");
  EXPECT_EQ(names.size(), kFileInterfaceNameCountMax + 1);
}

TEST(PcapngFile, TooManyInterfacesAreDamage) {
  PcapngWriter file(std::endian::little);
  file.section();
  uint64_t last = 0;
  for (size_t i = 0; i <= kSectionInterfaceCountMax; ++i) last = file.interface();
  EXPECT_EQ(collect_bytes(file.bytes()).error,
            at(last, "interface description 65537 of the section: at most 65536 allowed"));
}

TEST(PcapngFile, DirectionComesFromPacketFlags) {
  PcapngWriter file(std::endian::big);
  file.section();
  file.interface();
  for (const uint32_t flags : {0u, 1u, 2u, 3u, 0xfffffff1u}) {
    file.enhanced(0, 1, pattern_bytes(5, 1), {},
                  {{1, text_bytes("note")}, file.option_u32(2, flags)});
  }
  file.enhanced(0, 1, pattern_bytes(5, 1));
  const Seen seen = collect_bytes(file.bytes());
  ASSERT_EQ(seen.frames.size(), 6u) << seen.error;
  EXPECT_EQ(seen.frames[0].direction, Direction::kUnknown);
  EXPECT_EQ(seen.frames[1].direction, Direction::kInbound);
  EXPECT_EQ(seen.frames[2].direction, Direction::kOutbound);
  EXPECT_EQ(seen.frames[3].direction, Direction::kUnknown);
  EXPECT_EQ(seen.frames[4].direction, Direction::kInbound);
  EXPECT_EQ(seen.frames[5].direction, Direction::kUnknown);
}

struct TimeCase {
  uint8_t resolution;
  uint64_t ticks;
  int64_t offset_s;
  int64_t ts_ns;
  bool is_clamped = false;
};

TEST(PcapngFile, ConvertsEveryTimeResolution) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr uint64_t kTicksMax = std::numeric_limits<uint64_t>::max();
  const std::vector<TimeCase> cases = {
      {6, 1'700'000'000'000'001, 0, 1'700'000'000'000'001'000},
      {9, 1'700'000'000'000'000'001, 0, 1'700'000'000'000'000'001},
      {0, 1'700'000'000, 0, 1'700'000'000'000'000'000},
      {3, 5, 0, 5'000'000},
      {10, 19, 0, 1},
      {12, 1999, 0, 1},
      {19, kTicksMax, 0, 1'844'674'407},
      {28, kTicksMax, 0, 1},
      {29, kTicksMax, 0, 0},
      {127, kTicksMax, 0, 0},
      {0x80, 3, 0, 3'000'000'000},
      {0x81, 3, 0, 1'500'000'000},
      {0x80 | 10, 1025, 0, 1'000'976'562},
      {0x80 | 32, uint64_t{1} << 33, 0, 2'000'000'000},
      {0x80 | 63, kTicksMax, 0, 1'999'999'999},
      {0x80 | 64, kTicksMax, 0, 999'999'999},
      {0x80 | 127, kTicksMax, 0, 0},
      {6, 5, 100, 100'000'005'000},
      {6, 200'000'000, -100, 100'000'000'000},
      {6, 5, -1, 0, true},
      {6, kTicksMax, 0, kMax, true},
      {0, kTicksMax, 0, kMax, true},
      {0x80, kTicksMax, std::numeric_limits<int64_t>::max(), kMax, true},
      {6, 5, std::numeric_limits<int64_t>::min(), 0, true},
      {9, static_cast<uint64_t>(kMax), 0, kMax},
      {9, static_cast<uint64_t>(kMax) + 1, 0, kMax, true},
  };
  for (const TimeCase& time : cases) {
    SCOPED_TRACE(testing::Message()
                 << "resolution " << int{time.resolution} << " ticks " << time.ticks);
    PcapngWriter file(std::endian::little);
    file.section();
    file.interface(
        1, {{9, {time.resolution}}, file.option_u64(14, static_cast<uint64_t>(time.offset_s))});
    file.enhanced(0, time.ticks, pattern_bytes(5, 1));
    InterfaceNames names;
    const auto source = open_bytes(file.bytes(), names);
    const Seen seen = collect(*source);
    ASSERT_EQ(seen.frames.size(), 1u) << seen.error;
    EXPECT_EQ(seen.frames[0].ts_ns, time.ts_ns);
    EXPECT_EQ(source->statistics().time_clamped, time.is_clamped ? 1u : 0u);
  }
}

// Packets with an option are never taken by the loop for plain packets: the same packets with one
// are what that loop is compared with.
TEST(PcapngFile, RunsOfPlainPacketsEqualPacketsTakenOneByOne) {
  for (const std::endian order : kOrders) {
    PcapngWriter plain(order);
    PcapngWriter general(order);
    std::vector<uint64_t> plain_offsets;
    std::vector<uint64_t> general_offsets;
    const std::vector<uint8_t> resolutions = {6, 9, 0, 12, 0x80 | 20};
    for (PcapngWriter* file : {&plain, &general}) {
      file->section();
      const auto interface_count = static_cast<uint16_t>(2 * resolutions.size());
      for (uint16_t i = 0; i < interface_count; ++i) {
        const uint8_t resolution = resolutions[i % resolutions.size()];
        const uint64_t offset_s = i < resolutions.size() ? 0 : 1000 * i;
        file->interface(i, {{2, text_bytes("if" + std::to_string(i))},
                            {9, {resolution}},
                            file->option_u64(14, offset_s)});
      }
    }
    for (uint32_t i = 0; i < 3000; ++i) {
      const uint32_t interface = i / 3 % static_cast<uint32_t>(2 * resolutions.size());
      const Bytes bytes = pattern_bytes(i * 7919 % 1500, i);
      const uint32_t wire_size = i % 3 == 0 ? 1500 : 0xffffffff - i;
      const uint64_t ticks = i * uint64_t{0x9e3779b97f4a7c15} >> i % 64;
      plain_offsets.push_back(plain.enhanced(interface, ticks, bytes, wire_size));
      general_offsets.push_back(
          general.enhanced(interface, ticks, bytes, wire_size, {{1, text_bytes("note")}}));
    }
    InterfaceNames names;
    const auto general_source = open_bytes(general.bytes(), names);
    Seen expected = collect(*general_source);
    const uint64_t time_clamped = general_source->statistics().time_clamped;
    EXPECT_GT(time_clamped, 0u);
    ASSERT_EQ(expected.frames.size(), general_offsets.size()) << expected.error;
    for (size_t i = 0; i < expected.frames.size(); ++i) {
      ASSERT_EQ(expected.frames[i].file_offset, general_offsets[i]);
      expected.frames[i].file_offset = plain_offsets[i];
    }
    for (const uint32_t batch_size : {1u, 5u, 256u}) {
      for (const size_t read_size : {size_t{999}, SIZE_MAX}) {
        const auto source = open_bytes(plain.bytes(), names, read_size);
        source->set_batch_size(batch_size);
        const Seen seen = collect(*source);
        ASSERT_EQ(seen.frames.size(), expected.frames.size()) << seen.error;
        ASSERT_TRUE(seen.frames == expected.frames);
        ASSERT_EQ(source->statistics().time_clamped, time_clamped);
      }
    }
  }
}

TEST(PcapngFile, UnknownBlocksAreSkippedHoweverLong) {
  for (const size_t read_size : {size_t{65'536}, SIZE_MAX}) {
    PcapngWriter file(std::endian::big);
    file.section();
    file.interface();
    file.block(0xdeadbeef, {});
    file.enhanced(0, 1, pattern_bytes(10, 1));
    file.block(5, Bytes(2'000'000));
    file.enhanced(0, 1, pattern_bytes(10, 2));
    file.block(4, Bytes(kRecordLengthMax - 12));
    file.enhanced(0, 1, pattern_bytes(10, 3));
    const Seen seen = collect_bytes(file.bytes(), 256, read_size);
    EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
    ASSERT_EQ(seen.frames.size(), 3u);
    EXPECT_EQ(seen.frames[2].bytes, pattern_bytes(10, 3));
  }
}

TEST(PcapngFile, LongFramesAndLongOptionsAreDeliveredWithoutBytes) {
  for (const size_t read_size : {size_t{65'536}, SIZE_MAX}) {
    PcapngWriter file(std::endian::little);
    file.section();
    file.interface();
    file.enhanced(0, 1, pattern_bytes(kFrameSizeMax, 1));
    file.enhanced(0, 2, Bytes(kFrameSizeMax + 1), 900'000);
    file.enhanced(0, 3, pattern_bytes(10, 1), {},
                  std::vector<PcapngWriter::Option>(8, {1, Bytes(60'000)}));
    file.simple(Bytes(kFrameSizeMax + 1));
    file.enhanced(0, 4, pattern_bytes(10, 1));
    const Seen seen = collect_bytes(file.bytes(), 256, read_size);
    EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
    ASSERT_EQ(seen.frames.size(), 5u);
    EXPECT_EQ(seen.frames[0].bytes, pattern_bytes(kFrameSizeMax, 1));
    EXPECT_TRUE(seen.frames[1].is_oversized);
    EXPECT_EQ(seen.frames[1].wire_size, 900'000u);
    EXPECT_EQ(seen.frames[1].ts_ns, 2000);
    EXPECT_TRUE(seen.frames[2].is_oversized);
    EXPECT_EQ(seen.frames[2].wire_size, 10u);
    EXPECT_TRUE(seen.frames[3].is_oversized);
    EXPECT_EQ(seen.frames[3].ts_ns, 3000);
    EXPECT_EQ(seen.frames[4].bytes, pattern_bytes(10, 1));
  }
}

TEST(PcapngFile, LongSectionCommentIsSkipped) {
  for (const std::endian order : kOrders) {
    ByteWriter body(order);
    body.u32(0x1a2b3c4d);
    body.u16(1);
    body.u16(0);
    body.u64(~uint64_t{0});
    for (size_t i = 0; i < 10; ++i) {  // more than is kept contiguous
      body.u16(1);
      body.u16(60'000);
      body.raw(Bytes(60'000, 'c'));
    }
    body.zeros(4);
    PcapngWriter file(order);
    file.block(0x0a0d0d0a, body.bytes());
    file.interface();
    file.enhanced(0, 1, pattern_bytes(13, 1));
    for (const size_t read_size : {size_t{1000}, SIZE_MAX}) {
      const Seen seen = collect_bytes(file.bytes(), 2, read_size);
      EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
      EXPECT_EQ(seen.frames.size(), 1u);
    }
  }
}

Bytes name_record(std::endian order, uint16_t type, const Bytes& address, std::string_view names) {
  ByteWriter record(order);
  record.u16(type);
  record.u16(address.size() + names.size());
  record.raw(address);
  record.raw(text_bytes(names));
  record.pad4();
  return record.bytes();
}

Bytes concatenate(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const Bytes kIpv4 = {192, 0, 2, 1};
const Bytes kOtherIpv4 = {192, 0, 2, 2};
const Bytes kIpv6 = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

TEST(PcapngFile, KeepsTheNamesOfAddresses) {
  using namespace std::string_view_literals;
  for (const std::endian order : kOrders) {
    PcapngWriter file(order);
    file.section();
    file.interface();
    file.block(4, concatenate({name_record(order, 1, kIpv4, "host.example\0alias\0"sv),
                               name_record(order, 3, Bytes(6), "a mac\0"sv),
                               name_record(order, 2, kIpv6, "six.example\0"sv), Bytes(4),
                               pattern_bytes(20, 1)}));  // options, whatever they are
    file.enhanced(0, 1, pattern_bytes(13, 1));
    file.block(4, name_record(order, 1, kIpv4, "another\0"sv));
    // Damaged records hide themselves and what follows in their block, nothing else.
    file.block(4, {});
    file.block(4, Bytes(4, 0xff));
    file.block(4, concatenate({name_record(order, 1, {1, 2}, ""), Bytes(4)}));
    file.block(4, concatenate({name_record(order, 1, kOtherIpv4, "unterminated")}));
    file.enhanced(0, 1, pattern_bytes(13, 2));
    for (const size_t read_size : {size_t{1}, SIZE_MAX}) {
      InterfaceNames names;
      NameRecords records;
      const auto source = open_bytes(file.bytes(), names, read_size);
      source->keep_names(records);
      const Seen seen = collect(*source);
      EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
      EXPECT_EQ(seen.frames.size(), 2u);
      EXPECT_EQ(records.count(), 3u);
      EXPECT_EQ(records.find(kIpv4), "host.example");
      EXPECT_EQ(records.find(kIpv6), "six.example");
      EXPECT_EQ(records.find(kOtherIpv4), "unterminated");
      EXPECT_EQ(collect_bytes(file.bytes(), 2, read_size).frames, seen.frames);
    }
  }
}

TEST(PcapngFile, NameBlockMayBeLongerThanWhatIsKeptContiguous) {
  const std::endian order = std::endian::little;
  Bytes body;
  constexpr uint32_t kCount = 20'000;
  for (uint32_t i = 0; i < kCount; ++i) {
    const Bytes address = {10, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8),
                           static_cast<uint8_t>(i)};
    const Bytes record = name_record(order, 1, address, "host" + std::to_string(i) + ".example");
    body.insert(body.end(), record.begin(), record.end());
  }
  ASSERT_GT(body.size(), kRecordSizeMax);
  PcapngWriter file(order);
  file.section();
  file.block(4, body);
  file.interface();
  file.enhanced(0, 1, pattern_bytes(13, 1));
  InterfaceNames names;
  NameRecords records;
  const auto source = open_bytes(file.bytes(), names, 100'000);
  source->keep_names(records);
  const Seen seen = collect(*source);
  EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
  EXPECT_EQ(seen.frames.size(), 1u);
  EXPECT_EQ(records.count(), kCount);
  EXPECT_EQ(records.find(Bytes{10, 0, 1, 0}), "host256.example");
}

Bytes statistics_body(std::endian order, uint32_t interface,
                      const std::vector<PcapngWriter::Option>& options) {
  ByteWriter body(order);
  body.u32(interface);
  body.u64(0);
  for (const PcapngWriter::Option& option : options) {
    body.u16(option.code);
    body.u16(option.value.size());
    body.raw(option.value);
    body.pad4();
  }
  return body.bytes();
}

TEST(PcapngFile, LastDropCountersOfEveryInterfaceAreReported) {
  for (const std::endian order : kOrders) {
    PcapngWriter file(order);
    const auto statistics = [&](uint32_t interface,
                                const std::vector<PcapngWriter::Option>& options) {
      file.block(5, statistics_body(order, interface, options));
    };
    file.section();
    file.interface();
    file.interface();
    statistics(0, {file.option_u64(5, 100), file.option_u64(7, 1)});
    statistics(1, {file.option_u64(4, 999), file.option_u64(5, 20)});
    statistics(0, {file.option_u64(5, 300)});   // isb_osdrop stays
    statistics(2, {file.option_u64(5, 5000)});  // no such interface
    statistics(1, {file.option_u32(5, 6000)});  // wrong size
    file.block(5, {});
    file.enhanced(0, 1, pattern_bytes(13, 1));
    file.section();
    file.interface();
    statistics(0, {file.option_u64(7, 4000)});
    InterfaceNames names;
    const auto source = open_bytes(file.bytes(), names, 11);
    const Seen seen = collect(*source);
    EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
    EXPECT_EQ(seen.frames.size(), 1u);
    EXPECT_EQ(source->statistics().dropped_reported, 300u + 1 + 20 + 4000);
    EXPECT_EQ(source->statistics().dropped, 0u);
  }
}

TEST(PcapngFile, AbsurdDropCountersDoNotOverflow) {
  PcapngWriter file(std::endian::little);
  for (int i = 0; i < 3; ++i) {
    file.section();
    file.interface();
    file.block(5, statistics_body(std::endian::little, 0,
                                  {file.option_u64(5, ~uint64_t{0}), file.option_u64(7, 2)}));
  }
  InterfaceNames names;
  const auto source = open_bytes(file.bytes(), names);
  collect(*source);
  EXPECT_EQ(source->statistics().dropped_reported, std::numeric_limits<uint64_t>::max());
}

TEST(PcapngFile, WrongBlockLengthsAreDamageAtTheBlock) {
  struct Case {
    uint32_t type;
    uint32_t size;
    std::string what;
  };
  for (const Case& wrong : {Case{6, 0, "at least 32 needed"}, Case{6, 28, "at least 32 needed"},
                            Case{6, 45, "not a multiple of 4"}, Case{3, 12, "at least 16 needed"},
                            Case{1, 16, "at least 20 needed"}, Case{99, 8, "at least 12 needed"},
                            Case{99, 0, "at least 12 needed"}, Case{99, 13, "not a multiple of 4"},
                            Case{99, 16'777'220, "at most 16777216 allowed"},
                            Case{6, 0xfffffffc, "at most 16777216 allowed"},
                            Case{1, 400'000, "at most 327680 allowed for its type"},
                            Case{0x0a0d0d0a, 24, "at least 28 needed"}}) {
    for (const std::endian order : kOrders) {
      PcapngWriter file(order);
      file.section();
      file.interface();
      file.enhanced(0, 1, pattern_bytes(10, 1));
      ByteWriter body(order);
      body.u32(0x1a2b3c4d);
      body.zeros(36);
      const uint64_t bad = file.block(wrong.type, body.bytes(), wrong.size);
      file.enhanced(0, 1, pattern_bytes(10, 1));
      const Seen seen = collect_bytes(file.bytes());
      EXPECT_EQ(seen.frames.size(), 1u);
      EXPECT_EQ(seen.error,
                at(bad, "block length " + std::to_string(wrong.size) + ": " + wrong.what));
    }
  }
}

TEST(PcapngFile, LengthsThatDifferAreDamage) {
  for (const uint32_t type : {6u, 3u, 2u, 1u, 99u, 0x0a0d0d0au}) {
    PcapngWriter file(std::endian::little);
    file.section();
    file.interface();
    file.enhanced(0, 1, pattern_bytes(10, 1));
    ByteWriter body(std::endian::little);
    if (type == 0x0a0d0d0a) {
      body.u32(0x1a2b3c4d);
      body.u32(1);
    }
    body.zeros(40 - body.size());
    const uint64_t bad = file.block(type, body.bytes(), {}, 48);
    file.enhanced(0, 1, pattern_bytes(10, 1));
    const Seen seen = collect_bytes(file.bytes());
    EXPECT_EQ(seen.frames.size(), 1u);
    EXPECT_EQ(seen.error, at(bad, "block length 52 at its start, 48 at its end"));
  }
}

TEST(PcapngFile, CapturedLengthBeyondTheBlockIsDamage) {
  PcapngWriter file(std::endian::little);
  file.section();
  file.interface();
  const uint64_t bad = file.enhanced(0, 1, pattern_bytes(10, 1), {}, {}, 13);
  EXPECT_EQ(collect_bytes(file.bytes()).error,
            at(bad, "captured length 13: the block has room for 12"));
  PcapngWriter simple(std::endian::little);
  simple.section();
  simple.interface();
  const uint64_t bad_simple = simple.simple(pattern_bytes(10, 1), 4'000'000'000);
  EXPECT_EQ(collect_bytes(simple.bytes()).error,
            at(bad_simple, "captured length 4000000000: the block has room for 12"));
}

TEST(PcapngFile, DamagedInterfaceOptionsAreDamageAndDamagedPacketOptionsAreNot) {
  PcapngWriter file(std::endian::little);
  file.section();
  file.interface();
  ByteWriter packet(std::endian::little);
  packet.zeros(20);  // interface 0, no bytes
  packet.u16(2);
  packet.u16(400);
  file.block(6, packet.bytes());
  ByteWriter body(std::endian::little);
  body.zeros(8);
  body.u16(9);
  body.u16(400);
  const uint64_t bad = file.block(1, body.bytes());
  const Seen seen = collect_bytes(file.bytes());
  EXPECT_EQ(seen.frames.size(), 1u);
  EXPECT_EQ(
      seen.error,
      at(bad,
         "option 9 of the interface description: 400 bytes announced, the block is too short"));
}

TEST(PcapngFile, OtherVersionAndWrongByteOrderMagicAreDamage) {
  PcapngWriter version(std::endian::big);
  version.section({}, 2);
  EXPECT_EQ(collect_bytes(version.bytes()).error, at(0, "pcapng version 2: only 1 is known"));
  PcapngWriter magic(std::endian::big);
  magic.block(0x0a0d0d0a, Bytes(16));
  EXPECT_EQ(collect_bytes(magic.bytes()).error,
            at(0, "byte-order magic 0x00000000: expected 0x1a2b3c4d"));
}

TEST(PcapngFile, EveryTruncationKeepsFramesBeforeItAndNamesTheBlock) {
  for (const std::endian order : kOrders) {
    PcapngWriter file(order);
    struct Block {
      uint64_t offset;
      bool is_frame;
    };
    std::vector<Block> blocks;
    blocks.push_back({file.section(), false});
    blocks.push_back({file.interface(1, {{2, text_bytes("eth0")}, {9, {9}}}), false});
    blocks.push_back(
        {file.enhanced(0, 1, pattern_bytes(13, 1), {}, {file.option_u32(2, 1)}), true});
    blocks.push_back({file.block(77, Bytes(24)), false});
    blocks.push_back({file.block(5, Bytes(24)), false});
    blocks.push_back({file.block(4, name_record(order, 1, kIpv4, "host.example")), false});
    blocks.push_back({file.simple(pattern_bytes(20, 2)), true});
    const std::endian other = order == std::endian::big ? std::endian::little : std::endian::big;
    blocks.push_back({file.section(other), false});
    blocks.push_back({file.interface(), false});
    blocks.push_back({file.obsolete(0, 3, pattern_bytes(7, 3)), true});
    const Bytes& all = file.bytes();
    const Seen whole = collect_bytes(all);
    ASSERT_EQ(whole.frames.size(), 3u) << whole.error;
    for (size_t cut = 4; cut <= all.size(); ++cut) {
      size_t complete = 0;
      uint64_t start = 0;
      size_t frame_count = 0;
      for (size_t i = 0; i < blocks.size(); ++i) {
        const uint64_t end = i + 1 < blocks.size() ? blocks[i + 1].offset : all.size();
        if (end > cut) break;
        ++complete;
        start = end;
        frame_count += blocks[i].is_frame ? 1 : 0;
      }
      for (const size_t read_size : {size_t{1}, SIZE_MAX}) {
        InterfaceNames names;
        NameRecords records;
        const auto source = open_bytes(
            Bytes(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut)), names, read_size);
        source->keep_names(records);
        const Seen seen = collect(*source);
        ASSERT_EQ(seen.frames.size(), frame_count) << "cut at " << cut;
        ASSERT_TRUE(std::equal(seen.frames.begin(), seen.frames.end(), whole.frames.begin()));
        if (cut == start) {
          ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
          continue;
        }
        const uint64_t present = cut - start;
        const uint64_t size =
            (complete + 1 < blocks.size() ? blocks[complete + 1].offset : all.size()) - start;
        const bool is_section = complete == 0 || complete == 7;
        std::string what = "block cut short: " + std::to_string(size) + " bytes announced, " +
                           std::to_string(present) + " present";
        if (present < 8) {
          what = "block header cut short: 8 bytes needed, " + std::to_string(present) + " present";
        } else if (is_section && present < 12) {
          what = "section header cut short: " + std::to_string(present) + " bytes present";
        }
        ASSERT_EQ(seen.error, at(start, what)) << "cut at " << cut;
      }
    }
  }
}

// Every 32-bit field of the file takes values that break things: no crash, what came before stays.
TEST(PcapngFile, EveryWordMayBeWrong) {
  for (const std::endian order : kOrders) {
    PcapngWriter file(order);
    file.section();
    file.interface(1, {{9, {6}}});
    const uint64_t second = file.enhanced(0, 1, pattern_bytes(13, 1), {}, {file.option_u32(2, 1)});
    file.simple(pattern_bytes(20, 2));
    file.block(5, Bytes(24));
    file.block(4, name_record(order, 1, kIpv4, "host.example"));
    file.enhanced(0, 1, pattern_bytes(60, 3));
    for (size_t word = 0; word + 4 <= file.bytes().size(); word += 4) {
      for (const uint32_t value : {0u, 1u, 4u, 11u, 12u, 32u, 0x10000u, 0x1000000u, 0x1000004u,
                                   0x7ffffffcu, 0xfffffffcu}) {
        Bytes bytes = file.bytes();
        ByteWriter wrong(order);
        wrong.u32(value);
        std::copy(wrong.bytes().begin(), wrong.bytes().end(),
                  bytes.begin() + static_cast<std::ptrdiff_t>(word));
        const auto read = [&bytes](uint32_t batch_size, size_t read_size) {
          InterfaceNames names;
          NameRecords records;
          const auto source = open_bytes(bytes, names, read_size);
          source->set_batch_size(batch_size);
          source->keep_names(records);
          return collect(*source);
        };
        const Seen large = read(kBatchFrameCountDefault, SIZE_MAX);
        const Seen small = read(1, 7);
        ASSERT_EQ(large.frames, small.frames);
        ASSERT_EQ(large.error, small.error);
        if (word > second + 60) {
          ASSERT_GE(large.frames.size(), 1u);
        }
      }
    }
  }
}

}  // namespace
}  // namespace weir
