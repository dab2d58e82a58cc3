// SPDX-License-Identifier: Apache-2.0
//
// UDP (RFC 768): source port 2 | destination port 2 | length 2 | checksum 2.
//
// The length counts the header. 0 is a jumbogram (RFC 2675) or offload, and more than the IP
// payload is offload or the first piece of a fragmented datagram: then the IP payload decides.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 8;

}  // namespace

Step decode_udp(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSize);
  const uint16_t src_port = header.be16();
  const uint16_t dst_port = header.be16();
  const uint16_t length = header.be16();
  header.skip(2);
  if (length != 0 && length < kHeaderSize) return Step::end(Verdict::kErrorBadLength);

  set_ports(context.packet, src_port, dst_port);
  if (length != 0 && length < context.size) context.limit(length);
  context.advance(kHeaderSize);
  return context.finish_with_payload();
}

}  // namespace weir
