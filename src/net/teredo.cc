// SPDX-License-Identifier: Apache-2.0
//
// Teredo (RFC 4380, section 5.1.1): an IPv6 packet in UDP, behind up to two indications.
//
//   authentication  00 01 | size of client id 1 | size of value 1 | client id | value | nonce 8 |
//                   confirmation 1
//   origin          00 00 | port 2 | address 4
//
// Trailers of extensions (RFC 6081) are beyond the length of the IPv6 packet, like padding.
#include "net/plausible.h"

namespace weir {
namespace {

constexpr uint16_t kAuthentication = 1;
constexpr uint16_t kOrigin = 0;
constexpr uint32_t kAuthenticationSizeMin = 13;
constexpr uint32_t kOriginSize = 8;
constexpr uint32_t kIpv6Size = 40;

struct Indications {
  bool is_known = false;  // captured far enough to tell how long they are
  uint32_t size = 0;
};

Indications read_indications(ByteReader reader) noexcept {
  uint32_t size = 0;
  ByteReader authentication = reader;
  if (authentication.be16() == kAuthentication) {
    const uint32_t id_size = authentication.u8();
    size = kAuthenticationSizeMin + id_size + authentication.u8();
    reader.skip(size);
  }
  const uint16_t kind = reader.be16();
  if (kind == kOrigin) size += kOriginSize;
  return {reader.ok() && authentication.ok(), size};
}

}  // namespace

bool looks_like_teredo(const LayerContext& context) noexcept {
  const Indications indications = read_indications(context.reader);
  if (!indications.is_known) return context.size >= indications.size + kIpv6Size;
  Glimpse inner(context);
  return inner.skip(indications.size) && looks_like_ipv6(inner);
}

Step decode_teredo(LayerContext& context) noexcept {
  const Indications indications = read_indications(context.reader);
  if (!indications.is_known || context.reader.remaining() < indications.size) {
    return Step::end(Verdict::kErrorTruncated);
  }
  context.advance(indications.size);
  return Step::to(Layer::kIpv6);
}

}  // namespace weir
