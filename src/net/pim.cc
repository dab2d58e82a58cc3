// SPDX-License-Identifier: Apache-2.0
//
// PIM (RFC 7761, section 4.9): version 4b | type 4b | reserved 1 | checksum 2. A flow without
// ports; the packet in a register message is payload.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 4;

}  // namespace

Step decode_pim(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  context.advance(kHeaderSize);
  return context.finish_with_payload();
}

}  // namespace weir
