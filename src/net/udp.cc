// SPDX-License-Identifier: Apache-2.0
//
// UDP (RFC 768): source port 2 | destination port 2 | length 2 | checksum 2.
//
// The length counts the header. 0 is a jumbogram (RFC 2675) or offload, and more than the IP
// payload is offload or the first piece of a fragmented datagram: then the IP payload decides.
//
// A datagram to or from a tunnel's port is a tunnel's if it looks like one; else it is plain UDP.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 8;

// The tunnel a datagram belongs to by its ports and by its looks.
Layer tunnel_of(uint16_t src_port, uint16_t dst_port, const LayerContext& context) noexcept {
  switch (dst_port) {
#define TUNNELLED_TO_UDP_PORT(number, layer, looks_like) \
  case number:                                           \
    return looks_like(context) ? Layer::layer : Layer::kNone;
#define TUNNELLED_BY_UDP_PORT(number, layer, looks_like) \
  case number:                                           \
    return looks_like(context) ? Layer::layer : Layer::kNone;
#include "net/layer_steps.inc"
    default:
      break;
  }
  switch (src_port) {
#define TUNNELLED_BY_UDP_PORT(number, layer, looks_like) \
  case number:                                           \
    return looks_like(context) ? Layer::layer : Layer::kNone;
#include "net/layer_steps.inc"
    default:
      return Layer::kNone;
  }
}

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
  if (context.options.decapsulate) {
    const Layer tunnel = tunnel_of(src_port, dst_port, context);
    if (tunnel != Layer::kNone) return context.enter_tunnel(tunnel);
  }
  return context.finish_with_payload();
}

}  // namespace weir
