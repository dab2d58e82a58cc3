// SPDX-License-Identifier: Apache-2.0
#include "capture/snoop_file.h"

#include <gtest/gtest.h>

#include "tests/support/frame_collector.h"

namespace weir {
namespace {

using test::Bytes;
using test::ByteWriter;
using test::collect;
using test::collect_bytes;
using test::open_bytes;
using test::pattern_bytes;
using test::Seen;

class SnoopWriter {
 public:
  explicit SnoopWriter(uint32_t version = 2, uint32_t data_link = 4) : out_(std::endian::big) {
    out_.u64(0x736e6f6f70000000);
    out_.u32(version);
    out_.u32(data_link);
  }
  struct Record {
    uint32_t seconds = 1;
    uint32_t microseconds = 0;
    std::optional<uint32_t> wire_size = {};
    std::optional<uint32_t> captured_size = {};
    std::optional<uint32_t> record_size = {};
    uint32_t drops = 0;
    size_t padding = 0;
  };
  // Returns the offset of the record header.
  uint64_t record(std::span<const uint8_t> bytes) { return record(bytes, Record()); }
  uint64_t record(std::span<const uint8_t> bytes, const Record& record) {
    const uint64_t offset = out_.size();
    const uint32_t size = static_cast<uint32_t>(bytes.size());
    out_.u32(record.wire_size.value_or(size));
    out_.u32(record.captured_size.value_or(size));
    out_.u32(record.record_size.value_or(static_cast<uint32_t>(24 + size + record.padding)));
    out_.u32(record.drops);
    out_.u32(record.seconds);
    out_.u32(record.microseconds);
    out_.raw(bytes);
    out_.zeros(record.padding);
    return offset;
  }
  const Bytes& bytes() const { return out_.bytes(); }

