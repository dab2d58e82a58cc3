// SPDX-License-Identifier: Apache-2.0
//
// Ethernet II (IEEE 802.3, clause 3): destination and source address, then an EtherType. A value
// below 0x600 there is the length of an LLC frame.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 14;

}  // namespace

Step decode_ethernet(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSize);
  Packet& packet = context.packet;
  header.copy(packet.dst_mac.data(), packet.dst_mac.size());
  header.copy(packet.src_mac.data(), packet.src_mac.size());
  const uint16_t ethertype = header.be16();
  packet.has_macs = true;
  context.advance(kHeaderSize);
  return after_link_header(context, ethertype);
}

}  // namespace weir
