// SPDX-License-Identifier: Apache-2.0
//
// One VLAN tag behind its TPID (IEEE 802.1Q, 9.6): priority (3 bits), drop eligible (1), VLAN id
// (12), then the EtherType of what is tagged, which may be another tag. Id 0 is a priority tag; it
// counts as a tag.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kTagSize = 4;

}  // namespace

Step decode_vlan(LayerContext& context) noexcept {
  if (context.reader.remaining() < kTagSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader tag = context.reader.prefix(kTagSize);
  const uint16_t tci = tag.be16();
  const uint16_t ethertype = tag.be16();
  if (!context.add_tag(tci)) return Step::end(Verdict::kErrorTooManyTags);
  context.advance(kTagSize);
  return next_of_ethertype(context, ethertype);
}

}  // namespace weir
