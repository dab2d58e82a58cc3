// SPDX-License-Identifier: Apache-2.0
//
// BSD loopback: four bytes of protocol family. LINKTYPE_LOOP writes them in network order,
// LINKTYPE_NULL in the order of the machine that captured, which the file does not tell. Families
// are small numbers, so the order is the one that makes the number small. Some systems have the
// address and control bytes of PPP or Cisco HDLC in its place, which are no family.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 4;
constexpr uint16_t kLinkTypeLoop = 108;

// AF_INET is 2 everywhere; AF_INET6 is what each system chose.
Layer layer_of_family(uint32_t family) noexcept {
  switch (family) {
    case 2:
      return Layer::kIpv4;
    case 10:  // Linux
    case 23:  // Windows
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // macOS
      return Layer::kIpv6;
    default:
      return Layer::kNone;
  }
}

}  // namespace

Step decode_null(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSize);
  uint32_t family = header.be32();
  if (family >> 16 == 0x0f00 || family >> 16 == 0x8f00) return Step::to(Layer::kChdlc);
  if (family >> 16 == 0xff03) return Step::to(Layer::kPpp);
  if (context.frame.link_type != kLinkTypeLoop && family > 0xffff)
    family = __builtin_bswap32(family);
  const Layer next = layer_of_family(family);
  if (next == Layer::kNone) return Step::end(Verdict::kIgnoredFamily);
  context.advance(kHeaderSize);
  return Step::to(next);
}

}  // namespace weir
