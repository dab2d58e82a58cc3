// SPDX-License-Identifier: Apache-2.0
//
// HSR tag (IEC 62439-3, 5.2): path (4 bits) and size of the frame it protects (12), a sequence
// number (16), then the EtherType of what is tagged. Both copies of a frame reach their receiver
// and are counted; a PRP frame carries the same as a trailer, which is padding to those above it.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kTagSize = 6;

}  // namespace

Step decode_hsr(LayerContext& context) noexcept {
  if (context.reader.remaining() < kTagSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader tag = context.reader.prefix(kTagSize);
  tag.skip(4);
  const uint16_t ethertype = tag.be16();
  context.advance(kTagSize);
  return next_of_ethertype(context, ethertype);
}

}  // namespace weir
