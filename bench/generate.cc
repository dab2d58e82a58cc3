// SPDX-License-Identifier: Apache-2.0
//
// generate: writes a capture of many small packets over many flows that are all alive at once.
//
//   generate FILE FLOWS PACKETS_PER_FLOW
//
// The same arguments always make the same bytes. Every frame is Ethernet, IPv4, 60 bytes, 1 µs
// after the one before: small packets are the hard case, because the work is per packet. Four flows
// of five are TCP (SYN, SYN-ACK, then ACKs; none ends), one is UDP; packets alternate in direction.
// Each round gives every flow one packet, in an order that is shuffled anew, so a flow's state is
// cold again whenever its next packet comes.
//
// Deliberately simple: no payload, no checksums, which offload leaves out on a sending host too.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <utility>
#include <vector>

namespace {

constexpr uint32_t kFrameSize = 60;
constexpr uint32_t kRecordSize = 16 + kFrameSize;
constexpr uint32_t kFlowCountMax = 1u << 24;
constexpr uint64_t kStartSeconds = 1'700'000'000;
constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kAck = 0x10;

// SplitMix64: a number from a number.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

class Record {
 public:
  Record(uint32_t flow, uint32_t round, uint64_t time_us) {
    put_little(0, static_cast<uint32_t>(kStartSeconds + time_us / 1'000'000));
    put_little(4, static_cast<uint32_t>(time_us % 1'000'000));
    put_little(8, kFrameSize);
    put_little(12, kFrameSize);
    const bool is_reply = round % 2 == 1;
    const bool is_udp = flow % 5 == 0;
    put_ethernet(is_reply);
    put_ip(flow, is_reply, is_udp);
    if (is_udp) {
      put_udp(flow, is_reply);
    } else {
      put_tcp(flow, round, is_reply);
    }
  }
  const std::array<uint8_t, kRecordSize>& bytes() const { return bytes_; }

 private:
  void put_little(size_t offset, uint32_t value) {
    for (size_t index = 0; index < 4; ++index)
      bytes_[offset + index] = static_cast<uint8_t>(value >> 8 * index);
  }
  // Offsets in the frame, behind the record's header.
  void put8(size_t offset, uint8_t value) { bytes_[16 + offset] = value; }
  void put16(size_t offset, uint32_t value) {
    put8(offset, static_cast<uint8_t>(value >> 8));
    put8(offset + 1, static_cast<uint8_t>(value));
  }
  void put32(size_t offset, uint32_t value) {
    put16(offset, value >> 16);
    put16(offset + 2, value);
  }

  void put_ethernet(bool is_reply) {
    put8(0, 0x02);
    put8(5, is_reply ? 1 : 2);
    put8(6, 0x02);
    put8(11, is_reply ? 2 : 1);
    put16(12, 0x0800);
  }
  void put_ip(uint32_t flow, bool is_reply, bool is_udp) {
    const uint32_t client = 0x0a000000 | flow;  // 10.0.0.0/8
    const uint32_t server =
        0xc6120000 | static_cast<uint32_t>(mix(flow) & 0xffff);  // 198.18.0.0/16
    put8(14, 0x45);
    put16(16, is_udp ? kFrameSize - 14 : 40);  // what is beyond is padding
    put8(22, 64);
    put8(23, is_udp ? 17 : 6);
    put32(26, is_reply ? server : client);
    put32(30, is_reply ? client : server);
  }
  void put_ports(uint32_t flow, bool is_reply, uint32_t service) {
    const uint32_t ephemeral = 32768 + static_cast<uint32_t>(mix(flow) >> 32) % 28000;
    put16(34, is_reply ? service : ephemeral);
    put16(36, is_reply ? ephemeral : service);
  }
  void put_udp(uint32_t flow, bool is_reply) {
    put_ports(flow, is_reply, 53);
    put16(38, kFrameSize - 34);
  }
  void put_tcp(uint32_t flow, uint32_t round, bool is_reply) {
    const uint32_t client_sequence = static_cast<uint32_t>(mix(flow + 1));
    const uint32_t server_sequence = ~client_sequence;
    const uint32_t after_syn = round < 2 ? 0 : 1;
    put_ports(flow, is_reply, 443);
    put32(38, (is_reply ? server_sequence : client_sequence) + after_syn);
    if (round > 0) put32(42, (is_reply ? client_sequence : server_sequence) + 1);
    put8(46, 5 << 4);
    put8(47, static_cast<uint8_t>((round < 2 ? kSyn : 0) | (round > 0 ? kAck : 0)));
    put16(48, 65000);
  }

  std::array<uint8_t, kRecordSize> bytes_{};
};

void write_file_header(FILE* file) {
  constexpr std::array<uint8_t, 24> header = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0,
                                              0,    0,    0,    0,    0, 0, 4, 0, 1, 0, 0, 0};
  fwrite(header.data(), 1, header.size(), file);
}

void write_packets(FILE* file, uint32_t flow_count, uint32_t rounds) {
  std::vector<uint32_t> order(flow_count);
  std::iota(order.begin(), order.end(), 0u);
  uint64_t packet = 0;
  for (uint32_t round = 0; round < rounds; ++round) {
    for (uint32_t last = flow_count - 1; last > 0; --last) {
      const uint64_t random = mix(packet + last) >> 32;
      std::swap(order[last], order[(random * (last + 1u)) >> 32]);
    }
    for (const uint32_t flow : order) {
      const Record record(flow, round, packet++);
      fwrite(record.bytes().data(), 1, kRecordSize, file);
    }
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  const unsigned long flow_count = argument_count == 4 ? strtoul(arguments[2], nullptr, 10) : 0;
  const unsigned long rounds = argument_count == 4 ? strtoul(arguments[3], nullptr, 10) : 0;
  if (flow_count == 0 || flow_count > kFlowCountMax || rounds == 0 || rounds > UINT32_MAX) {
    fprintf(stderr, "usage: generate FILE FLOWS PACKETS_PER_FLOW (at most %u flows)\n",
            kFlowCountMax);
    return 2;
  }
  FILE* const file = fopen(arguments[1], "wb");
  if (file == nullptr) {
    perror(arguments[1]);
    return 1;
  }
  write_file_header(file);
  write_packets(file, static_cast<uint32_t>(flow_count), static_cast<uint32_t>(rounds));
  if (fclose(file) != 0) {
    perror(arguments[1]);
    return 1;
  }
  return 0;
}
