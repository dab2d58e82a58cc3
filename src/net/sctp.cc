// SPDX-License-Identifier: Apache-2.0
//
// SCTP common header (RFC 9260, section 3.1): source port 2 | destination port 2 | verification tag
// 4 | checksum 4. Chunks are payload.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 12;

}  // namespace

Step decode_sctp(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSize);
  const uint16_t src_port = header.be16();
  const uint16_t dst_port = header.be16();
  header.skip(8);
  set_ports(context.packet, src_port, dst_port);
  context.advance(kHeaderSize);
  return context.finish_with_payload();
}

}  // namespace weir
