// SPDX-License-Identifier: Apache-2.0
//
// Ethernet II (IEEE 802.3, clause 3): destination and source address, then an EtherType. A value
// below 0x600 there is the length of an LLC frame.
//
// The outermost addresses are the packet's; those of a frame inside matter only if the flow is its
// own, in layer 2.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 14;

}  // namespace

Step decode_ethernet(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSize);
  Packet& packet = context.packet;
  if (packet.has_macs) {
    header.copy(context.inner_dst_mac.data(), packet.dst_mac.size());
    header.copy(context.inner_src_mac.data(), packet.src_mac.size());
    context.has_inner_macs = true;
  } else {
    header.copy(packet.dst_mac.data(), packet.dst_mac.size());
    header.copy(packet.src_mac.data(), packet.src_mac.size());
    packet.has_macs = true;
  }
  const uint16_t ethertype = header.be16();
  context.advance(kHeaderSize);
  return after_link_header(context, ethertype);
}

}  // namespace weir
