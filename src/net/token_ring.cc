// SPDX-License-Identifier: Apache-2.0
//
// The two rings. Their frame control says whether LLC follows; frames that manage the ring are
// ignored{control}.
//
//   Token Ring (IEEE 802.5)  access 1 | control 1 | receiver 6 | sender 6 | [routing 2 to 30] | LLC
//   FDDI (ISO 9314-2)        control 1 | receiver 6 | sender 6 | LLC
//
// Routing is there when the sender's address has its first bit set, which is not part of the
// address. FDDI addresses are captured in the bit order of the medium: every byte is mirrored.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kTokenRingSize = 14;
constexpr uint32_t kFddiSize = 13;
constexpr uint8_t kHasRouting = 0x80;

void mirror(MacBytes& address) noexcept {
  for (uint8_t& byte : address) {
    unsigned bits = byte;
    bits = (bits & 0xf0u) >> 4 | (bits & 0x0fu) << 4;
    bits = (bits & 0xccu) >> 2 | (bits & 0x33u) << 2;
    bits = (bits & 0xaau) >> 1 | (bits & 0x55u) << 1;
    byte = static_cast<uint8_t>(bits);
  }
}

void read_addresses(ByteReader& header, Packet& packet) noexcept {
  header.copy(packet.dst_mac.data(), packet.dst_mac.size());
  header.copy(packet.src_mac.data(), packet.src_mac.size());
  packet.has_macs = true;
}

}  // namespace

Step decode_token_ring(LayerContext& context) noexcept {
  if (context.reader.remaining() < kTokenRingSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kTokenRingSize);
  header.skip(1);
  const bool has_llc = header.u8() >> 6 == 1;
  read_addresses(header, context.packet);
  context.advance(kTokenRingSize);
  if (!has_llc) return Step::end(Verdict::kIgnoredControl);
  if ((context.packet.src_mac[0] & kHasRouting) != 0) {
    context.packet.src_mac[0] &= static_cast<uint8_t>(~kHasRouting);
    ByteReader routing = context.reader;
    const uint32_t size = routing.u8() & 0x1fu;
    if (!routing.ok() || size > context.reader.remaining())
      return Step::end(Verdict::kErrorTruncated);
    if (size < 2) return Step::end(Verdict::kErrorBadHeaderLength);
    context.advance(size);
  }
  context.endpoints = Endpoints::kLink;
  return Step::to(Layer::kLlc);
}

Step decode_fddi(LayerContext& context) noexcept {
  if (context.reader.remaining() < kFddiSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kFddiSize);
  const uint8_t kind = header.u8() & 0xf0;
  const bool has_llc = kind == 0x50 || kind == 0xd0;  // asynchronous, synchronous
  read_addresses(header, context.packet);
  mirror(context.packet.dst_mac);
  mirror(context.packet.src_mac);
  context.advance(kFddiSize);
  if (!has_llc) return Step::end(Verdict::kIgnoredControl);
  context.endpoints = Endpoints::kLink;
  return Step::to(Layer::kLlc);
}

}  // namespace weir
