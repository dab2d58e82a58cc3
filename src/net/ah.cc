// SPDX-License-Identifier: Apache-2.0
//
// The authentication header (RFC 4302, section 2): next header 1 | size in 4 bytes, less 2, 1 |
// reserved 2 | security parameters 4 | sequence 4 | check value.
//
// It encrypts nothing, so decoding goes on with its next header, which in IPv6 may be an extension
// header.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSizeMin = 12;

}  // namespace

Step decode_ah(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSizeMin) return Step::end(Verdict::kErrorTruncated);
  ByteReader header = context.reader.prefix(kHeaderSizeMin);
  const uint8_t next_header = header.u8();
  const uint32_t size = (header.u8() + 2u) * 4;
  if (size < kHeaderSizeMin || size > context.size) {
    return Step::end(Verdict::kErrorBadHeaderLength);
  }
  if (size > context.reader.remaining()) return Step::end(Verdict::kErrorTruncated);
  context.advance(size);
  const bool is_ipv6 = context.packet.key.kind == AddressKind::kIpv6;
  return is_ipv6 ? next_of_ipv6_header(context, next_header)
                 : next_of_ip_protocol(context, next_header);
}

}  // namespace weir