 private:
  ByteWriter out_;
};

std::string at(uint64_t offset, const std::string& what) {
  return "x.pcap: byte " + std::to_string(offset) + ": " + what;
}

TEST(SnoopFile, ReadsRecordsWithAndWithoutPadding) {
  SnoopWriter file;
  const uint64_t first = file.record(
      pattern_bytes(61, 1),
      {.seconds = 4'294'967'295, .microseconds = 999'999, .wire_size = 1500, .padding = 3});
  const uint64_t second = file.record(pattern_bytes(60, 2));
  const Seen seen = collect_bytes(file.bytes());
  ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
  ASSERT_EQ(seen.frames.size(), 2u);
  EXPECT_EQ(seen.frames[0].bytes, pattern_bytes(61, 1));
  EXPECT_EQ(seen.frames[0].wire_size, 1500u);
  EXPECT_EQ(seen.frames[0].ts_ns, 4'294'967'295'999'999'000);
  EXPECT_EQ(seen.frames[0].link_type, 1);
  EXPECT_EQ(seen.frames[0].file_offset, first);
  EXPECT_EQ(seen.frames[1].bytes, pattern_bytes(60, 2));
  EXPECT_EQ(seen.frames[1].wire_size, 60u);
  EXPECT_EQ(seen.frames[1].file_offset, second);
}

TEST(SnoopFile, DataLinkTypesBecomeLinkTypes) {
  struct Case {
    uint32_t version;
    uint32_t data_link;
    uint16_t link_type;
  };
  for (const Case& link :
       {Case{2, 0, 1}, Case{2, 2, 6}, Case{2, 4, 1}, Case{2, 8, 10}, Case{2, 18, 123},
        Case{2, 0x80000005, 226}, Case{2, 7, kLinkTypeNone}, Case{2, 12, kLinkTypeNone},
        Case{4, 12, 1}, Case{5, 19, 1}, Case{3, 18, kLinkTypeNone}}) {
    SnoopWriter file(link.version, link.data_link);
    file.record(pattern_bytes(60, 1));
    const Seen seen = collect_bytes(file.bytes());
    ASSERT_EQ(seen.frames.size(), 1u) << seen.error;
    EXPECT_EQ(seen.frames[0].link_type, link.link_type);
  }
}

TEST(SnoopFile, LastDropCounterIsReported) {
  SnoopWriter file;
  file.record(pattern_bytes(60, 1), {.drops = 5});
  file.record(pattern_bytes(60, 1), {.drops = 17});
  InterfaceNames names;
  const auto source = open_bytes(file.bytes(), names);
  collect(*source);
  EXPECT_EQ(source->statistics().dropped_reported, 17u);
  EXPECT_EQ(source->statistics().dropped, 0u);
}

TEST(SnoopFile, OtherVersionsAreNotGuessed) {
  for (const uint32_t version : {0u, 1u, 6u, 0x02000000u}) {
    SnoopWriter file(version);
    file.record(pattern_bytes(60, 1));
    EXPECT_EQ(collect_bytes(file.bytes()).error,
              at(8, "snoop version " + std::to_string(version) + ": only 2 to 5 are known"));
  }
}

TEST(SnoopFile, LongFramesAndLongPaddingAreDeliveredWithoutBytes) {
  SnoopWriter file;
  file.record(Bytes(kFrameSizeMax), {.seconds = 1});
  file.record(Bytes(kFrameSizeMax + 1), {.seconds = 2});
  file.record(pattern_bytes(60, 1), {.seconds = 3, .padding = kRecordSizeMax});
  file.record(pattern_bytes(60, 1), {.seconds = 4});
  for (const size_t read_size : {size_t{1000}, SIZE_MAX}) {
    const Seen seen = collect_bytes(file.bytes(), 2, read_size);
    ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
    ASSERT_EQ(seen.frames.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(seen.frames[i].is_oversized, i == 1 || i == 2);
      EXPECT_EQ(seen.frames[i].ts_ns, static_cast<int64_t>(i + 1) * 1'000'000'000);
    }
    EXPECT_EQ(seen.frames[1].wire_size, kFrameSizeMax + 1);
  }
}

TEST(SnoopFile, WrongLengthsAreDamageAtTheRecord) {
  struct Case {
    uint32_t captured_size;
    uint32_t record_size;
    const char* what;
  };
  for (const Case& wrong :
       {Case{60, 83, "record length 83: too small for 60 captured bytes"},
        Case{0, 0, "record length 0: too small for 0 captured bytes"},
        Case{0xffffffff, 84, "record length 84: too small for 4294967295 captured bytes"},
        Case{60, 16'777'217, "record length 16777217: at most 16777216 allowed"},
        Case{60, 200, "record cut short: 200 bytes announced, 84 present"},
        Case{16'000'000, 16'777'216, "record cut short: 16777216 bytes announced, 84 present"}}) {
    SnoopWriter file;
    file.record(pattern_bytes(60, 1));
    const uint64_t offset = file.record(pattern_bytes(60, 2), {.captured_size = wrong.captured_size,
                                                               .record_size = wrong.record_size});
    const Seen seen = collect_bytes(file.bytes());
    EXPECT_EQ(seen.frames.size(), 1u);
    EXPECT_EQ(seen.error, at(offset, wrong.what));
  }
}

TEST(SnoopFile, EveryTruncationKeepsFramesBeforeItAndNamesTheByte) {
  SnoopWriter file;
  const std::vector<uint64_t> starts = {file.record(pattern_bytes(60, 1), {.padding = 4}),
                                        file.record({}), file.record(pattern_bytes(33, 2))};
  const Bytes& all = file.bytes();
  const Seen whole = collect_bytes(all);
  ASSERT_EQ(whole.frames.size(), 3u);
  for (size_t cut = 8; cut <= all.size(); ++cut) {
    const Bytes bytes(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut));
    size_t complete = 0;
    while (complete < 3 && (complete < 2 ? starts[complete + 1] : all.size()) <= cut) ++complete;
    const uint64_t start = complete < 3 ? starts[complete] : all.size();
    for (const size_t read_size : {size_t{1}, SIZE_MAX}) {
      const Seen seen = collect_bytes(bytes, 2, read_size);
      ASSERT_EQ(seen.frames.size(), complete) << "cut at " << cut;
      ASSERT_TRUE(std::equal(seen.frames.begin(), seen.frames.end(), whole.frames.begin()));
      if (cut == start) {
        ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
        continue;
      }
      const std::string present = std::to_string(cut - (cut < 16 ? 0 : start)) + " present";
      const uint64_t size = (complete < 2 ? starts[complete + 1] : all.size()) - start;
      const std::string what =
          cut < 16           ? "file header cut short: 16 bytes needed, "
          : cut - start < 24 ? "record header cut short: 24 bytes needed, "
                             : "record cut short: " + std::to_string(size) + " bytes announced, ";
      ASSERT_EQ(seen.error, at(cut < 16 ? 0 : start, what + present)) << "cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace weir
