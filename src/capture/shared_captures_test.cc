// SPDX-License-Identifier: Apache-2.0
//
// Frame totals of a folder of real captures, when there is one: ../shared/captures beside the
// source, or captures in the folder WEIR_SHARED names. INDEX.tsv there has the number capinfos
// counts in its third column, "?" where it (or the tool that made the index) cannot read the file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/byte_reader.h"
#include "capture/input_files.h"
#include "capture/pcapng_file.h"
#include "tests/support/compress.h"
#include "tests/support/frame_collector.h"

namespace weir {
namespace {

using test::Bytes;
using test::Seen;

// What came of reading a file.
struct Total {
  uint64_t frames = 0;
  std::string error;  // without the path
  bool operator==(const Total&) const = default;
};

// The files capinfos cannot read, and what weir says of them. The list is exact.
const std::map<std::string, Total> kUnreadByCapinfos = {
    // Link types Wireshark 4.0 does not know do not matter for reading: Broadcom tags, DSA tags,
    // FRF.16 frames behind a pseudo-header, and numbers nobody assigned.
    {"libpcap/tests/filter/brcm-tag.pcap", {15, ""}},
    {"libpcap/tests/filter/dsa.pcap", {8, ""}},
    {"tcpdump/tests/brcm-tag-prepend.pcap", {15, ""}},
    {"tcpdump/tests/brcm-tag.pcap", {23, ""}},
    {"tcpdump/tests/frf16_magic_ie-oobr.pcap", {1, ""}},
    {"tcpdump/tests/vtp_asan-2.pcap", {1, ""}},
    {"tcpdump/tests/vtp_asan-3.pcap", {1, ""}},
    {"tcpdump/tests/vtp_asan.pcap", {5, ""}},
    // Reserved bits above the link type are not looked at; the file has no frames.
    {"libpcap/tests/linktype-reserved-field-not-zero.pcap", {0, ""}},
    // Damaged from the start.
    {"libpcap/tests/pcapng-invalid-vers-1.pcapng",
     {0, "byte 0: pcapng version 0: only 1 is known"}},
    {"libpcap/tests/shb-option-too-long.pcapng",
     {0, "byte 0: block length 52 at its start, 808464432 at its end"}},
    // Damaged behind some frames.
    {"scapy/test/pcaps/bad_rsn_parsing_overrides_ssid.pcap",
     {1, "byte 359: record header cut short: 16 bytes needed, 1 present"}},
    {"suricata/bug-1450-05/tls_DER-incomplete-content.pcap",
     {6, "byte 5035: record cut short: 4325376 bytes announced, 645 present"}},
    {"suricata/smtp-to-comma/10.7.29.101_49898-178.63.41.150_25.pcap",
     {18, "byte 3695: record length 3925868813: at most 16777216 allowed"}},
};

std::filesystem::path shared_captures() {
  if (const char* shared = std::getenv("WEIR_SHARED"))
    return std::filesystem::path(shared) / "captures";
  const char* source = std::getenv("WEIR_SOURCE_DIR");
  return std::filesystem::path(source != nullptr ? source : ".") / ".." / "shared" / "captures";
}

Total count_frames(const std::filesystem::path& path, uint32_t batch_size) {
  Total total;
  InterfaceNames names;
  const auto source = open_capture_file(path, names, total.error);
  if (source == nullptr) return total;
  source->set_batch_size(batch_size);
  Batch batch;
  Next outcome = Next::kData;
  uint64_t end = 0;
  while ((outcome = source->next(batch)) == Next::kData) {
    for (const Frame& frame : batch.frames) {
      EXPECT_GE(frame.file_offset, end) << path;
      EXPECT_GE(frame.ts_ns, 0) << path;
      end = frame.file_offset + frame.captured_size;
    }
    total.frames += batch.frames.size();
    source->release(batch);
  }
  if (outcome == Next::kError) total.error = source->error().substr(path.string().size() + 2);
  return total;
}

struct IndexRow {
  std::string file;
  std::string packets;
};

// The rows of INDEX.tsv; empty when there are no captures.
std::vector<IndexRow> index_rows() {
  std::vector<IndexRow> rows;
  std::ifstream index(shared_captures() / "INDEX.tsv");
  std::string line;
  std::getline(index, line);  // headings
  while (std::getline(index, line)) {
    std::istringstream row(line);
    IndexRow& added = rows.emplace_back();
    std::string size;
    std::getline(row, added.file, '\t');
    std::getline(row, size, '\t');
    std::getline(row, added.packets, '\t');
  }
  return rows;
}

Bytes read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return Bytes(text.begin(), text.end());
}

TEST(SharedCaptures, FrameTotalsEqualCapinfos) {
  const std::filesystem::path captures = shared_captures();
  const std::vector<IndexRow> rows = index_rows();
  if (rows.empty()) GTEST_SKIP() << "no captures in " << captures;
  size_t unread_count = 0;
  for (const IndexRow& row : rows) {
    const Total total = count_frames(captures / row.file, kBatchFrameCountDefault);
    EXPECT_EQ(total, count_frames(captures / row.file, 7)) << row.file;
    if (row.packets != "?") {
      EXPECT_EQ(total.frames, std::stoull(row.packets)) << row.file << ": " << total.error;
      continue;
    }
    ++unread_count;
    const auto known = kUnreadByCapinfos.find(row.file);
    ASSERT_NE(known, kUnreadByCapinfos.end()) << row.file;
    EXPECT_EQ(total.frames, known->second.frames) << row.file;
    EXPECT_EQ(total.error, known->second.error) << row.file;
  }
  EXPECT_EQ(unread_count, kUnreadByCapinfos.size());
}

// Rewrites a pcapng file in the other byte order: what a machine of that order would have written.
class ByteOrderSwapper {
 public:
  static Bytes swap(const Bytes& bytes) {
    ByteOrderSwapper swapper;
    ByteReader reader(bytes);
    while (reader.remaining() > 0) swapper.block(reader);
    return swapper.out_.bytes();
  }

