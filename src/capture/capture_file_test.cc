// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "capture/capture_sources.h"
#include "tests/support/compress.h"
#include "tests/support/frame_collector.h"

namespace weir {
namespace {

using test::Bytes;
using test::collect;
using test::collect_bytes;
using test::open_bytes;
using test::pattern_bytes;
using test::PcapngWriter;
using test::PcapWriter;
using test::Seen;
using testing::HasSubstr;

// A folder of the test's own that is removed afterwards.
class CaptureFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir_capture_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write_file(const std::string& name, const Bytes& bytes) {
    std::string path = folder_ / name;
    std::ofstream out(path, std::ios::binary);
    for (const uint8_t byte : bytes) out.put(static_cast<char>(byte));
    return path;
  }
  std::string open_error(const std::string& path) {
    std::string error;
    EXPECT_EQ(open_capture_file(path, names_, error), nullptr);
    return error;
  }
  Seen collect_file(const std::string& path) {
    std::string error;
    const auto source = open_capture_file(path, names_, error);
    if (source == nullptr) {
      Seen seen;
      seen.outcome = Next::kError;
      seen.error = error;
      return seen;
    }
    EXPECT_EQ(source->name(), path);
    return collect(*source);
  }

  std::filesystem::path folder_;
  InterfaceNames names_;
};

// More than four memory blocks of frames of all sizes, so that many of them lie across a block's
// end.
Bytes large_capture(size_t* frame_count) {
  PcapWriter file(std::endian::little);
  *frame_count = 0;
  while (file.size() < 2'300'000) {
    const size_t size = *frame_count % 97 == 0 ? 40'000 : 40 + *frame_count % 1460;
    file.record(static_cast<uint32_t>(*frame_count), 0,
                pattern_bytes(size, static_cast<uint32_t>(*frame_count)));
    ++*frame_count;
  }
  return file.bytes();
}

void write_to(int descriptor, const Bytes& bytes, size_t piece) {
  for (size_t position = 0; position < bytes.size();) {
    const ssize_t size =
        write(descriptor, bytes.data() + position, std::min(piece, bytes.size() - position));
    if (size <= 0) return;
    position += static_cast<size_t>(size);
  }
}

TEST_F(CaptureFile, OpensByContentWhateverTheName) {
  PcapWriter pcap(std::endian::little);
  pcap.record(1, 0, pattern_bytes(60, 1));
  PcapngWriter pcapng(std::endian::big);
  pcapng.section();
  pcapng.interface();
  pcapng.enhanced(0, 1, pattern_bytes(61, 1));
  EXPECT_EQ(collect_file(write_file("a.pcapng", pcap.bytes())).frames.at(0).bytes.size(), 60u);
  EXPECT_EQ(collect_file(write_file("b.txt", pcapng.bytes())).frames.at(0).bytes.size(), 61u);
  const std::string symlink = folder_ / "link";
  std::filesystem::create_symlink(folder_ / "b.txt", symlink);
  EXPECT_EQ(collect_file(symlink).frames.size(), 1u);
}

TEST_F(CaptureFile, InterfaceIsThePathAsGiven) {
  PcapWriter pcap(std::endian::little);
  pcap.record(1, 0, pattern_bytes(60, 1));
  const std::string path = write_file("a.pcap", pcap.bytes());
  EXPECT_EQ(names_.name(collect_file(path).frames.at(0).interface), path);
}

TEST_F(CaptureFile, WhatCannotBeOpenedGetsOneClearLine) {
  const auto path = [this](const char* name) { return (folder_ / name).string(); };
  EXPECT_EQ(open_error(path("none")), path("none") + ": no such file or directory");
  EXPECT_EQ(open_error(folder_), folder_.string() + ": is a directory, not a capture file");
  EXPECT_EQ(open_error(write_file("empty", {})), path("empty") + ": is empty, not a capture file");
  EXPECT_EQ(open_error(write_file("text", {'h', 'e', 'l', 'l', 'o'})),
            path("text") + ": not a pcap, pcapng or snoop capture: it begins with 68 65 6c 6c");
  EXPECT_EQ(open_error(write_file("short", {0xd4, 0xc3})),
            path("short") + ": not a pcap, pcapng or snoop capture: it begins with d4 c3");
  EXPECT_EQ(open_error(write_file("header", {0xd4, 0xc3, 0xb2, 0xa1, 2, 0})),
            path("header") + ": byte 0: file header cut short: 24 bytes needed, 6 present");
  EXPECT_EQ(open_error(write_file("bz2", {'B', 'Z', 'h', '9'})),
            path("bz2") + ": not a capture: compressed with bzip2; decompress it first");
  EXPECT_THAT(open_error(write_file("zip", {'P', 'K', 3, 4, 0})), HasSubstr("with zip;"));
  std::filesystem::create_symlink(path("loop"), path("loop"));
  EXPECT_EQ(open_error(path("loop")), path("loop") + ": too many levels of symbolic links");
  EXPECT_EQ(collect_file("/dev/null").error, "/dev/null: is empty, not a capture file");
}

TEST_F(CaptureFile, UnreadableFileSaysSo) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may read everything";
  const std::string path = write_file("secret", PcapWriter(std::endian::little).bytes());
  std::filesystem::permissions(path, std::filesystem::perms::none);
  EXPECT_EQ(open_error(path), path + ": permission denied");
}

