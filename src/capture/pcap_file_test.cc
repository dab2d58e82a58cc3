// SPDX-License-Identifier: Apache-2.0
#include "capture/pcap_file.h"

#include <gtest/gtest.h>

#include "tests/support/frame_collector.h"

namespace weir {
namespace {

using test::Bytes;
using test::collect_bytes;
using test::pattern_bytes;
using test::PcapWriter;
using test::Seen;

constexpr std::endian kOrders[] = {std::endian::little, std::endian::big};

TEST(PcapFile, ReadsAllMagicsInBothByteOrders) {
  struct Case {
    uint32_t magic;
    int64_t unit_ns;
  };
  for (const Case& magic :
       {Case{PcapWriter::kMicroseconds, 1000}, Case{PcapWriter::kNanoseconds, 1},
        Case{PcapWriter::kKuznetzov, 1000}}) {
    for (const std::endian order : kOrders) {
      PcapWriter file(order, magic.magic, 113);
      const Bytes first = pattern_bytes(60, 1);
      const Bytes second = pattern_bytes(3, 2);
      const uint64_t first_offset = file.record(1'700'000'000, 999'999, first, 1500);
      const uint64_t second_offset = file.record(4'294'967'295, 5, second);
      const Seen seen = collect_bytes(file.bytes());
      ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
      ASSERT_EQ(seen.frames.size(), 2u);
      EXPECT_EQ(seen.frames[0].bytes, first);
      EXPECT_EQ(seen.frames[0].wire_size, 1500u);
      EXPECT_EQ(seen.frames[0].ts_ns, 1'700'000'000'000'000'000 + 999'999 * magic.unit_ns);
      EXPECT_EQ(seen.frames[0].file_offset, first_offset);
      EXPECT_EQ(seen.frames[0].link_type, 113);
      EXPECT_EQ(seen.frames[1].bytes, second);
      EXPECT_EQ(seen.frames[1].wire_size, 3u);
      EXPECT_EQ(seen.frames[1].ts_ns, 4'294'967'295'000'000'000 + 5 * magic.unit_ns);
      EXPECT_EQ(seen.frames[1].file_offset, second_offset);
    }
  }
}

// Ixia's captures have four more bytes of file header, which a cut may go through.
TEST(PcapFile, IxiaHeaderIsLonger) {
  struct Case {
    uint32_t magic;
    int64_t unit_ns;
  };
  for (const Case& ixia : {Case{0x1c0001ac, 1}, Case{0x1c0001ab, 1000}}) {
    for (const std::endian order : kOrders) {
      PcapWriter file(order, ixia.magic, 1);
      file.record(1, 5, pattern_bytes(60, 1));
      Bytes bytes = file.bytes();
      bytes.insert(bytes.begin() + 24, {0, 0, 0, 76});
      const Seen seen = collect_bytes(bytes);
      ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
      ASSERT_EQ(seen.frames.size(), 1u);
      EXPECT_EQ(seen.frames[0].bytes, pattern_bytes(60, 1));
      EXPECT_EQ(seen.frames[0].ts_ns, 1'000'000'000 + 5 * ixia.unit_ns);
      EXPECT_EQ(seen.frames[0].file_offset, 28u);
      bytes.resize(26);
      EXPECT_EQ(collect_bytes(bytes).error,
                "x.pcap: byte 0: file header cut short: 28 bytes needed, 26 present");
    }
  }
}

TEST(PcapFile, AixWritesInterfaceTypesAndNanoseconds) {
  struct Case {
    uint32_t network;
    uint16_t link_type;
    int64_t unit_ns;
  };
  for (const Case& aix :
       {Case{6, 1, 1}, Case{9, 6, 1}, Case{15, 10, 1}, Case{24, 0, 1}, Case{1, 1, 1000}}) {
    PcapWriter file(std::endian::big, PcapWriter::kMicroseconds, aix.network, 2);
    file.record(1, 5, pattern_bytes(60, 1));
    const Seen seen = collect_bytes(file.bytes());
    ASSERT_EQ(seen.frames.size(), 1u) << seen.error;
    EXPECT_EQ(seen.frames[0].link_type, aix.link_type);
    EXPECT_EQ(seen.frames[0].ts_ns, 1'000'000'000 + 5 * aix.unit_ns);
  }
}

TEST(PcapFile, DgUxSwapsTheLengths) {
  PcapWriter file(std::endian::big);
  file.record(1, 0, pattern_bytes(60, 1), 60, 1500);  // original length first
  Bytes bytes = file.bytes();
  bytes[4] = 543 >> 8;
  bytes[5] = 543 & 0xff;
  bytes[7] = 0;
  const Seen seen = collect_bytes(bytes);
  ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
  ASSERT_EQ(seen.frames.size(), 1u);
  EXPECT_EQ(seen.frames[0].bytes.size(), 60u);
  EXPECT_EQ(seen.frames[0].wire_size, 1500u);
}

TEST(PcapFile, FileWithoutFramesIsFine) {
  const Seen seen = collect_bytes(PcapWriter(std::endian::big).bytes());
  EXPECT_EQ(seen.outcome, Next::kEnd);
  EXPECT_TRUE(seen.frames.empty());
}

TEST(PcapFile, LinkTypeIsLowHalfOfNetworkField) {
  PcapWriter file(std::endian::little, PcapWriter::kMicroseconds,
                  0x54000001);  // FCS of 4 bytes announced
  file.record(1, 0, pattern_bytes(64, 1));
  EXPECT_EQ(collect_bytes(file.bytes()).frames.at(0).link_type, 1);
}

TEST(PcapFile, MicrosecondsOverASecondAreAdded) {
  PcapWriter file(std::endian::little);
  file.record(1, 2'500'000, {});
  file.record(0xffffffff, 0xffffffff, {});
  const Seen seen = collect_bytes(file.bytes());
  EXPECT_EQ(seen.frames.at(0).ts_ns, 3'500'000'000);
  EXPECT_EQ(seen.frames.at(1).ts_ns, 4'294'967'295'000'000'000 + 4'294'967'295'000);
}

TEST(PcapFile, KeepsBothLengthsWhenOriginalIsSmaller) {
  PcapWriter file(std::endian::little);
  file.record(1, 0, pattern_bytes(60, 1), 40);
  file.record(1, 0, pattern_bytes(60, 2), 0);
  const Seen seen = collect_bytes(file.bytes());
  EXPECT_EQ(seen.frames.at(0).bytes.size(), 60u);
  EXPECT_EQ(seen.frames.at(0).wire_size, 40u);
  EXPECT_EQ(seen.frames.at(1).wire_size, 0u);
}

TEST(PcapFile, LengthsMayBeInEitherOrderBeforeVersionTwoFour) {
  for (const uint16_t minor : {uint16_t{0}, uint16_t{2}, uint16_t{3}}) {
    PcapWriter file(std::endian::little, PcapWriter::kMicroseconds, 1, minor);
    file.record(1, 0, pattern_bytes(60, 1), 60, 1500);  // original length first
    file.record(2, 0, pattern_bytes(60, 2), 1500);      // captured length first
    const uint64_t cut = file.record(3, 0, pattern_bytes(10, 3), 60, 900'000);
    const Seen seen = collect_bytes(file.bytes());
    ASSERT_EQ(seen.frames.size(), 2u) << seen.error;
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(seen.frames[i].bytes, pattern_bytes(60, static_cast<uint32_t>(i + 1)));
      EXPECT_EQ(seen.frames[i].wire_size, 1500u);
    }
    EXPECT_EQ(seen.error, "x.pcap: byte " + std::to_string(cut) +
                              ": record cut short: 60 bytes announced, 10 present");
  }
}

TEST(PcapFile, LongestFrameIsReadAndALongerOneDeliveredWithoutBytes) {
  for (const size_t read_size : {size_t{70'000}, SIZE_MAX}) {
    PcapWriter file(std::endian::little);
    const Bytes longest = pattern_bytes(kFrameSizeMax, 1);
    file.record(1, 0, longest);
    const uint64_t offset = file.record(2, 0, Bytes(kFrameSizeMax + 1), 700'000);
    file.record(3, 0, Bytes(3'000'000));
    file.record(4, 0, pattern_bytes(60, 2));
    const Seen seen = collect_bytes(file.bytes(), 256, read_size);
    ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
    ASSERT_EQ(seen.frames.size(), 4u);
    EXPECT_EQ(seen.frames[0].bytes, longest);
    EXPECT_FALSE(seen.frames[0].is_oversized);
    EXPECT_TRUE(seen.frames[1].is_oversized);
    EXPECT_TRUE(seen.frames[1].bytes.empty());
    EXPECT_EQ(seen.frames[1].wire_size, 700'000u);
    EXPECT_EQ(seen.frames[1].ts_ns, 2'000'000'000);
    EXPECT_EQ(seen.frames[1].file_offset, offset);
    EXPECT_TRUE(seen.frames[2].is_oversized);
    EXPECT_EQ(seen.frames[3].bytes, pattern_bytes(60, 2));
    EXPECT_FALSE(seen.frames[3].is_oversized);
  }
}

// Kuznetzov's longer record headers are never taken by the loop for plain records: the same records
// with them are what that loop is compared with. One slot after the other is used again for plain,
// empty and oversized frames.
TEST(PcapFile, RunsOfPlainRecordsEqualRecordsTakenOneByOne) {
  for (const std::endian order : kOrders) {
    PcapWriter plain(order);
    PcapWriter general(order, PcapWriter::kKuznetzov);
    std::vector<uint64_t> plain_offsets;
    std::vector<uint64_t> general_offsets;
    for (uint32_t i = 0; i < 3000; ++i) {
      const size_t size = i % 500 == 250 ? kFrameSizeMax + 1 : i * 7919 % 1500;
      const Bytes bytes = pattern_bytes(size, i);
      const uint32_t wire_size = i % 3 == 0 ? static_cast<uint32_t>(size) : 0xffffffff - i;
      const uint32_t seconds = i % 11 == 0 ? 0xffffffff : i;
      const uint32_t fraction = i % 13 == 0 ? 0xffffffff : 999'999;
      plain_offsets.push_back(plain.record(seconds, fraction, bytes, wire_size));
      general_offsets.push_back(general.record(seconds, fraction, bytes, wire_size));
    }
    Seen expected = collect_bytes(general.bytes());
    ASSERT_EQ(expected.frames.size(), general_offsets.size()) << expected.error;
    for (size_t i = 0; i < expected.frames.size(); ++i) {
      ASSERT_EQ(expected.frames[i].file_offset, general_offsets[i]);
      expected.frames[i].file_offset = plain_offsets[i];
    }
    for (const uint32_t batch_size : {1u, 5u, 256u}) {
      for (const size_t read_size : {size_t{999}, SIZE_MAX}) {
        const Seen seen = collect_bytes(plain.bytes(), batch_size, read_size);
        ASSERT_EQ(seen.frames.size(), expected.frames.size()) << seen.error;
        ASSERT_TRUE(seen.frames == expected.frames);
      }
    }
  }
}

TEST(PcapFile, CutInsideLongRecordNamesItAndKeepsWhatCameBefore) {
  PcapWriter file(std::endian::big);
  file.record(1, 0, pattern_bytes(60, 1));
  const uint64_t offset = file.record(2, 0, Bytes(1'000'000), {}, 2'000'000);
  const Seen seen = collect_bytes(file.bytes());
  EXPECT_EQ(seen.frames.size(), 1u);
  EXPECT_EQ(seen.outcome, Next::kError);
  EXPECT_EQ(seen.error, "x.pcap: byte " + std::to_string(offset) +
                            ": record cut short: 2000000 bytes announced, 1000000 present");
}

TEST(PcapFile, AbsurdLengthStopsWithItsOffset) {
  PcapWriter file(std::endian::little);
  file.record(1, 0, pattern_bytes(60, 1));
  const uint64_t offset = file.record(2, 0, pattern_bytes(60, 2), {}, 0xffffffff);
  file.record(3, 0, pattern_bytes(60, 3));
  const Seen seen = collect_bytes(file.bytes());
  EXPECT_EQ(seen.frames.size(), 1u);
  EXPECT_EQ(seen.error, "x.pcap: byte " + std::to_string(offset) +
                            ": record length 4294967295: at most 16777216 allowed");
}

// Every prefix of a small file, whole reads and reads of one byte: the frames before the cut are
// there and the message names the record that is cut.
TEST(PcapFile, EveryTruncationKeepsFramesBeforeItAndNamesTheByte) {
  for (const std::endian order : kOrders) {
    PcapWriter file(order);
    std::vector<uint64_t> starts;
    const std::vector<size_t> sizes = {60, 0, 1, 33, 120};
    for (size_t i = 0; i < sizes.size(); ++i) {
      starts.push_back(file.record(1, 0, pattern_bytes(sizes[i], static_cast<uint32_t>(i))));
    }
    const Bytes& all = file.bytes();
    const Seen whole = collect_bytes(all);
    for (size_t cut = 0; cut <= all.size(); ++cut) {
      size_t complete = 0;
      uint64_t end = 24;
      while (complete < starts.size() && end + 16 + sizes[complete] <= cut)
        end += 16 + sizes[complete++];
      std::string error;
      const std::string at = "x.pcap: byte " + std::to_string(end) + ": ";
      if (cut == 0) {
        error = "x.pcap: is empty, not a capture file";
      } else if (cut < 4) {
        error = "x.pcap: not a pcap, pcapng or snoop capture: it begins with";
      } else if (cut < 24) {
        error = "x.pcap: byte 0: file header cut short: 24 bytes needed, " + std::to_string(cut) +
                " present";
      } else if (cut > end && cut < end + 16) {
        error = at + "record header cut short: 16 bytes needed, " + std::to_string(cut - end) +
                " present";
      } else if (cut > end) {
        error = at + "record cut short: " + std::to_string(sizes[complete]) + " bytes announced, " +
                std::to_string(cut - end - 16) + " present";
      }
      for (const size_t read_size : {size_t{1}, SIZE_MAX}) {
        const Seen seen = collect_bytes(
            Bytes(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut)), 2, read_size);
        ASSERT_EQ(seen.frames.size(), complete) << "cut at " << cut;
        ASSERT_TRUE(std::equal(seen.frames.begin(), seen.frames.end(), whole.frames.begin()));
        ASSERT_EQ(seen.outcome, error.empty() ? Next::kEnd : Next::kError) << "cut at " << cut;
        ASSERT_EQ(seen.error.substr(0, cut < 4 ? error.size() : std::string::npos), error);
      }
    }
  }
}

// The captured length of one record takes every kind of wrong value: the frames before it stay.
TEST(PcapFile, WrongLengthFieldsNeverLoseFramesBeforeThem) {
  for (const uint32_t length :
       {0u, 1u, 59u, 61u, 75u, 76u, 77u, 136u, 65'535u, kFrameSizeMax, kFrameSizeMax + 1,
        16'777'216u, 16'777'217u, 0x7fffffffu, 0x80000000u, 0xfffffff0u, 0xffffffffu}) {
    PcapWriter file(std::endian::little);
    file.record(1, 0, pattern_bytes(60, 1));
    file.record(2, 0, pattern_bytes(60, 2), {}, length);
    file.record(3, 0, pattern_bytes(60, 3));
    const Seen seen = collect_bytes(file.bytes());
    ASSERT_GE(seen.frames.size(), 1u);
    EXPECT_EQ(seen.frames[0].bytes, pattern_bytes(60, 1));
    if (length > 136) {
      EXPECT_EQ(seen.frames.size(), 1u);
      EXPECT_EQ(seen.outcome, Next::kError);
      EXPECT_NE(seen.error.find("byte 100: "), std::string::npos) << seen.error;
    }
  }
}

}  // namespace
}  // namespace weir