 private:
  void block(ByteReader& reader) {
    const uint32_t type = reader.le32();
    const uint32_t size = reader.le32();
    out_.u32(type);
    out_.u32(size);
    ByteReader body = reader.prefix(size - 12);
    reader.skip(size - 12);
    switch (type) {
      case 0x0a0d0d0a:
        out_.u32(body.le32());
        out_.u16(body.le16());
        out_.u16(body.le16());
        out_.u64(body.le64());
        break;
      case 1:
        out_.u16(body.le16());
        out_.u16(body.le16());
        out_.u32(body.le32());
        options(body);
        break;
      case 3:
        out_.u32(body.le32());
        break;
      case 5:
      case 6: {
        for (int i = 0; i < 3; ++i) out_.u32(body.le32());
        if (type == 6) {
          const uint32_t captured_size = body.le32();
          out_.u32(captured_size);
          out_.u32(body.le32());
          out_.raw(body.bytes((captured_size + 3) / 4 * 4));
        }
        options(body);
        break;
      }
      default:
        break;
    }
    out_.raw(body.bytes(body.remaining()));
    out_.u32(reader.le32());
  }
  void options(ByteReader& body) {
    while (body.remaining() >= 4) {
      const uint16_t code = body.le16();
      const uint16_t size = body.le16();
      out_.u16(code);
      out_.u16(size);
      if (size == 8) {
        out_.u64(body.le64());
      } else if (size == 4) {
        out_.u32(body.le32());
      } else {
        out_.raw(body.bytes((size + 3u) / 4 * 4));
      }
    }
  }

