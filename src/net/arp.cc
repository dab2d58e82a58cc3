// SPDX-License-Identifier: Apache-2.0
//
// ARP (RFC 826) and RARP (RFC 903): a flow between the MAC addresses of the frame, not those in the
// message, so that it is the same for every layer-2 protocol. The message stays payload; only its
// fixed part has to be there.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kFixedSize = 8;  // hardware, protocol, two address lengths, operation

}  // namespace

Step decode_arp(LayerContext& context) noexcept {
  if (context.reader.remaining() < kFixedSize) return Step::end(Verdict::kErrorTruncated);
  return finish_layer2(context);
}

}  // namespace weir
