// SPDX-License-Identifier: Apache-2.0
//
// A literal packet, decoded: what the decoder's tests look at. Every packet that is decoded here
// also has to pass the invariants of packet_invariants.h.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "net/decode.h"
#include "tests/support/packet_builder.h"
#include "tests/support/packet_invariants.h"

namespace weir::test {

inline const HashSecret kSecret{0x0123456789abcdef, 0xfedcba9876543210};

// A packet and the bytes it points into.
struct Decoded {
  Bytes bytes;
  Frame frame;
  Packet packet;
};

inline Decoded decode_frame(const Bytes& bytes, const Frame& frame,
                            const DecodeOptions& options = {}) {
  Decoded result{bytes, frame, {}};
  result.frame.data = result.bytes.data();
  Decoder(options, kSecret).decode(result.frame, result.packet);
  const char* broken = test::broken_invariant(result.packet);
  EXPECT_EQ(broken, nullptr) << broken;
  return result;
}

inline Decoded decode(const PacketBuilder& builder, const DecodeOptions& options = {}) {
  const Bytes bytes = builder.bytes();
  return decode_frame(bytes, frame_of(bytes, builder.link_type()), options);
}

inline std::string path_of(const Packet& packet) {
  std::string text;
  for (size_t index = 0; index < packet.path.count; ++index) {
    if (index > 0) text += '.';
    text += layer_name(packet.path.layers[index]);
  }
  return text;
}

inline std::string verdict_of(const Packet& packet) {
  const VerdictName& name = verdict_name(packet.verdict);
  std::string text = verdict_class_name(name.verdict_class);
  return packet.verdict == Verdict::kDecoded
             ? text
             : text + "{" + name.reason + "}@" + layer_name(packet.layer);
}

inline uint16_t src_port(const Packet& packet) {
  return packet.from_b ? packet.key.port_b : packet.key.port_a;
}
inline uint16_t dst_port(const Packet& packet) {
  return packet.from_b ? packet.key.port_a : packet.key.port_b;
}

}  // namespace weir::test
