// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench/capture_generator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "cli/commands/bench/colliding_keys.h"
#include "cli/commands/bench/endpoints.h"

namespace weir {
namespace {

constexpr uint32_t kFrameSizeMax = 1514;
constexpr uint32_t kSmallFrameSize = 60;   // 64 on the wire, with the frame check sequence
constexpr uint32_t kSmall6FrameSize = 74;  // an IPv6 and a TCP header
constexpr uint32_t kEthernetSize = 14;
constexpr uint32_t kFileHeaderSize = 24;
constexpr uint32_t kRecordHeaderSize = 16;
constexpr uint32_t kStartSeconds = 1'700'000'000;
constexpr uint32_t kImixSizes[12] = {60, 60, 60, 60, 60, 60, 60, 590, 590, 590, 590, 1514};

constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kPush = 0x08;
constexpr uint8_t kAck = 0x10;

constexpr uint16_t kTcpServices[16] = {443, 443,  443,  443, 80,   80,   22,  25,
                                       445, 3389, 8080, 502, 5432, 3306, 993, 1883};
constexpr uint16_t kUdpServices[8] = {53, 53, 443, 123, 161, 5060, 1900, 47808};

// xoroshiro128+ with the constants of 2018: the order of the packets, sizes and payloads.
class Random {
 public:
  explicit Random(uint64_t seed) : low_(scatter(seed)), high_(scatter(seed + 1)) {}

  uint64_t next() {
    const uint64_t low = low_;
    const uint64_t result = low + high_;
    high_ ^= low;
    low_ = std::rotl(low, 24) ^ high_ ^ high_ << 16;
    high_ = std::rotl(high_, 37);
    return result;
  }
  uint64_t below(uint64_t end) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(next()) * end >> 64);
  }

 private:
  uint64_t low_;
  uint64_t high_;
};

// One frame, written in network byte order.
class FrameBuffer {
 public:
  void clear(uint32_t size) {
    size_ = size;
    std::fill_n(bytes_.begin(), size, uint8_t{0});
  }
  std::span<const uint8_t> bytes() const { return std::span(bytes_).first(size_); }

  void put8(uint32_t offset, uint8_t value) { bytes_[offset] = value; }
  void put16(uint32_t offset, uint32_t value) {
    put8(offset, static_cast<uint8_t>(value >> 8));
    put8(offset + 1, static_cast<uint8_t>(value));
  }
  void put32(uint32_t offset, uint32_t value) {
    put16(offset, value >> 16);
    put16(offset + 2, value);
  }
  // The sum of 16-bit words of RFC 1071, not folded.
  uint32_t sum(uint32_t offset, uint32_t size) const {
    uint32_t total = 0;
    for (uint32_t index = 0; index < size; ++index) {
      total += static_cast<uint32_t>(bytes_[offset + index]) << (index % 2 == 0 ? 8 : 0);
    }
    return total;
  }

 private:
  std::array<uint8_t, kFrameSizeMax + 8> bytes_;  // random payload is written in words of 8
  uint32_t size_ = 0;
};

