// SPDX-License-Identifier: Apache-2.0
//
// ESP (RFC 4303, section 2): security parameters 4 | sequence 4. The rest is encrypted: a flow
// without ports. (ESP in UDP, RFC 3948, is a flow of UDP.)
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 8;

}  // namespace

Step decode_esp(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  context.advance(kHeaderSize);
  return context.finish_with_payload();
}

}  // namespace weir
