// SPDX-License-Identifier: Apache-2.0
//
// Geneve (RFC 8926, section 3.4).
//
//   version 2b | size of options in 4 bytes 6b | control 1b | critical 1b | reserved 6b |
//   protocol 2 | network identifier 3 | reserved 1 | options
//
// The protocol is an EtherType; Ethernet and IP are decoded. A control message has the same form as
// a data packet and is one here.
#include "net/plausible.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 8;
constexpr uint32_t kOptionUnit = 4;
constexpr uint16_t kVersion = 0xc000;
constexpr uint16_t kReserved = 0x003f;
constexpr uint16_t kProtocolEthernet = 0x6558;  // transparent Ethernet bridging

struct GeneveHeader {
  uint16_t flags = 0;
  uint16_t protocol = 0;
  uint32_t network_and_reserved = 0;

  explicit GeneveHeader(ByteReader header) noexcept
      : flags(header.be16()), protocol(header.be16()), network_and_reserved(header.be32()) {}

  uint32_t size() const noexcept { return kHeaderSizeMin + (flags >> 8 & 0x3fu) * kOptionUnit; }
  bool is_valid() const noexcept {
    return (flags & (kVersion | kReserved)) == 0 && (network_and_reserved & 0xff) == 0;
  }
  // kNone for a content that is not decoded.
  Layer next() const noexcept {
    if (protocol == kProtocolEthernet) return Layer::kEthernet;
    const Layer layer = layer_of_ethertype(protocol);
    return layer == Layer::kIpv4 || layer == Layer::kIpv6 ? layer : Layer::kNone;
  }
};

}  // namespace

bool looks_like_geneve(const LayerContext& context) noexcept {
  if (context.size < kHeaderSizeMin) return false;
  if (context.reader.remaining() < kHeaderSizeMin) return true;
  const GeneveHeader header(context.reader.prefix(kHeaderSizeMin));
  Glimpse inner(context);
  return header.is_valid() && inner.skip(header.size()) && looks_like(header.next(), inner);
}

Step decode_geneve(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSizeMin) return Step::end(Verdict::kErrorTruncated);
  const GeneveHeader header(context.reader.prefix(kHeaderSizeMin));
  if (context.reader.remaining() < header.size()) return Step::end(Verdict::kErrorTruncated);
  context.set_vni(header.network_and_reserved >> 8);
  context.advance(header.size());
  return Step::to(header.next());
}

}  // namespace weir
