// SPDX-License-Identifier: Apache-2.0
//
// ByteStream: the bytes of a capture file, FIFO or standard input in order, read into reused blocks
// of memory.
//
//        consumed          available()        room
//   |xxxxxxxxxxxxxxxxx|====================|..........|   one block, kBlockSize
//                     offset()             end_offset()
//
// A parser looks at available(), consumes what it understood and asks fill() for more. What fill()
// reads goes behind what is there; when the room is used up, the unconsumed tail moves to the start
// of another block, so a record is always contiguous and nothing else is ever copied. Blocks are
// held by batches: hold() keeps the current block's consumed bytes alive until release(). While
// nobody holds the block, a short tail moves to its start before every read: who releases each
// batch before asking for the next one keeps to the same few pages, and no others are ever touched.
//
// read() into memory that stays in the second-level cache is faster than a mapped file for packets
// of real sizes (the walk over a mapping is a chain of cache misses), works on pipes, and cannot
// raise SIGBUS. It never seeks. Not here: what the bytes mean.
//
// Threads: one thread at a time, which need not always be the same; stop() from any thread or a
// signal handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "capture/decompressor.h"
#include "capture/slot_pool.h"

namespace weir {

// Most bytes fill() can be asked for: the longest frame that is looked into and what surrounds it
// in a file.
inline constexpr size_t kRecordSizeMax = (256 + 64) * 1024;

// The system's words for an error number, in lower case as all our messages.
std::string system_message(int error_number);

class ByteStream {
 public:
  enum class Fill : uint8_t {
    kFilled,   // as many bytes are available as were asked for
    kEnd,      // the stream ended with fewer
    kStopped,  // stop() was called
    kFailed,   // reading or decompressing failed: see failure()
  };

  // Opens a file, FIFO or device, or "-" for standard input. Never blocks: a FIFO without a writer
  // is waited for in fill(). Returns null and a reason ("no such file or directory") in `error`.
  static std::unique_ptr<ByteStream> open(const std::string& path, std::string& error);
  // Takes the bytes from memory, at most read_size_max at a time as from a slow pipe: tests and
  // fuzzers.
  static std::unique_ptr<ByteStream> from_memory(std::vector<uint8_t> bytes, size_t read_size_max);

  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // False for regular files: their bytes are there or never come.
  bool may_block() const { return may_block_; }

  // From here on the stream is what the compression makes of the bytes, from the first one on.
  // Nothing may have been consumed or held, and it may be called once.
  void decompress(const Compression& compression);
  // Null unless decompress() was called.
  const Compression* compression() const { return compression_; }

  // Valid until the next fill(), or as long as the block is held.
  std::span<const uint8_t> available() const { return {block_bytes_ + begin_, end_ - begin_}; }
  uint64_t offset() const { return offset_; }  // of the first available byte
  uint64_t end_offset() const { return offset_ + (end_ - begin_); }
  void consume(size_t size) {
    DASSERT(size <= end_ - begin_);
    begin_ += size;
    offset_ += size;
  }

  // Drops the next `size` bytes, those at hand now and the others in the fill() calls to come.
  void skip(uint64_t size);
  uint64_t skip_remaining() const { return skip_remaining_; }

  // Finishes a skip, then reads until `size` bytes are available; 0 asks for the skip alone.
  Fill fill(size_t size);
  // After kFailed: "byte 4096: input/output error" or, the offset being that in the file,
  // "compressed byte 512: gzip: invalid block type".
  const std::string& failure() const { return failure_; }

  // Keeps the current block until release(); calls nest.
  uint32_t hold();
  void release(uint32_t block);

  void stop() noexcept { is_stopped_.store(true, std::memory_order_relaxed); }
  bool is_stopped() const noexcept { return is_stopped_.load(std::memory_order_relaxed); }

 private:
  struct Block {
    Block();
    ~Block();
    std::unique_ptr<uint8_t[]> bytes;
    uint32_t holder_count = 0;  // held batches; the stream itself counts by being current
  };
  enum class Read : uint8_t { kBytes, kEnd, kStopped, kFailed };

  ByteStream();
  Read read_some();
  Read read_decompressed();
  Read read_compressed();
  Read read_raw(std::span<uint8_t> room, size_t& size);
  Read read_memory(std::span<uint8_t> room, size_t& size);
  Read read_descriptor(std::span<uint8_t> room, size_t& size);
  void fail(const std::string& what);
  bool wait_readable();
  void make_room(size_t size);
  std::span<uint8_t> read_room() const;
  void become_current(uint32_t block);

  int descriptor_ = -1;
  bool may_block_ = false;
  std::vector<uint8_t> memory_;
  size_t memory_position_ = 0;
  size_t read_size_max_ = SIZE_MAX;

  const Compression* compression_ = nullptr;
  std::unique_ptr<Decompressor> decompressor_;
  uint32_t compressed_block_ = 0;
  size_t compressed_begin_ = 0;  // in that block
  size_t compressed_end_ = 0;
  uint64_t compressed_offset_ = 0;  // of what is at compressed_begin_, in the file
  bool has_compressed_ended_ = false;
  bool has_pending_output_ = false;  // the last call filled the room it was given

  SlotPool<Block> blocks_;
  uint32_t current_ = 0;
  uint8_t* block_bytes_ = nullptr;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t offset_ = 0;
  uint64_t skip_remaining_ = 0;
  bool has_ended_ = false;
  std::string failure_;  // not empty: final
  std::atomic<bool> is_stopped_{false};
  static_assert(std::atomic<bool>::is_always_lock_free, "stop() is called from signal handlers");
};

}  // namespace weir
