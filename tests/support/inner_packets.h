// SPDX-License-Identifier: Apache-2.0
//
// A question and its answer, to be put inside whatever the builder has so far, and the outer headers
// of most tunnels.
#pragma once

#include "tests/support/packet_builder.h"

namespace weir::test {

inline PacketBuilder outer_ip() {
  return ethernet().ipv4("192.0.2.1", "192.0.2.2");
}
inline PacketBuilder outer_udp(uint16_t dst_port, uint16_t src_port = 49152) {
  return outer_ip().udp(src_port, dst_port);
}

inline PacketBuilder question(PacketBuilder tunnel) {
  return tunnel.ipv4("10.0.0.1", "10.0.0.2").tcp(1234, 80).payload("question");
}
inline PacketBuilder question6(PacketBuilder tunnel) {
  return tunnel.ipv6("fd00::1", "fd00::2").tcp(1234, 80).payload("question");
}
inline PacketBuilder answer(PacketBuilder tunnel) {
  return tunnel.ipv4("10.0.0.2", "10.0.0.1").tcp(80, 1234).payload("answer");
}
// A control word, or the type of an indication.
inline PacketBuilder with_bytes(PacketBuilder packet, const Bytes& bytes) {
  return packet.payload(bytes);
}

}  // namespace weir::test