TEST_F(CaptureFile, EveryBatchSizeGivesTheSameFrames) {
  size_t frame_count = 0;
  const Bytes bytes = large_capture(&frame_count);
  const Seen expected = collect_bytes(bytes);
  ASSERT_EQ(expected.frames.size(), frame_count);
  for (const uint32_t batch_size : {1u, 7u, 64u, kBatchFrameCountMax}) {
    const Seen seen = collect_bytes(bytes, batch_size);
    EXPECT_EQ(seen.frames, expected.frames);
    EXPECT_LE(seen.largest_batch, batch_size);
    EXPECT_EQ(seen.outcome, Next::kEnd);
  }
}

TEST_F(CaptureFile, HeldBatchesKeepTheirBytesAndMayBeReleasedInAnyOrder) {
  size_t frame_count = 0;
  const Bytes bytes = large_capture(&frame_count);
  const Seen expected = collect_bytes(bytes);
  constexpr uint64_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  for (const size_t held_max : {2u, 5u, 40u, 1000u}) {
    for (const size_t read_size : {size_t{5000}, SIZE_MAX}) {
      InterfaceNames names;
      const auto source = open_bytes(bytes, names, read_size);
      source->set_batch_size(16);
      EXPECT_EQ(collect(*source, held_max, kSeed).frames,
                expected.frames);  // compares the bytes at release
    }
  }
}

// What keeps the frames of a single thread in the processor's cache.
TEST_F(CaptureFile, BatchesReleasedInTurnUseTheSameMemoryAgain) {
  PcapWriter file(std::endian::little);
  while (file.size() < 3'000'000) file.record(1, 0, pattern_bytes(60, 1));
  for (const size_t read_size : {size_t{5000}, SIZE_MAX}) {
    const auto source = open_bytes(file.bytes(), names_, read_size);
    uintptr_t lowest = UINTPTR_MAX;
    uintptr_t highest = 0;
    Batch batch;
    while (source->next(batch) == Next::kData) {
      lowest = std::min(lowest, reinterpret_cast<uintptr_t>(batch.frames.front().data));
      highest = std::max(highest, reinterpret_cast<uintptr_t>(batch.frames.back().data));
      source->release(batch);
    }
    EXPECT_LT(highest - lowest, 160u * 1024);
  }
}

TEST_F(CaptureFile, StatisticsCountWhatWasHandedOut) {
  PcapWriter file(std::endian::little);
  file.record(1, 0, pattern_bytes(60, 1), 1500);
  file.record(1, 0, pattern_bytes(40, 1));
  file.record(1, 0, Bytes(kFrameSizeMax + 1));
  InterfaceNames names;
  const auto source = open_bytes(file.bytes(), names);
  collect(*source);
  EXPECT_EQ(source->statistics().delivered.frames, 3u);
  EXPECT_EQ(source->statistics().delivered.bytes, 1500u + 40u + kFrameSizeMax + 1);
  EXPECT_EQ(source->statistics().dropped, 0u);
}

// The same file from the disk and through a FIFO: frames and message are the same for every cut.
TEST_F(CaptureFile, FileAndFifoAgreeOnEveryTruncation) {
  PcapWriter pcap(std::endian::big);
  PcapngWriter pcapng(std::endian::little);
  pcapng.section();
  pcapng.interface(1, {{9, {9}}});
  for (uint32_t i = 0; i < 3; ++i) {
    pcap.record(i, 0, pattern_bytes(20 + i, i));
    pcapng.enhanced(0, i, pattern_bytes(20 + i, i));
  }
  const std::string fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const Bytes& all : {pcap.bytes(), pcapng.bytes()}) {
    for (size_t cut = 0; cut <= all.size(); ++cut) {
      const Bytes bytes(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut));
      const std::string path = write_file("file", bytes);
      Seen from_file = collect_file(path);

      std::string error;
      const auto source = open_capture_file(fifo, names_, error);  // does not wait for a writer
      ASSERT_NE(source, nullptr) << error;
      const int writer = open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
      ASSERT_GE(writer, 0);
      write_to(writer, bytes, 11);  // fits into the pipe
      close(writer);
      const Seen from_fifo = collect(*source);
      ASSERT_EQ(from_fifo.outcome, from_file.outcome) << "cut at " << cut;
      ASSERT_EQ(from_fifo.frames.size(), from_file.frames.size());
      for (size_t i = 0; i < from_file.frames.size(); ++i) {
        ASSERT_EQ(from_fifo.frames[i].bytes, from_file.frames[i].bytes);
        ASSERT_EQ(from_fifo.frames[i].file_offset, from_file.frames[i].file_offset);
      }
      if (from_file.outcome == Next::kError) {
        ASSERT_EQ(from_fifo.error.substr(fifo.size()), from_file.error.substr(path.size()));
      }
    }
  }
}

