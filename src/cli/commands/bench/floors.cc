// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/floors.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "export/output_stream.h"

namespace weir {
namespace {

constexpr size_t kBlockSize = 1024 * 1024;
constexpr size_t kFileHeaderSize = 24;
constexpr size_t kRecordHeaderSize = 16;
constexpr uint32_t kMagicMicroseconds = 0xa1b2c3d4;
constexpr uint32_t kMagicNanoseconds = 0xa1b23c4d;
// Type, IPv4 addresses and ports of a plain Ethernet frame end here.
constexpr size_t kTouchedSize = 38;

template <typename Word>
Word load(const uint8_t* bytes) {
  Word word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Walks the whole records of a block. Returns how many bytes they take.
size_t walk(const uint8_t* bytes, size_t size, uint64_t& packet_count, uint64_t& touched) {
  size_t offset = 0;
  while (size - offset >= kRecordHeaderSize) {
    const size_t captured = load<uint32_t>(bytes + offset + 8);
    if (size - offset - kRecordHeaderSize < captured) break;
    const uint8_t* const frame = bytes + offset + kRecordHeaderSize;
    if (captured >= kTouchedSize) {
      touched ^=
          load<uint16_t>(frame + 12) ^ load<uint64_t>(frame + 26) ^ load<uint32_t>(frame + 34);
    }
    ++packet_count;
    offset += kRecordHeaderSize + captured;
  }
  return offset;
}

// Tells the compiler that somebody looks at the value, so that it cannot leave the work out.
void keep(uint64_t value) {
  asm volatile("" : : "g"(value));
}

void count_packet(u_char* count, const pcap_pkthdr*, const u_char*) {
  ++*static_cast<uint64_t*>(static_cast<void*>(count));
}

}  // namespace

FloorCount floor_read(const std::string& path) {
  FloorCount result;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    result.error = system_error_text(errno);
    return result;
  }
  std::array<uint8_t, kFileHeaderSize> header{};
  const ssize_t header_size = read(file, header.data(), header.size());
  const uint32_t magic = load<uint32_t>(header.data());
  const bool is_pcap = magic == kMagicMicroseconds || magic == kMagicNanoseconds;
  if (header_size != kFileHeaderSize || !is_pcap) {
    result.error = "expected a pcap file of this machine's byte order";
    close(file);
    return result;
  }

  std::vector<uint8_t> block(kBlockSize);
  size_t held = 0;  // bytes of a record that the previous block cut
  uint64_t touched = 0;
  for (;;) {
    const ssize_t received = read(file, block.data() + held, block.size() - held);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) break;
    held += static_cast<size_t>(received);
    const size_t walked = walk(block.data(), held, result.packet_count, touched);
    held -= walked;
    std::memmove(block.data(), block.data() + walked, held);
  }
  close(file);
  keep(touched);
  if (held > 0) result.error = "ends within a record, or has one of more than a block";
  return result;
}

FloorCount floor_pcap(const std::string& path) {
  FloorCount result;
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  pcap_t* const capture = pcap_open_offline(path.c_str(), error.data());
  if (capture == nullptr) {
    result.error = error.data();
    return result;
  }
  u_char* const count = static_cast<u_char*>(static_cast<void*>(&result.packet_count));
  if (pcap_loop(capture, -1, count_packet, count) != 0) result.error = pcap_geterr(capture);
  pcap_close(capture);
  return result;
}

std::string libpcap_version() {
  return pcap_lib_version();
}

}  // namespace weir
