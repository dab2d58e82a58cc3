// SPDX-License-Identifier: Apache-2.0
//
// MACsec (IEEE 802.1AE, 9.3): the security tag.
//
//   version 1b | end station 1b | has identifier 1b | broadcast 1b | encrypted 1b | changed 1b |
//   association 2b | short length 1 | packet number 4 | identifier 8, if there is one
//
// What is protected and neither encrypted nor changed goes on with its EtherType, and ends with a
// check value. Everything else is a layer-2 flow.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kTagSizeMin = 6;
constexpr uint32_t kIdentifierSize = 8;
constexpr uint32_t kEthertypeSize = 2;
constexpr uint32_t kCheckValueSize = 16;  // of all cipher suites of the standard
constexpr uint8_t kHasVersion = 0x80;
constexpr uint8_t kHasIdentifier = 0x20;
constexpr uint8_t kIsEncryptedOrChanged = 0x0c;

}  // namespace

Step decode_macsec(LayerContext& context) noexcept {
  const uint8_t flags = context.reader.prefix(1).u8();
  const bool has_identifier = (flags & kHasIdentifier) != 0;
  const uint32_t tag_size = kTagSizeMin + (has_identifier ? kIdentifierSize : 0);
  if (context.reader.remaining() < tag_size) return Step::end(Verdict::kErrorTruncated);
  context.advance(tag_size);
  if ((flags & (kHasVersion | kIsEncryptedOrChanged)) != 0) return finish_layer2(context);

  if (context.reader.remaining() < kEthertypeSize) return Step::end(Verdict::kErrorTruncated);
  const uint16_t ethertype = context.reader.prefix(kEthertypeSize).be16();
  context.advance(kEthertypeSize);
  if (context.size >= kCheckValueSize) context.limit(context.size - kCheckValueSize);
  return next_of_ethertype(context, ethertype);
}

}  // namespace weir
