// SPDX-License-Identifier: Apache-2.0
//
// Provider backbone bridges (IEEE 802.1Q, 9.7): the customer's frame in the provider's, behind an
// I-TAG: priority 3b, drop eligible 1b, customer addresses in use 1b, reserved 3b, service id 24b.
// The standard counts the customer's addresses as part of the tag; with them begins the frame.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kTagSize = 4;

}  // namespace

Step decode_pbb(LayerContext& context) noexcept {
  if (context.reader.remaining() < kTagSize) return Step::end(Verdict::kErrorTruncated);
  context.advance(kTagSize);
  return Step::to(Layer::kEthernet);
}

}  // namespace weir
