// SPDX-License-Identifier: Apache-2.0
//
// DCCP (RFC 4340, section 5.1): source port 2 | destination port 2 | data offset in 4 bytes 1 | … 3
// | reserved, type, extended sequence 1 | sequence 3 or 7, then fields of the packet type and
// options, which are not read, so they may be cut by the snap length.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 12;

}  // namespace

Step decode_dccp(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSizeMin) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSizeMin);
  const uint16_t src_port = header.be16();
  const uint16_t dst_port = header.be16();
  const uint32_t header_size = header.u8() * 4u;
  if (header_size < kHeaderSizeMin || header_size > context.size) {
    return Step::end(Verdict::kErrorBadHeaderLength);
  }
  set_ports(context.packet, src_port, dst_port);
  context.advance(header_size);
  return context.finish_with_payload();
}

}  // namespace weir
