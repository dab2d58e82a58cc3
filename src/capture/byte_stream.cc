// SPDX-License-Identifier: Apache-2.0
#include "capture/byte_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <system_error>

#if defined(__SANITIZE_ADDRESS__)
#define WEIR_POISONS_BLOCKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_POISONS_BLOCKS 1
#endif
#endif
#ifdef WEIR_POISONS_BLOCKS
#include <sanitizer/asan_interface.h>
#endif

namespace weir {

namespace {

constexpr size_t kBlockSize = 512 * 1024;
// Most bytes of one read() or decompressed piece. Small enough to stay in the second-level cache
// beside what the frames are turned into, large enough that the call costs nothing: for 60-byte
// frames 64 KB to 512 KB take the same time (14.1 ns a frame with the kernel's copy), 32 KB 0.6 ns
// and 16 KB 1.2 ns more.
constexpr size_t kReadSize = 128 * 1024;
// With less room than this behind the available bytes, moving them is cheaper than many small
// reads.
constexpr size_t kReadSizeMin = 64 * 1024;
// Fewer available bytes than this are moved to the start of a block nobody holds before each read,
// so that the same kReadSize bytes of memory are used over and over.
constexpr size_t kTailSizeMax = kReadSize / 16;
// stop() must be noticed within 100 ms.
constexpr int kPollMs = 50;
static_assert(kRecordSizeMax + kReadSizeMin <= kBlockSize);

// Under AddressSanitizer, reading a frame after its batch was released is an error even though the
// memory is still the stream's.
void poison([[maybe_unused]] const uint8_t* bytes) {
#ifdef WEIR_POISONS_BLOCKS
  ASAN_POISON_MEMORY_REGION(bytes, kBlockSize);
#endif
}

void unpoison([[maybe_unused]] const uint8_t* bytes) {
#ifdef WEIR_POISONS_BLOCKS
  ASAN_UNPOISON_MEMORY_REGION(bytes, kBlockSize);
#endif
}

}  // namespace

std::string system_message(int error_number) {
  std::string message = std::generic_category().message(error_number);
  if (!message.empty()) {
    message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  }
  return message;
}

ByteStream::Block::Block() : bytes(std::make_unique_for_overwrite<uint8_t[]>(kBlockSize)) {}
ByteStream::Block::~Block() {
  unpoison(bytes.get());
}

ByteStream::ByteStream() {
  become_current(blocks_.take());
}

ByteStream::~ByteStream() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::unique_ptr<ByteStream> ByteStream::open(const std::string& path, std::string& error) {
  // O_NONBLOCK: opening a FIFO would else wait for a writer where stop() cannot reach.
  const int descriptor = path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                     : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    error = system_message(errno);
    return nullptr;
  }
  std::unique_ptr<ByteStream> stream(new ByteStream);
  stream->descriptor_ = descriptor;
  struct stat status {};
  if (fstat(descriptor, &status) != 0) {
    error = system_message(errno);
    return nullptr;
  }
  if (S_ISDIR(status.st_mode)) {
    error = "is a directory, not a capture file";
    return nullptr;
  }
  stream->may_block_ = !S_ISREG(status.st_mode);
  if (S_ISREG(status.st_mode)) {
    // Advice only: a failure costs nothing but read-ahead.
    static_cast<void>(posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL));
  }
  return stream;
}

std::unique_ptr<ByteStream> ByteStream::from_memory(std::vector<uint8_t> bytes,
                                                    size_t read_size_max) {
  ASSERT(read_size_max > 0);
  std::unique_ptr<ByteStream> stream(new ByteStream);
  stream->memory_ = std::move(bytes);
  stream->read_size_max_ = read_size_max;
  return stream;
}

void ByteStream::skip(uint64_t size) {
  DASSERT(skip_remaining_ == 0);
  const size_t now = static_cast<size_t>(std::min<uint64_t>(size, end_ - begin_));
  consume(now);
  skip_remaining_ = size - now;
}

void ByteStream::decompress(const Compression& compression) {
  ASSERT(compression_ == nullptr);
  ASSERT(compression.make != nullptr);
  ASSERT(offset_ == 0);
  ASSERT(blocks_[current_].holder_count == 0);
  compression_ = &compression;
  decompressor_ = compression.make();
  compressed_block_ = current_;
  compressed_begin_ = begin_;
  compressed_end_ = end_;
  has_compressed_ended_ = has_ended_;
  has_ended_ = false;
  become_current(blocks_.take());
  unpoison(block_bytes_);
  begin_ = 0;
  end_ = 0;
}

ByteStream::Fill ByteStream::fill(size_t size) {
  ASSERT(size <= kRecordSizeMax);
  while (skip_remaining_ > 0 || end_ - begin_ < size) {
    if (has_ended_) return Fill::kEnd;
    make_room(size);
    switch (read_some()) {
      case Read::kBytes:
        break;
      case Read::kEnd:
        has_ended_ = true;
        return Fill::kEnd;
      case Read::kStopped:
        return Fill::kStopped;
      case Read::kFailed:
        return Fill::kFailed;
    }
    if (skip_remaining_ > 0) {
      const uint64_t rest = skip_remaining_;
      skip_remaining_ = 0;
      skip(rest);
    }
  }
  return Fill::kFilled;
}

