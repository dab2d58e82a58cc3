// SPDX-License-Identifier: Apache-2.0
//
// IGMP of every version (RFC 1112, RFC 2236, RFC 3376): type 1 | time 1 | checksum 2 | group
// address, or count of records, 4. A flow without ports, from the sender to the group's address.
#include "net/layer_cursor.h"

namespace weir {
namespace {

constexpr uint32_t kHeaderSize = 8;

}  // namespace

Step decode_igmp(LayerContext& context) noexcept {
  if (context.reader.remaining() < kHeaderSize) return Step::end(Verdict::kErrorTruncated);
  context.advance(kHeaderSize);
  return context.finish_with_payload();
}

}  // namespace weir
