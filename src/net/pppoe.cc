// SPDX-License-Identifier: Apache-2.0
//
// PPPoE (RFC 2516, section 4): version 4b | type 4b | code 1 | session 2 | length 2, then a PPP
// frame from its protocol field on, or the tags of a discovery.
//
// Discovery is a layer-2 flow, and so is a session packet of another version or with a code, which
// no standard defines. On a link of its own (LINKTYPE_PPP_ETHER) the code alone tells the two
// apart.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 6;
constexpr uint8_t kVersionAndType = 0x11;

}  // namespace

Step decode_pppoes(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSize);
  const uint8_t version_and_type = header.u8();
  const uint8_t code = header.u8();
  header.skip(2);
  const uint16_t length = header.be16();
  context.advance(kHeaderSize);
  if (length < context.size) context.limit(length);
  if (version_and_type != kVersionAndType || code != 0) return finish_layer2(context);
  return Step::to(Layer::kPpp);
}

Step decode_pppoed(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  context.advance(kHeaderSize);
  return finish_layer2(context);
}

}  // namespace weir
