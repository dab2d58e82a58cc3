// SPDX-License-Identifier: Apache-2.0
//
// CaptureShape: what a capture made for a benchmark looks like. A shape is a complete description:
// the same shape always makes the same bytes (capture_generator.h).
//
// Threads: values.
#pragma once

#include <cstdint>

namespace weir {

enum class CaptureKind : uint8_t {
  kSmall,   // IPv4, every frame 60 bytes: small packets are the hard case, the work is per packet
  kSmall6,  // the same over IPv6, 74 bytes
  kImix,    // IPv4 with payload: seven frames of 60 bytes to four of 590 and one of 1514
  kFlood,   // legitimate flows, and kFloodPackets new one-packet flows before each of their packets
  kCollision,  // small, with keys that hash functions without a secret cannot tell apart
  kScattered,  // small, with random keys in the same ranges: what kCollision is compared with
};

// Packets of the flood before every packet of a legitimate flow.
inline constexpr uint64_t kFloodPackets = 10;

struct CaptureShape {
  CaptureKind kind = CaptureKind::kSmall;
  uint32_t flow_count = 1;  // kFlood: legitimate ones
  uint32_t packets_per_flow = 1;
  uint64_t seed = 0;
};

// Of a kind that repeats its keys beyond a number of flows, no more of them can be made. Shuffled
// packets are numbered in 32 bits.
inline constexpr uint32_t kShapeFlowCountMax = 10'000'000;
inline constexpr uint64_t kShapePacketCountMax = uint64_t{1} << 32;

// Frames of the capture and flows that a program should find in it.
constexpr uint64_t packet_count(const CaptureShape& shape) {
  const uint64_t packets = uint64_t{shape.flow_count} * shape.packets_per_flow;
  return shape.kind == CaptureKind::kFlood ? packets * (kFloodPackets + 1) : packets;
}
constexpr uint64_t flow_count(const CaptureShape& shape) {
  const uint64_t packets = uint64_t{shape.flow_count} * shape.packets_per_flow;
  return shape.kind == CaptureKind::kFlood ? packets * kFloodPackets + shape.flow_count
                                           : shape.flow_count;
}
// Bytes of the file; what is random in it is taken at its mean.
uint64_t expected_file_size(const CaptureShape& shape);

}  // namespace weir
