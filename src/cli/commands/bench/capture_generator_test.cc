// SPDX-License-Identifier: Apache-2.0
//
// The bytes of the captures are pinned: figures of different versions are of the same packets. What
// the bytes say is checked with a reader that knows no more than these captures need.
#include "cli/commands/bench/capture_generator.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace weir {
namespace {

using enum CaptureKind;

constexpr CaptureShape kShapes[] = {
    {kSmall, 200, 20, 1},     {kSmall6, 200, 20, 1},    {kImix, 200, 20, 3}, {kFlood, 20, 20, 5},
    {kCollision, 200, 20, 6}, {kScattered, 200, 20, 6}, {kSmall, 1, 1, 7},   {kSmall, 70'000, 2, 7},
};

std::string capture_of(const CaptureShape& shape) {
  const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) /
                                     ("weir_generator_" + std::to_string(getpid()) + ".pcap");
  std::string error;
  const std::unique_ptr<OutputStream> stream = OutputStream::create(path, error);
  EXPECT_NE(stream, nullptr) << error;
  EXPECT_TRUE(write_capture(shape, *stream));
  EXPECT_TRUE(stream->close());
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  std::filesystem::remove(path);
  return bytes.str();
}

std::string sha256(const std::string& bytes) {
  std::array<unsigned char, 32> digest;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::string text;
  for (const unsigned char byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

uint32_t big(std::string_view bytes, size_t offset, size_t size) {
  uint32_t value = 0;
  for (size_t index = 0; index < size; ++index) {
    value = value << 8 | static_cast<uint8_t>(bytes[offset + index]);
  }
  return value;
}

uint32_t little(std::string_view bytes, size_t offset) {
  return __builtin_bswap32(big(bytes, offset, 4));
}

// The frames of a capture, and when each was sent, in µs since the first.
struct Frame {
  std::string_view bytes;
  uint64_t time_us;
};
std::vector<Frame> frames_of(std::string_view capture) {
  std::vector<Frame> frames;
  size_t offset = 24;
  while (offset < capture.size()) {
    const uint32_t size = little(capture, offset + 8);
    EXPECT_EQ(size, little(capture, offset + 12));
    const uint64_t seconds = little(capture, offset) - 1'700'000'000;
    frames.push_back(
        {capture.substr(offset + 16, size), seconds * 1'000'000 + little(capture, offset + 4)});
    offset += 16 + size;
  }
  EXPECT_EQ(offset, capture.size());
  return frames;
}

bool is_ipv6(std::string_view frame) {
  return big(frame, 12, 2) == 0x86dd;
}
size_t transport_of(std::string_view frame) {
  return is_ipv6(frame) ? 54 : 34;
}
bool is_udp(std::string_view frame) {
  return frame[is_ipv6(frame) ? 20 : 23] == 17;
}

// Protocol, then the two ends, the lower first.
std::string key_of(std::string_view frame) {
  const bool has_wide_addresses = is_ipv6(frame);
  const size_t size = has_wide_addresses ? 16 : 4;
  const size_t addresses = has_wide_addresses ? 22 : 26;
  const size_t transport = transport_of(frame);
  const std::string source =
      std::string(frame.substr(addresses, size)) + std::string(frame.substr(transport, 2));
  const std::string destination = std::string(frame.substr(addresses + size, size)) +
                                  std::string(frame.substr(transport + 2, 2));
  return (is_udp(frame) ? "u" : "t") + std::min(source, destination) +
         std::max(source, destination);
}

uint32_t folded_sum(std::string_view bytes, uint32_t start = 0) {
  uint64_t sum = start;
  for (size_t index = 0; index < bytes.size(); ++index) {
    sum += uint64_t{static_cast<uint8_t>(bytes[index])} << (index % 2 == 0 ? 8 : 0);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint32_t>(sum);
}

TEST(CaptureGenerator, SameShapeIsTheSameBytesEverywhere) {
  struct Pinned {
    CaptureShape shape;
    std::string sum;
  };
  const Pinned pinned[] = {
      {{kSmall, 10'000, 15, 2}, "829a216d5cd25383bc1b0d701ff8540266371a109c86aeac51b8cf7021c75d93"},
      {{kImix, 1000, 15, 3}, "6d6b91d56dadd2ff1929b5b676ee8022f81eb023f9a6b6f5ea43a76d1b1668f3"},
      {{kSmall6, 200, 20, 1}, "40757bf15af114f4bbcc69780d8757a8ae8d30d10dac69049cd727e9c100a3a7"},
      {{kFlood, 20, 20, 5}, "4a8d58e73e892e30206891b9ca0115d875c93e11415a83dbe7b45c7628c4b095"},
      {{kCollision, 200, 20, 6},
       "66123cbdf1e02dacfaa69ac9050f8398afec1dab6b61ffecb64c8e3040e50886"},
      {{kScattered, 200, 20, 6},
       "aafb02e24609b9c35ed1836d2692bc38c0cfb06953648220304051b3f16bff80"},
  };
  for (const Pinned& pin : pinned) {
    EXPECT_EQ(sha256(capture_of(pin.shape)), pin.sum) << static_cast<int>(pin.shape.kind);
  }
}

TEST(CaptureGenerator, HasThePacketsAndFlowsOfItsShape) {
  for (const CaptureShape& shape : kShapes) {
    SCOPED_TRACE(static_cast<int>(shape.kind));
    const std::string capture = capture_of(shape);
    const std::vector<Frame> frames = frames_of(capture);
    std::set<std::string> keys;
    for (const Frame& frame : frames) keys.insert(key_of(frame.bytes));
    EXPECT_EQ(frames.size(), packet_count(shape));
    EXPECT_EQ(keys.size(), flow_count(shape));
  }
}

TEST(CaptureGenerator, EveryFrameIsAMicrosecondAfterTheOneBefore) {
  for (const CaptureShape& shape : kShapes) {
    const std::string capture = capture_of(shape);
    uint64_t expected_us = 0;
    for (const Frame& frame : frames_of(capture)) ASSERT_EQ(frame.time_us, expected_us++);
  }
}

TEST(CaptureGenerator, ChecksumsAndLengthsAreRight) {
  for (const CaptureShape& shape : kShapes) {
    SCOPED_TRACE(static_cast<int>(shape.kind));
    const std::string capture = capture_of(shape);
    for (const Frame& frame : frames_of(capture)) {
      const std::string_view bytes = frame.bytes;
      const size_t transport = transport_of(bytes);
      const size_t size = is_ipv6(bytes) ? big(bytes, 18, 2) : big(bytes, 16, 2) - 20;
      ASSERT_LE(transport + size, bytes.size());
      const std::string_view addresses =
          is_ipv6(bytes) ? bytes.substr(22, 32) : bytes.substr(26, 8);
      const uint32_t pseudo_header =
          folded_sum(addresses) + (is_udp(bytes) ? 17 : 6) + static_cast<uint32_t>(size);
      const bool has_header_checksum = !is_ipv6(bytes);
      if (has_header_checksum) {
        ASSERT_EQ(folded_sum(bytes.substr(14, 20)), 0xffffu);
      }
      ASSERT_EQ(folded_sum(bytes.substr(transport, size), pseudo_header), 0xffffu);
      if (is_udp(bytes)) {
        ASSERT_EQ(big(bytes, transport + 4, 2), size);
      }
    }
  }
}

// Legitimate packets come at regular intervals, every flow as often as every other.
TEST(CaptureGenerator, FloodIsBetweenThePacketsOfLegitimateFlows) {
  const std::string capture = capture_of({kFlood, 20, 20, 5});
  const std::vector<Frame> frames = frames_of(capture);
  std::map<std::string, size_t> legitimate;
  for (size_t index = 0; index < frames.size(); ++index) {
    const bool is_flood = index % (kFloodPackets + 1) != kFloodPackets;
    EXPECT_EQ(big(frames[index].bytes, 26, 1) >> 4 == 2, is_flood) << index;  // from 32.0.0.0/4
    if (!is_flood) ++legitimate[key_of(frames[index].bytes)];
  }
  EXPECT_EQ(legitimate.size(), 20u);
  for (const auto& [key, count] : legitimate) EXPECT_EQ(count, 20u);
}

TEST(CaptureGenerator, SizeIsKnownBeforehand) {
  for (const CaptureShape& shape : kShapes) {
    const uint64_t size = capture_of(shape).size();
    const uint64_t expected = expected_file_size(shape);
    if (shape.kind == kImix) {
      EXPECT_LT(size, expected);  // handshakes are small
      EXPECT_GT(size, expected / 10 * 8);
    } else {
      EXPECT_EQ(size, expected);
    }
  }
}

TEST(CaptureGenerator, StopsWhenItCannotWrite) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "no /dev/full";
  OutputStream stream(full, "full");
  EXPECT_FALSE(write_capture({kSmall, 100, 100, 1}, stream));
  EXPECT_NE(stream.error(), "");
  close(full);
}

}  // namespace
}  // namespace weir
