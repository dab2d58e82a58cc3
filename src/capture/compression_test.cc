// SPDX-License-Identifier: Apache-2.0
//
// Compressed captures: every compression against the same capture uncompressed, cut and damaged.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "capture/decompressor.h"
#include "capture/record_parser.h"
#include "tests/support/compress.h"
#include "tests/support/frame_collector.h"

namespace weir {
namespace {

using test::Bytes;
using test::Codec;
using test::codec_name;
using test::collect;
using test::collect_bytes;
using test::compress;
using test::kCodecs;
using test::open_bytes;
using test::pattern_bytes;
using test::PcapngWriter;
using test::PcapWriter;
using test::Seen;
using testing::HasSubstr;
using testing::StartsWith;

// Half of every frame is noise, the other half is not, so that all kinds of compressed blocks
// occur.
Bytes capture_of(size_t size_min) {
  PcapWriter file(std::endian::little);
  for (uint32_t i = 0; file.size() < size_min; ++i) {
    Bytes bytes = pattern_bytes(20 + i % 700, i);
    bytes.resize(2 * bytes.size(), static_cast<uint8_t>(i));
    file.record(i, 0, bytes);
  }
  return file.bytes();
}

Bytes first_bytes(const Bytes& bytes, size_t size) {
  return Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
}

void append(Bytes& to, const Bytes& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::string cut_short(size_t offset, Codec codec) {
  return "x.pcap: compressed byte " + std::to_string(offset) + ": " + codec_name(codec) +
         ": cut short";
}

void expect_prefix(const Seen& seen, const Seen& whole, size_t what) {
  ASSERT_LE(seen.frames.size(), whole.frames.size()) << what;
  ASSERT_TRUE(std::equal(seen.frames.begin(), seen.frames.end(), whole.frames.begin())) << what;
}

TEST(Compression, GivesTheFramesOfTheFileItselfWithItsOffsets) {
  const Bytes bytes = capture_of(1'700'000);
  const Seen expected = collect_bytes(bytes);
  ASSERT_EQ(expected.outcome, Next::kEnd);
  for (const Codec codec : kCodecs) {
    SCOPED_TRACE(codec_name(codec));
    const Bytes compressed = compress(codec, bytes);
    for (const size_t read_size : {size_t{211}, size_t{70'000}, SIZE_MAX}) {
      InterfaceNames names;
      const auto source = open_bytes(compressed, names, read_size);
      const Seen seen = collect(*source, 5, 7);  // batches held, released in any order
      EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
      EXPECT_EQ(seen.frames, expected.frames);
    }
  }
}

TEST(Compression, ByteByByte) {
  const Bytes bytes = capture_of(3000);
  const Seen expected = collect_bytes(bytes);
  for (const Codec codec : kCodecs) {
    const Seen seen = collect_bytes(compress(codec, bytes), 1, 1);
    EXPECT_EQ(seen.outcome, Next::kEnd) << codec_name(codec) << ": " << seen.error;
    EXPECT_EQ(seen.frames, expected.frames);
  }
}

// The members' borders are anywhere in the capture, and between them is what may be there.
TEST(Compression, MembersOneAfterAnother) {
  const Bytes bytes = capture_of(20'000);
  const Seen expected = collect_bytes(bytes);
  const Bytes skippable = {0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5};
  const Bytes between[] = {Bytes(3), skippable, skippable, Bytes(8)};
  for (const Codec codec : kCodecs) {
    SCOPED_TRACE(codec_name(codec));
    const Bytes& gap = between[static_cast<size_t>(codec)];
    Bytes compressed;
    for (size_t begin = 0; begin < bytes.size();) {
      const size_t end = std::min(bytes.size(), begin + 7001);
      append(compressed, compress(codec, Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                                               bytes.begin() + static_cast<std::ptrdiff_t>(end))));
      append(compressed, gap);
      append(compressed, compress(codec, {}));
      begin = end;
    }
    append(compressed, gap);
    for (const size_t read_size : {size_t{1}, SIZE_MAX}) {
      const Seen seen = collect_bytes(compressed, 16, read_size);
      EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
      EXPECT_EQ(seen.frames, expected.frames);
    }
  }
}

TEST(Compression, ParallelZstdBeginsWithASkippableFrame) {
  const Bytes bytes = capture_of(1000);
  Bytes compressed = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 9, 9, 9, 9};
  append(compressed, compress(Codec::kZstd, bytes));
  const Seen seen = collect_bytes(compressed);
  EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
  EXPECT_EQ(seen.frames, collect_bytes(bytes).frames);
}

TEST(Compression, EveryTruncationKeepsWhatWasDecompressed) {
  PcapngWriter file(std::endian::big);
  file.section();
  file.interface();
  for (uint32_t i = 0; i < 5; ++i) file.enhanced(0, i, pattern_bytes(60 + i, i));
  const Seen whole = collect_bytes(file.bytes());
  ASSERT_EQ(whole.frames.size(), 5u);
  for (const Codec codec : kCodecs) {
    SCOPED_TRACE(codec_name(codec));
    const Bytes compressed = compress(codec, file.bytes());
    const size_t magic_size = find_compression(compressed)->magic.size();
    size_t frame_count = 0;
    for (size_t cut = 0; cut <= compressed.size(); ++cut) {
      for (const size_t read_size : {size_t{1}, SIZE_MAX}) {
        const Seen seen = collect_bytes(first_bytes(compressed, cut), 2, read_size);
        expect_prefix(seen, whole, cut);
        ASSERT_GE(seen.frames.size(), frame_count) << "less of a longer file, cut at " << cut;
        frame_count = seen.frames.size();
        if (cut == compressed.size()) {
          ASSERT_EQ(seen.outcome, Next::kEnd) << seen.error;
          ASSERT_EQ(frame_count, 5u);
        } else if (cut >= magic_size) {
          ASSERT_EQ(seen.error, cut_short(cut, codec));
        } else {
          ASSERT_THAT(seen.error, StartsWith("x.pcap: "));
        }
      }
    }
  }
}

// Checksums find every change that changes a frame; what has no meaning (a time in a header) may
// change. All bits of the first bytes, where headers are, and one of every byte behind them.
TEST(Compression, EveryByteMayBeWrong) {
  constexpr size_t kHeaderSize = 40;
  const Bytes bytes = capture_of(500);
  const Seen whole = collect_bytes(bytes);
  for (const Codec codec : kCodecs) {
    SCOPED_TRACE(codec_name(codec));
    const Bytes compressed = compress(codec, bytes);
    for (size_t bit = 0; bit < 8 * compressed.size(); bit += bit < 8 * kHeaderSize ? 1 : 9) {
      Bytes wrong = compressed;
      wrong[bit / 8] = static_cast<uint8_t>(wrong[bit / 8] ^ (1u << (bit % 8)));
      const Seen seen = collect_bytes(wrong);
      ASSERT_EQ(seen.error.find('\n'), std::string::npos);
      if (seen.outcome == Next::kEnd) {
        ASSERT_EQ(seen.frames, whole.frames) << "bit " << bit;
      } else {
        ASSERT_THAT(seen.error, StartsWith("x.pcap: ")) << "bit " << bit;
      }
    }
  }
}

TEST(Compression, DamageInTheMiddleKeepsWhatCameBefore) {
  const Bytes bytes = capture_of(1'500'000);
  const Seen whole = collect_bytes(bytes);
  for (const Codec codec : kCodecs) {
    SCOPED_TRACE(codec_name(codec));
    // Of many members or blocks, the middle one is spoiled.
    Bytes compressed;
    size_t spoiled_at = 0;
    for (size_t begin = 0; begin < bytes.size(); begin += 100'000) {
      const size_t end = std::min(bytes.size(), begin + 100'000);
      if (begin == 700'000) spoiled_at = compressed.size() + 1000;
      append(compressed, compress(codec, Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                                               bytes.begin() + static_cast<std::ptrdiff_t>(end))));
    }
    std::fill_n(compressed.begin() + static_cast<std::ptrdiff_t>(spoiled_at), 5000, uint8_t{0xff});
    for (const size_t read_size : {size_t{999}, SIZE_MAX}) {
      const Seen seen = collect_bytes(compressed, 256, read_size);
      EXPECT_EQ(seen.outcome, Next::kError);
      // Changed literals are found by the checksum behind them, or by the parser before that.
      EXPECT_THAT(seen.error, StartsWith("x.pcap: "));
      EXPECT_THAT(seen.error, HasSubstr("byte "));
      size_t before = 0;
      while (whole.frames[before].file_offset + 2000 < 700'000) ++before;
      ASSERT_GE(seen.frames.size(), before);
      EXPECT_TRUE(std::equal(whole.frames.begin(),
                             whole.frames.begin() + static_cast<std::ptrdiff_t>(before),
                             seen.frames.begin()));
    }
  }
}

TEST(Compression, WhatFollowsTheLastMemberIsDamageAfterAllFrames) {
  const Bytes bytes = capture_of(1000);
  for (const Codec codec : kCodecs) {
    Bytes compressed = compress(codec, bytes);
    append(compressed, {'g', 'a', 'r', 'b', 'a', 'g', 'e', '!', '!', '!', '!', '!', '!', '!'});
    const Seen seen = collect_bytes(compressed);
    EXPECT_EQ(seen.frames, collect_bytes(bytes).frames);
    EXPECT_EQ(seen.outcome, Next::kError) << codec_name(codec);
    EXPECT_THAT(seen.error, HasSubstr("compressed byte "));
  }
}

// A capture that ends badly inside a compression that is fine: its own offset is named.
TEST(Compression, CaptureCutInsideIsTheCapturesDamage) {
  Bytes bytes = capture_of(1000);
  bytes.resize(bytes.size() - 3);
  const Seen expected = collect_bytes(bytes);
  ASSERT_EQ(expected.outcome, Next::kError);
  for (const Codec codec : kCodecs) {
    const Seen seen = collect_bytes(compress(codec, bytes));
    EXPECT_EQ(seen.frames, expected.frames);
    EXPECT_EQ(seen.error, expected.error);
  }
}

TEST(Compression, OnlyOneIsUndone) {
  const Bytes text = {'h', 'e', 'l', 'l', 'o'};
  for (const Codec codec : kCodecs) {
    const std::string name = codec_name(codec);
    EXPECT_EQ(
        collect_bytes(compress(codec, compress(Codec::kGzip, capture_of(100)))).error,
        "x.pcap: not a capture: compressed with gzip inside " + name + "; decompress it first");
    EXPECT_EQ(collect_bytes(compress(codec, text)).error,
              "x.pcap: not a pcap, pcapng or snoop capture: inside " + name +
                  ", it begins with 68 65 6c 6c");
    EXPECT_EQ(collect_bytes(compress(codec, {})).error,
              "x.pcap: is empty inside " + name + ", not a capture file");
  }
}

// 96 MiB of zeros in 100 KB: nothing collects them.
TEST(Compression, BombIsALongStream) {
  constexpr uint32_t kCount = 6;
  PcapWriter file(std::endian::little);
  for (uint32_t i = 0; i < kCount; ++i) file.record(i, 0, Bytes(kRecordLengthMax));
  for (const Codec codec : kCodecs) {
    const Seen seen = collect_bytes(compress(codec, file.bytes()));
    EXPECT_EQ(seen.outcome, Next::kEnd) << seen.error;
    EXPECT_EQ(seen.frames.size(), kCount);
  }
}

TEST(Compression, WindowsBeyondTheLimitAreRefused) {
  const Bytes bytes = capture_of(1000);
  Bytes zstd = compress(Codec::kZstd, bytes);
  ASSERT_EQ(zstd[4] & 0x20, 0) << "a single segment has no window descriptor";
  zstd[5] = (31 - 10) << 3;  // 2^31 bytes
  EXPECT_EQ(collect_bytes(zstd).error,
            "x.pcap: compressed byte 2: zstd: the window is larger than 134217728 bytes (made with "
            "--long)");

  Bytes xz = compress(Codec::kXz, bytes);
  // The block's header: its size, flags, two sizes, the filter and its properties, CRC32.
  const size_t header = 12;
  const size_t header_size = (xz[header] + 1u) * 4;
  const Bytes filter = {0x21, 1};  // LZMA2, one byte of properties: the dictionary's size
  const auto properties =
      std::search(xz.begin() + header + 2, xz.end(), filter.begin(), filter.end());
  ASSERT_LT(properties - xz.begin(), static_cast<std::ptrdiff_t>(header + header_size - 4));
  properties[2] = 37;  // 1.5 GiB
  const uint32_t checksum = lzma_crc32(xz.data() + header, header_size - 4, 0);
  for (size_t i = 0; i < 4; ++i) {
    xz[header + header_size - 4 + i] = static_cast<uint8_t>(checksum >> (8 * i));
  }
  EXPECT_THAT(collect_bytes(xz).error, HasSubstr("bytes of memory: at most 134217728 allowed"));
}

// The strongest ordinary settings stay within it.
TEST(Compression, StrongestOrdinaryLevelIsRead) {
  const Bytes bytes = capture_of(10'000);
  EXPECT_EQ(collect_bytes(test::compress_xz(bytes, 9)).outcome, Next::kEnd);
}

// What a live writer has flushed is handed out although the compressed stream goes on.
TEST(Compression, FlushedFramesAreNotHeldBackOnAFifo) {
  std::string folder = (std::filesystem::temp_directory_path() / "weir_fifo_XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string fifo = folder + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  InterfaceNames names;
  std::string error;
  const auto source = open_capture_file(fifo, names, error);
  ASSERT_NE(source, nullptr) << error;
  const int writer = open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(writer, 0);

  PcapWriter file(std::endian::little);
  file.record(1, 0, pattern_bytes(60, 1));
  Bytes plain = file.bytes();
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(1000);
  stream.next_in = plain.data();
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  ASSERT_EQ(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
  const size_t flushed = out.size() - stream.avail_out;
  ASSERT_EQ(write(writer, out.data(), flushed), static_cast<ssize_t>(flushed));

  Batch batch;
  ASSERT_EQ(source->next(batch), Next::kData);
  EXPECT_EQ(batch.frames.size(), 1u);
  source->release(batch);
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  const size_t rest = out.size() - stream.avail_out - flushed;
  ASSERT_EQ(write(writer, out.data() + flushed, rest), static_cast<ssize_t>(rest));
  deflateEnd(&stream);
  close(writer);
  EXPECT_EQ(source->next(batch), Next::kEnd);
  std::filesystem::remove_all(folder);
}

TEST(Compression, StopEndsACompressedFile) {
  InterfaceNames names;
  const auto source = open_bytes(compress(Codec::kGzip, capture_of(100'000)), names, 50);
  source->set_batch_size(1);
  Batch batch;
  ASSERT_EQ(source->next(batch), Next::kData);
  source->release(batch);
  source->stop();
  EXPECT_EQ(source->next(batch), Next::kEnd);
}

}  // namespace
}  // namespace weir
