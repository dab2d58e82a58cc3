// SPDX-License-Identifier: Apache-2.0
//
// TCP (RFC 9293, section 3.1).
//
//   source port 2 | destination port 2 | sequence 4 | acknowledgment 4 |
//   header words 4b, reserved 4b | flags 1 | window 2 | checksum 2 | urgent pointer 2 | options
//
// Options are not read, so they may be cut by the snap length.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 20;

}  // namespace

Step decode_tcp(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSizeMin) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSizeMin);
  const uint16_t src_port = header.be16();
  const uint16_t dst_port = header.be16();
  const uint32_t seq = header.be32();
  const uint32_t ack = header.be32();
  const uint8_t header_words = header.u8() >> 4;
  const uint8_t flags = header.u8();
  const uint16_t window = header.be16();
  header.skip(4);
  const uint32_t header_size = header_words * 4u;
  if (header_size < kHeaderSizeMin || header_size > context.size) {
    return Step::end(Verdict::kErrorBadHeaderLength);
  }

  Packet& packet = context.packet;
  set_ports(packet, src_port, dst_port);
  packet.tcp_seq = seq;
  packet.tcp_ack = ack;
  packet.tcp_flags = flags;
  packet.tcp_window = window;
  packet.has_tcp = true;
  context.advance(header_size);
  return context.finish_with_payload();
}

}  // namespace weir
