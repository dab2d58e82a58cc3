// SPDX-License-Identifier: Apache-2.0
//
// Decompressor: what a compression format is to ByteStream: compressed bytes in, decompressed bytes
// out, in pieces of any size. One file per format (gzip.cc, …), and compressions.inc is the list.
//
// Nothing is collected: a decompressor holds its format's window and no more, so a bomb is only a
// long stream. It decompresses files made of several members (concatenated gzip members and xz
// streams, zstd and lz4 frames with skippable ones between), and verifies the checksums they carry.
//
// What was decompressed before damage has been handed out when the damage is reported. Not here:
// reading, offsets, messages with names (byte_stream.cc), several compressions around each other.
//
// Threads: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weir {

// Most memory a decompressor may use: what "xz -9" (65 MiB) and "zstd --ultra -22" (128 MiB) need.
// A file that asks for more ("zstd --long=31", "xz" with a larger dictionary) is not read.
inline constexpr unsigned kDecompressionWindowLogMax = 27;
inline constexpr uint64_t kDecompressionMemoryMax = uint64_t{1} << kDecompressionWindowLogMax;

struct Decompressed {
  size_t consumed = 0;      // bytes of the input that are done with
  size_t produced = 0;      // bytes written to the output
  bool is_damaged = false;  // see failure(); final
};

class Decompressor {
 public:
  virtual ~Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Consumes something or produces something, unless it needs more input than it is given. When the
  // output was filled, the caller first asks with an empty input for what did not fit.
  virtual Decompressed decompress(std::span<const uint8_t> in, std::span<uint8_t> out) = 0;
  // Asked when the input has ended: true if it was complete.
  virtual bool may_end() = 0;
  // In the library's words: "invalid block type".
  virtual const std::string& failure() const = 0;

 protected:
  Decompressor() = default;
};

struct Compression {
  std::string_view name;
  std::string_view magic;
  // Null: known by its magic, so that a message can say what the file is, and not read.
  std::unique_ptr<Decompressor> (*make)();
};

// Bytes find_compression() looks at.
inline constexpr size_t kCompressionMagicSizeMax = 6;

// Null if these bytes begin none that is known.
const Compression* find_compression(std::span<const uint8_t> start);

#define COMPRESSION(name, magic, make) std::unique_ptr<Decompressor> make();
#define UNREAD_COMPRESSION(name, magic)
#include "capture/compressions.inc"
#undef COMPRESSION
#undef UNREAD_COMPRESSION

}  // namespace weir
