// SPDX-License-Identifier: Apache-2.0
//
// Frame totals of a folder of real captures, when there is one: ../shared/captures beside the
// source, or captures in the folder WEIR_SHARED names. INDEX.tsv there has the number capinfos
// counts in its third column, "?" where capinfos cannot read the file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/support/frame_collector.h"

namespace weir {
namespace {

// Files whose totals differ, and what weir says of them. The list is exact: one that no longer
// differs fails too.
const std::map<std::string, std::string> kExceptions = {
    // Solaris snoop format, which is neither pcap nor pcapng.
    {"PcapPlusPlus/Tests/ExamplesTest/pcap_examples/solaris.snoop",
     "not a pcap or pcapng capture: it begins with 73 6e 6f 6f"},
    // A gzip file in spite of its name.
    {"ics/EmreEkin/BOOTP/dhcp-auth1.pcap", "compressed with gzip; decompress it first"},
};

std::filesystem::path shared_captures() {
  if (const char* shared = std::getenv("WEIR_SHARED"))
    return std::filesystem::path(shared) / "captures";
  const char* source = std::getenv("WEIR_SOURCE_DIR");
  return std::filesystem::path(source != nullptr ? source : ".") / ".." / "shared" / "captures";
}

// What came of reading a file with the given batch size.
struct Total {
  uint64_t frames = 0;
  std::string error;
  bool operator==(const Total&) const = default;
};

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
  if (outcome == Next::kError) total.error = source->error();
  return total;
}

TEST(SharedCaptures, FrameTotalsEqualCapinfos) {
  const std::filesystem::path captures = shared_captures();
  std::ifstream index(captures / "INDEX.tsv");
  if (!index) GTEST_SKIP() << "no captures in " << captures;
  std::string line;
  std::getline(index, line);  // headings
  size_t file_count = 0;
  std::set<std::string> differing;
  while (std::getline(index, line)) {
    std::istringstream row(line);
    std::string file;
    std::string size;
    std::string packets;
    std::getline(row, file, '\t');
    std::getline(row, size, '\t');
    std::getline(row, packets, '\t');
    if (packets == "?") continue;
    ++file_count;
    const Total total = count_frames(captures / file, kBatchFrameCountDefault);
    EXPECT_EQ(total, count_frames(captures / file, 7)) << file;
    if (total.frames == std::stoull(packets)) continue;
    differing.insert(file);
    const auto exception = kExceptions.find(file);
    if (exception == kExceptions.end()) {
      ADD_FAILURE() << file << ": " << total.frames << " frames, capinfos counts " << packets
                    << "; " << total.error;
      continue;
    }
    EXPECT_EQ(total.error, (captures / file).string() + ": " + exception->second);
  }
  EXPECT_GT(file_count, 0u);
  EXPECT_EQ(differing.size(), kExceptions.size());
}

}  // namespace
}  // namespace weir