  test::ByteWriter out_{std::endian::big};
};

bool is_conformance_file(const std::string& file) {
  return file.starts_with("libpcap/") || file.starts_with("PcapPlusPlus/") ||
         file.starts_with("wireshark/");
}

// The libraries' own pcapng captures, as they are and in the other byte order.
TEST(SharedCaptures, PcapngIsTheSameInBothByteOrders) {
  const std::filesystem::path captures = shared_captures();
  const std::vector<IndexRow> rows = index_rows();
  if (rows.empty()) GTEST_SKIP() << "no captures in " << captures;
  size_t file_count = 0;
  for (const IndexRow& row : rows) {
    if (!is_conformance_file(row.file) || row.packets == "?") continue;
    const Bytes bytes = read_bytes(captures / row.file);
    if (bytes.size() > 1'000'000 || !PcapngParser::knows(bytes)) continue;
    const Seen little = test::collect_bytes(bytes);
    if (little.outcome != Next::kEnd) continue;
    const Seen big = test::collect_bytes(ByteOrderSwapper::swap(bytes));
    ++file_count;
    EXPECT_EQ(big.outcome, Next::kEnd) << row.file << ": " << big.error;
    EXPECT_EQ(big.frames, little.frames) << row.file;
    EXPECT_EQ(std::to_string(little.frames.size()), row.packets) << row.file;
  }
  EXPECT_GT(file_count, 10u);
}

// Small captures of all kinds, as they are and compressed, cut at every byte: the frames before the
// cut stay, and the end is either clean or one line.
TEST(SharedCaptures, EveryTruncationOfSmallCapturesKeepsTheFramesBeforeIt) {
  constexpr size_t kSizeMax = 600;
  constexpr size_t kFileCountMax = 16;
  const std::filesystem::path captures = shared_captures();
  const std::vector<IndexRow> rows = index_rows();
  if (rows.empty()) GTEST_SKIP() << "no captures in " << captures;
  size_t file_count = 0;
  for (const IndexRow& row : rows) {
    const std::filesystem::path path = captures / row.file;
    if (std::filesystem::file_size(path) > kSizeMax || file_count == kFileCountMax) continue;
    const Bytes plain = read_bytes(path);
    const test::Codec codec = test::kCodecs[file_count % std::size(test::kCodecs)];
    ++file_count;
    for (const Bytes& all : {plain, test::compress(codec, plain)}) {
      const Seen whole = test::collect_bytes(all);
      for (size_t cut = 0; cut < all.size(); ++cut) {
        const Seen seen =
            test::collect_bytes(Bytes(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut)));
        ASSERT_LE(seen.frames.size(), whole.frames.size()) << row.file << " cut at " << cut;
        ASSERT_TRUE(std::equal(seen.frames.begin(), seen.frames.end(), whole.frames.begin()))
            << row.file << " cut at " << cut;
        ASSERT_EQ(seen.outcome == Next::kError, !seen.error.empty());
        ASSERT_EQ(seen.error.find('\n'), std::string::npos);
      }
    }
  }
  EXPECT_GT(file_count, 10u);
}

// The whole folder as one argument: the index and the source code in it are left out, with the
// reason.
TEST(SharedCaptures, FolderStandsForAllOfThem) {
  const std::filesystem::path captures = shared_captures();
  const std::vector<IndexRow> rows = index_rows();
  if (rows.empty()) GTEST_SKIP() << "no captures in " << captures;
  InputFiles files;
  std::string error;
  const std::string arguments[] = {captures.string()};
  ASSERT_TRUE(expand_inputs(arguments, files, error)) << error;
  EXPECT_EQ(files.files.size(), rows.size());
  EXPECT_TRUE(
      std::is_sorted(files.files.begin(), files.files.end(), [](const auto& a, const auto& b) {
        return std::filesystem::path(a) < std::filesystem::path(b);
      }));
  ASSERT_EQ(files.folders.size(), 1u);
  EXPECT_EQ(files.folders[0].taken_count, rows.size());
  ASSERT_EQ(files.folders[0].skipped.size(), 1u);
  EXPECT_EQ(files.folders[0].skipped[0].path, (captures / "INDEX.tsv").string());
}

}  // namespace
}  // namespace weir