TEST_F(CaptureFile, StandardInputIsReadFromAPipe) {
  size_t frame_count = 0;
  const Bytes plain = large_capture(&frame_count);
  for (const Bytes& bytes : {plain, test::compress(test::Codec::kZstd, plain)}) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const int saved = dup(STDIN_FILENO);
    ASSERT_EQ(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    std::thread writer([&] {
      write_to(ends[1], bytes, 9999);
      close(ends[1]);
    });
    const Seen seen = collect_file("-");
    writer.join();
    dup2(saved, STDIN_FILENO);
    close(saved);
    EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
    EXPECT_EQ(seen.frames.size(), frame_count);
  }
}

// A live writer must not be made to wait for a full batch: what has arrived is handed out.
TEST_F(CaptureFile, FramesThatArrivedAreNotHeldBack) {
  const std::string fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::string error;
  const auto source = open_capture_file(fifo, names_, error);
  ASSERT_NE(source, nullptr);
  const int writer = open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  PcapWriter file(std::endian::little);
  file.record(1, 0, pattern_bytes(60, 1));
  write_to(writer, file.bytes(), file.size());
  Batch batch;
  ASSERT_EQ(source->next(batch), Next::kData);
  EXPECT_EQ(batch.frames.size(), 1u);
  source->release(batch);
  close(writer);
  EXPECT_EQ(source->next(batch), Next::kEnd);
}

TEST_F(CaptureFile, StopWakesAWaitForAWriterAndForBytes) {
  const std::string fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const bool has_writer : {false, true}) {
    std::string error;
    const auto source = open_capture_file(fifo, names_, error);
    ASSERT_NE(source, nullptr);
    const int writer = has_writer ? open(fifo.c_str(), O_WRONLY | O_CLOEXEC) : -1;
    if (has_writer) write_to(writer, PcapWriter(std::endian::little).bytes(), 24);
    std::chrono::steady_clock::time_point stopped_at;
    std::thread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(60));
      stopped_at = std::chrono::steady_clock::now();
      source->stop();
    });
    Batch batch;
    EXPECT_EQ(source->next(batch), Next::kEnd);
    const auto woken_at = std::chrono::steady_clock::now();
    stopper.join();
    // 100 ms by contract; a loaded test machine gets more.
    EXPECT_LT(woken_at - stopped_at, std::chrono::milliseconds(1000));
    EXPECT_EQ(source->next(batch), Next::kEnd);
    if (has_writer) close(writer);
  }
}

TEST_F(CaptureFile, StopEndsAFileThatIsNotReadYet) {
  PcapWriter file(std::endian::little);
  file.record(1, 0, pattern_bytes(60, 1));
  InterfaceNames names;
  const auto source = open_bytes(file.bytes(), names);
  source->stop();
  Batch batch;
  EXPECT_EQ(source->next(batch), Next::kEnd);
}

TEST(CaptureSources, ListOpensByName) {
  ASSERT_FALSE(capture_source_kinds().empty());
  const CaptureSourceKind* kind = find_capture_source_kind("file");
  ASSERT_NE(kind, nullptr);
  InterfaceNames names;
  std::string error;
  EXPECT_EQ(kind->open("/nonexistent", names, error), nullptr);
  EXPECT_EQ(error, "/nonexistent: no such file or directory");
  EXPECT_EQ(find_capture_source_kind("carrier_pigeon"), nullptr);
}

TEST(InterfaceNames, SameNameHasSameIndex) {
  InterfaceNames names;
  const uint32_t a = names.intern("a");
  const uint32_t b = names.intern("b");
  EXPECT_NE(a, b);
  EXPECT_EQ(names.intern("a"), a);
  EXPECT_EQ(names.name(b), "b");
  EXPECT_EQ(names.size(), 2u);
}

}  // namespace
}  // namespace weir