uint32_t checksum(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

void append_little(std::string& out, uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

// What TCP must remember of a flow to write its next packet.
struct FlowProgress {
  uint16_t packet_count = 0;
  uint32_t client_sequence = 0;  // sent so far
  uint32_t server_sequence = 0;
};

class CaptureGenerator {
 public:
  CaptureGenerator(const CaptureShape& shape, OutputStream& stream)
      : shape_(shape), random_(shape.seed), stream_(stream), progress_(shape.flow_count) {}

  bool write() {
    write_file_header();
    return shape_.kind == CaptureKind::kFlood ? write_flood() : write_shuffled();
  }

 private:
  void write_file_header() {
    std::string& out = stream_.buffer();
    append_little(out, 0xa1b2c3d4);   // microseconds
    append_little(out, 2 | 4 << 16);  // version 2.4
    append_little(out, 0);            // zone
    append_little(out, 0);            // accuracy
    append_little(out, 65535);        // snap length
    append_little(out, 1);            // Ethernet
  }

  bool write_shuffled() {
    const uint64_t count = packet_count(shape_);
    std::vector<uint32_t> order(count);
    for (uint64_t index = 0; index < count; ++index) {
      order[index] = static_cast<uint32_t>(index % shape_.flow_count);
    }
    for (uint64_t last = count - 1; last > 0; --last) {
      std::swap(order[last], order[random_.below(last + 1)]);
    }
    for (const uint32_t flow : order) {
      write_next_of(flow);
      if (!stream_.commit()) return false;
    }
    return true;
  }

  bool write_flood() {
    const uint64_t legitimate_count = uint64_t{shape_.flow_count} * shape_.packets_per_flow;
    for (uint64_t index = 0; index < legitimate_count; ++index) {
      for (uint64_t number = 0; number < kFloodPackets; ++number) {
        write_flood_packet(index * kFloodPackets + number);
      }
      write_next_of(static_cast<uint32_t>(index % shape_.flow_count));
      if (!stream_.commit()) return false;
    }
    return true;
  }

  // A SYN of a client that was never there before: 28 bits of its address count them all, in
  // an order that looks like none.
  void write_flood_packet(uint64_t number) {
    const uint64_t random = scatter(number + shape_.seed);
    Endpoints ends;
    ends.client_address =
        0x20000000 | (static_cast<uint32_t>(number) * 0x9e3779b1u & 0x0fffffff);  // 32.0.0.0/4
    ends.server_address = 0xc6120001;                                             // 198.18.0.1
    ends.client_port = static_cast<uint16_t>(1024 + (random >> 16) % 60'000);
    ends.server_port = 443;
    FlowProgress none;
    write_packet(ends, random, kSmallFrameSize, none);
  }

  void write_next_of(uint32_t flow) {
    const uint64_t random = scatter(flow * 2654435761u + shape_.seed);
    const Endpoints ends = endpoints_of(flow, random);
    FlowProgress& progress = progress_[flow];
    uint32_t size = shape_.kind == CaptureKind::kSmall6 ? kSmall6FrameSize : kSmallFrameSize;
    if (shape_.kind == CaptureKind::kImix) {
      const uint32_t drawn = kImixSizes[random_.next() % 12];
      const bool is_handshake = !ends.is_udp && progress.packet_count < 3;
      if (!is_handshake) size = drawn;
    }
    write_packet(ends, random, size, progress);
  }

  Endpoints endpoints_of(uint32_t flow, uint64_t random) const {
    if (shape_.kind == CaptureKind::kCollision) return colliding_.at(flow);
    if (shape_.kind == CaptureKind::kScattered) return scattered_key(flow);
    Endpoints ends;
    ends.is_udp = random % 5 == 0;
    ends.client_address = 0x0a010000 | (flow & 0xffff);  // 10.1.0.0/16
    ends.server_address =
        0xc6120000 | (static_cast<uint32_t>(random >> 8) & 0xfff);  // 198.18.0.0/20
    ends.client_port = static_cast<uint16_t>(1024 + (flow >> 16) * 4000 + (random >> 24) % 4000);
    ends.server_port =
        ends.is_udp ? kUdpServices[random >> 40 & 7] : kTcpServices[random >> 40 & 15];
    return ends;
  }

  void write_packet(const Endpoints& ends, uint64_t random, uint32_t size, FlowProgress& progress) {
    const bool is_ipv6 = shape_.kind == CaptureKind::kSmall6;
    const bool is_reply = progress.packet_count % 2 == 1;
    const uint32_t transport = kEthernetSize + (is_ipv6 ? 40 : 20);
    const uint32_t header_size = ends.is_udp ? 8 : 20;
    // What a TCP packet of 60 bytes has beyond its headers is padding.
    const bool is_padded = !ends.is_udp && size == kSmallFrameSize;
    const uint32_t payload_size = is_padded ? 0 : size - transport - header_size;

    frame_.clear(size);
    put_ethernet(ends, is_reply, is_ipv6);
    const uint32_t pseudo_header_sum =
        is_ipv6 ? put_ipv6(ends, is_reply, header_size + payload_size)
                : put_ipv4(ends, is_reply, header_size + payload_size, progress.packet_count);
    frame_.put16(transport, is_reply ? ends.server_port : ends.client_port);
    frame_.put16(transport + 2, is_reply ? ends.client_port : ends.server_port);
    put_payload(transport + header_size, payload_size);
    if (ends.is_udp) {
      frame_.put16(transport + 4, header_size + payload_size);
      const uint32_t sum = checksum(pseudo_header_sum + frame_.sum(transport, 8 + payload_size));
      frame_.put16(transport + 6, sum == 0 ? 0xffff : sum);
    } else {
      put_tcp(transport, random, is_reply, payload_size, progress);
      const uint32_t sum = frame_.sum(transport, header_size + payload_size);
      frame_.put16(transport + 16, checksum(pseudo_header_sum + sum));
    }
    ++progress.packet_count;
    append_record();
  }

  void put_ethernet(const Endpoints& ends, bool is_reply, bool is_ipv6) {
    const uint32_t client = is_reply ? 0 : 6;
    const uint32_t server = is_reply ? 6 : 0;
    frame_.put16(client, 0x0200);
    frame_.put16(client + 4, ends.client_address);
    frame_.put16(server, 0x0201);
    frame_.put16(server + 4, ends.server_address);
    frame_.put16(12, is_ipv6 ? 0x86dd : 0x0800);
  }

  // Both return the sum of the pseudo-header of the transport's checksum.
  uint32_t put_ipv4(const Endpoints& ends, bool is_reply, uint32_t size, uint32_t id) {
    const uint8_t protocol = ends.is_udp ? kUdp : kTcp;
    frame_.put8(14, 0x45);
    frame_.put16(16, 20 + size);
    frame_.put16(18, id);
    frame_.put16(20, 0x4000);  // do not fragment
    frame_.put8(22, is_reply ? 57 : 64);
    frame_.put8(23, protocol);
    frame_.put32(26, is_reply ? ends.server_address : ends.client_address);
    frame_.put32(30, is_reply ? ends.client_address : ends.server_address);
    frame_.put16(24, checksum(frame_.sum(14, 20)));
    return frame_.sum(26, 8) + protocol + size;
  }
  uint32_t put_ipv6(const Endpoints& ends, bool is_reply, uint32_t size) {
    const uint8_t protocol = ends.is_udp ? kUdp : kTcp;
    frame_.put8(14, 0x60);
    frame_.put16(18, size);
    frame_.put8(20, protocol);
    frame_.put8(21, is_reply ? 57 : 64);
    for (const uint32_t address : {22u, 38u}) frame_.put32(address, 0x20010db8);
    frame_.put32(34, is_reply ? ends.server_address : ends.client_address);
    frame_.put32(50, is_reply ? ends.client_address : ends.server_address);
    return frame_.sum(22, 32) + protocol + size;
  }

  void put_payload(uint32_t offset, uint32_t size) {
    for (uint32_t done = 0; done < size; done += 8) {
      const uint64_t random = random_.next();
      for (uint32_t byte = 0; byte < 8; ++byte) {
        frame_.put8(offset + done + byte, static_cast<uint8_t>(random >> 8 * byte));
      }
    }
  }

  void put_tcp(uint32_t offset, uint64_t random, bool is_reply, uint32_t payload_size,
               FlowProgress& progress) {
    const uint32_t client = static_cast<uint32_t>(random) + progress.client_sequence;
    const uint32_t server = static_cast<uint32_t>(random >> 32) + progress.server_sequence;
    const bool is_first = progress.packet_count == 0;
    uint8_t flags = is_first ? kSyn : kAck;
    if (progress.packet_count == 1) flags |= kSyn;
    if (progress.packet_count > 1 && payload_size > 0) flags |= kPush;
    frame_.put32(offset + 4, is_reply ? server : client);
    frame_.put32(offset + 8, is_first ? 0 : is_reply ? client : server);
    frame_.put8(offset + 12, 5 << 4);
    frame_.put8(offset + 13, flags);
    frame_.put16(offset + 14, 65000);
    (is_reply ? progress.server_sequence : progress.client_sequence) +=
        payload_size + (flags & kSyn ? 1 : 0);
  }

  void append_record() {
    const std::span<const uint8_t> bytes = frame_.bytes();
    std::string& out = stream_.buffer();
    append_little(out, static_cast<uint32_t>(kStartSeconds + time_us_ / 1'000'000));
    append_little(out, static_cast<uint32_t>(time_us_ % 1'000'000));
    append_little(out, static_cast<uint32_t>(bytes.size()));
    append_little(out, static_cast<uint32_t>(bytes.size()));
    out.append(bytes.begin(), bytes.end());
    ++time_us_;
  }

  const CaptureShape shape_;
  Random random_;
  OutputStream& stream_;
  std::vector<FlowProgress> progress_;
  const CollidingKeys colliding_;
  FrameBuffer frame_;
  uint64_t time_us_ = 0;
};

uint64_t mean_frame_size(CaptureKind kind) {
  if (kind == CaptureKind::kSmall6) return kSmall6FrameSize;
  if (kind != CaptureKind::kImix) return kSmallFrameSize;
  uint64_t sum = 0;
  for (const uint32_t size : kImixSizes) sum += size;
  return sum / std::size(kImixSizes);
}

}  // namespace

uint64_t expected_file_size(const CaptureShape& shape) {
  return kFileHeaderSize + packet_count(shape) * (kRecordHeaderSize + mean_frame_size(shape.kind));
}

bool write_capture(const CaptureShape& shape, OutputStream& stream) {
  ASSERT(shape.flow_count > 0 && shape.flow_count <= kShapeFlowCountMax);
  ASSERT(shape.packets_per_flow > 0);
  ASSERT(packet_count(shape) < kShapePacketCountMax);
  ASSERT(shape.kind != CaptureKind::kCollision || shape.flow_count <= kCollidingKeyCount);
  return CaptureGenerator(shape, stream).write() && stream.flush();
}

}  // namespace weir
