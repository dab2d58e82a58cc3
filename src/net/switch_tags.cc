// SPDX-License-Identifier: Apache-2.0
//
// Tags switches put between an Ethernet header and what it announced. None of them tells networks
// with equal addresses apart, so none is part of a flow's key.
//
//   Cisco metadata          version 1 | length 1 | options, of which a security group | EtherType 2
//   VN-Tag                  direction, interfaces 4 | EtherType 2
//   E-Tag (IEEE 802.1BR)    priority, interfaces 6 | EtherType 2
//   FabricPath              tree and hops 2 | Ethernet frame
//
// The length of Cisco metadata is the number of 4-byte options less one.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kVntagSize = 4;
constexpr uint32_t kEtagSize = 6;
constexpr uint32_t kCfpSize = 2;
constexpr uint32_t kCmdFixedSize = 2;
constexpr uint32_t kCmdOptionSize = 4;

Step skip_tag(LayerContext& context, uint32_t size) noexcept {
  ByteReader tag = context.reader;
  tag.skip(size);
  const uint16_t ethertype = tag.be16();
  if (!tag.ok()) return Step::end(Verdict::kErrorTruncated);
  context.advance(size + 2);
  return next_of_ethertype(context, ethertype);
}

}  // namespace

Step decode_cmd(LayerContext& context) noexcept {
  ByteReader tag = context.reader;
  tag.skip(1);
  const uint32_t option_count = tag.u8();
  return skip_tag(context, kCmdFixedSize + option_count * kCmdOptionSize);
}

Step decode_vntag(LayerContext& context) noexcept {
  return skip_tag(context, kVntagSize);
}

Step decode_etag(LayerContext& context) noexcept {
  return skip_tag(context, kEtagSize);
}

Step decode_cfp(LayerContext& context) noexcept {
  if (context.reader.remaining() < kCfpSize) return Step::end(Verdict::kErrorTruncated);
  context.advance(kCfpSize);
  return Step::to(Layer::kEthernet);
}

}  // namespace weir
