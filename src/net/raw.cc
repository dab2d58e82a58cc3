// SPDX-License-Identifier: Apache-2.0
//
// No link layer: the frame begins with an IP header, whose version field says which.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint16_t kLinkTypeIpv4 = 228;
constexpr uint16_t kLinkTypeIpv6 = 229;

}  // namespace

Step decode_raw(LayerContext& context) noexcept {
  if (context.frame.link_type == kLinkTypeIpv4) return Step::to(Layer::kIpv4);
  if (context.frame.link_type == kLinkTypeIpv6) return Step::to(Layer::kIpv6);
  ByteReader header = context.reader;
  const int version = header.u8() >> 4;
  if (!header.ok()) return Step::end(Verdict::kErrorTruncated);
  if (version == 4) return Step::to(Layer::kIpv4);
  if (version == 6) return Step::to(Layer::kIpv6);
  return Step::end(Verdict::kErrorBadVersion);
}

}  // namespace weir