// Every byte is moved at most once: behind a move, begin_ is 0 until the moved record is consumed.
void ByteStream::make_room(size_t size) {
  const size_t tail = end_ - begin_;
  const size_t missing = size > tail ? size - tail : 1;
  const bool is_held = blocks_[current_].holder_count > 0;
  const bool has_room = kBlockSize - end_ >= std::max(missing, kReadSizeMin);
  const bool is_cheap_to_move = !is_held && begin_ > 0 && tail <= kTailSizeMax;
  if (has_room && !is_cheap_to_move) return;

  const std::span<const uint8_t> from = available();
  if (!is_held) {
    std::copy(from.begin(), from.end(), block_bytes_);
  } else {
    const uint32_t block = blocks_.take();
    unpoison(blocks_[block].bytes.get());
    std::copy(from.begin(), from.end(), blocks_[block].bytes.get());
    become_current(block);
  }
  begin_ = 0;
  end_ = tail;
}

void ByteStream::become_current(uint32_t block) {
  current_ = block;
  block_bytes_ = blocks_[block].bytes.get();
}

std::span<uint8_t> ByteStream::read_room() const {
  return {block_bytes_ + end_, std::min(kBlockSize - end_, kReadSize)};
}

ByteStream::Read ByteStream::read_some() {
  if (is_stopped()) return Read::kStopped;
  if (!failure_.empty()) return Read::kFailed;
  if (decompressor_ != nullptr) return read_decompressed();
  size_t size = 0;
  const Read outcome = read_raw(read_room(), size);
  end_ += size;
  return outcome;
}

// Hands out whatever could be decompressed, so that nothing is held back on a pipe.
ByteStream::Read ByteStream::read_decompressed() {
  for (;;) {
    const size_t in_size = has_pending_output_ ? 0 : compressed_end_ - compressed_begin_;
    if (in_size > 0 || has_pending_output_) {
      const std::span<uint8_t> room = read_room();
      const std::span<const uint8_t> in(blocks_[compressed_block_].bytes.get() + compressed_begin_,
                                        in_size);
      const Decompressed step = decompressor_->decompress(in, room);
      compressed_begin_ += step.consumed;
      compressed_offset_ += step.consumed;
      end_ += step.produced;
      has_pending_output_ = step.produced == room.size();
      if (step.is_damaged) fail(decompressor_->failure());
      if (step.produced > 0) return Read::kBytes;  // the failure is for the next call
      if (step.is_damaged) return Read::kFailed;
      if (step.consumed > 0 || in_size == 0) continue;
    }
    if (is_stopped()) return Read::kStopped;
    const Read outcome = read_compressed();
    if (outcome != Read::kBytes) return outcome;
  }
}

ByteStream::Read ByteStream::read_compressed() {
  if (has_compressed_ended_) {
    if (decompressor_->may_end()) return Read::kEnd;
    compressed_offset_ += compressed_end_ - compressed_begin_;
    fail("cut short");
    return Read::kFailed;
  }
  const std::span<uint8_t> block(blocks_[compressed_block_].bytes.get(), kBlockSize);
  const std::span<uint8_t> rest =
      block.subspan(compressed_begin_, compressed_end_ - compressed_begin_);
  std::copy(rest.begin(), rest.end(), block.begin());
  compressed_begin_ = 0;
  compressed_end_ = rest.size();
  ASSERT(compressed_end_ < kBlockSize);  // no decompressor waits for so much before it takes any
  size_t size = 0;
  const std::span<uint8_t> room = block.subspan(compressed_end_);
  const Read outcome = read_raw(room.first(std::min(room.size(), kReadSize)), size);
  compressed_end_ += size;
  if (outcome != Read::kEnd) return outcome;
  has_compressed_ended_ = true;
  return Read::kBytes;
}

void ByteStream::fail(const std::string& what) {
  failure_ = compression_ == nullptr ? "byte " + std::to_string(end_offset()) + ": " + what
                                     : "compressed byte " + std::to_string(compressed_offset_) +
                                           ": " + std::string(compression_->name) + ": " + what;
}

ByteStream::Read ByteStream::read_raw(std::span<uint8_t> room, size_t& size) {
  return descriptor_ >= 0 ? read_descriptor(room, size) : read_memory(room, size);
}

ByteStream::Read ByteStream::read_memory(std::span<uint8_t> room, size_t& size) {
  size = std::min({room.size(), read_size_max_, memory_.size() - memory_position_});
  if (size == 0) return Read::kEnd;
  const std::span<const uint8_t> from =
      std::span<const uint8_t>(memory_).subspan(memory_position_, size);
  std::copy(from.begin(), from.end(), room.begin());
  memory_position_ += size;
  return Read::kBytes;
}

ByteStream::Read ByteStream::read_descriptor(std::span<uint8_t> room, size_t& size) {
  for (;;) {
    if (may_block_ && !wait_readable()) return Read::kStopped;
    const ssize_t result = read(descriptor_, room.data(), room.size());
    if (result > 0) {
      size = static_cast<size_t>(result);
      return Read::kBytes;
    }
    if (result == 0) return Read::kEnd;
    if (errno == EINTR || (errno == EAGAIN && may_block_)) {
      if (is_stopped()) return Read::kStopped;
      continue;
    }
    fail(system_message(errno));
    return Read::kFailed;
  }
}

// False when stopped. Errors of poll() are left for read() to report.
bool ByteStream::wait_readable() {
  for (;;) {
    if (is_stopped()) return false;
    pollfd descriptor{descriptor_, POLLIN, 0};
    const int ready = poll(&descriptor, 1, kPollMs);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
}

uint32_t ByteStream::hold() {
  ++blocks_[current_].holder_count;
  return current_;
}

void ByteStream::release(uint32_t block) {
  Block& held = blocks_[block];
  ASSERT(held.holder_count > 0);
  --held.holder_count;
  if (held.holder_count > 0 || block == current_) return;
  poison(held.bytes.get());
  blocks_.give_back(block);
}

}  // namespace weir
