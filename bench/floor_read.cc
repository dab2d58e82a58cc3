// SPDX-License-Identifier: Apache-2.0
//
// floor_read: the least a program can do that looks at every frame of a capture.
//
//   floor_read FILE
//
// Reads the file in blocks, steps from record to record, and touches the first bytes of every
// frame, as any decoder must. What weir needs beyond this is what it does with the frames. Prints
// the number of frames.
//
// Deliberately for this machine's own pcap files in microseconds only: they are what bench/generate
// writes.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

constexpr size_t kBlockSize = 1024 * 1024;
constexpr size_t kFileHeaderSize = 24;
constexpr size_t kRecordHeaderSize = 16;
constexpr uint32_t kMagic = 0xa1b2c3d4;

uint32_t word_at(const uint8_t* bytes) {
  uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Walks the whole records of a block. Returns how many bytes they take.
size_t walk(const uint8_t* bytes, size_t size, uint64_t& frames, uint64_t& touched) {
  size_t offset = 0;
  while (size - offset >= kRecordHeaderSize) {
    const size_t captured = word_at(bytes + offset + 8);
    if (size - offset - kRecordHeaderSize < captured) break;
    if (captured >= 16) touched += word_at(bytes + offset + kRecordHeaderSize + 12);
    ++frames;
    offset += kRecordHeaderSize + captured;
  }
  return offset;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 2) {
    fprintf(stderr, "usage: floor_read FILE\n");
    return 2;
  }
  const int file = open(arguments[1], O_RDONLY | O_CLOEXEC);
  std::array<uint8_t, kFileHeaderSize> header{};
  if (file < 0 || read(file, header.data(), header.size()) != kFileHeaderSize ||
      word_at(header.data()) != kMagic) {
    fprintf(stderr, "floor_read: %s: not a pcap file of this machine\n", arguments[1]);
    return 1;
  }

  std::vector<uint8_t> block(kBlockSize);
  size_t held = 0;  // bytes of a record that the previous block cut
  uint64_t frames = 0;
  uint64_t touched = 0;
  for (;;) {
    const ssize_t received = read(file, block.data() + held, block.size() - held);
    if (received <= 0) break;
    held += static_cast<size_t>(received);
    const size_t walked = walk(block.data(), held, frames, touched);
    held -= walked;
    std::memmove(block.data(), block.data() + walked, held);
  }
  close(file);
  // Printing what was touched keeps the compiler from leaving the touching out.
  printf("%llu frames (%llx)\n", static_cast<unsigned long long>(frames),
         static_cast<unsigned long long>(touched));
  return held == 0 ? 0 : 1;
}
