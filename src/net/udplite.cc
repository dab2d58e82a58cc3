// SPDX-License-Identifier: Apache-2.0
//
// UDP-Lite (RFC 3828, section 3.1): UDP with the length replaced by how much the checksum covers,
// so the IP payload is the datagram.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 8;

}  // namespace

Step decode_udplite(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSize);
  const uint16_t src_port = header.be16();
  const uint16_t dst_port = header.be16();
  set_ports(context.packet, src_port, dst_port);
  context.advance(kHeaderSize);
  return context.finish_with_payload();
}

}  // namespace weir
